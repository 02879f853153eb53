"""What surrounds one call of a task's function: the call, its link to the run, logs, files."""
