"""The catalogue is complete, and what it points to is there."""

import re
from pathlib import Path

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
TEXT = (HERE / "CATALOGUE.md").read_text(encoding="utf-8")
NAMED = sorted(set(re.findall(r"`((?:[\w/]+/)?\w+\.py)(?:::(test_\w+))?`", TEXT)))
SECTIONS = TEXT.count("\n## ")
KINDS = ("crashes", "rivals", "storage", "bodies", "definitions")


@pytest.mark.parametrize(("file", "test"), NAMED, ids=[f"{f}-{t}" for f, t in NAMED])
def test_named_test_exists(file, test):
    path = ROOT / file if "/" in file else HERE / file
    names = re.findall(r"^ *(?:async )?def (\w+)", path.read_text(encoding="utf-8"), re.MULTILINE)
    assert not test or test in names


def test_every_line_has_a_proof():
    lines = [line for line in TEXT.splitlines() if line.startswith("| ")]
    assert [line for line in lines if "`" not in line] == ["| Fault | Proved by |"] * SECTIONS


@pytest.mark.parametrize("kind", KINDS)
def test_every_test_of_a_kind_is_listed(kind):
    source = (HERE / f"test_{kind}.py").read_text(encoding="utf-8")
    tests = re.findall(r"def (test_\w+)", source)
    assert sorted({*tests} - {test for _, test in NAMED}) == []
