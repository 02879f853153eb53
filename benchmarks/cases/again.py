"""Runs that are finished: executed again, changed, planned."""

from __future__ import annotations

from benchmarks.cases.entries import UP_TO_100K, US, floor, here, slow
from benchmarks.model import Case, Entry, Target

_RESTORE = here("restore", "SQLite")
_RESTORE_CHANGED = here("restore_changed", "SQLite, one task changed")
_RESTORE_MIDDLE = here("restore_changed_middle", "SQLite, one changed in the middle")
_RESTORE_FIRST = here("restore_changed_first", "SQLite, one changed, all others behind it")
RESTORE = Case(
    "restore",
    "Executing a finished run again: nothing runs",
    US,
    UP_TO_100K,
    (
        _RESTORE,
        _RESTORE_CHANGED,
        _RESTORE_MIDDLE,
        _RESTORE_FIRST,
        floor("select", "one SELECT"),
        floor("rows_again", "the run's rows read and written by sqlite3 alone", most=10_000),
        Entry("peers.flowweaver_022", "restore", most=100),
        Entry("peers.hamilton", "restore", "cache", most=1_000),
        Entry("peers.joblib", "restore", "Memory", most=1_000),
        Entry("peers.luigi", "restore", "looks at the last target only", most=100),
        slow("peers.cereyan", "restore", "offline"),
        slow("peers.redun", "restore"),
    ),
    (
        Target(_RESTORE, 2.0),
        Target(_RESTORE_CHANGED, 3.0),
        Target(_RESTORE_MIDDLE, 3.0),
        Target(_RESTORE_FIRST, 3.0),
    ),
)

# Bytes are the same every time.
_GROWTH = Entry("flowweaver_here", "restore_growth", "nothing changed", rounds=1)
_GROWTH_CHANGED = Entry("flowweaver_here", "restore_changed_growth", "one task changed", rounds=1)
_GROWTH_MIDDLE = Entry("flowweaver_here", "restore_middle_growth", "one in the middle", rounds=1)
RESTORE_STORE = Case(
    "restore-store",
    "By how much executing a finished run again makes its SQLite file grow",
    "KiB",
    (1_000, 100_000),
    (_GROWTH, _GROWTH_CHANGED, _GROWTH_MIDDLE),
    (Target(_GROWTH, 16.0), Target(_GROWTH_CHANGED, 16.0), Target(_GROWTH_MIDDLE, 16.0)),
)
_RESTORED_BYTES = Entry("flowweaver_here", "restore_bytes", rounds=1)
RESTORE_MEMORY = Case(
    "restore-memory",
    "What a finished run that was executed again holds in memory, beside its definition",
    "bytes a task",
    (1_000, 100_000),
    (_RESTORED_BYTES,),
    (Target(_RESTORED_BYTES, 100.0),),
)

_PLAN = here("plan")
PLAN = Case("plan", "Planning what a finished run would do again", US, (1_000, 100_000), (_PLAN,))

_PLAN_DISTINCT = here("plan_distinct")
PLAN_DISTINCT = Case(
    "plan-distinct",
    "Planning as many different functions as there are tasks, in a new process",
    "ms",
    (1_000, 10_000),
    (_PLAN_DISTINCT, floor("parsed", "ast.parse of their file")),
    (Target(_PLAN_DISTINCT, 500.0),),
)

CASES = (
    RESTORE,
    RESTORE_STORE,
    RESTORE_MEMORY,
    PLAN,
    PLAN_DISTINCT,
)
