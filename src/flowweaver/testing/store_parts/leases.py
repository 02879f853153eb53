"""One holder of a run at a time, and no commit without the lease."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from flowweaver.errors import RunLockedError, SupersededError
from flowweaver.records import Changes, ClaimRequest, Lease
from flowweaver.state_store import StateStore
from flowweaver.testing.store_parts.base import Base
from flowweaver.testing.store_parts.making import LIMIT_SECONDS, completed


class Leases(Base):
    """One holder of a run at a time, and no commit without the lease."""

    def test_second_claim_is_told_who_has_the_run(self, store: StateStore, lease: Lease) -> None:
        with pytest.raises(RunLockedError) as caught:
            store.claim(ClaimRequest("sales", "k1"))
        message = str(caught.value)
        host, _, pid = lease.run.runner.rpartition(":")
        assert host in message
        assert pid in message
        assert "since" in message
        assert "wait" in message
        assert "take" in message
        store.commit(lease, Changes(tasks=[completed(lease.run.id, "a")]))

    @pytest.mark.usefixtures("lease")
    def test_second_claim_is_refused_in_another_thread(self, store: StateStore) -> None:
        with ThreadPoolExecutor(1) as pool, pytest.raises(RunLockedError):
            pool.submit(store.claim, ClaimRequest("sales", "k1")).result(LIMIT_SECONDS)

    @pytest.mark.parametrize(("workflow", "key"), [("sales", "k2"), ("other", "k1")])
    def test_other_runs_go_on_beside(
        self, store: StateStore, lease: Lease, workflow: str, key: str
    ) -> None:
        beside = store.claim(ClaimRequest(workflow, key))
        store.commit(beside, Changes(tasks=[completed(beside.run.id, "a", reason="beside")]))
        store.commit(lease, Changes(tasks=[completed(lease.run.id, "a", reason="first")]))
        assert [task.reason for task in store.tasks(beside.run.id)] == ["beside"]
        assert [task.reason for task in store.tasks(lease.run.id)] == ["first"]

    def test_released_run_can_be_claimed(self, store: StateStore, lease: Lease) -> None:
        store.release(lease)
        store.release(store.claim(ClaimRequest("sales", "k1")))

    def test_waiting_claim_gets_the_run_when_it_is_released(self, store: StateStore) -> None:
        held = store.claim(ClaimRequest("sales", "k1"))
        with ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(store.claim, ClaimRequest("sales", "k1", wait=None))
            with pytest.raises(TimeoutError):
                waiting.result(0.05)
            store.release(held)
            assert waiting.result(LIMIT_SECONDS).run.id == held.run.id

    @pytest.mark.usefixtures("lease")
    def test_wait_has_a_limit(self, store: StateStore) -> None:
        with pytest.raises(RunLockedError):
            store.claim(ClaimRequest("sales", "k1", wait=0.05))

    def test_released_lease_commits_nothing(self, store: StateStore, lease: Lease) -> None:
        store.release(lease)
        with pytest.raises(SupersededError):
            store.commit(lease, Changes(tasks=[completed(lease.run.id, "a")]))
        assert store.tasks(lease.run.id) == []

    def test_release_never_raises(self, store: StateStore, lease: Lease) -> None:
        newer = store.claim(ClaimRequest("sales", "k1", take_over=True))
        for gone in (lease, newer, lease, newer):
            store.release(gone)

    def test_superseded_holder_commits_nothing(self, store: StateStore, lease: Lease) -> None:
        newer = store.claim(ClaimRequest("sales", "k1", take_over=True))
        assert newer.run.id == lease.run.id
        with pytest.raises(SupersededError, match=lease.run.id):
            store.commit(lease, Changes(tasks=[completed(lease.run.id, "a")]))
        assert store.tasks(lease.run.id) == []
        store.commit(newer, Changes(tasks=[completed(lease.run.id, "b")]))
        assert [task.task for task in store.tasks(lease.run.id)] == ["b"]
        store.release(newer)

    def test_holder_of_a_run_given_up_commits_nothing(
        self, store: StateStore, lease: Lease
    ) -> None:
        newer = store.claim(ClaimRequest("sales", "k1", take_over=True, new_run=True))
        assert newer.run.id != lease.run.id
        with pytest.raises(SupersededError):
            store.commit(lease, Changes(tasks=[completed(lease.run.id, "a")]))
        store.release(newer)

    def test_run_taken_over_is_held_by_who_took_it(self, store: StateStore, lease: Lease) -> None:
        newer = store.claim(ClaimRequest("sales", "k1", take_over=True))
        store.release(lease)
        with pytest.raises(RunLockedError):
            store.claim(ClaimRequest("sales", "k1"))
        store.release(newer)
        store.release(store.claim(ClaimRequest("sales", "k1")))

    def test_free_run_can_be_taken_over(self, store: StateStore) -> None:
        store.release(store.claim(ClaimRequest("sales", "k1", take_over=True)))
        store.release(store.claim(ClaimRequest("sales", "k1")))

    def test_one_of_many_claims_at_once_gets_the_run(self, store: StateStore) -> None:
        barrier = threading.Barrier(8)

        def claim() -> Lease | None:
            barrier.wait(LIMIT_SECONDS)
            try:
                return store.claim(ClaimRequest("sales", "k1"))
            except RunLockedError:
                return None

        with ThreadPoolExecutor(8) as pool:
            claims = [pool.submit(claim) for _ in range(8)]
            won = [lease for claim in claims if (lease := claim.result(LIMIT_SECONDS))]
        assert len(won) == 1
        assert [run.id for run in store.runs()] == [won[0].run.id]
