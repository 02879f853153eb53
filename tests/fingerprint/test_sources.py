"""From loaded code to the syntax that it was compiled from."""

from __future__ import annotations

import argparse
import ast
import asyncio
import collections
import dataclasses
import inspect
import linecache
import os
import py_compile
import textwrap
import typing
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import Any

import pytest

from flowweaver.fingerprint.bytecode import codes_within
from flowweaver.fingerprint.sources import Source, source_of
from flowweaver.parsing import parsed


@pytest.fixture
def run(tmp_path: Path) -> Callable[[str], tuple[Source, dict[str, Any]]]:
    """Write and run a file; return its source and its names."""

    def write_and_run(text: str) -> tuple[Source, dict[str, Any]]:
        path = tmp_path / "written.py"
        path.write_text(textwrap.dedent(text).lstrip("\n"), encoding="utf-8")
        names: dict[str, Any] = {"__name__": "written"}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            code = compile(path.read_bytes(), str(path), "exec", dont_inherit=True)
        exec(code, names)
        source = source_of(str(path))
        assert source is not None
        return source, names

    return write_and_run


def text_of(source: Source, code: CodeType) -> str:
    piece = source.locate(code)
    assert piece is not None
    return ast.unparse(piece.node)


def functions_of(module: ModuleType) -> Iterator[FunctionType]:
    for holder in (module, *vars(module).values()):
        if holder is module or isinstance(holder, type):
            for value in vars(holder).values():
                if isinstance(value, FunctionType) and value.__code__.co_filename.endswith(".py"):
                    yield inspect.unwrap(value)


@pytest.mark.parametrize("module", [argparse, asyncio.events, collections, dataclasses, typing])
def test_functions_are_found(module: ModuleType) -> None:
    for fn in functions_of(module):
        source = source_of(fn.__code__.co_filename)
        assert source is not None
        piece = source.locate(fn.__code__)
        assert piece is not None, fn
        assert isinstance(piece.node, ast.FunctionDef | ast.AsyncFunctionDef)
        first = min([piece.node.lineno, *(each.lineno for each in piece.node.decorator_list)])
        assert (piece.node.name, first + piece.offset) == (
            fn.__code__.co_name,
            fn.__code__.co_firstlineno,
        )


def test_lambdas_of_one_line_are_told_apart(run: Any) -> None:
    source, names = run(
        """
        made = [lambda: 1, lambda: 2, lambda x=lambda: 3: x, lambda: lambda: 4, (lambda: "é"), \
lambda y: y if y else 5]
        """
    )
    found = [text_of(source, fn.__code__) for fn in names["made"]]
    inner = [text_of(source, made().__code__) for made in names["made"][2:4]]
    assert found == [
        "lambda: 1",
        "lambda: 2",
        "lambda x=lambda: 3: x",
        "lambda: lambda: 4",
        "lambda: 'é'",
        "lambda y: y if y else 5",
    ]
    assert inner == ["lambda: 3", "lambda: 4"]


@pytest.mark.parametrize(
    "text",
    [
        "run = lambda: 1",
        "if True:\n    def run(): return 1",
        "try:\n    def run(): return 1\nfinally: pass",
        "def make():\n    def run(): return 1\n    return run\nrun = make()",
        "def make():\n    return lambda: 1\nrun = make()",
        "class A:\n    def run(self): return 1\nrun = A.run",
        "class A:\n  class B:\n    @property\n    def c(self): return 1\nrun = A.B.c.fget",
        "async def run(): return 1",
        "run = dict(\n    a=lambda: 1,\n)['a']",
        "def run(): return 0\n\ndef run(): return 1",
        "'''\ndef run(): return 0\n'''\ndef run(): return 1",
        "x = (1,\n2)\ndef run(): return 1\ny = 2",
        "def run(): return 1; x = 2",
        "def run(a=lambda: 2):\n\treturn 1",
        "def run():\n    '''\ndef other(): pass\n'''\n    return 1\n\ndef other(): pass",
        "@(lambda fn: fn)\ndef run(): return 1",
        "from __future__ import annotations\ndef run() -> nothing: return 1",
        "def é():\n    return 1\nrun = é",
        "\f\ndef run(): return 1",
        "x = '\\d'\ndef run(): return 1, '\\d'",
    ],
)
def test_function_is_found_wherever_it_is(text: str, run: Any) -> None:
    source, names = run(text)
    found = text_of(source, names["run"].__code__)
    assert "1" in found
    assert "return 0" not in found


def test_generic_function_is_found(run: Any) -> None:
    try:
        compile("def run[T](): pass", "generic", "exec")
    except SyntaxError:
        return
    source, names = run("def run[T](x: T): return 1\n\nclass A[T]:\n    def f(self): return 2\n")
    assert "1" in text_of(source, names["run"].__code__)
    assert "2" in text_of(source, names["A"].f.__code__)


def test_code_that_the_file_does_not_have_is_not_found(run: Any) -> None:
    source, _ = run("def run(): return 1\n")
    other: dict[str, Any] = {}
    exec(compile("def run(): return 2\n", source.filename, "exec"), other)
    assert source.locate(other["run"].__code__) is None


@pytest.mark.parametrize(
    "text",
    [
        "# moved\n\ndef run(a):\n    return a, [1 for _ in a]\n",
        "def run(a):\n    'documented'\n    return a, [1 for _ in a]\n",
        "from __future__ import annotations\ndef run(a: int):\n    return a, [1 for _ in a]\n",
    ],
    ids=["moved", "documented", "annotated"],
)
def test_code_is_found_that_differs_in_what_does_not_count(text: str, run: Any) -> None:
    if "documented" in text:
        # The place of a docstring among the constants differs between Python versions.
        text = text.replace("'documented'", "'documented otherwise'")
        before = "def run(a):\n    'documented'\n    return a, [1 for _ in a]\n"
    else:
        before = "def run(a):\n    return a, [1 for _ in a]\n"
    source, _ = run(text)
    other: dict[str, Any] = {}
    exec(compile(before, source.filename, "exec"), other)
    assert source.locate(other["run"].__code__) is not None


def test_file_is_read_again_only_when_it_changes(run: Any) -> None:
    source, _ = run("def run(): return 1\n")
    path = Path(source.filename)
    assert source_of(source.filename) is source
    path.write_text("def run(): return 22\n")
    later = path.stat().st_mtime + 10
    os.utime(path, (later, later))
    assert source_of(source.filename) is not source


@pytest.mark.parametrize("text", ["def run(:", "x = '\0'"], ids=["syntax", "nul"])
def test_file_that_is_no_source_has_none(text: str, tmp_path: Path) -> None:
    path = tmp_path / "broken.py"
    path.write_text(text)
    assert source_of(str(path)) is None


@pytest.mark.parametrize("name", ["<string>", "<stdin>", "not/there.py"])
def test_file_that_is_not_there_has_no_source(name: str) -> None:
    assert source_of(name) is None


def test_text_known_to_linecache_alone_has_a_source() -> None:
    text = "def run():\n    return 1\n"
    linecache.cache["<cell 1>"] = (len(text), None, text.splitlines(keepends=True), "<cell 1>")
    names: dict[str, Any] = {}
    exec(compile(text, "<cell 1>", "exec"), names)
    source = source_of("<cell 1>")
    assert source is not None
    assert "return 1" in text_of(source, names["run"].__code__)


def test_nothing_is_written_beside_the_file(run: Any) -> None:
    source, names = run("def run(): return 1\n")
    source.locate(names["run"].__code__)
    assert [path.name for path in Path(source.filename).parent.iterdir()] == ["written.py"]


def test_compiled_file_that_is_older_than_an_edit_of_the_same_second_is_not_used(
    tmp_path: Path,
) -> None:
    path = tmp_path / "quick.py"
    path.write_text("def run(): return 1\n")
    os.utime(path, ns=(0, 5_000_000_000))
    kept = Path(str(py_compile.compile(str(path))))
    os.utime(kept, ns=(0, 5_100_000_000))
    path.write_text("def run(): return 2\n")
    os.utime(path, ns=(0, 5_200_000_000))
    source = source_of(str(path))
    assert source is not None
    (code,) = codes_within(source.code)
    assert 2 in code.co_consts


def test_file_in_another_encoding_is_read(tmp_path: Path) -> None:
    path = tmp_path / "latin.py"
    path.write_bytes("# coding: latin-1\ndef run(): return 'é'\n".encode("latin-1"))
    names: dict[str, Any] = {}
    exec(compile(path.read_bytes(), str(path), "exec"), names)
    source = source_of(str(path))
    assert source is not None
    assert "é" in text_of(source, names["run"].__code__)


def test_segments_hold_all_statements() -> None:
    source = source_of(str(argparse.__file__))
    assert source is not None
    whole = [ast.unparse(each) for each in parsed(inspect.getsource(argparse)).body]
    pieces = [
        ast.unparse(statement)
        for number in range(len(source.starts))
        for statement in source.segment(number).statements
    ]
    assert pieces == whole
