"""Runs of tasks that do nothing, in memory and with stores."""

from __future__ import annotations

from benchmarks.cases.entries import UP_TO_10K, UP_TO_100K, US, floor, here, slow
from benchmarks.model import Case, Entry, Target

_HAMILTON_CHAIN = Entry("peers.hamilton", "chain", most=1_000)
_CHAIN = here("chain", "sequential")
_CHAIN_AGAIN = here("chain_again", "sequential, executed before")
_CHAIN_ANY = here("chain_any", "sequential, functions that take **")
CHAIN_MEMORY = Case(
    "chain-memory",
    "A chain of no-op tasks, results in memory",
    US,
    UP_TO_100K,
    (
        _CHAIN,
        _CHAIN_AGAIN,
        _CHAIN_ANY,
        here("chain_threads", "4 threads"),
        here("chain_async", "coroutines"),
        floor("loop", "a bare loop"),
        floor("pool_chain", "submit and result, one by one"),
        Entry("peers.flowweaver_022", "chain", most=1_000),
        _HAMILTON_CHAIN,
        Entry("peers.dask", "chain", "synchronous", most=10_000),
        Entry("peers.parsl", "chain", "4 threads", most=1_000),
        Entry("peers.luigi", "chain", "local scheduler", most=100),
        slow("peers.dagster", "chain", "in one process"),
        slow("peers.prefect", "chain", "its start-up of the server left out"),
    ),
    (
        Target(_CHAIN, 0.33, against=_HAMILTON_CHAIN),
        Target(_CHAIN_AGAIN, 0.25, against=_HAMILTON_CHAIN),
        Target(_CHAIN_ANY, 0.33, against=_HAMILTON_CHAIN),
        Target(_CHAIN, 1.3, growth_from=1_000),
    ),
)

_PROCESS_COMMITS = floor("commits_process", "one SQLite transaction a task")
_CHAIN_PROCESS = here("chain_process", "sequential")
CHAIN_PROCESS = Case(
    "chain-process",
    "A durable chain: each result survives a kill before the next task starts",
    US,
    UP_TO_10K,
    (
        _CHAIN_PROCESS,
        here("chain_process_threads", "4 threads"),
        _PROCESS_COMMITS,
        Entry("peers.hamilton", "chain_cached", "cache", most=1_000),
        Entry("peers.parsl", "chain_checkpointed", "pickle at task exit, no sync", most=1_000),
        Entry("peers.joblib", "chain_cached", "Memory: files, no sync", most=1_000),
        Entry("peers.luigi", "chain_files", "file targets, no sync", most=100),
        slow("peers.cereyan", "chain_cached", "offline: SQLite NORMAL, results in files"),
        slow("peers.stabilize", "chain", "SQLite NORMAL"),
        slow("peers.dagster", "chain_files", "files, event log in SQLite WAL"),
        slow("peers.prefect", "chain_files", "files, states in its server"),
    ),
    (
        Target(_CHAIN_PROCESS, 3.0, against=_PROCESS_COMMITS),
        Target(_CHAIN_PROCESS, 1.3, growth_from=1_000),
    ),
)

_FULL_COMMITS = floor("commits_full", "one SQLite transaction a task")
_CHAIN_FULL = here("chain_full", "sequential")
CHAIN_FULL = Case(
    "chain-full",
    "A durable chain: each result survives power loss before the next task starts",
    US,
    UP_TO_10K,
    (
        _CHAIN_FULL,
        here("chain_json", "JSON store"),
        _FULL_COMMITS,
        Entry("peers.flowweaver_022", "chain_full", most=100),
        Entry("peers.dbos", "chain", "SQLite FULL", most=1_000, rounds=1),
        slow("peers.redun", "chain", "SQLite FULL"),
    ),
    (Target(_CHAIN_FULL, 1.5, against=_FULL_COMMITS),),
)

_POOL = floor("pool", "ThreadPoolExecutor, 4 threads")
_FAN = here("fan_threads", "4 threads")
FAN_MEMORY = Case(
    "fan-memory",
    "A fan-out of no-op tasks, results in memory",
    US,
    UP_TO_100K,
    (
        _FAN,
        here("fan", "sequential"),
        here("fan_async", "coroutines"),
        _POOL,
        Entry("peers.flowweaver_022", "fan_threads", "4 threads", most=1_000),
        Entry("peers.hamilton", "fan", "without threads", most=1_000),
        Entry("peers.dask", "fan_threads", "4 threads", most=10_000),
        Entry("peers.parsl", "fan_threads", "4 threads", most=1_000),
        Entry("peers.luigi", "fan", "one worker", most=100),
        slow("peers.dagster", "fan", "in one process"),
        slow("peers.prefect", "fan_threads", "4 threads"),
        slow("peers.redun", "fan", "database in memory"),
    ),
    (Target(_FAN, 0.3, against=_POOL), Target(_FAN, 1.3, growth_from=1_000)),
)

_FAN_PROCESS = here("fan_process", "4 threads, process")
_FAN_FULL = here("fan_full", "4 threads, full", most=10_000)
_PROCESS_FLOOR = floor("commits_process", "one transaction a task, process", most=10_000)
_FULL_FLOOR = floor("commits_full", "one transaction a task, full", most=10_000)
FAN_DURABLE = Case(
    "fan-durable",
    "A durable fan-out of no-op tasks",
    US,
    UP_TO_100K,
    (
        _FAN_PROCESS,
        _FAN_FULL,
        _PROCESS_FLOOR,
        _FULL_FLOOR,
        slow("peers.cereyan", "fan_threads", "offline: 4 threads, SQLite NORMAL, no results kept"),
    ),
    (
        Target(_FAN_PROCESS, 1.0, against=_PROCESS_FLOOR),
        Target(_FAN_FULL, 1.0, against=_FULL_FLOOR),
        Target(_FAN_PROCESS, 1.3, growth_from=1_000),
    ),
)

ELEMENTS = Case(
    "elements",
    "One task mapped over a list, on 4 threads",
    "us an element",
    (1_000, 10_000),
    (
        here("elements_process", "each result survives a kill"),
        here("elements_memory", "in memory"),
        _PROCESS_FLOOR,
    ),
    of="elements",
)

_MAP = here("map_processes", "2 processes")
_POOL_MAP = floor("process_map", "ProcessPoolExecutor.map, 2 processes")
FAN_PROCESSES = Case(
    "fan-processes",
    "A no-op task mapped over a list, on warm worker processes",
    "us an element",
    (5_000,),
    (
        _MAP,
        here("map_processes_stored", "2 processes, each result survives a kill"),
        _POOL_MAP,
        Entry("peers.joblib", "process_map", "loky, 2 processes"),
    ),
    (Target(_MAP, 0.4, against=_POOL_MAP),),
    of="elements",
)

_RUN = here("run_bytes", "run durably")
_RUN_AGAIN = here("restore_changed_bytes", "executed again, one task changed")
RUN_MEMORY = Case(
    "run-memory",
    "Largest memory of a durable chain, its definition included",
    "bytes a task",
    (10_000, 100_000),
    (_RUN, _RUN_AGAIN),
    (Target(_RUN, 1_500.0), Target(_RUN_AGAIN, 1_500.0)),
)

_DECISIONS = Entry("simulation", "decisions", "scheduler alone, 10,000 simulated workers")
SCHEDULER = Case(
    "scheduler",
    "Decisions of the scheduler, in a simulation",
    "us a decision",
    (10_000, 100_000, 1_000_000),
    (_DECISIONS, Entry("simulation", "with_executor", "the simulated executor included")),
)

CASES = (
    CHAIN_MEMORY,
    FAN_MEMORY,
    CHAIN_PROCESS,
    CHAIN_FULL,
    FAN_DURABLE,
    ELEMENTS,
    FAN_PROCESSES,
    RUN_MEMORY,
    SCHEDULER,
)
