"""Values as people are shown them."""

from __future__ import annotations

import functools
import os

import pytest

from flowweaver.fingerprint.rendering import render


class Plain:
    def __init__(self, **state: object) -> None:
        self.__dict__.update(state)

    def __repr__(self) -> str:
        raise RuntimeError("not to be asked")


class Broken(BaseException):
    def __repr__(self) -> str:
        raise RuntimeError("not to be asked")


HERE = __name__


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1, "1"),
        ("a", "'a'"),
        ("a\nb", "a\nb"),
        ([1, (2, 3), {"b", "a"}], "[1, (2, 3), {'a', 'b'}]"),
        ({"a": [len]}, "{'a': [builtins.len]}"),
        (Plain(a=1, b=Plain()), f"{HERE}.Plain(a=1, b={HERE}.Plain())"),
        (Plain, f"{HERE}.Plain"),
        (functools.partial(max, 1, key=len), "partial(builtins.max, 1, key=builtins.len)"),
        (os, "os"),
        (object(), "<object object>"),
        ([[[[[[1]]]]]], "[[[[[...]]]]]"),
        ("x" * 400, f"'{'x' * 299}..."),
    ],
)
def test_value_as_text(value: object, text: str) -> None:
    assert render(value) == text


def test_long_container_has_a_line_for_each_item() -> None:
    value = {"first": "x" * 50, "second": ["y" * 50, "z" * 50]}
    assert render(value).splitlines() == [
        "{",
        f"    'first': '{'x' * 50}',",
        "    'second': [",
        f"        '{'y' * 50}',",
        f"        '{'z' * 50}',",
        "    ],",
        "}",
    ]


def test_rest_of_a_big_container_is_counted() -> None:
    assert render(list(range(1000))).splitlines()[-2:] == ["    ... 900 more,", "]"]


def test_what_its_name_says_is_secret_is_not_shown() -> None:
    hidden = "(not shown: it may be secret)"
    assert render("s3cr3t", "constant m.DB_PASSWORD") == hidden
    assert render({"api_key": "s3cr3t", "a": 1}) == f"{{'api_key': {hidden}, 'a': 1}}"
    assert render(Plain(token="s3cr3t")) == f"{HERE}.Plain(token={hidden})"
