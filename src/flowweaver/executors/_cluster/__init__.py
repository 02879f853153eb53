"""What the executors on clusters share: calls are shipped as jobs, and their outcomes handed in.

`job` is imported on the workers, the rest only by the runner.
"""
