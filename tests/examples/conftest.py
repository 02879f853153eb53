"""What the tests of the examples share."""

from pathlib import Path

import pytest

from flowweaver import SQLiteStateStore


@pytest.fixture
def store(tmp_path: Path) -> SQLiteStateStore:
    return SQLiteStateStore(tmp_path / "state.db")


@pytest.fixture(autouse=True)
def key_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLOWWEAVER_KEY_FILE", str(tmp_path / "key"))
