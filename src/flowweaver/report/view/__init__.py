"""The View: a run as told to people, one JSON that report, live page, notebook and `--json` share.

sources    where it comes from: a store's records, or a run that no store keeps
rows       its TaskRuns as columns, and what they come to for each task
times      worker lanes, pauses, the critical path
past       earlier runs: durations, what to expect, what it is compared with
failures   what failed first, and what did not start because of it
details    one TaskRun in full: why, inputs, result, attempts, log
assemble   all of it together; view.schema.json beside it describes the outcome
"""
