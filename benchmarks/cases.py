"""What is measured, and what is to be reached."""

from __future__ import annotations

from benchmarks.model import Case, Entry, Target

_UP_TO_100K = (100, 1_000, 10_000, 100_000)
_UP_TO_10K = (100, 1_000, 10_000)
_US = "us a task"


def _here(function: str, how: str = "", most: int | None = None) -> Entry:
    return Entry("flowweaver_here", function, how, most)


def _floor(function: str, how: str, most: int | None = None) -> Entry:
    return Entry("floors", function, how, most)


# Slow peers are asked for few tasks, and once: a figure of theirs is within a few percent then,
# while what it is compared with is many times smaller.
def _slow(subject: str, function: str, how: str = "") -> Entry:
    return Entry(subject, function, how, most=100, rounds=1)


_HAMILTON_CHAIN = Entry("peers.hamilton", "chain", most=1_000)
_CHAIN = _here("chain", "sequential")
_CHAIN_AGAIN = _here("chain_again", "sequential, executed before")
_CHAIN_ANY = _here("chain_any", "sequential, functions that take **")
CHAIN_MEMORY = Case(
    "chain-memory",
    "A chain of no-op tasks, results in memory",
    _US,
    _UP_TO_100K,
    (
        _CHAIN,
        _CHAIN_AGAIN,
        _CHAIN_ANY,
        _here("chain_threads", "4 threads"),
        _here("chain_async", "coroutines"),
        _floor("loop", "a bare loop"),
        _floor("pool_chain", "submit and result, one by one"),
        Entry("peers.flowweaver_022", "chain", most=1_000),
        _HAMILTON_CHAIN,
        Entry("peers.dask", "chain", "synchronous", most=10_000),
        Entry("peers.parsl", "chain", "4 threads", most=1_000),
        Entry("peers.luigi", "chain", "local scheduler", most=100),
        _slow("peers.dagster", "chain", "in one process"),
        _slow("peers.prefect", "chain", "its start-up of the server left out"),
    ),
    (
        Target(_CHAIN, 0.33, against=_HAMILTON_CHAIN),
        Target(_CHAIN_AGAIN, 0.25, against=_HAMILTON_CHAIN),
        Target(_CHAIN_ANY, 0.33, against=_HAMILTON_CHAIN),
        Target(_CHAIN, 1.3, growth_from=1_000),
    ),
)

_PROCESS_COMMITS = _floor("commits_process", "one SQLite transaction a task")
_CHAIN_PROCESS = _here("chain_process", "sequential")
CHAIN_PROCESS = Case(
    "chain-process",
    "A durable chain: each result survives a kill before the next task starts",
    _US,
    _UP_TO_10K,
    (
        _CHAIN_PROCESS,
        _here("chain_process_threads", "4 threads"),
        _PROCESS_COMMITS,
        Entry("peers.hamilton", "chain_cached", "cache", most=1_000),
        Entry("peers.parsl", "chain_checkpointed", "pickle at task exit, no sync", most=1_000),
        Entry("peers.luigi", "chain_files", "file targets, no sync", most=100),
        _slow("peers.stabilize", "chain", "SQLite NORMAL"),
        _slow("peers.dagster", "chain_files", "files, event log in SQLite WAL"),
        _slow("peers.prefect", "chain_files", "files, states in its server"),
    ),
    (
        Target(_CHAIN_PROCESS, 3.0, against=_PROCESS_COMMITS),
        Target(_CHAIN_PROCESS, 1.3, growth_from=1_000),
    ),
)

_FULL_COMMITS = _floor("commits_full", "one SQLite transaction a task")
_CHAIN_FULL = _here("chain_full", "sequential")
CHAIN_FULL = Case(
    "chain-full",
    "A durable chain: each result survives power loss before the next task starts",
    _US,
    _UP_TO_10K,
    (
        _CHAIN_FULL,
        _here("chain_json", "JSON store"),
        _FULL_COMMITS,
        Entry("peers.flowweaver_022", "chain_full", most=100),
        Entry("peers.dbos", "chain", "SQLite FULL", most=1_000, rounds=1),
        _slow("peers.redun", "chain", "SQLite FULL"),
    ),
    (Target(_CHAIN_FULL, 1.5, against=_FULL_COMMITS),),
)

_POOL = _floor("pool", "ThreadPoolExecutor, 4 threads")
_FAN = _here("fan_threads", "4 threads")
FAN_MEMORY = Case(
    "fan-memory",
    "A fan-out of no-op tasks, results in memory",
    _US,
    _UP_TO_100K,
    (
        _FAN,
        _here("fan", "sequential"),
        _here("fan_async", "coroutines"),
        _POOL,
        Entry("peers.flowweaver_022", "fan_threads", "4 threads", most=1_000),
        Entry("peers.hamilton", "fan", "without threads", most=1_000),
        Entry("peers.dask", "fan_threads", "4 threads", most=10_000),
        Entry("peers.parsl", "fan_threads", "4 threads", most=1_000),
        Entry("peers.luigi", "fan", "one worker", most=100),
        _slow("peers.dagster", "fan", "in one process"),
        _slow("peers.prefect", "fan_threads", "4 threads"),
        _slow("peers.redun", "fan", "database in memory"),
    ),
    (Target(_FAN, 0.3, against=_POOL), Target(_FAN, 1.3, growth_from=1_000)),
)

_FAN_PROCESS = _here("fan_process", "4 threads, process")
_FAN_FULL = _here("fan_full", "4 threads, full", most=10_000)
_PROCESS_FLOOR = _floor("commits_process", "one transaction a task, process", most=10_000)
_FULL_FLOOR = _floor("commits_full", "one transaction a task, full", most=10_000)
FAN_DURABLE = Case(
    "fan-durable",
    "A durable fan-out of no-op tasks",
    _US,
    _UP_TO_100K,
    (_FAN_PROCESS, _FAN_FULL, _PROCESS_FLOOR, _FULL_FLOOR),
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
        _here("elements_process", "each result survives a kill"),
        _here("elements_memory", "in memory"),
        _PROCESS_FLOOR,
    ),
    of="elements",
)

_RESTORE = _here("restore", "SQLite")
_RESTORE_CHANGED = _here("restore_changed", "SQLite, one task changed")
RESTORE = Case(
    "restore",
    "Executing a finished run again: nothing runs",
    _US,
    _UP_TO_100K,
    (
        _RESTORE,
        _RESTORE_CHANGED,
        _floor("select", "one SELECT"),
        _floor("rows_again", "the run's rows read and written by sqlite3 alone", most=10_000),
        Entry("peers.flowweaver_022", "restore", most=100),
        Entry("peers.hamilton", "restore", "cache", most=1_000),
        Entry("peers.luigi", "restore", "looks at the last target only", most=100),
        _slow("peers.redun", "restore"),
    ),
    (Target(_RESTORE, 2.0), Target(_RESTORE_CHANGED, 3.0)),
)

_DEFINE = _here("define")
DEFINE = Case(
    "define",
    "Defining and validating a chain",
    _US,
    (1_000, 10_000, 100_000, 1_000_000),
    (
        _DEFINE,
        _floor("graph_of_names", "a dictionary of functions and names"),
        Entry("peers.flowweaver_022", "define", most=1_000),
        Entry("peers.hamilton", "define", most=1_000),
        Entry("peers.dask", "define", most=10_000),
    ),
    (Target(_DEFINE, 5.0), Target(_DEFINE, 1.3, growth_from=1_000)),
)

# Bytes are the same every time.
_DEFINE_BYTES = Entry("flowweaver_here", "define_bytes", rounds=1)
DEFINE_BYTES = Case(
    "define-bytes",
    "What the definition of a chain holds in memory",
    "bytes a task",
    (1_000, 10_000, 100_000, 1_000_000),
    (_DEFINE_BYTES,),
    (Target(_DEFINE_BYTES, 600.0),),
)

_IMPORT = _here("import_it", "import flowweaver")
IMPORT = Case(
    "import",
    "Importing, over bare Python",
    "ms",
    (5,),
    (
        _IMPORT,
        _here("import_for_use", "what a durable run needs"),
        _floor("import_sqlite", "what a store of one's own needs"),
        Entry("peers.flowweaver_022", "import_it"),
        Entry("peers.hamilton", "import_it"),
        Entry("peers.dask", "import_it"),
        Entry("peers.luigi", "import_it"),
        Entry("peers.dbos", "import_it"),
        Entry("peers.parsl", "import_it"),
        Entry("peers.stabilize", "import_it"),
        _slow("peers.redun", "import_it"),
        _slow("peers.dagster", "import_it"),
        _slow("peers.prefect", "import_it"),
    ),
    (Target(_IMPORT, 40.0),),
    of="starts",
)

_PEERS = (
    "peers.flowweaver_022",
    "peers.hamilton",
    "peers.dask",
    "peers.luigi",
    "peers.dbos",
    "peers.parsl",
    "peers.stabilize",
    "peers.redun",
    "peers.dagster",
    "peers.prefect",
)
INSTALLED = Case(
    "installed",
    "What is installed, dependencies included",
    "MB",
    (1,),
    tuple(
        Entry(subject, "clock.installed_megabytes", rounds=1)
        for subject in ("flowweaver_fresh", *_PEERS)
    ),
    of="environment",
)
PACKAGES = Case(
    "packages",
    "How many packages are installed, dependencies included",
    "packages",
    (1,),
    tuple(
        Entry(subject, "clock.installed_packages", rounds=1)
        for subject in ("flowweaver_fresh", *_PEERS)
    ),
    of="environment",
)

LARGE_WRITE = Case(
    "large-write",
    "Executing a task whose result is large",
    "ms",
    (100,),
    (
        _here("write_sqlite", "SQLite store, survives power loss"),
        _here("write_json", "JSON store, survives power loss"),
        _here("write_memory", "store in memory"),
        _here("write_unstored", "no store"),
        _floor("write_file", "write a file and sync it"),
    ),
    of="MB",
)
LARGE_READ = Case(
    "large-read",
    "Restoring a large result and asking for it",
    "ms",
    (100,),
    (
        _here("read_sqlite", "SQLite store"),
        _here("read_json", "JSON store"),
        _floor("read_file", "read a file"),
    ),
    of="MB",
)


def _value(function: str, how: str) -> Entry:
    return Entry("values", function, how)


def _large(kind: str, title: str, size: int, *floors: tuple[str, str]) -> Case:
    """Return the case of a kind of large values; it is judged by the first of the floors."""
    threads = _value(f"{kind}_threads", "2 threads, full")
    processes = _value(f"{kind}_processes", "2 processes, full")
    measured = tuple(Entry("library", *floor) for floor in floors)
    targets = tuple(Target(each, 1.3, against=measured[0]) for each in (threads, processes))
    entries = (threads, processes, *measured)
    return Case(f"large-{kind}", title, "ms", (size,), entries, targets, of="MB")


LARGE_ARRAY = _large(
    "array",
    "A NumPy array: made, stored, taken by two tasks",
    300,
    ("array_floor", "numpy.save, sync, numpy.load twice"),
)
LARGE_POLARS = _large(
    "polars",
    "A polars frame: made, stored, taken by two tasks",
    100,
    ("polars_feather", "write_ipc, sync, read_ipc twice"),
    ("polars_parquet", "write_parquet, sync, read_parquet twice"),
)
LARGE_ARROW = _large(
    "arrow",
    "An Arrow table: made, stored, taken by two tasks",
    100,
    ("arrow_feather", "write_feather, sync, read_table twice"),
)
LARGE_BYTES = _large(
    "bytes",
    "Bytes: made, stored, taken by two tasks",
    200,
    ("bytes_floor", "write a file, sync, read it twice"),
)
_MEMORY = tuple(
    _value(f"{kind}_memory", how)
    for kind, how in (
        ("array_threads", "array, one thread"),
        ("array_processes", "array, one process"),
        ("polars_threads", "polars frame, one thread"),
        ("arrow_threads", "Arrow table, one thread"),
        ("bytes_threads", "bytes, one thread"),
    )
)
LARGE_MEMORY = Case(
    "large-memory",
    "Most memory that a large value takes, beyond the one that a body holds",
    "x its size",
    (200,),
    _MEMORY,
    tuple(Target(each, 1.2) for each in _MEMORY),
    of="MB",
)

_MAP = _here("map_processes", "2 processes")
_POOL_MAP = _floor("process_map", "ProcessPoolExecutor.map, 2 processes")
FAN_PROCESSES = Case(
    "fan-processes",
    "A no-op task mapped over a list, on warm worker processes",
    "us an element",
    (5_000,),
    (
        _MAP,
        _here("map_processes_stored", "2 processes, each result survives a kill"),
        _POOL_MAP,
        Entry("peers.joblib", "process_map", "loky, 2 processes"),
    ),
    (Target(_MAP, 0.4, against=_POOL_MAP),),
    of="elements",
)

_PLAN = _here("plan")
PLAN = Case("plan", "Planning what a finished run would do again", _US, (1_000, 100_000), (_PLAN,))

DROPPED = Case(
    "dropped",
    "Largest memory of a pipeline of 1 MB results, each dropped when consumed",
    "MB",
    (1_000, 10_000),
    (
        _here("dropped", "sequential"),
        _here("dropped_threads", "4 threads"),
        _floor("loop_of_large", "a loop that keeps the last"),
    ),
)

_DECISIONS = Entry("simulation", "decisions", "scheduler alone, 10,000 simulated workers")
SCHEDULER = Case(
    "scheduler",
    "Decisions of the scheduler, in a simulation",
    "us a decision",
    (10_000, 100_000, 1_000_000),
    (_DECISIONS, Entry("simulation", "with_executor", "the simulated executor included")),
)

_REPORT_ELEMENTS = Entry("faces", "report_of_elements", "elements of a fan-out")
_REPORT_TASKS = Entry("faces", "report_of_tasks", "tasks, drawn as a graph")
REPORT = Case(
    "report",
    "Making the report of a run",
    "ms",
    (1_000, 10_000),
    (_REPORT_ELEMENTS, _REPORT_TASKS),
    (Target(_REPORT_ELEMENTS, 1_000.0), Target(_REPORT_TASKS, 1_000.0)),
    of="TaskRuns",
)
_SIZE_ELEMENTS = Entry("faces", "size_of_elements", "elements of a fan-out", rounds=1)
_SIZE_TASKS = Entry("faces", "size_of_tasks", "tasks, drawn as a graph", rounds=1)
REPORT_SIZE = Case(
    "report-size",
    "What the report of a run weighs",
    "MB",
    (1_000, 10_000),
    (_SIZE_ELEMENTS, _SIZE_TASKS),
    (Target(_SIZE_ELEMENTS, 2.0), Target(_SIZE_TASKS, 2.0)),
    of="TaskRuns",
)
_LAYOUT = Entry("faces", "layout")
LAYOUT = Case(
    "layout",
    "Laying out a graph",
    "ms",
    (500, 2_000, 5_000),
    (_LAYOUT,),
    (Target(_LAYOUT, 200.0, size=2_000),),
    of="tasks",
)
_FOLLOWING = Entry("faces", "following", "800 elements a second or so", rounds=1)
PAGE = Case(
    "page",
    "Following a run of another process",
    "percent of a core",
    (1_000, 10_000),
    (_FOLLOWING,),
    (Target(_FOLLOWING, 10.0),),
    of="elements",
)
_FRAME = Entry("faces", "longest_frame", "in Chromium, its timeline open", rounds=1)
PAGE_FRAMES = Case(
    "page-frames",
    "The longest frame of the page while it follows a run",
    "ms",
    (1_000, 10_000),
    (_FRAME,),
    (Target(_FRAME, 50.0),),
    of="elements",
)

CASES = {
    case.name: case
    for case in (
        CHAIN_MEMORY, FAN_MEMORY, CHAIN_PROCESS, CHAIN_FULL, FAN_DURABLE, ELEMENTS, RESTORE,
        DEFINE, DEFINE_BYTES, IMPORT, INSTALLED, PACKAGES, LARGE_WRITE, LARGE_READ, PLAN,
        LARGE_ARRAY, LARGE_POLARS, LARGE_ARROW, LARGE_BYTES, LARGE_MEMORY, FAN_PROCESSES,
        DROPPED, SCHEDULER, REPORT, REPORT_SIZE, LAYOUT, PAGE, PAGE_FRAMES,
    )
}  # fmt: skip
