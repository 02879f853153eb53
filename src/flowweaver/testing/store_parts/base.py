"""What all parts of the kit share."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from flowweaver.records import ClaimRequest, Lease
from flowweaver.state_store import StateStore


class Base:
    """The fixtures all parts use. Override `make_store`."""

    @pytest.fixture
    def make_store(self) -> Callable[[], StateStore]:
        """Return a function that makes store objects."""
        raise NotImplementedError("override make_store")

    @pytest.fixture
    def store(self, make_store: Callable[[], StateStore]) -> Iterator[StateStore]:
        """Give a new, empty store."""
        store = make_store()
        yield store
        store.close()

    @pytest.fixture
    def lease(self, store: StateStore) -> Iterator[Lease]:
        """Give the lease of a new run."""
        lease = store.claim(ClaimRequest("sales", "k1"))
        yield lease
        store.release(lease)

    def test_is_a_state_store(self, store: StateStore) -> None:
        assert isinstance(store, StateStore)
        assert ":" in store.url
