"""Records of every kind, as Hypothesis makes them up."""

from __future__ import annotations

from hypothesis import strategies as st

from flowweaver.records import AttemptRecord, Failure, FileRecord, RunRecord, TaskRecord
from flowweaver.status import Origin, RunStatus, TaskStatus

TEXT = st.text(max_size=20)
# Such as clocks and calendars can tell; what can't be is in `test_shape.py`.
SECONDS = st.floats(-5e10, 2e11)
DIGESTS = TEXT | st.binary(max_size=20).map(bytes.hex)
FAILURES = st.builds(Failure, TEXT, TEXT, TEXT, st.none() | st.integers())
TASKS = st.builds(
    TaskRecord,
    st.just("r"),
    TEXT,
    TEXT,
    st.sampled_from(TaskStatus),
    attempts=st.integers(0, 2**40),
    failures=st.integers(0, 2**40),
    retry_at=st.none() | SECONDS,
    origin=st.sampled_from([None, *Origin]),
    fingerprint=st.none() | DIGESTS,
    digest=st.none() | DIGESTS,
    source_run=st.none() | TEXT,
    started_at=st.none() | SECONDS,
    finished_at=st.none() | SECONDS,
    duration=st.none() | SECONDS,
    failure=st.none() | FAILURES,
    facts=TEXT,
    reason=TEXT,
    files=st.lists(st.builds(FileRecord, TEXT, TEXT, TEXT), max_size=3).map(tuple),
    signature=st.none() | TEXT,
    cause=TEXT,
    likeness=TEXT,
    elements=st.integers(0, 2**40),
    worker=TEXT,
)
RUNS = st.builds(
    RunRecord,
    TEXT,
    TEXT,
    TEXT,
    st.sampled_from(RunStatus),
    SECONDS,
    SECONDS,
    st.none() | SECONDS,
    st.integers(0, 2**40),
    TEXT,
    st.dictionaries(TEXT, DIGESTS, max_size=3),
    st.dictionaries(TEXT, TEXT | st.integers(), max_size=3),
)
ATTEMPTS = st.builds(
    AttemptRecord,
    st.just("r"),
    TEXT,
    TEXT,
    st.integers(1, 2**40),
    SECONDS,
    SECONDS,
    st.none() | FAILURES,
    TEXT,
    TEXT,
)
OTHERS = st.one_of(st.none(), TEXT, st.integers(), SECONDS, st.binary())
"""What may stand in a column by mistake."""
