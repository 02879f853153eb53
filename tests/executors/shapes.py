"""Sources of scripts that define types of all kinds, for what processes make of these."""

from __future__ import annotations

import itertools
import sys
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import strategies as st

from flowweaver import Executor, Workflow
from flowweaver.fingerprint import fingerprint_callable, forget_values

HEAD = """
import abc, dataclasses, enum, typing
from collections import namedtuple
import attrs, pydantic
from flowweaver import Task, Workflow, task
"""
TASKS = """
@task
def make() -> list:
    return {values}

@task
def use(make, given):
    assert [type(value) for value in make] == [type(value) for value in given] == {types}
    assert make == given
    return make, {types}
"""
KINDS = {
    "dataclass": "@dataclasses.dataclass\nclass {name}:\n    {fields}\n",
    "frozen dataclass": "@dataclasses.dataclass(frozen=True)\nclass {name}:\n    {fields}\n",
    "dataclass with slots": "@dataclasses.dataclass(slots=True)\nclass {name}:\n    {fields}\n",
    "dataclass with an InitVar": (
        "@dataclasses.dataclass\nclass {name}:\n    {fields}\n"
        "    scale: dataclasses.InitVar[int] = 2\n"
        "    size: int = dataclasses.field(init=False, default=0)\n"
        "    def __post_init__(self, scale): self.size = scale\n"
    ),
    "ordered dataclass by its keywords": (
        "@dataclasses.dataclass(order=True, kw_only=True)\nclass {name}:\n    {fields}\n"
        "    more: list = dataclasses.field(default_factory=list)\n"
    ),
    "attrs class": "@attrs.define\nclass {name}:\n    {fields}\n",
    "frozen attrs class": "@attrs.frozen\nclass {name}:\n    {fields}\n",
    "attrs class without slots": (
        "@attrs.define(slots=False)\nclass {name}:\n    {fields}\n"
        "    more: list = attrs.field(factory=list)\n"
    ),
    "pydantic model": (
        "class {name}(pydantic.BaseModel):\n    {fields}\n"
        "    model_config = pydantic.ConfigDict(arbitrary_types_allowed=True)\n"
    ),
    "pydantic model that validates": (
        "class {name}(pydantic.BaseModel, arbitrary_types_allowed=True):\n"
        "    {fields}\n    more: int = 1\n"
        "    @pydantic.field_validator('more')\n    @classmethod\n"
        "    def check(cls, more): return cls.limit(more)\n"
        "    @classmethod\n    def limit(cls, more): return min(more, 10)\n"
    ),
    "NamedTuple": "class {name}(typing.NamedTuple):\n    {fields}\n",
    "namedtuple": "{name} = namedtuple('{name}', {keys})\n",
    "generic dataclass": (
        "Of = typing.TypeVar('Of')\n"
        "@dataclasses.dataclass\nclass {name}(typing.Generic[Of]):\n    {fields}\n"
    ),
    "dataclass that inherits": (
        "@dataclasses.dataclass(frozen=True, slots=True)\nclass {name}Base(abc.ABC):\n"
        "    @abc.abstractmethod\n    def size(self): ...\n"
        "@dataclasses.dataclass(frozen=True, slots=True)\nclass {name}({name}Base):\n"
        "    {fields}\n    def size(self): return len(super().__repr__())\n"
    ),
    "class with private slots": (
        "class {name}:\n    __slots__ = ('given', '__hidden')\n"
        "    def __init__(self, **given): self.given, self.__hidden = given, 1\n"
        "    def __eq__(self, other): return self.given == other.given\n"
        "    __hash__ = None\n"
    ),
    "plain class": (
        "class {name}:\n    def __init__(self, **fields): self.__dict__.update(fields)\n"
        "    def __eq__(self, other): return vars(self) == vars(other)\n"
        "    __hash__ = None\n"
    ),
}
# What pickling itself notes on a class.
PICKLES_OWN = ("__slotnames__",)
ENUMS = {
    "Enum": "class {name}(enum.Enum):\n    A = 1\n    B = 'two'\n",
    "IntEnum": "class {name}(enum.IntEnum):\n    A = 1\n    B = 2\n",
    "Flag": "class {name}(enum.Flag):\n    A = enum.auto()\n    B = enum.auto()\n",
    "enum with a method": (
        "class {name}(str, enum.Enum):\n    A = 'a'\n    B = 'b'\n"
        "    def other(self): return {name}.B if self is {name}.A else {name}.A\n"
    ),
}


@dataclass(frozen=True)
class Script:
    """The source of a script, and the names of the types it defines."""

    source: str
    types: tuple[str, ...]

    def run_as_main(self, path: Path, patch: pytest.MonkeyPatch) -> ModuleType:
        """Make a main module of this script in that file, as Python does."""
        path.write_text(self.source)
        main = ModuleType("__main__")
        main.__file__ = str(path)
        patch.setitem(sys.modules, "__main__", main)
        exec(compile(self.source, path, "exec", dont_inherit=True), vars(main))
        return main


class _Writing:
    """A script as it grows."""

    def __init__(self, first_line: str = "") -> None:
        self.parts = [first_line, HEAD]
        self.values = {"int": "1"}

    def define(self, kind: str, fields: list[str], member: str = "A") -> None:
        """Add a type of that kind, its fields of types that there are."""
        name = f"Type{len(self.values)}"
        keys = [f"field{place}" for place in range(len(fields))]
        if kind in ENUMS:
            self.parts.append(ENUMS[kind].format(name=name))
            self.values[name] = f"{name}.{member}"
            return
        lines = [f"{key}: {field}" for key, field in zip(keys, fields, strict=True)]
        self.parts.append(KINDS[kind].format(name=name, keys=keys, fields="\n    ".join(lines)))
        given = [f"{key}={self.values[field]}" for key, field in zip(keys, fields, strict=True)]
        self.values[name] = f"{name}({', '.join(given)})"

    def end(self) -> Script:
        """Add the tasks that make and use values of these types."""
        names = [name for name in self.values if name != "int"]
        values = ", ".join(self.values[name] for name in names)
        self.parts.append(TASKS.format(values=f"[{values}]", types=f"[{', '.join(names)}]"))
        return Script("\n".join(self.parts), tuple(names))


@st.composite
def scripts(draw: st.DrawFn) -> Script:
    """Draw a script whose types hold one another."""
    script = _Writing(draw(st.sampled_from(["", "from __future__ import annotations"])))
    for _ in range(draw(st.integers(1, 5))):
        kind = draw(st.sampled_from([*KINDS, *ENUMS]))
        field = st.sampled_from(list(script.values))
        fields = draw(st.lists(field, min_size=1, max_size=3))
        script.define(kind, fields, draw(st.sampled_from("AB")))
    return script.end()


def script_of_all_kinds() -> Script:
    """Return a script with a type of each kind, each but the first with a field of the last."""
    script = _Writing()
    for kind in (*ENUMS, *KINDS):
        script.define(kind, ["int", list(script.values)[-1]])
    return script.end()


_numbers = itertools.count()


def assert_left_untouched(script: Script, folder: Path, executor: Executor, **options: Any) -> None:
    """Execute a script's tasks; what it defines is afterwards as it was, to the last object."""
    with pytest.MonkeyPatch.context() as patch:
        # Under a name of its own: a worker runs a script no second time.
        main = script.run_as_main(folder / f"script{next(_numbers)}.py", patch)
        given = main.make()
        before = _contents(main, script), _fingerprints(main)
        tasks = [task.with_options(**options) for task in (main.make, main.use)]
        made, types = executor.execute(Workflow("w", tasks), {"given": given})["use"]
        assert types == [getattr(main, name) for name in script.types]
        assert made == given
        assert [type(value) for value in made] == [type(value) for value in given]
        assert (_contents(main, script), _fingerprints(main)) == before


def _contents(main: ModuleType, script: Script) -> dict[str, dict[str, int]]:
    things = {name: getattr(main, name) for name in (*script.types, "make", "use")}
    return {
        name: {key: id(value) for key, value in vars(thing).items() if key not in PICKLES_OWN}
        for name, thing in things.items()
    }


def _fingerprints(main: ModuleType) -> list[str]:
    forget_values()
    return [fingerprint_callable(task.fn).digest for task in (main.make, main.use)]
