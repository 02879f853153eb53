"""What comes before a run: installing, importing, defining."""

from __future__ import annotations

from benchmarks.cases.entries import US, floor, here, slow
from benchmarks.model import Case, Entry, Target

_DEFINE = here("define")
DEFINE = Case(
    "define",
    "Defining and validating a chain",
    US,
    (1_000, 10_000, 100_000, 1_000_000),
    (
        _DEFINE,
        floor("graph_of_names", "a dictionary of functions and names"),
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

_IMPORT = here("import_it", "import flowweaver")
IMPORT = Case(
    "import",
    "Importing, over bare Python",
    "ms",
    (5,),
    (
        _IMPORT,
        here("import_for_use", "what a durable run needs"),
        floor("import_sqlite", "what a store of one's own needs"),
        Entry("peers.flowweaver_022", "import_it"),
        Entry("peers.hamilton", "import_it"),
        Entry("peers.dask", "import_it"),
        Entry("peers.joblib", "import_it"),
        Entry("peers.cereyan", "import_it"),
        Entry("peers.luigi", "import_it"),
        Entry("peers.dbos", "import_it"),
        Entry("peers.parsl", "import_it"),
        Entry("peers.stabilize", "import_it"),
        slow("peers.redun", "import_it"),
        slow("peers.dagster", "import_it"),
        slow("peers.prefect", "import_it"),
    ),
    (Target(_IMPORT, 30.0),),
    of="starts",
)

_COMMAND = here("command", "run of two tasks that do nothing, with a store")
COMMAND = Case(
    "command",
    "The command, from its start to its end",
    "ms",
    (5,),
    (_COMMAND, floor("interpreter", "an interpreter that does nothing")),
    (Target(_COMMAND, 150.0),),
    of="starts",
)

_PEERS = (
    "peers.flowweaver_022",
    "peers.hamilton",
    "peers.dask",
    "peers.joblib",
    "peers.cereyan",
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

CASES = (
    DEFINE,
    DEFINE_BYTES,
    IMPORT,
    COMMAND,
    INSTALLED,
    PACKAGES,
)
