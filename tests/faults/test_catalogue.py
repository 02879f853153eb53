"""The catalogue is complete, and what it points to is there."""

import ast
import re
from pathlib import Path

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
TEXT = (HERE / "CATALOGUE.md").read_text(encoding="utf-8")
NAMED = sorted(set(re.findall(r"`((?:[\w/]+/)?\w+\.py)(?:::(test_\w+))?`", TEXT)))
SECTIONS = {"A": range(1, 21), "B": range(21, 34), "C": range(34, 47), "D": range(47, 57)}
NUMBERS = {**SECTIONS, "E": range(57, 62)}


@pytest.mark.parametrize(("file", "test"), NAMED, ids=[f"{f}-{t}" for f, t in NAMED])
def test_named_test_exists(file, test):
    path = ROOT / file if "/" in file else HERE / file
    names = {
        node.name
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    assert not test or test in names


def test_every_number_has_a_line():
    listed = re.findall(r"^\| ([A-E])(\d+) \|", TEXT, re.MULTILINE)
    expected = [(letter, str(number)) for letter, numbers in NUMBERS.items() for number in numbers]
    assert listed == expected


def test_every_test_with_a_number_is_listed():
    numbered = {
        name
        for path in HERE.glob("test_*.py")
        for name in re.findall(r"def (test_[A-F]\d\d_\w+)", path.read_text(encoding="utf-8"))
    }
    assert sorted(numbered - {test for _, test in NAMED}) == []
