"""What users define: tasks and workflows, and what can be said about them.

- `workflow`, `task`: what users make; `last_runs` knows which run of a workflow was the last.
- `options`, `retry`, `edges`: what is said about a task; `units` reads sizes and times.
- `signature`, `annotations`: what a function takes, and as what; `file_uses`: which files.
- `typecheck`: whether a value is what an annotation asks for.
- `wiring`: a workflow's names resolved to a graph; `subflow`: a workflow as a task of another.
"""
