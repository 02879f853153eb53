"""FlowWeaver: run a graph of Python functions so that nothing is done twice and nothing is lost."""
