"""The text of code in a store: short where many tasks reach the same, and read back as it was."""

from __future__ import annotations

import zlib
from base64 import b85encode

from flowweaver import Task
from flowweaver.engine.reuse.code import CodeBook, parts_from
from tests.stores.filling import fill


def short() -> int:
    return 1


def reaching() -> int:
    fill(None)  # type: ignore[arg-type]
    return 1


def test_long_code_is_kept_packed_and_read_back() -> None:
    task = Task("t", reaching)
    book = CodeBook([task])
    digest, text = book.unkept(task) or ("", "")
    parts = book.parts_of(digest)
    assert parts_from(text) == parts
    assert len(parts) > 5
    assert len(text) < sum(len(part.text) for part in parts)


def test_short_code_is_kept_as_it_is() -> None:
    task = Task("t", short)
    _, text = CodeBook([task]).unkept(task) or ("", "")
    assert "return 1" in text


def test_what_was_damaged_or_forged_is_no_code() -> None:
    bomb = zlib.compress(b" " * 200_000_000)
    for data in (b"", b"no zlib", bomb):
        assert parts_from("zlib:" + b85encode(data).decode()) == ()
    assert parts_from("zlib:{}") == ()
