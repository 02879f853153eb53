"""What the executors on clusters have in common: calls shipped as jobs, outcomes brought back.

`job` is imported on the workers, the rest only by the runner.
"""
