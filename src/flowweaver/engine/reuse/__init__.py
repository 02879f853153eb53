"""Whether a TaskRun needs to be executed: the decision, and the facts it goes by."""
