"""Runs that keep records only for what differs from another."""

from __future__ import annotations

from dataclasses import replace

import pytest

from flowweaver.errors import StoreError
from flowweaver.records import Changes, ClaimRequest, FileRecord, RunRecord, TaskRecord
from flowweaver.state_store import StateStore
from flowweaver.status import Origin, RunStatus, TaskStatus
from flowweaver.testing.store_parts.base import Base
from flowweaver.testing.store_parts.making import FINGERPRINT, completed, finish, result_of

VALUES = [result_of(b'"%d"' % number) for number in range(4)]


class Bases(Base):
    """Runs that keep records only for what differs from another, their base."""

    def test_run_with_a_base_has_what_the_base_has_restored(self, store: StateStore) -> None:
        base = self._base(store)
        heir = self._heir(store, "heir", "base")
        assert store.run("heir").base == heir.base == "base"
        assert store.run("heir").seal == "sealed"
        assert store.tasks("base") == base
        assert store.tasks("heir") == self._restored("heir", base)
        assert store.tasks("heir", 1, 3) == store.tasks("heir")[1:3]
        assert store.check(deep=True) == []

    def test_record_of_its_own_stands_in_the_place_of_the_base_s(self, store: StateStore) -> None:
        base = self._base(store)
        own = [completed("heir", "t1", VALUES[0]), completed("heir", "new", VALUES[3])]
        self._heir(store, "heir", "base", own)
        expected = self._restored("heir", base)
        assert store.tasks("heir") == [expected[0], own[0], *expected[2:], own[1]]
        assert store.tasks("base") == base

    def test_base_of_a_run_that_has_one_is_that_one(self, store: StateStore) -> None:
        base = self._base(store)
        self._heir(store, "first", "base")
        self._heir(store, "second", "first")
        assert store.run("second").base == "base"
        assert store.tasks("second") == self._restored("second", base)

    def test_run_that_is_not_there_is_no_base(self, store: StateStore) -> None:
        with pytest.raises(StoreError, match="nowhere"):
            self._heir(store, "heir", "nowhere")
        assert store.tasks("heir") == []

    def test_deleted_base_takes_nothing_from_those_that_name_it(self, store: StateStore) -> None:
        base = self._base(store)
        own = [completed("second", "t0", VALUES[3])]
        self._heir(store, "first", "base")
        self._heir(store, "second", "base", own)
        self._heir(store, "third", "base")
        before = [store.tasks(run_id) for run_id in ("first", "second", "third")]
        store.delete(["base"])
        store.sweep()
        after = [store.tasks(run_id) for run_id in ("first", "second", "third")]
        assert after == before
        assert [run.id for run in store.runs()] == ["third", "second", "first"]
        for value in VALUES:
            assert store.result(value.encoded.digest) == value
        found = store.find("sales", "t2", FINGERPRINT)
        assert found is not None
        assert (found.source_run, found.digest) == ("base", base[2].digest)
        assert store.check(deep=True) == []
        store.delete(["first"])
        assert [store.tasks(run_id) for run_id in ("second", "third")] == before[1:]

    def test_all_can_be_deleted_at_once(self, store: StateStore) -> None:
        self._base(store)
        self._heir(store, "heir", "base")
        store.delete(["base", "heir"])
        store.sweep()
        assert store.runs() == []
        with pytest.raises(StoreError):
            store.result(VALUES[0].encoded.digest)

    def test_deleted_heir_takes_nothing_from_its_base(self, store: StateStore) -> None:
        base = self._base(store)
        self._heir(store, "heir", "base")
        store.delete(["heir"])
        store.sweep()
        assert store.tasks("base") == base
        assert store.check(deep=True) == []

    def test_run_with_a_base_that_goes_on_has_all_records(self, store: StateStore) -> None:
        base = self._base(store)
        self._heir(store, "heir", "base")
        lease = store.claim(ClaimRequest("sales", "k", run_id="heir"))
        assert (lease.run.base, lease.run.seal) == (None, None)
        assert list(lease.tasks) == self._restored("heir", base)
        changed = completed("heir", "t1", VALUES[0], reason="again")
        store.commit(lease, Changes(tasks=[changed]))
        store.release(lease)
        assert store.tasks("heir")[1] == changed
        assert len(store.tasks("heir")) == len(base)
        assert store.tasks("base") == base

    def test_base_that_goes_on_changes_nothing_of_those_that_name_it(
        self, store: StateStore
    ) -> None:
        base = self._base(store)
        self._heir(store, "first", "base")
        self._heir(store, "second", "base")
        lease = store.claim(ClaimRequest("sales", "k", run_id="base"))
        store.commit(lease, Changes(tasks=[completed("base", "t1", VALUES[0], reason="again")]))
        store.release(lease)
        assert store.tasks("base")[1].reason == "again"
        for run_id in ("first", "second"):
            assert store.tasks(run_id) == self._restored(run_id, base)
        assert store.check(deep=True) == []

    def _base(self, store: StateStore) -> list[TaskRecord]:
        lease = store.claim(ClaimRequest("sales", "k", run_id="base"))
        records = [
            completed("base", f"t{number}", VALUES[number], fingerprint=FINGERPRINT)
            for number in range(3)
        ]
        records[1].files = (FileRecord("out.csv", "aa"),)
        records.append(TaskRecord("base", "left out", "", TaskStatus.SKIPPED, reason="not met"))
        store.commit(lease, Changes(tasks=records, results=VALUES))
        finish(store, lease, RunStatus.COMPLETED)
        return records

    def _heir(
        self, store: StateStore, run_id: str, base: str, own: list[TaskRecord] | None = None
    ) -> RunRecord:
        lease = store.claim(ClaimRequest("sales", "k", run_id=run_id))
        run = replace(
            lease.run, status=RunStatus.COMPLETED, finished_at=9.0, base=base, seal="sealed"
        )
        try:
            store.commit(lease, Changes(run=run, tasks=own or []))
        finally:
            store.release(lease)
        return run

    def _restored(self, run_id: str, base: list[TaskRecord]) -> list[TaskRecord]:
        return [
            replace(
                record,
                run_id=run_id,
                attempts=0,
                origin=Origin.RESTORED,
                source_run="base",
                reason="unchanged since run base",
            )
            if record.status is TaskStatus.COMPLETED
            else replace(record, run_id=run_id)
            for record in base
        ]
