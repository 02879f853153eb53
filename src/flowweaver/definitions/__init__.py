"""What users define: tasks and workflows, and what can be said about them. No run is known here.

`workflow` and `task` are what users make. What they say about a task is in `options`, with a room
each for `retry` and `edges`; `units` reads sizes and times, `names` says which names are fit.
`signature` reads what a function takes; `typecheck` compares a value with an annotation. `wiring`
resolves a workflow's names to a graph, and `subflow` inlines a workflow that is a task of another.
"""
