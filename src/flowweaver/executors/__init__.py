"""Where attempts run: in this process, in worker processes, on clusters."""
