"""Counts, rates and time left, event by event."""

from typing import Any

from flowweaver import SequentialExecutor, SQLiteStateStore, Task, Workflow, each, task
from flowweaver.events import Event, EventKind
from flowweaver.observers.tally import Tally


class Clock:
    """Time that a test lets go by."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@task(inputs={"page": each("pages")})
def load(page: int) -> int:
    if page == 3:
        raise ValueError("no such page")
    return page


crawl = Workflow("crawl", [Task("pages", lambda: list(range(8))), load, Task("after", lambda: 1)])


def events_of(workflow: Workflow, **options: Any) -> list[Event]:
    found: list[Event] = []
    executor = SequentialExecutor(observers=(found.append,), **options)
    executor.execute(workflow, raise_on_failure=False)
    return found


def counted(events: list[Event], clock: Clock, pace: float = 0.0) -> Tally:
    """Return the tally of a run whose TaskRuns end one after the other at that pace."""
    tally = Tally(events[0], clock)
    for event in events[1:]:
        if event.kind not in (EventKind.RUN_STARTED, EventKind.RUN_FINISHED):
            tally.take(event)
            clock.now += pace if event.kind is EventKind.TASK_FINISHED else 0.0
    return tally


def test_elements_are_counted_and_not_the_task_beside_them():
    standing = counted(events_of(crawl), Clock()).standing("crawl")
    assert (standing.done, standing.total) == (10, 10)
    assert standing.counts["executed"] == 9
    assert standing.counts["failed"] == 1


def test_share_of_a_fan_out_tells_done_total_and_failed():
    (share,) = counted(events_of(crawl), Clock()).standing("crawl").shares
    assert (share.task, share.done, share.total, share.failed) == ("load", 8, 8, 1)
    assert share.is_over


def test_pace_and_rest_are_told_once_they_can_be():
    events = events_of(crawl)
    half = [event for event in events if not event.element or int(event.element) < 4]
    standing = counted(half[:-2], Clock(), pace=1.0).standing("crawl")
    (share,) = standing.shares
    assert (share.done, share.total) == (4, 8)
    assert share.rate is not None
    assert 0.5 < share.rate < 2
    assert standing.left == share.left == 4 / share.rate


def test_restored_is_counted_apart(tmp_path):
    store = SQLiteStateStore(tmp_path / "state.db")
    events_of(crawl, state_store=store)
    standing = counted(events_of(crawl, state_store=store), Clock()).standing("crawl")
    assert standing.counts["restored"] == 9


def test_what_runs_is_told_with_its_seconds_and_attempt():
    clock = Clock()
    started = events_of(crawl)[1]
    tally = Tally(None, clock)
    tally.take(started)
    clock.now += 3
    assert tally.standing("").running == [("pages", 3.0, 1)]
