"""Pruning: what is let go of, and whether it was said beforehand."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flowweaver import (
    JSONStateStore,
    MemoryStateStore,
    SequentialExecutor,
    SQLiteStateStore,
    Task,
    Workflow,
)
from flowweaver.engine.history.prune import Retain, prune
from flowweaver.records import ClaimRequest

STORES = {
    "memory": lambda folder: MemoryStateStore(),
    "json": lambda folder: JSONStateStore(folder / "state.json", "process"),
    "sqlite": lambda folder: SQLiteStateStore(folder / "state.db", "process"),
}


def first(n):
    return "x" * (n % 3)


def second(first, n):
    return first * n


def other(first, n):
    return [first, n]


@pytest.fixture(params=STORES)
def store(request, tmp_path):
    store = STORES[request.param](tmp_path)
    yield store
    store.close()


def fill(store, *runs):
    """Run a workflow once for each pair of a parameter and a body, with results in common."""
    for n, body in runs:
        workflow = Workflow("w", [Task("first", first), Task("second", body)])
        SequentialExecutor(state_store=store).execute(workflow, {"n": n})


def test_what_is_said_beforehand_is_what_is_deleted(store):
    fill(store, (1, second), (2, second), (2, other), (4, other))
    said = prune(store, Retain(count=1), dry_run=True)
    assert len(said.runs) == 3
    assert said.results > 3
    assert prune(store, Retain(count=1)) == said


def test_what_was_unused_before_is_counted_too(store):
    fill(store, (1, second), (2, second), (3, other))
    lone = prune(store, Retain(count=1), dry_run=True)
    store.delete(lone.runs[:1])
    said = prune(store, Retain(count=1), dry_run=True)
    assert prune(store, Retain(count=1)) == said


def test_nothing_is_left_to_delete_afterwards(store):
    fill(store, (1, second), (2, other), (3, second))
    prune(store, Retain(count=1))
    assert prune(store, Retain(count=1), dry_run=True).results == 0


def test_nothing_that_was_said_to_be_deleted_is_when_it_is_only_asked(store):
    fill(store, (1, second), (2, other))
    said = prune(store, Retain(count=1), dry_run=True)
    assert prune(store, Retain(count=1), dry_run=True) == said


def test_what_stays_because_somebody_works_on_a_run_is_not_counted(store):
    fill(store, (1, second), (2, second))
    lease = store.claim(ClaimRequest("elsewhere", "key"))
    pruned = prune(store, Retain(count=1))
    assert (len(pruned.runs), pruned.results, pruned.bytes) == (1, 0, 0)
    store.release(lease)
    assert prune(store, Retain(count=1)).results > 0


def test_runs_whose_results_are_damaged_can_be_deleted(tmp_path):
    store = SQLiteStateStore(tmp_path / "state.db", "process")
    workflow = Workflow("w", [Task("large", lambda n: bytes(n))])
    for n in (3_000_000, 2):
        SequentialExecutor(state_store=store).execute(workflow, {"n": n})
    (large,) = (path for path in (tmp_path / "state.db.results").rglob("*") if path.is_file())
    large.write_bytes(b"torn")
    assert len(prune(store, Retain(count=1)).runs) == 1
    store.close()


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    runs=st.lists(st.tuples(st.integers(0, 5), st.sampled_from([second, other])), max_size=6),
    keep=st.integers(1, 4),
)
def test_saying_and_deleting_agree_whatever_runs_have_in_common(runs, keep):
    store = MemoryStateStore()
    fill(store, *runs)
    said = prune(store, Retain(count=keep), dry_run=True)
    assert prune(store, Retain(count=keep)) == said
