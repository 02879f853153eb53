"""Words for messages: short, printable, and never the value's own doing."""

from __future__ import annotations

import os

import pytest

from flowweaver.serialize.describe import clean, describe, shorten, size_text, type_name


class HostileMeta(type):
    def __repr__(cls):
        raise RuntimeError

    @property
    def __name__(cls):
        raise RuntimeError


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1_000, "1.0 KB"),
        (1_234, "1.2 KB"),
        (999_949, "999.9 KB"),
        (999_951, "1.0 MB"),
        (3_400_000, "3.4 MB"),
        (10**9, "1.0 GB"),
        (10**13, "10000.0 GB"),
    ],
)
def test_sizes(size, text):
    assert size_text(size) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (os, "module 'os'"),
        (len, "function 'builtins.len'"),
        (clean, "function 'flowweaver.serialize.describe.clean'"),
        (int, "class 'int'"),
        (1, "int"),
    ],
)
def test_descriptions(value, text):
    assert describe(value) == text


def test_class_that_will_not_be_described_is_named_all_the_same():
    class Hostile(metaclass=HostileMeta):
        def __repr__(self):
            raise RuntimeError

    assert describe(Hostile()).endswith(".Hostile")
    assert describe(Hostile).startswith("class '")


def test_type_names_are_printable_and_short():
    name = type_name(type("a\x1b[0m" + "b" * 300, (), {}))
    assert name.isprintable()
    assert len(name) == 120


def test_clean_escapes_only_what_does_not_print():
    assert clean("é 日本 \n\x00\u200f\ud800\U000e0001") == (r"é 日本 \n\x00\u200f\ud800\U000e0001")


def test_shorten_marks_the_cut():
    assert [shorten("abc", n) for n in (4, 3, 2, 1)] == ["abc", "abc", "a…", "…"]
