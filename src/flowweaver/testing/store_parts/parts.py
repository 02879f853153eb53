"""What can be asked of a part of a run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import pytest

from flowweaver.records import Changes, ClaimRequest, TaskRecord
from flowweaver.state_store import StateStore
from flowweaver.status import Origin, RunStatus, TaskStatus
from flowweaver.testing.store_parts.base import Base
from flowweaver.testing.store_parts.making import HOSTILE_NAMES, completed, finish

_DONE = (TaskStatus.COMPLETED, Origin.EXECUTED)
_RESTORED = (TaskStatus.COMPLETED, Origin.RESTORED)


def _records(run_id: str) -> list[TaskRecord]:
    """Return TaskRuns of a run: a task, one that was skipped, and one mapped over three."""
    return [
        completed(run_id, "list", duration=0.5, finished_at=11.0),
        TaskRecord(run_id, "left", "", TaskStatus.SKIPPED, reason="not met"),
        completed(run_id, "page", element="1", duration=3.0, finished_at=14.0),
        completed(run_id, "page", element="0", duration=2.0, finished_at=13.0),
        TaskRecord(run_id, "page", "2", TaskStatus.FAILED, 1, duration=0.5, finished_at=12.0),
        completed(run_id, "page"),
        TaskRecord(run_id, "going", "", TaskStatus.RUNNING, 1, started_at=20.0),
    ]


class Parts(Base):
    """What can be asked of a part of a run: the answers are those of all of it, picked from."""

    def test_task_runs_of_one_task_come_in_the_order_of_the_run(self, store: StateStore) -> None:
        self._make_run(store, "one", _records("one"))
        self._make_run(store, "other", [completed("other", "page")])
        assert [each.element for each in store.tasks("one", task="page")] == ["1", "0", "2", ""]
        assert [each.task for each in store.tasks("one", task="left")] == ["left"]
        self._agree(store, "one")

    def test_run_that_names_a_base_is_asked_alike(self, store: StateStore) -> None:
        self._make_heir(store, [])
        self._agree(store, "heir")
        assert store.tally("heir").tasks[_RESTORED] == 2

    def test_records_of_its_own_count_instead_of_the_base_s(self, store: StateStore) -> None:
        own = [
            completed("heir", "list", duration=9.0, finished_at=30.0),
            replace(completed("heir", "page", element="0"), status=TaskStatus.SKIPPED),
            TaskRecord("heir", "page", "2", TaskStatus.CANCELLED),
            completed("heir", "left"),
            completed("heir", "new", element="0", duration=1.0),
        ]
        self._make_heir(store, own)
        self._agree(store, "heir")
        self._agree(store, "base")
        assert store.slowest("heir", 1) == [own[0]]
        assert store.tally("heir").last_sign == 30.0

    @pytest.mark.parametrize("name", HOSTILE_NAMES)
    def test_names_of_tasks_are_compared_as_they_are(self, store: StateStore, name: str) -> None:
        records = [completed("one", name, element="0"), completed("one", f"{name}x")]
        self._make_run(store, "one", records)
        assert store.tasks("one", task=name) == records[:1]
        assert store.tally("one").elements == {name: {_DONE: 1}}

    def test_parts_of_unknown_runs_are_empty(self, store: StateStore) -> None:
        for _ in range(2):
            assert store.tasks("none", task="page") == []
            assert store.tasks("none", statuses=[TaskStatus.FAILED]) == []
            assert store.slowest("none", 5) == []
            tally = store.tally("none")
            assert (tally.tasks, tally.mapped, tally.elements) == ({}, {}, {})
            self._make_run(store, "one", [])

    def _agree(self, store: StateStore, run_id: str) -> None:
        """Ask for parts of a run, and compare with what is picked from all of it."""
        every = store.tasks(run_id)
        names = dict.fromkeys(record.task for record in every)
        for name in [*names, "no such task"]:
            named = [record for record in every if record.task == name]
            assert store.tasks(run_id, task=name) == named
            assert store.tasks(run_id, 1, 3, task=name) == named[1:3]
        for statuses in self._statuses():
            wanted = [record for record in every if record.status in statuses]
            assert store.tasks(run_id, statuses=statuses) == wanted
            assert store.tasks(run_id, 0, 2, statuses=statuses) == wanted[:2]
            assert store.tasks(run_id, 2, 3, statuses=statuses) == wanted[2:3]
            of_page = [record for record in wanted if record.task == "page"]
            assert store.tasks(run_id, task="page", statuses=statuses) == of_page
        timed = sorted(
            (record for record in every if record.duration is not None),
            key=lambda record: -(record.duration or 0.0),
        )
        assert [each.duration for each in store.slowest(run_id, 3)] == [
            each.duration for each in timed[:3]
        ]
        assert all(record in every for record in store.slowest(run_id, 99))
        self._agree_in_number(store, run_id, every)

    def _agree_in_number(self, store: StateStore, run_id: str, every: Sequence[TaskRecord]) -> None:
        tally = store.tally(run_id)
        wholes = {each.task: (each.status, each.origin) for each in every if not each.element}
        elements = [each for each in every if each.element]
        assert tally.tasks == Counter(wholes.values())
        for name in dict.fromkeys(record.task for record in elements):
            standings = ((each.status, each.origin) for each in elements if each.task == name)
            assert tally.elements[name] == Counter(standings)
            assert tally.mapped.get(name) == wholes.get(name)
        assert tally.elements.keys() == {record.task for record in elements}
        assert tally.last_sign == max(each.finished_at or each.started_at or 0.0 for each in every)

    def _statuses(self) -> list[list[TaskStatus]]:
        unfinished = {*TaskStatus} - {TaskStatus.COMPLETED}
        return [[TaskStatus.FAILED], [*unfinished], [TaskStatus.COMPLETED], [*TaskStatus], []]

    def _make_heir(self, store: StateStore, own: list[TaskRecord]) -> None:
        """Make a run that names another as its base, which has TaskRuns of all kinds."""
        self._make_run(store, "base", _records("base"))
        self._make_run(store, "heir", own, base="base")

    def _make_run(
        self, store: StateStore, run_id: str, records: list[TaskRecord], base: str | None = None
    ) -> None:
        lease = store.claim(ClaimRequest("sales", "k", run_id=run_id))
        if base is not None:
            run = replace(lease.run, status=RunStatus.COMPLETED, finished_at=9.0, base=base)
            store.commit(lease, Changes(run=run, tasks=records))
            store.release(lease)
            return
        store.commit(lease, Changes(tasks=records))
        finish(store, lease, RunStatus.COMPLETED)
