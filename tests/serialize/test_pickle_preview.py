"""A pickle is described without being loaded."""

from __future__ import annotations

import io
import os
import pickle
from pathlib import Path

import pytest

from flowweaver.serialize import encode, preview
from flowweaver.serialize.pickle_preview import preview_pickle

from .awkward import Level, Order, Plain, Point, shared_list

HERE = Plain.__module__


@pytest.mark.parametrize(
    ("value", "names"),
    [
        (Plain(), f"{HERE}.Plain"),
        (Level.LOW, f"{HERE}.Level"),
        (Order(1), f"{HERE}.Order"),
        ([Point(1, 2), Order(1)], f"list of {HERE}.Point"),
        ({"a": Plain()}, f"dict of {HERE}.Plain"),
        ((1, 2, 3, Plain()), f"tuple of {HERE}.Plain"),
        ({HERE: HERE, "x": [HERE, "Plain", Plain()]}, f"dict of {HERE}.Plain"),
        (shared_list(), "dict"),
        (sorted, "builtins.sorted"),
        (Plain().__repr__, f"{HERE}.Plain"),
    ],
)
def test_preview_tells_size_and_class(value, names):
    data = pickle.dumps(value, 5)
    assert preview_pickle(data) == f"<pickle, {len(data)} B: {names}>"


@pytest.mark.parametrize("protocol", [2, 3, 4])
def test_older_protocols_are_understood(protocol):
    assert f"{HERE}.Plain" in preview_pickle(pickle.dumps(Plain(), protocol))


def test_size_is_for_people():
    assert preview(encode(Plain(x="y" * 1_200))).startswith("<pickle, 1.3 KB:")


def test_only_the_beginning_is_read():
    data = pickle.dumps([list(range(100_000)), Plain()], 5)
    assert preview_pickle(data) == f"<pickle, {len(data) / 1000:.1f} KB: list>"


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
    assert preview_pickle(file.getvalue()).endswith(f"{os.mkdir.__module__}.mkdir>")
    assert not Path(target).exists()
