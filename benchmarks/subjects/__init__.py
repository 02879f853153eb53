"""Who is measured, one module each; their functions take a size and return a value.

They are run by `benchmarks.probe`, with the interpreter of the subject's own environment, in an
empty folder. What is not to be measured, such as the definition of the graph, they do first.
"""
