"""What can be asked of a store."""

from __future__ import annotations

from dataclasses import replace

import pytest

from flowweaver.errors import StoreCorruptError, UnknownNameError
from flowweaver.records import Changes, ClaimRequest, Lease
from flowweaver.state_store import StateStore
from flowweaver.status import Origin, RunStatus, TaskStatus
from flowweaver.testing.store_parts.base import Base
from flowweaver.testing.store_parts.making import FINGERPRINT, completed, finish, result_of


class Questions(Base):
    """What can be asked of a store."""

    def test_runs_are_listed_newest_first(self, store: StateStore) -> None:
        for number, workflow in enumerate("aabab"):
            lease = store.claim(ClaimRequest(workflow, "k", run_id=f"{number}"))
            finish(store, lease, RunStatus.COMPLETED)
        assert [run.id for run in store.runs()] == ["4", "3", "2", "1", "0"]
        assert [run.id for run in store.runs("a")] == ["3", "1", "0"]
        assert [run.id for run in store.runs("a", limit=2)] == ["3", "1"]
        assert [run.id for run in store.runs(limit=1)] == ["4"]
        assert store.runs("c") == []
        assert store.runs(limit=0) == []

    def test_claim_of_an_old_run_does_not_make_it_new(self, store: StateStore) -> None:
        for run_id in ("one", "two", "one"):
            store.release(store.claim(ClaimRequest("sales", "k1", run_id=run_id)))
        assert [run.id for run in store.runs()] == ["two", "one"]

    def test_unfinished_runs_are_those_of_a_workflow_and_key_newest_first(
        self, store: StateStore
    ) -> None:
        for number, (workflow, key) in enumerate(zip("aaabaa", "kkjkkk", strict=True)):
            store.release(store.claim(ClaimRequest(workflow, key, run_id=f"{number}")))
        for number, status in enumerate([RunStatus.FAILED, RunStatus.COMPLETED]):
            finish(store, store.claim(ClaimRequest("a", "k", run_id=f"{number}")), status)
        store.delete(["5"])
        assert [run.id for run in store.unfinished("a", "k")] == ["4", "0"]
        assert [run.id for run in store.unfinished("a", "j")] == ["2"]
        assert store.unfinished("a", "k")[1] == store.run("0")
        assert store.unfinished("c", "k") == []

    def test_run_that_is_claimed_again_is_unfinished_again(self, store: StateStore) -> None:
        lease = store.claim(ClaimRequest("a", "k", run_id="one"))
        finish(store, lease, RunStatus.COMPLETED)
        assert store.unfinished("a", "k") == []
        store.claim(ClaimRequest("a", "k", run_id="one"))
        assert [run.id for run in store.unfinished("a", "k")] == ["one"]

    def test_slices_of_task_runs_keep_their_places(self, store: StateStore, lease: Lease) -> None:
        run_id = lease.run.id
        records = [completed(run_id, name) for name in "abcd"]
        store.commit(lease, Changes(tasks=records))
        store.commit(lease, Changes(tasks=[replace(records[1], reason="again")]))
        assert [record.task for record in store.tasks(run_id, 1, 3)] == ["b", "c"]
        assert store.tasks(run_id, 1, 2)[0].reason == "again"
        assert [record.task for record in store.tasks(run_id, start=3)] == ["d"]
        assert store.tasks(run_id, start=4) == []
        assert len(store.tasks(run_id, stop=9)) == 4
        assert store.tasks("nowhere", start=2) == []

    def test_revision_differs_whenever_something_was_committed(
        self, store: StateStore, lease: Lease
    ) -> None:
        seen = [store.revision()]
        store.commit(lease, Changes(tasks=[completed(lease.run.id, "a")]))
        seen.append(store.revision())
        other = store.claim(ClaimRequest("other", "k"))
        seen.append(store.revision())
        store.delete([other.run.id])
        seen.append(store.revision())
        assert len(set(seen)) == 4

    def test_unknown_run_is_an_error_with_near_matches(
        self, store: StateStore, lease: Lease
    ) -> None:
        with pytest.raises(UnknownNameError, match=lease.run.id):
            store.run(lease.run.id[:-1] + "x")

    def test_empty_store_has_empty_answers(self, store: StateStore) -> None:
        assert store.runs() == []
        assert store.tasks("none") == []
        assert store.attempts("none") == []
        assert store.unfinished("sales", "k") == []
        assert store.find("sales", "a", FINGERPRINT) is None
        assert store.find_anywhere(FINGERPRINT, "") is None
        assert store.begun("sales", "a", FINGERPRINT) == []
        assert store.state("none", "a") == {}
        assert store.states("none") == []
        assert store.code("aa") is None
        assert store.sweep() == (0, 0)
        store.delete(["none"])
        with pytest.raises(UnknownNameError):
            store.run("none")
        with pytest.raises(StoreCorruptError):
            store.result("00" * 20)

    @pytest.mark.usefixtures("lease")
    @pytest.mark.parametrize("name", ["none", "", "\udcff\udcfe", "a\0b"])
    def test_answers_about_what_is_unknown_are_empty(self, store: StateStore, name: str) -> None:
        assert store.runs(name) == []
        assert store.unfinished(name, name) == []
        assert store.tasks(name) == []
        assert store.attempts(name) == []
        assert store.attempts(name, name) == []
        assert store.state(name, name) == {}
        assert store.states(name) == []
        assert store.find(name, name, FINGERPRINT) is None
        assert store.begun(name, name, FINGERPRINT) == []
        with pytest.raises(UnknownNameError):
            store.run(name)

    @pytest.mark.usefixtures("lease")
    def test_missing_result_is_an_error_that_names_it(self, store: StateStore) -> None:
        with pytest.raises(StoreCorruptError, match="1234abcd"):
            store.result("1234abcd")

    def test_sizes_are_those_of_the_values_that_are_there(
        self, store: StateStore, lease: Lease
    ) -> None:
        values = [result_of(b"1"), result_of(b"x" * 2**19, "raw")]
        store.commit(lease, Changes(results=values))
        digests = [value.encoded.digest for value in values]
        assert store.sizes([*digests, "00" * 20]) == dict(zip(digests, (1, 2**19), strict=True))
        assert store.sizes([]) == {}

    def test_find_gives_the_newest_completed(self, store: StateStore) -> None:
        for number in range(3):
            lease = store.claim(ClaimRequest("sales", "k", run_id=f"r{number}"))
            record = completed(f"r{number}", "a", fingerprint=FINGERPRINT, reason=str(number))
            store.commit(lease, Changes(tasks=[record]))
            finish(store, lease, RunStatus.COMPLETED)
        assert store.find("sales", "a", FINGERPRINT) == record

    def test_find_goes_by_workflow_task_and_fingerprint(
        self, store: StateStore, lease: Lease
    ) -> None:
        record = completed(lease.run.id, "a", element="3", fingerprint=FINGERPRINT)
        store.commit(lease, Changes(tasks=[record]))
        assert store.find("sales", "a", FINGERPRINT) == record
        assert store.find("other", "a", FINGERPRINT) is None
        assert store.find("sales", "b", FINGERPRINT) is None
        assert store.find("sales", "a", FINGERPRINT[::-1]) is None

    def test_find_looks_past_other_workflows(self, store: StateStore) -> None:
        records = {}
        for workflow in ("sales", "other"):
            lease = store.claim(ClaimRequest(workflow, "k"))
            records[workflow] = completed(lease.run.id, "a", fingerprint=FINGERPRINT)
            store.commit(lease, Changes(tasks=[records[workflow]]))
        assert store.find("sales", "a", FINGERPRINT) == records["sales"]
        assert store.find("other", "a", FINGERPRINT) == records["other"]

    def test_find_anywhere_gives_the_newest_of_whatever_task_and_workflow(
        self, store: StateStore
    ) -> None:
        for workflow, task in (("sales", "a"), ("other", "b")):
            lease = store.claim(ClaimRequest(workflow, "k"))
            record = completed(lease.run.id, task, fingerprint=FINGERPRINT)
            store.commit(lease, Changes(tasks=[record]))
            finish(store, lease, RunStatus.COMPLETED)
            assert store.find_anywhere(FINGERPRINT, "") == (workflow, record)
        assert store.find_anywhere(FINGERPRINT[::-1], "") is None
        outside = store.find_anywhere(FINGERPRINT, record.run_id)
        store.delete([record.run_id])
        found = store.find_anywhere(FINGERPRINT, "")
        assert found == outside
        assert found is not None
        assert (found[0], found[1].task) == ("sales", "a")

    @pytest.mark.parametrize("status", [s for s in TaskStatus if s is not TaskStatus.COMPLETED])
    def test_find_sees_only_what_is_completed(
        self, store: StateStore, lease: Lease, status: TaskStatus
    ) -> None:
        record = completed(lease.run.id, "a", fingerprint=FINGERPRINT)
        store.commit(lease, Changes(tasks=[record]))
        store.commit(lease, Changes(tasks=[replace(record, status=status)]))
        assert store.find("sales", "a", FINGERPRINT) is None

    def test_find_sees_restored_task_runs(self, store: StateStore, lease: Lease) -> None:
        record = completed(lease.run.id, "a", fingerprint=FINGERPRINT)
        record = replace(record, origin=Origin.RESTORED, source_run="gone")
        store.commit(lease, Changes(tasks=[record]))
        assert store.find("sales", "a", FINGERPRINT) == record

    def test_begun_gives_what_is_not_completed_newest_run_first(self, store: StateStore) -> None:
        begun = []
        for run_id, workflow in (("r0", "sales"), ("r1", "other"), ("r2", "sales")):
            lease = store.claim(ClaimRequest(workflow, run_id, run_id=run_id))
            record = completed(run_id, "a", fingerprint=FINGERPRINT)
            record = replace(record, status=TaskStatus.RUNNING, digest=None)
            others = [
                replace(record, task="b"),
                replace(record, element="1", fingerprint=FINGERPRINT[::-1]),
                replace(record, element="2", status=TaskStatus.COMPLETED),
            ]
            store.commit(lease, Changes(tasks=[record, *others]))
            begun.append(record)
        assert store.begun("sales", "a", FINGERPRINT) == [begun[2], begun[0]]
        assert store.begun("other", "a", FINGERPRINT) == [begun[1]]
        store.commit(lease, Changes(tasks=[replace(begun[2], status=TaskStatus.FAILED)]))
        assert store.begun("sales", "a", FINGERPRINT)[0].status is TaskStatus.FAILED
        store.commit(lease, Changes(tasks=[replace(begun[2], status=TaskStatus.COMPLETED)]))
        assert store.begun("sales", "a", FINGERPRINT) == [begun[0]]
        store.delete(["r0"])
        assert store.begun("sales", "a", FINGERPRINT) == []
