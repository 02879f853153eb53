"""Deleting and sweeping."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from flowweaver.errors import StoreCorruptError, SupersededError
from flowweaver.records import (
    AttemptRecord,
    Changes,
    ClaimRequest,
    FileRecord,
    Lease,
    ResultRecord,
    StateRecord,
    TaskRecord,
)
from flowweaver.serialize.encoded import seal
from flowweaver.state_store import StateStore
from flowweaver.status import Origin, RunStatus
from flowweaver.testing.store_parts.base import Base
from flowweaver.testing.store_parts.making import FINGERPRINT, completed, finish, result_of


class Upkeep(Base):
    """Deleting and sweeping."""

    def test_deleted_run_is_gone_with_all_that_was_its_own(self, store: StateStore) -> None:
        own, shared = result_of(b"own"), result_of(b"shared")
        kept = self._filled(store, "kept", shared)
        self._filled(store, "doomed", own, shared)
        store.delete(["doomed", "unknown"])
        assert [run.id for run in store.runs()] == ["kept"]
        assert store.tasks("doomed") == []
        assert store.attempts("doomed") == []
        assert store.state("doomed", "a") == {}
        assert store.states("doomed") == []
        assert store.find("doomed", "own", FINGERPRINT) is None
        assert store.tasks("kept") == kept
        assert store.result(shared.encoded.digest) == shared
        with pytest.raises(StoreCorruptError):
            store.result(own.encoded.digest)

    def test_find_gives_an_older_run_once_the_newest_is_deleted(self, store: StateStore) -> None:
        for run_id in ("one", "two"):
            lease = store.claim(ClaimRequest("sales", "k", run_id=run_id))
            record = completed(run_id, "a", fingerprint=FINGERPRINT)
            store.commit(lease, Changes(tasks=[record]))
            finish(store, lease, RunStatus.COMPLETED)
        store.delete(["two"])
        found = store.find("sales", "a", FINGERPRINT)
        assert found is not None
        assert found.run_id == "one"

    def test_id_of_a_deleted_run_can_be_given_again(self, store: StateStore) -> None:
        self._filled(store, "again", result_of(b"1"))
        store.delete(["again"])
        lease = store.claim(ClaimRequest("again", "k", run_id="again"))
        assert lease.tasks == ()
        assert store.attempts("again") == []
        assert store.state("again", "a") == {}

    def test_holder_of_a_deleted_run_commits_nothing(self, store: StateStore, lease: Lease) -> None:
        store.delete([lease.run.id])
        beside = store.claim(ClaimRequest("sales", "k2"))
        with pytest.raises(SupersededError):
            store.commit(lease, Changes(tasks=[completed(lease.run.id, "a")]))
        assert store.tasks(beside.run.id) == []

    def test_sweep_drops_what_nothing_refers_to(self, store: StateStore) -> None:
        used, param, old = result_of(b"used"), result_of(b"param"), result_of(b"overwritten")
        request = ClaimRequest(
            "sales",
            "k",
            params={"p": param.encoded.digest},
            results=(param,),
            info={"graph": "cc33"},
        )
        lease = store.claim(request)
        run_id = lease.run.id
        code = {"aa11": "used = 1", "bb22": "unused = 1", "cc33": "of the run"}
        facts = '{"code": "aa11"}'
        for value in (old, used):
            record = completed(run_id, "a", value, facts=facts)
            store.commit(lease, Changes(tasks=[record], results=[value], code=code))
        store.release(lease)
        expected = (2, len(b"overwritten") + len("unused = 1"))
        assert store.sweep(dry_run=True) == expected
        assert store.result(old.encoded.digest) == old
        assert store.sweep() == expected
        assert store.sweep() == (0, 0)
        assert store.result(used.encoded.digest) == used
        assert store.result(param.encoded.digest) == param
        assert store.code("aa11") == "used = 1"
        assert store.code("cc33") == "of the run"
        assert store.code("bb22") is None
        with pytest.raises(StoreCorruptError):
            store.result(old.encoded.digest)

    def test_what_is_kept_of_files_stays_as_long_as_a_taskrun_names_it(
        self, store: StateStore
    ) -> None:
        value, content = result_of(b"a.csv"), result_of(b"x,y")
        files = (FileRecord("a.csv", "aa" * 16, content.encoded.digest), FileRecord("b", "bb" * 16))
        lease = store.claim(ClaimRequest("sales", "k"))
        record = completed(lease.run.id, "a", value, files=files)
        store.commit(lease, Changes(tasks=[record], results=[value, content]))
        store.release(lease)
        assert store.sweep() == (0, 0)
        assert store.tasks(lease.run.id)[0].files == files
        assert store.result(content.encoded.digest) == content
        store.delete([lease.run.id])
        store.sweep()
        with pytest.raises(StoreCorruptError):
            store.result(content.encoded.digest)

    def test_sweep_drops_large_results(self, store: StateStore) -> None:
        large = result_of(b"x" * (2**18 + 1), "raw")
        lease = store.claim(ClaimRequest("sales", "k"))
        store.commit(lease, Changes(results=[large]))
        store.release(lease)
        assert store.sweep() == (1, 2**18 + 1)
        with pytest.raises(StoreCorruptError):
            store.result(large.encoded.digest)

    def test_nothing_is_dropped_while_a_run_is_worked_on(self, store: StateStore) -> None:
        value = result_of(b"may be restored")
        self._filled(store, "earlier", value)
        lease = store.claim(ClaimRequest("sales", "k"))
        store.delete(["earlier"])
        assert store.sweep() == (0, 0)
        record = replace(completed(lease.run.id, "a", value), origin=Origin.RESTORED)
        store.commit(lease, Changes(tasks=[record]))
        store.release(lease)
        assert store.sweep() == (0, 0)
        assert store.result(value.encoded.digest) == value

    def test_check_of_a_sound_store_finds_nothing(self, store: StateStore) -> None:
        assert store.check() == store.check(deep=True) == []
        self._filled(store, "sound", result_of(b"1"), result_of(b"x" * 2**19, "raw"))
        assert store.check() == store.check(deep=True) == []

    def test_deep_check_names_a_missing_result(self, store: StateStore, lease: Lease) -> None:
        missing = result_of(b"never stored")
        store.commit(lease, Changes(tasks=[completed(lease.run.id, "a", missing)]))
        (fault,) = store.check(deep=True)
        assert missing.encoded.digest in fault

    def test_description_is_json_with_url_and_number_of_runs(self, store: StateStore) -> None:
        self._filled(store, "one", result_of(b"1"))
        told = json.loads(json.dumps(dict(store.describe())))
        assert told["url"] == store.url
        assert told["runs"] == 1

    def test_store_exists_once_there_is_a_run(self, store: StateStore) -> None:
        self._filled(store, "one", result_of(b"1"))
        assert store.exists()

    def _filled(self, store: StateStore, run_id: str, *values: ResultRecord) -> list[TaskRecord]:
        """Make a completed run with one of everything; return its TaskRuns."""
        lease = store.claim(ClaimRequest(run_id, "k", run_id=run_id))
        records = [
            completed(run_id, bytes(value.encoded.data).decode(), value, fingerprint=FINGERPRINT)
            for value in values
        ]
        changes = Changes(
            tasks=records,
            results=list(values),
            attempts=[AttemptRecord(run_id, "a", "", 1, 1.0, 1.0)],
            state=[StateRecord(run_id, "a", "", "x", seal("json", b"1"))],
        )
        store.commit(lease, changes)
        finish(store, lease, RunStatus.COMPLETED)
        return records
