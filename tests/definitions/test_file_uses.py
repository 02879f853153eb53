"""Which paths a function is given, by its annotations, wherever they stand in its arguments."""

from __future__ import annotations

import functools
import os
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Generic, NamedTuple, NewType, TypedDict, TypeVar

import pytest

from flowweaver import InputFile
from flowweaver.definitions.file_uses import Every, FileUse, file_uses
from flowweaver.files.output import OutputFile

A, B = Path("a"), Path("b")
T = TypeVar("T")
Source = NewType("Source", InputFile)  # type: ignore[valid-newtype]


@dataclass
class Config:
    source: InputFile
    name: str = ""
    inner: Config | None = None


@dataclass
class Box(Generic[T]):
    content: list[T]


class Pair(NamedTuple):
    left: InputFile
    right: int


class Names(TypedDict, total=False):
    table: InputFile


class Loader:
    def __init__(self, source: InputFile) -> None: ...

    def __call__(self, path: InputFile) -> None: ...

    def method(self, path: InputFile) -> None: ...


class LoaderToo(Loader):
    pass


def plain(p: InputFile): ...
def text(p: InputFile): ...
def optional(p: InputFile | None = None): ...
def old(p: InputFile | None = None): ...
def either(p: InputFile | list[InputFile]): ...
def items(p: list[InputFile]): ...
def sequence(p: Sequence[InputFile]): ...
def ends(p: deque[InputFile]): ...
def some(p: set[InputFile]): ...
def lazy(p: Iterator[InputFile]): ...
def fixed(p: tuple[int, InputFile]): ...
def rest(p: tuple[InputFile, ...]): ...
def by_name(p: dict[str, InputFile]): ...
def by_file(p: Mapping[InputFile, int]): ...
def deep(p: dict[str, list[tuple[InputFile, int] | None]]): ...
def marked(p: Annotated[InputFile, "of sales"]): ...
def named(p: Source): ...
def config(p: Config): ...
def boxed(p: Box[InputFile]): ...
def pair(p: Pair): ...
def names(p: Names): ...
def others(q: int = 0, **kw: InputFile): ...
def default(p: InputFile = A): ...
def defaults(p: Sequence[InputFile] = (A, B)): ...
def many(*p: InputFile): ...
def beside(p: InputFile, frame: pd.DataFrame, other: no.such[thing] = None): ...  # noqa: F821


@functools.wraps(plain)
def wrapped(*args, **kwargs): ...


READ = [
    (plain, {"p": A}, ["a"]),
    (plain, {"p": "a"}, ["a"]),
    (plain, {"p": 3}, []),
    (plain, {}, []),
    (text, {"p": A}, ["a"]),
    (optional, {"p": A}, ["a"]),
    (optional, {"p": None}, []),
    (optional, {}, []),
    (old, {"p": A}, ["a"]),
    (either, {"p": A}, ["a"]),
    (either, {"p": [A, B]}, ["a", "b"]),
    (items, {"p": [A, B]}, ["a", "b"]),
    (items, {"p": (A, B)}, ["a", "b"]),
    (items, {"p": "ab"}, []),
    (sequence, {"p": [A]}, ["a"]),
    (ends, {"p": deque([A])}, ["a"]),
    (some, {"p": {A}}, ["a"]),
    (lazy, {"p": iter([A])}, []),
    (fixed, {"p": (1, A)}, ["a"]),
    (fixed, {"p": (1,)}, []),
    (rest, {"p": (A, B)}, ["a", "b"]),
    (by_name, {"p": {"x": A, "y": B}}, ["a", "b"]),
    (by_file, {"p": {A: 1}}, ["a"]),
    (deep, {"p": {"x": [(A, 1), None], "y": [(B, 2)]}}, ["a", "b"]),
    (marked, {"p": A}, ["a"]),
    (named, {"p": A}, ["a"]),
    (config, {"p": Config(A, inner=Config(B))}, ["a"]),
    (boxed, {"p": Box([A, B])}, ["a", "b"]),
    (pair, {"p": Pair(A, 1)}, ["a"]),
    (names, {"p": {"table": A}}, ["a"]),
    (names, {"p": {}}, []),
    (others, {"q": 1, "x": A, "y": B}, ["a", "b"]),
    (default, {}, ["a"]),
    (default, {"p": B}, ["b"]),
    (defaults, {}, ["a", "b"]),
    (beside, {"p": A, "frame": 1}, ["a"]),
    (wrapped, {"p": A}, ["a"]),
    (Loader(A), {"path": A}, ["a"]),
    (LoaderToo(A), {"path": A}, ["a"]),
    (Loader(A).method, {"path": A}, ["a"]),
    (Loader, {"source": A}, ["a"]),
    (Config, {"source": A}, ["a"]),
    (functools.partial(plain, A), {}, ["a"]),
    (functools.partial(plain, p=A), {}, ["a"]),
    (functools.partial(plain, p=A), {"p": B}, ["b"]),
    (functools.partial(others, x=A), {"y": B}, ["a", "b"]),
    (functools.partial(many, A, B), {}, ["a", "b"]),
    (functools.partial(Loader(A)), {"path": B}, ["b"]),
]


@pytest.mark.parametrize(("fn", "arguments", "paths"), READ)
def test_files_that_are_read_are_found(
    fn: Callable[..., Any], arguments: dict[str, Any], paths: list[str]
) -> None:
    uses = [use for use in file_uses(fn) if use.kind == "read"]
    assert [path for use in uses for _, path in use.paths(arguments)] == paths


def test_use_says_parameter_kind_and_where_in_the_value() -> None:
    def fn(a: dict[str, tuple[InputFile, int]], b: OutputFile, c: Path | None, d: int): ...

    found = file_uses(fn)
    assert [(use.parameter, use.kind, use.where) for use in found] == [
        ("a", "read", (Every.VALUE, 0)),
        ("b", "made", ()),
        ("c", "unmarked", ()),
    ]


def test_path_is_told_with_the_argument_it_is_in() -> None:
    (use,) = file_uses(others)
    assert list(use.paths({"q": 1, "x": A, "y": "b"})) == [("x", "a"), ("y", "b")]


@pytest.mark.parametrize(
    "annotation", [Path, os.PathLike, os.PathLike[str], list[Path], Path | None], ids=str
)
def test_path_without_a_mark_is_a_use_of_no_known_kind(annotation: Any) -> None:
    def fn(p): ...

    fn.__annotations__ = {"p": annotation}
    assert [use.kind for use in file_uses(fn)] == ["unmarked"]


def test_annotation_over_a_container_goes_for_the_paths_in_it() -> None:
    (mark,) = InputFile.__metadata__  # type: ignore[attr-defined]

    def fn(p): ...

    fn.__annotations__ = {"p": Annotated[list[Path], mark]}
    assert [use.kind for use in file_uses(fn)] == ["read"]


@pytest.mark.parametrize("fn", [max, int, lambda p: p, print, functools.partial(max)])
def test_what_is_not_annotated_uses_no_files(fn: Callable[..., Any]) -> None:
    assert file_uses(fn) == ()


def test_wrong_partial_is_left_for_its_call_to_fail() -> None:
    assert file_uses(functools.partial(plain, A, A, A)) == (FileUse("p", "read", ()),)
