"""Which run a claim gets."""

from __future__ import annotations

import os

import pytest

from flowweaver.errors import StoreError
from flowweaver.records import TARGETS_KEY, Changes, ClaimRequest
from flowweaver.state_store import StateStore
from flowweaver.status import RunStatus
from flowweaver.testing.store_parts.base import Base
from flowweaver.testing.store_parts.making import completed, finish, result_of


class Claims(Base):
    """Which run a claim gets."""

    def test_claim_makes_a_run(self, store: StateStore) -> None:
        lease = store.claim(ClaimRequest("sales", "k1"))
        run = lease.run
        assert (run.workflow, run.key, run.status) == ("sales", "k1", RunStatus.RUNNING)
        assert run.finished_at is None
        assert run.created_at == run.claimed_at
        assert str(os.getpid()) in run.runner
        assert not lease.continued
        assert lease.tasks == ()
        assert store.run(run.id) == run

    def test_claim_keeps_parameters_and_info(self, store: StateStore) -> None:
        value = result_of(b'"http://x"')
        request = ClaimRequest(
            "sales",
            "k1",
            params={"url": value.encoded.digest},
            results=(value,),
            info={"python": "3.11", "nested": {"n": [1, 2.5, None]}},
        )
        run = store.claim(request).run
        assert store.run(run.id).params == {"url": value.encoded.digest}
        assert store.run(run.id).info == {"python": "3.11", "nested": {"n": [1, 2.5, None]}}
        assert store.result(value.encoded.digest) == value

    @pytest.mark.parametrize(
        ("first", "second", "both"),
        [
            (["a"], ["b"], ("a", "b")),
            (["a", "b"], ["b"], ("a", "b")),
            (["a"], [], ()),
            ([], ["a"], ()),
            (["a"], None, ("a",)),
            ([], None, ()),
        ],
    )
    def test_what_a_run_was_asked_for_adds_up(
        self, store: StateStore, first: list[str], second: list[str] | None, both: tuple[str, ...]
    ) -> None:
        store.release(store.claim(ClaimRequest("sales", "k1", info={TARGETS_KEY: first})))
        again = ClaimRequest("sales", "k1", info={} if second is None else {TARGETS_KEY: second})
        lease = store.claim(again)
        assert lease.continued
        assert lease.run.targets == store.run(lease.run.id).targets == both

    def test_run_is_held_from_claim_to_release(self, store: StateStore) -> None:
        lease = store.claim(ClaimRequest("sales", "k1"))
        other = store.claim(ClaimRequest("sales", "k2"))
        store.release(other)
        assert store.is_held(lease.run)
        assert not store.is_held(other.run)
        store.release(lease)
        assert not store.is_held(lease.run)

    def test_run_ids_are_unique(self, store: StateStore) -> None:
        ids = {store.claim(ClaimRequest("sales", f"k{n}")).run.id for n in range(50)}
        assert len(ids) == 50

    @pytest.mark.parametrize("status", [s for s in RunStatus if s.is_unfinished])
    def test_claim_continues_an_unfinished_run(self, store: StateStore, status: RunStatus) -> None:
        first = finish(store, store.claim(ClaimRequest("sales", "k1")), status)
        lease = store.claim(ClaimRequest("sales", "k1"))
        assert lease.continued
        assert lease.run.id == first.id
        assert lease.run.status is RunStatus.RUNNING
        assert lease.run.finished_at is None
        assert lease.run.created_at == first.created_at

    @pytest.mark.parametrize("status", [s for s in RunStatus if not s.is_unfinished])
    def test_claim_makes_a_new_run_after_a_finished_one(
        self, store: StateStore, status: RunStatus
    ) -> None:
        first = finish(store, store.claim(ClaimRequest("sales", "k1")), status)
        lease = store.claim(ClaimRequest("sales", "k1"))
        assert not lease.continued
        assert lease.run.id != first.id
        assert store.run(first.id) == first

    def test_claim_continues_the_newest_of_several(self, store: StateStore) -> None:
        for run_id in ("one", "two", "three"):
            store.release(store.claim(ClaimRequest("sales", "k1", run_id=run_id)))
        assert store.claim(ClaimRequest("sales", "k1")).run.id == "three"

    def test_claim_returns_the_task_runs_of_a_continued_run(self, store: StateStore) -> None:
        lease = store.claim(ClaimRequest("sales", "k1"))
        records = [completed(lease.run.id, name) for name in ("c", "a", "b")]
        store.commit(lease, Changes(tasks=records))
        store.release(lease)
        assert store.claim(ClaimRequest("sales", "k1")).tasks == tuple(records)

    def test_each_claim_raises_the_token(self, store: StateStore) -> None:
        tokens = []
        for _ in range(3):
            lease = store.claim(ClaimRequest("sales", "k1"))
            tokens.append(lease.token)
            store.release(lease)
        assert tokens == sorted(set(tokens))

    def test_new_run_gives_up_unfinished_ones(self, store: StateStore) -> None:
        for run_id in ("one", "two"):
            store.release(store.claim(ClaimRequest("sales", "k1", run_id=run_id)))
        lease = store.claim(ClaimRequest("sales", "k1", new_run=True))
        assert not lease.continued
        assert store.run("one").status is RunStatus.ABANDONED
        assert store.run("two").status is RunStatus.ABANDONED
        assert store.run("two").finished_at is not None

    def test_new_run_leaves_other_keys_alone(self, store: StateStore) -> None:
        other = store.claim(ClaimRequest("sales", "k2"))
        store.release(other)
        store.claim(ClaimRequest("sales", "k1", new_run=True))
        assert store.run(other.run.id).status is RunStatus.RUNNING

    def test_run_id_names_a_new_run(self, store: StateStore) -> None:
        lease = store.claim(ClaimRequest("sales", "k1", run_id="my run/1"))
        assert lease.run.id == "my run/1"
        assert not lease.continued

    @pytest.mark.parametrize("status", list(RunStatus))
    def test_run_id_continues_that_run(self, store: StateStore, status: RunStatus) -> None:
        finish(store, store.claim(ClaimRequest("sales", "k1", run_id="mine")), status)
        lease = store.claim(ClaimRequest("sales", "k1", run_id="mine"))
        assert lease.continued
        assert lease.run.status is RunStatus.RUNNING

    @pytest.mark.parametrize(("workflow", "key"), [("other", "k1"), ("sales", "k2")])
    def test_run_id_of_another_workflow_or_key_is_refused(
        self, store: StateStore, workflow: str, key: str
    ) -> None:
        before = finish(
            store, store.claim(ClaimRequest("sales", "k1", run_id="mine")), RunStatus.FAILED
        )
        with pytest.raises(StoreError, match="mine"):
            store.claim(ClaimRequest(workflow, key, run_id="mine"))
        assert store.runs() == [before]
        store.release(store.claim(ClaimRequest(workflow, key)))
