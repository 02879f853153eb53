"""What pickles call what a script defines: the same as in a process that imports the script."""

from __future__ import annotations

import pickle
import sys
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from flowweaver.main_module import known_as, script_name
from flowweaver.serialize import decode_trusted, encode

SOURCE = """
from dataclasses import dataclass

@dataclass
class Row:
    text: object

@dataclass(frozen=True)
class Key:
    number: int

def helper():
    pass
"""


@dataclass(frozen=True)
class Both:
    """A file as a script that was started, and as a module that was imported."""

    script: ModuleType
    module: ModuleType
    path: Path


@pytest.fixture
def both(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Both:
    path = tmp_path / "nightly.py"
    path.write_text(SOURCE)
    made = []
    for name in ("__main__", "nightly"):
        module = ModuleType(name)
        module.__dict__.update(__file__=str(path), __spec__=None)
        monkeypatch.setitem(sys.modules, name, module)
        exec(compile(SOURCE, str(path), "exec"), vars(module))
        made.append(module)
    monkeypatch.delitem(sys.modules, "nightly")
    return Both(*made, path)


def imported(both: Both, monkeypatch: pytest.MonkeyPatch) -> None:
    """Be a process that has imported the file and was started otherwise."""
    monkeypatch.setitem(sys.modules, "__main__", ModuleType("__main__"))
    monkeypatch.setitem(sys.modules, "nightly", both.module)


def values(of: Any) -> list[Any]:
    row = of.Row("a")
    return [
        row,
        [row, row, of.Row(of.Key(1))],
        {of.Key(1): {of.Key(2), of.Key(3)}, "f": of.helper, "class": of.Row},
        ["x" * 70_000, row, "y" * 200_000, b"z" * 70_000, of.Row("b")],
    ]


@pytest.mark.parametrize("which", range(4))
def test_script_and_module_write_the_same_and_read_each_other(
    both: Both, monkeypatch: pytest.MonkeyPatch, which: int
) -> None:
    assert script_name() == "nightly"
    of_script = encode(values(both.script)[which])
    assert b"__main__" not in of_script.data
    assert repr(decode_trusted(of_script)) == repr(values(both.script)[which])
    imported(both, monkeypatch)
    of_module = encode(values(both.module)[which])
    assert of_script == of_module
    assert of_script.likeness == of_module.likeness
    assert repr(decode_trusted(of_script)) == repr(values(both.module)[which])
    monkeypatch.undo()


def test_many_frames_are_read_back(both: Both, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [both.script.Row(f"{number}" * 20) for number in range(20_000)]
    encoded = encode(["before" * 20_000, *rows])
    assert b"__main__" not in encoded.data
    assert decode_trusted(encoded)[1:] == rows
    imported(both, monkeypatch)
    assert decode_trusted(encoded)[-1] == both.module.Row("19999" * 20)


def test_text_that_is_the_name_of_the_main_module_stays_text(both: Both) -> None:
    for text in ("__main__", sys.intern("__main__"), "\x8c\x08__main__"):
        value = [text, both.script.Row(text), {"__main__": "Row"}, text.encode()]
        back = decode_trusted(encode(value))
        assert back == value


def test_what_scripts_kept_before_is_read_by_them(both: Both) -> None:
    from flowweaver.serialize.encoded import seal

    old = pickle.dumps(both.script.Row("a"), 5)
    assert b"__main__" in old
    assert decode_trusted(seal("pickle", old)) == both.script.Row("a")


def test_script_that_was_imported_as_well_keeps_its_classes_apart(
    both: Both, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "nightly", both.module)
    assert script_name() == ""
    for module in (both.script, both.module):
        assert type(decode_trusted(encode(module.Row("a")))) is module.Row


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("nightly.py", "nightly"),
        ("jobs/nightly.py", "jobs.nightly"),
        ("jobs/deep/nightly.py", "jobs.deep.nightly"),
        ("nightly", ""),
        ("nightly.v2.py", ""),
        ("__main__.py", ""),
        ("missing.py", ""),
    ],
)
def test_script_is_known_as_it_could_be_imported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str, name: str
) -> None:
    file = tmp_path / path
    file.parent.mkdir(parents=True, exist_ok=True)
    for folder in file.relative_to(tmp_path).parents[:-1]:
        (tmp_path / folder / "__init__.py").touch()
    if path != "missing.py":
        file.touch()
    main = ModuleType("__main__")
    main.__dict__.update(__file__=str(file))
    monkeypatch.setitem(sys.modules, "__main__", main)
    assert script_name() == name
    assert known_as("__main__") == (name or "__main__")
    assert known_as("other") == "other"
