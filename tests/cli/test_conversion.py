"""Text and JSON as the values that annotations ask for."""

import json
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import Annotated, Any, Literal, NewType, Optional
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowweaver.cli.conversion import MISFITS, from_json, from_text, shown


class Colour(Enum):
    RED = "red"
    BLUE = 2


Count = NewType("Count", int)
NINE = UUID("00000000-0000-0000-0000-000000000009")


def same(value: object, expected: object) -> bool:
    return value == expected and type(value) is type(expected)


@pytest.mark.parametrize(
    ("text", "annotation", "value"),
    [
        ("3", int, 3),
        ("-3", int, -3),
        ("3", float, 3.0),
        ("1e3", float, 1000.0),
        ("true", bool, True),
        ("No", bool, False),
        ("0", bool, False),
        ("3", str, "3"),
        ("", str, ""),
        ("null", str, "null"),
        ("a=b", str, "a=b"),
        ("data/x.csv", Path, Path("data/x.csv")),
        ("1.10", Decimal, Decimal("1.10")),
        ("2024-01-31", date, date(2024, 1, 31)),
        ("2024-01-31T12:00:00", datetime, datetime(2024, 1, 31, 12)),
        (str(NINE), UUID, NINE),
        ("3", Optional[int], 3),  # noqa: UP045
        ("null", int | None, None),
        ("null", str | None, None),
        ("none", str | None, "none"),
        ("3", str | int, 3),
        ("3", float | int, 3),
        ("3.5", int | float, 3.5),
        ("three", int | str, "three"),
        ("fast", Literal["fast", "slow"], "fast"),
        ("3", Literal[1, 3], 3),
        ("true", Literal[True], True),
        ("RED", Colour, Colour.RED),
        ("red", Colour, Colour.RED),
        ("2", Colour, Colour.BLUE),
        ("[1, 2]", list[int], [1, 2]),
        ("[1, 2]", list, [1, 2]),
        ("[1, 2]", tuple[int, ...], (1, 2)),
        ('[1, "2024-01-31"]', tuple[int, date], (1, date(2024, 1, 31))),
        ("[1, 1]", set[int], {1}),
        ("[1]", Sequence[float], [1.0]),
        ('["a", "b"]', list[Path], [Path("a"), Path("b")]),
        ('{"a": 1}', dict[str, int], {"a": 1}),
        ('{"1": "red"}', dict[int, Colour], {1: Colour.RED}),
        ('{"a": [1]}', Mapping[str, list[float]], {"a": [1.0]}),
        ("3", Annotated[int, "a count"], 3),
        ("3", Count, 3),
        ("3", Any, 3),
        ("-0.5", Any, -0.5),
        ("true", Any, True),
        ("null", Any, None),
        ("[1, [2]]", Any, [1, [2]]),
        ('{"a": null}', Any, {"a": None}),
        ('"3"', Any, "3"),
        ("True", Any, "True"),
        ("007", Any, "007"),
        ("1.2.3", Any, "1.2.3"),
        ("[a-z]+", Any, "[a-z]+"),
        ("NaN", Any, "NaN"),
        ("-Infinity", Any, "-Infinity"),
        ("Oslo", Any, "Oslo"),
        ("", Any, ""),
    ],
)
def test_text_becomes_what_the_annotation_says(text, annotation, value):
    assert same(from_text(text, annotation), value)


@pytest.mark.parametrize(
    ("text", "annotation"),
    [
        ("3.5", int),
        ("x", float),
        ("maybe", bool),
        ("x", Decimal),
        ("tomorrow", date),
        ("x", int | None),
        ("medium", Literal["fast", "slow"]),
        ("GREEN", Colour),
        ("1, 2", list[int]),
        ('["x"]', list[int]),
        ("[NaN]", list[float]),
        ("[" * 100_000, list[int]),
    ],
)
def test_text_that_can_not_be_what_is_asked_for_is_refused(text, annotation):
    with pytest.raises(MISFITS):
        from_text(text, annotation)


@pytest.mark.parametrize(
    ("value", "annotation", "made"),
    [
        (3, float, 3.0),
        (3, int, 3),
        ("3", str, "3"),
        ("x", Path, Path("x")),
        (None, Path | None, None),
        ("x", Path | None, Path("x")),
        (["x"], list[Path] | None, [Path("x")]),
        ([1, 2], Any, [1, 2]),
        ({"a": 1}, Any, {"a": 1}),
        ([1], dict[str, int], [1]),
    ],
)
def test_json_becomes_what_the_annotation_says(value, annotation, made):
    assert same(from_json(value, annotation), made)


@given(st.text())
def test_a_text_that_is_asked_for_is_never_changed(text):
    assert from_text(text, str) == text


def refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON")


@given(st.text())
def test_any_text_can_be_given_where_nothing_is_asked_for(text):
    try:
        expected = json.loads(text, parse_constant=refuse)
    except ValueError:
        expected = text
    assert same(from_text(text, Any), expected)


@pytest.mark.parametrize(
    ("annotation", "words"),
    [
        (int, "int"),
        (bool, "true or false"),
        (Colour, "one of RED, BLUE"),
        (Literal["fast", "slow"], "one of fast, slow"),
        (list[int], "list[int]"),
        (Any, "Any"),
    ],
)
def test_what_is_asked_for_is_said_in_words(annotation, words):
    assert shown(annotation) == words
