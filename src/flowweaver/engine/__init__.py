"""How a workflow is executed: decided here, performed by executors, kept by stores.

- `executor`, `execution`, `hosting`, `claimed`, `invocation`, `options`, `setting`: one execution,
  put together; `awaiting`: the same in an event loop. `loop_thread`, `loops`: where coroutines run.
- `runner`: the one loop, with `starter`, `finisher`, `alarms` and `ending`.
- `scheduler`: what decides, with `ready`, `timers`, `verdicts`, `failure_policy`, `priorities` and
  `pressure`; `gated`: the same where tags have limits and rates, by `gates`.
- `run_graph`, `elements`, `inputs`, `results`, `files`: the nodes of a run, and what they hand on.
- `unchanged`, `carried`, `cutoff`: what is as it was in the run before, and not decided about.
- `ledger`, `timings`, `recorder`, `live`: what is noted of a run, told, and written.
- `body`: what surrounds one call. `reuse`: whether it is needed. `plan`: what a run would do.
  `history`: past runs.
- `protocols`: what is asked of executors.
"""
