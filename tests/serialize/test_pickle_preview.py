"""A pickle is described without being loaded."""

from __future__ import annotations

import io
import os
import pickle
import sys
from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

import attrs
import numpy as np
import pydantic
import pytest

from flowweaver.serialize import encode, preview
from flowweaver.serialize.pickle_preview import preview_pickle

from .awkward import Level, Plain, Point

HERE = Plain.__module__


@dataclass
class City:
    name: str
    sizes: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Slotted:
    name: str
    size: int


class Station(NamedTuple):
    city: str
    size: int


class Slots:
    __slots__ = ("x", "y")

    def __init__(self):
        self.x, self.y = 1, 2


@attrs.define
class Attrs:
    x: int


class Model(pydantic.BaseModel):
    name: str
    rows: list[int]


HERE_TOO = __name__


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Plain(x=1), f"{HERE}.Plain(x=1)"),
        (Level.LOW, f"{HERE}.Level"),
        (Point(1, 2), f"{HERE}.Point(x=1, y=2)"),
        ([Point(1, 2), Plain(x=3)], f"[{HERE}.Point(x=1, y=2), {HERE}.Plain(x=3)]"),
        ({"a": Plain(x=1)}, f"{{'a': {HERE}.Plain(x=1)}}"),
        ((Plain(x=1),), f"({HERE}.Plain(x=1),)"),
        (City("Oslo", (1, 2)), f"{HERE_TOO}.City(name='Oslo', sizes=(1, 2))"),
        (Slotted("Oslo", 7), f"{HERE_TOO}.Slotted(name='Oslo', size=7)"),
        (Slots(), f"{HERE_TOO}.Slots(x=1, y=2)"),
        (Attrs(1), f"{HERE_TOO}.Attrs(x=1)"),
        (Model(name="a", rows=[1]), f"{HERE_TOO}.Model(name='a', rows=[1])"),
        (City(datetime(2024, 1, 31)), f"{HERE_TOO}.City(name=datetime.datetime(2024, 1, 31, 0, 0)"),
        (City(Decimal("1.5")), f"{HERE_TOO}.City(name=decimal.Decimal('1.5')"),
        (City(np.zeros((2, 3))), f"{HERE_TOO}.City(name=<array of shape (2, 3)>"),
        ([frozenset({1}), Counter("aa")], "[frozenset({1}), collections.Counter({'a': 2})]"),
        (sorted, "sorted"),
    ],
)
@pytest.mark.parametrize("protocol", [4, 5])
def test_preview_tells_what_is_in_it(value, text, protocol):
    assert preview_pickle(pickle.dumps(value, protocol)).startswith(text)


def test_fields_of_a_class_that_is_not_imported_have_no_names(monkeypatch):
    data = pickle.dumps(Slotted("Oslo", 7), 5)
    monkeypatch.delitem(sys.modules, __name__)
    assert preview_pickle(data) == f"{HERE_TOO}.Slotted('Oslo', 7)"


def test_fields_by_position_are_noted_behind_the_pickle(monkeypatch):
    values = [Slotted("Oslo", 7), Station("Oslo", 7), {Station("Rome", 1)}]
    texts = [f"{HERE_TOO}.Slotted(name='Oslo', size=7)", f"{HERE_TOO}.Station(city='Oslo', size=7)"]
    encoded = encode(values)
    monkeypatch.delitem(sys.modules, __name__)
    assert preview(encoded).startswith(f"[{', '.join(texts)}, {{{HERE_TOO}.Station(city='Rome'")


def test_what_contains_itself_has_an_end():
    endless = [Plain()]
    endless.append(endless)
    assert "…" in preview_pickle(pickle.dumps(endless, 5))


@pytest.mark.parametrize("protocol", [2, 3, 4])
def test_older_protocols_are_understood(protocol):
    assert f"{HERE}.Plain" in preview_pickle(pickle.dumps(Plain(), protocol))


def test_size_is_for_people():
    assert preview_pickle(b"nonsense" * 150) == "<pickle, 1.2 KB>"


def test_only_the_beginning_is_read():
    data = pickle.dumps([Plain(x=1), list(range(100_000)), Plain()], 5)
    assert preview_pickle(data).startswith(f"[{HERE}.Plain(x=1), [0, 1, 2, 3")


@pytest.mark.parametrize("length", range(0, 60, 3))
def test_what_is_cut_short_is_shown_as_far_as_it_goes(length):
    data = pickle.dumps({"a": [City("Oslo", (1, 2))]}, 5)
    assert preview_pickle(data[:length])


@pytest.mark.parametrize("data", [b"", b"\x80", b"nonsense", b"\x93", b"h\x05", b"\xff" * 9, b"."])
def test_no_pickle_at_all_has_a_preview(data):
    assert preview_pickle(data) == f"<pickle, {len(data)} B>"


def test_class_name_cannot_write_to_the_terminal():
    data = pickle.dumps("x", 0).replace(b"Vx", b"c\x1b[31m\nred")
    assert "\x1b" not in preview_pickle(data)


class Attack:
    def __init__(self, target):
        self.target = target

    def __reduce__(self):
        return os.mkdir, (str(self.target),)


def test_malicious_pickle_is_never_run(tmp_path):
    target = tmp_path / "made by the pickle"
    file = io.BytesIO()
    pickle.Pickler(file, 5).dump(Attack(target))
    assert preview_pickle(file.getvalue()).startswith(f"{os.mkdir.__module__}.mkdir('")
    assert not Path(target).exists()
