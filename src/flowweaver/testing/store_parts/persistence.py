"""What outlives the store object."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from flowweaver.errors import RunLockedError, SupersededError
from flowweaver.records import (
    AttemptRecord,
    Changes,
    ClaimRequest,
    Failure,
    Lease,
    StateRecord,
)
from flowweaver.state_store import StateStore
from flowweaver.status import RunStatus
from flowweaver.testing.store_parts.base import Base
from flowweaver.testing.store_parts.making import (
    FINGERPRINT,
    completed,
    finish,
    full_record,
    result_of,
)


class Persistence(Base):
    """What stores do whose data outlives them. `make_store` gives stores on the same data."""

    def reopen(self, store: StateStore, make_store: Callable[[], StateStore]) -> StateStore:
        """Return the store as a later process would find it."""
        store.close()
        return make_store()

    def test_everything_outlives_the_store(
        self, store: StateStore, make_store: Callable[[], StateStore]
    ) -> None:
        values = [result_of(b"small"), result_of(b"x" * 2**19, "raw", "signed")]
        lease = store.claim(ClaimRequest("sales", "k", run_id="one", info={"a": 1}))
        attempt = AttemptRecord("one", "a", "", 1, 1.0, 2.0, Failure("E", "m"), "log")
        changes = Changes(
            tasks=[full_record("one"), completed("one", "b", values[1], fingerprint=FINGERPRINT)],
            results=values,
            attempts=[attempt],
            state=[StateRecord("one", "a", "", "x", values[0].encoded)],
            code={"aa": "pass"},
        )
        store.commit(lease, changes)
        run = finish(store, lease, RunStatus.FAILED)
        later = self.reopen(store, make_store)
        assert later.runs() == [run]
        assert later.tasks("one") == changes.tasks
        assert [later.result(value.encoded.digest) for value in values] == values
        assert later.attempts("one") == [attempt]
        assert later.state("one", "a") == {"x": values[0].encoded}
        assert later.code("aa") == "pass"
        assert later.find("sales", "b", FINGERPRINT) == changes.tasks[1]
        later.close()

    def test_reading_makes_no_store(
        self, store: StateStore, make_store: Callable[[], StateStore]
    ) -> None:
        assert store.runs() == []
        assert store.describe()["runs"] == 0
        assert not store.exists()
        assert not make_store().exists()

    def test_unfinished_run_is_continued_by_a_later_process(
        self, store: StateStore, make_store: Callable[[], StateStore]
    ) -> None:
        lease = store.claim(ClaimRequest("sales", "k"))
        store.commit(lease, Changes(tasks=[completed(lease.run.id, "a")]))
        store.release(lease)
        later = self.reopen(store, make_store)
        again = later.claim(ClaimRequest("sales", "k"))
        assert again.run.id == lease.run.id
        assert again.token > lease.token
        later.commit(again, Changes(tasks=[completed(lease.run.id, "b")]))
        assert [task.task for task in later.tasks(lease.run.id)] == ["a", "b"]
        later.release(again)
        later.close()

    def test_two_stores_on_the_same_data_see_each_other(
        self, store: StateStore, make_store: Callable[[], StateStore]
    ) -> None:
        other = make_store()
        mine, theirs = (
            one.claim(ClaimRequest("sales", one_key))
            for one, one_key in ((store, "k1"), (other, "k2"))
        )
        for number in range(5):
            store.commit(mine, Changes(tasks=[completed(mine.run.id, f"t{number}")]))
            other.commit(theirs, Changes(tasks=[completed(theirs.run.id, f"u{number}")]))
            assert len(other.tasks(mine.run.id)) == number + 1
            assert len(store.tasks(theirs.run.id)) == number + 1
        assert [run.id for run in store.runs()] == [run.id for run in other.runs()]
        store.release(mine)
        other.release(theirs)
        other.close()

    def test_run_held_through_one_store_is_locked_for_another(
        self, store: StateStore, make_store: Callable[[], StateStore], lease: Lease
    ) -> None:
        other = make_store()
        with pytest.raises(RunLockedError):
            other.claim(ClaimRequest("sales", "k1"))
        newer = other.claim(ClaimRequest("sales", "k1", take_over=True))
        with pytest.raises(SupersededError):
            store.commit(lease, Changes(tasks=[completed(lease.run.id, "a")]))
        store.release(lease)
        with pytest.raises(RunLockedError):
            store.claim(ClaimRequest("sales", "k1"))
        other.release(newer)
        other.close()

    def test_closed_store_can_be_used_again(self, store: StateStore, lease: Lease) -> None:
        store.close()
        store.commit(lease, Changes(tasks=[completed(lease.run.id, "a")]))
        store.close()
        store.close()
        assert [task.task for task in store.tasks(lease.run.id)] == ["a"]
