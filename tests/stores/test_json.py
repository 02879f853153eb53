from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from flowweaver.stores import JSONStateStore
from flowweaver.testing.stores import PersistentStoreContract


class TestJSONStore(PersistentStoreContract):
    @pytest.fixture
    def make_store(self, tmp_path: Path) -> Callable[[], JSONStateStore]:
        return lambda: JSONStateStore(tmp_path / "state.json")
