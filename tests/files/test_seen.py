"""What was seen to be read, and what is said of it once it differs."""

from __future__ import annotations

from pathlib import Path

import pytest

from flowweaver.files.seen import (
    changes_since,
    folder_of,
    found_digest,
    names_digest,
    passing_since,
)
from flowweaver.records import FileRecord


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("in").mkdir()
    Path("in/a.csv").touch()


@pytest.mark.parametrize(
    ("pattern", "folder"),
    [
        ("in/*.csv", "in/"),
        ("in/**/[ab].csv", "in/"),
        ("*.csv", "."),
        ("in/a?/b.csv", "in/"),
        ("/in/*", "/in/"),
        ("in/a.csv", "in/a.csv"),
    ],
)
def test_folder_of_a_pattern(pattern: str, folder: str) -> None:
    assert folder_of(pattern) == folder


def test_folder_that_is_gone_is_told_of() -> None:
    reads = [FileRecord("in", names_digest("in")), FileRecord("in/*", found_digest("in/*"))]
    Path("in/a.csv").unlink()
    Path("in").rmdir()
    words = ["the folder `in` is gone", "`in/*` finds other files than before"]
    assert list(changes_since(reads)) == words


def test_what_passes_may_be_gone_and_not_be_another() -> None:
    Path("in/a.csv").write_text("a")
    (read,) = passing_since([FileRecord("in/*", found_digest("in/*"))], 0.0)
    Path("in/b.csv").touch()
    assert list(changes_since([read])) == ["`in/*` finds other files than before"]
    for path in Path("in").iterdir():
        path.unlink()
    assert list(changes_since([read])) == []


def test_what_was_there_before_does_not_pass() -> None:
    read = FileRecord("in/*", found_digest("in/*"))
    assert passing_since([read], 9e12) == (read,)
