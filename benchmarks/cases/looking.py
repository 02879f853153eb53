"""Looking at runs: the report, the layout, the page, the command."""

from __future__ import annotations

from benchmarks.model import Case, Entry, Target

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

_COMMANDS = (
    ("show_task", "flowweaver show last t1"),
    ("show_run", "flowweaver show last"),
    ("diff", "flowweaver diff last last"),
    ("gc", "flowweaver gc"),
    ("doctor", "flowweaver doctor"),
)
LONG_RUN = Case(
    "long-run",
    "What the command takes where a store has one run of very many tasks",
    "ms",
    (1_000, 100_000),
    tuple(Entry("long_runs", name, how, rounds=1) for name, how in _COMMANDS),
)
LONG_RUN_MEMORY = Case(
    "long-run-memory",
    "The most memory that the command takes where a store has one run of very many tasks",
    "MB",
    (1_000, 100_000),
    tuple(Entry("long_runs", f"{name}_memory", how, rounds=1) for name, how in _COMMANDS),
)

CASES = (
    REPORT,
    REPORT_SIZE,
    LAYOUT,
    PAGE,
    PAGE_FRAMES,
    LONG_RUN,
    LONG_RUN_MEMORY,
)
