"""The store in memory: the kit."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from flowweaver.records import ClaimRequest
from flowweaver.stores import MemoryStateStore
from flowweaver.testing.stores import StateStoreContract


class TestMemoryStore(StateStoreContract):
    @pytest.fixture
    def make_store(self) -> Callable[[], MemoryStateStore]:
        return MemoryStateStore


def test_describe_counts_runs() -> None:
    store = MemoryStateStore()
    store.claim(ClaimRequest("a", "k"))
    assert store.describe() == {"url": "memory:", "runs": 1}
