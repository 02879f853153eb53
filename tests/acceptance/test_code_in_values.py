"""A value of the project's own classes has their code with it: who takes it calls that."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

BASE = """
class Base:
    def told(self):
        return self.x * 3
"""
MODULE = """
from dataclasses import dataclass
from enum import Enum
from functools import partial
from typing import NamedTuple

import attrs
from pydantic import BaseModel

from base import Base
from flowweaver import serialize

@dataclass
class Data:
    x: int
    def told(self):
        return self.x * 3

@dataclass(frozen=True, slots=True)
class Frozen:
    x: int
    @property
    def told(self):
        return lambda: self.x * 3

@attrs.frozen
class Attributes:
    x: int
    def told(self):
        return self.x * 3

class Model(BaseModel):
    x: int
    def told(self):
        return self.x * 3

class Plain:
    def __init__(self, x):
        self.x = x
    def told(self):
        return self.x * 3

class Pair(NamedTuple):
    x: int
    y: int
    def told(self):
        return self.x * 3

class Kind(Enum):
    TWO = 2
    def told(self):
        return self.value * 3

class Derived(Base):
    def __init__(self, x):
        self.x = x

class Coded(Plain):
    def told(self):
        return self.x * 3

class CodedCodec:
    name = "coded"
    runs_code = False
    def handles(self, kind):
        return kind is Coded
    def encode(self, value):
        return str(value.x).encode()
    def decode(self, data):
        return Coded(int(data))
    def preview(self, data):
        return data.decode()

serialize.register(CodedCodec())

def triple(x=2):
    return x * 3

MADE = {
    "dataclass": Data(2), "frozen": Frozen(2), "attrs": Attributes(x=2), "model": Model(x=2),
    "plain": Plain(2), "named_tuple": Pair(2, 0), "enum": Kind.TWO, "base_elsewhere": Derived(2),
    "function": triple, "partial": partial(triple, 2),
    "codec": Coded(2), "codec_in_a_list": [Coded(2)],
    "in_a_list": [Plain(2)], "in_a_dict": {"a": {"b": Data(2)}},
}
"""
NAMES = (
    *("dataclass", "frozen", "attrs", "model", "plain", "named_tuple", "enum", "base_elsewhere"),
    *("function", "partial", "codec", "codec_in_a_list", "in_a_list", "in_a_dict"),
)
PIPELINE = """
import json

from flowweaver import SequentialExecutor, SQLiteStateStore, Workflow, each
import m

def take(value):
    while isinstance(value, (list, dict)):
        value = value[0] if isinstance(value, list) else list(value.values())[0]
    return value.told() if hasattr(value, "told") else value()

workflow, params = Workflow("w"), {}
"""
PART = """
def made_NAME(): return m.MADE["NAME"]
def many_NAME(made_NAME): return [made_NAME]
def parameter_NAME(given_NAME): return take(given_NAME)
for made in (made_NAME, many_NAME, parameter_NAME):
    workflow.add_task(made)
workflow.add_task(take, name="result_NAME", inputs={"value": "made_NAME"})
workflow.add_task(take, name="element_NAME", inputs={"value": each("many_NAME")})
params["given_NAME"] = m.MADE["NAME"]
"""
END = """
run = SequentialExecutor(state_store=SQLiteStateStore("state.db", "process")).execute(
    workflow, params
)
print(json.dumps({name: [str(task.result), task.origin.value] for name, task in run.tasks.items()}))
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "base.py").write_text(BASE)
    (tmp_path / "m.py").write_text(MODULE)
    (tmp_path / "pipeline.py").write_text(
        "".join([PIPELINE, *(PART.replace("NAME", name) for name in NAMES), END])
    )
    return tmp_path


def edit(folder: Path, old: str, new: str) -> None:
    for name in ("base.py", "m.py"):
        path = folder / name
        path.write_text(path.read_text().replace(old, new))


def taken(folder: Path) -> dict[str, tuple[int, str]]:
    """Execute in a new process; return by task what it came to, and how."""
    done = subprocess.run(
        [sys.executable, "pipeline.py"],
        cwd=folder,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    return {
        name: (int(value.strip("[]")), origin)
        for name, (value, origin) in json.loads(done.stdout).items()
        if name.startswith(("result", "element", "parameter"))
    }


def test_code_that_a_value_brings_counts_for_whoever_takes_it(folder: Path) -> None:
    first = taken(folder)
    assert len(first) == 3 * len(NAMES)
    assert set(first.values()) == {(6, "executed")}
    edit(folder, "class ", "# A remark.\nclass ")
    assert set(taken(folder).values()) == {(6, "restored")}
    edit(folder, "* 3", "* 5")
    assert {name: told for name, told in taken(folder).items() if told != (10, "executed")} == {}
    assert set(taken(folder).values()) == {(10, "restored")}
