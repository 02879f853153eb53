"""What the authors of a plug-in write to know that it is one: a class for each kit."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sample_plugin import FolderStateStore, OneThreadExecutor

from flowweaver.testing.executors import ExecutorContract
from flowweaver.testing.stores import PersistentStoreContract


class TestFolderStateStore(PersistentStoreContract):
    @pytest.fixture
    def make_store(self, tmp_path: Path) -> Callable[[], FolderStateStore]:
        return lambda: FolderStateStore(tmp_path / "folder")


class TestOneThreadExecutor(ExecutorContract):
    slots = 1

    def make_executor(self, state_store: Any = None, **options: Any) -> OneThreadExecutor:
        return OneThreadExecutor(state_store=state_store, **options)
