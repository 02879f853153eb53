"""What was seen to be read, and what is said of it once it differs."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from flowweaver.files import seen
from flowweaver.files.content import GONE, content_digest
from flowweaver.files.seen import (
    CHANGED,
    changes_since,
    emptied_at,
    found_by,
    is_left,
    left_at,
    left_status,
    names_in,
    read_in_words,
    read_of,
    status_of,
)
from flowweaver.records import FileRecord


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("in").mkdir()
    Path("in/a.csv").touch()


def no_code(name: str) -> str:
    raise AssertionError(name)


def nobody(path: str, status: str | None) -> bool:
    return False


def test_what_was_read_is_told_in_words_and_bounded() -> None:
    read = [
        FileRecord("a.csv", content_digest("in/a.csv")),
        FileRecord("b.csv", GONE),
        FileRecord("in", names_in(".")),
        FileRecord("*.csv", found_by("*.csv")),
        left_at("out.csv"),
        FileRecord("c.csv", CHANGED),
    ]
    words = [
        "a.csv", "b.csv (not there)", "in (its names)", "*.csv (what it finds)",
        "c.csv (changed while it was read)",
    ]  # fmt: skip
    assert read_in_words(read, 5) == words
    assert read_in_words(read, 2) == ["a.csv", "b.csv (not there)", "3 more"]
    assert [each.kind for each in read_of(read)] == [
        "file", "missing", "folder", "pattern", "changing",
    ]  # fmt: skip


def test_folder_that_is_gone_is_told_of() -> None:
    reads = [FileRecord("in", names_in("in")), FileRecord("in/*", found_by("in/*"))]
    Path("in/a.csv").unlink()
    Path("in").rmdir()
    words = ["the folder `in` is gone", "`in/*` finds other files than before"]
    assert list(changes_since(reads, (), nobody, no_code)) == words


def test_each_name_that_is_more_or_less_has_to_be_explained() -> None:
    read = FileRecord("in", names_in("in"))
    Path("in/a.csv").unlink()
    Path("in/b.csv").touch()
    asked: list[tuple[str, str | None]] = []

    def somebody(path: str, status: str | None) -> bool:
        asked.append((path, status))
        return True

    assert list(changes_since([read], (), somebody, no_code)) == []
    assert sorted(asked) == [(os.path.join("in", "a.csv"), ""), (os.path.join("in", "b.csv"), None)]  # noqa: PTH118


def test_of_long_lists_any_difference_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seen, "_LONGEST", 0)
    read = FileRecord("in", names_in("in"))
    assert list(changes_since([read], (), nobody, no_code)) == []
    Path("in/b.csv").touch()
    assert list(changes_since([read], (), lambda path, status: True, no_code)) != []


def test_names_that_are_no_names_are_other_names() -> None:
    read = FileRecord("in", "names nonsense")
    told = list(changes_since([read], (), lambda path, status: True, no_code))
    assert told == ["the folder `in` holds other names than before"]


def test_what_was_left_is_no_input() -> None:
    left = left_at("in/a.csv")
    assert is_left(left)
    assert left_status(left) == status_of("in/a.csv")
    Path("in/a.csv").write_text("other")
    assert left_status(left) != status_of("in/a.csv")
    assert list(changes_since([left, emptied_at("in")], (), nobody, no_code)) == []
