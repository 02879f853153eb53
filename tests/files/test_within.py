"""Paths are found wherever a value holds them."""

from __future__ import annotations

import dataclasses
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

import pytest

from flowweaver.files.output import OutputFile
from flowweaver.files.within import paths_within


@dataclasses.dataclass
class Report:
    where: Path
    rest: Any = None


class Pair(NamedTuple):
    name: str
    where: Path


A, B = Path("a"), Path("b")


@pytest.mark.parametrize(
    ("value", "found"),
    [
        (A, ["a"]),
        (OutputFile("a"), ["a"]),
        (PurePosixPath("a"), ["a"]),
        ([A, [B, A]], ["a", "b"]),
        ({"x": (A,), "y": {B}}, ["a", "b"]),
        ({A: 1}, ["a"]),
        (Report(A, [Report(B)]), ["a", "b"]),
        (Pair("n", A), ["a"]),
        ("a", []),
        (3, []),
        ([A, lambda: None, B], ["a"]),
    ],
    ids=range(11),
)
def test_paths_are_found(value: object, found: list[str]) -> None:
    assert paths_within(value) == found


def test_value_that_holds_itself_comes_to_an_end() -> None:
    ring: list[Any] = [A]
    ring.append(ring)
    assert paths_within(ring) == ["a"]
