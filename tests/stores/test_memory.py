from __future__ import annotations

from collections.abc import Callable

import pytest

from flowweaver.stores import MemoryStateStore
from flowweaver.testing.stores import StateStoreContract


class TestMemoryStore(StateStoreContract):
    @pytest.fixture
    def make_store(self) -> Callable[[], MemoryStateStore]:
        return MemoryStateStore
