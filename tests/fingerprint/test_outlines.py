"""The canonical form of syntax."""

from __future__ import annotations

import argparse
import ast
import collections
import copy
import dataclasses
import inspect
import textwrap
import typing
from collections.abc import Iterator
from types import CodeType, ModuleType

import pytest

from flowweaver.fingerprint.outlines import Outline, outline
from flowweaver.parsing import parsed


def form(text: str, free: tuple[str, ...] = ()) -> str:
    return outlined(text, free).form.digest


def outlined(text: str, free: tuple[str, ...] = ()) -> Outline:
    return outline(parsed(textwrap.dedent(text)).body[0], free)


def loads(text: str) -> set[str]:
    return {load.label for load in outlined(text).form.loads}


def digests(tree: ast.Module) -> Iterator[str]:
    for statement in tree.body:
        whole = outline(statement)
        yield whole.form.digest
        for child in whole.children:
            yield outline(child).form.digest


@pytest.mark.parametrize("module", [argparse, ast, collections, dataclasses, inspect, typing])
def test_formatting_quotes_and_comments_play_no_part(module: ModuleType) -> None:
    tree = parsed(inspect.getsource(module))
    assert list(digests(parsed(ast.unparse(tree)))) == list(digests(tree))


SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef, ast.ListComp)
SCOPES += (ast.SetComp, ast.DictComp, ast.GeneratorExp)
FIELDS_OF_NAMES = {"Name": "id", "ExceptHandler": "name", "MatchAs": "name", "MatchStar": "name"}


def locals_renamed(function: ast.FunctionDef) -> ast.FunctionDef | None:
    """Return the function with its locals renamed, as Python's own compiler knows them."""
    inside = list(ast.walk(function))[1:]
    if any(
        isinstance(node, (*SCOPES, ast.Import, ast.ImportFrom, ast.Nonlocal)) for node in inside
    ):
        return None
    function.decorator_list = []
    module = compile(ast.Module([function], []), "", "exec", dont_inherit=True)
    code = next(each for each in module.co_consts if isinstance(each, CodeType))
    names = {*code.co_varnames} - {each.arg for each in inside if isinstance(each, ast.arg)}
    renamed = copy.deepcopy(function)
    for node in ast.walk(renamed):
        field = FIELDS_OF_NAMES.get(type(node).__name__)
        if field and getattr(node, field) in names:
            setattr(node, field, f"other_{getattr(node, field)}")
    return renamed if names else None


@pytest.mark.parametrize("module", [argparse, ast, collections, dataclasses, inspect, typing])
def test_names_of_locals_play_no_part(module: ModuleType) -> None:
    compared = 0
    for node in ast.walk(parsed(inspect.getsource(module))):
        renamed = locals_renamed(node) if isinstance(node, ast.FunctionDef) else None
        if renamed is not None:
            # What looks at its locals by name is another matter.
            looks = {"vars", "dir", "locals", "eval", "exec", "_getframe", "currentframe"}
            mentioned = {getattr(each, "id", getattr(each, "attr", "")) for each in ast.walk(node)}
            compared += 1
            assert (outline(renamed) == outline(node)) == looks.isdisjoint(mentioned)
    assert compared > 5


@pytest.mark.parametrize("module", [argparse, collections, dataclasses])
def test_each_dropped_statement_is_missed(module: ModuleType) -> None:
    for function in ast.walk(parsed(inspect.getsource(module))):
        if isinstance(function, ast.FunctionDef) and len(function.body) > 1:
            before = outline(function).form.digest
            dropped = function.body.pop()
            unimportant = isinstance(dropped, ast.Pass) or (
                isinstance(dropped, ast.AnnAssign) and dropped.value is None
            )
            assert (outline(function).form.digest == before) == unimportant


@pytest.mark.parametrize(
    "text",
    [
        f"def f(x): return {' + '.join(['x'] * 5000)}",
        f"def f(x): return {'-' * 80}x",
        f"def f(x): return x{'.a()' * 90}",
        "def f(x):\n    if x == 0: return 0\n"
        + "".join(f"    elif x == {n}: return {n}\n" for n in range(1, 500)),
    ],
    ids=["sum", "signs", "calls", "branches"],
)
def test_deeply_nested_code_has_a_form(text: str) -> None:
    try:
        tree = parsed(text)
    except (MemoryError, RecursionError):
        return
    assert outline(tree.body[0]).form.digest


def test_names_bound_outside_are_found() -> None:
    found = loads(
        """
        def f(a, b=default):
            global written
            local = a.x + module.part.name
            written = [item for item in source if keep(item)]
            def inner(c: annotation) -> annotation:
                nonlocal local
                local = c + deep
                return [local for local in late]
            class Inner(Base):
                attribute = constant
                def method(self):
                    return attribute
            try:
                with opened as handle: handle.read()
            except Failure as error:
                raise Other from error
            match a:
                case Shape(x=captured): captured
                case value.CONSTANT: pass
            return inner, Inner, (walrus := b), walrus, lambda key: key + far
        """
    )
    assert found == {
        "module.part.name", "source", "keep", "deep", "late", "Base", "constant", "attribute",
        "opened", "Failure", "Other", "Shape", "value.CONSTANT", "far", "default",
    }  # fmt: skip


def test_names_of_other_scopes_are_not_mixed_up() -> None:
    assert form("def f():\n a = 1\n def g():\n  a = 2\n return a") != form(
        "def f():\n a = 1\n def g():\n  nonlocal a\n  a = 2\n return a"
    )


def test_class_body_sees_what_is_outside_until_it_binds_the_name_itself() -> None:
    assert "limit" in loads("class A:\n    limit = limit + 1\n")


def test_comprehension_in_a_class_does_not_see_its_names() -> None:
    assert loads("class A:\n    n = 1\n    m = [n for _ in rows]\n") == {"n", "rows"}


@pytest.mark.parametrize(
    ("one", "two"),
    [
        ("def f(x): return x", "def f(y): return y"),
        ("def f(): return lambda x: x", "def f(): return lambda y: y"),
        ("def f():\n a = 1\n return vars()", "def f():\n b = 1\n return vars()"),
        (
            "def f(db):\n rows = 1\n return db.sql('select * from rows')",
            "def f(db):\n lines = 1\n return db.sql('select * from rows')",
        ),
        (
            "def f(df):\n limit = 1\n return df.query('a > @limit')",
            "def f(df):\n most = 1\n return df.query('a > @limit')",
        ),
        ("def f():\n def g(): pass\n return g", "def f():\n def h(): pass\n return h"),
    ],
    ids=["parameter", "lambda", "vars", "sql", "query", "function"],
)
def test_names_that_can_be_asked_for_count(one: str, two: str) -> None:
    assert form(one) != form(two)


def test_names_in_a_query_count_only_if_the_query_has_them() -> None:
    assert form("def f(db):\n rows = 1\n return db.execute('select 1')") == form(
        "def f(db):\n lines = 1\n return db.execute('select 1')"
    )


def test_names_bound_around_the_piece_do_not_count() -> None:
    assert form("def f(): return rate", ("rate",)) == form("def f(): return factor", ("factor",))


@pytest.mark.parametrize(
    ("bare", "annotated", "same"),
    [
        ("def f(a): pass", "def f(a: int): pass", True),
        ("@d\ndef f(a): pass", "@d\ndef f(a: int): pass", True),
        ("@f.register\ndef g(a): pass", "@f.register\ndef g(a: int): pass", False),
        ("class A:\n a = 1", "class A:\n a: int = 1", True),
        ("class A: pass", "class A:\n a: int", True),
        ("class A(B):\n a = 1", "class A(B):\n a: int = 1", False),
        ("class A(B): pass", "class A(B):\n a: int", False),
        ("@d\nclass A:\n a = 1", "@d\nclass A:\n a: int = 1", False),
    ],
)
def test_annotations_count_only_where_something_may_read_them(
    bare: str, annotated: str, same: bool
) -> None:
    assert (form(bare) == form(annotated)) is same


@pytest.mark.parametrize(
    ("one", "two", "same"),
    [
        ("def a(self): 1\n def b(self): 2", "def b(self): 2\n def a(self): 1", True),
        ("x = 1\n y = 2", "y = 2\n x = 1", False),
        ("def a(self): 1\n x = a", "x = a\n def a(self): 1", False),
        ("def a(self): 1\n a = None", "a = None\n def a(self): 1", False),
        ("@b\n def a(self): 1\n def b(self): 2", "def b(self): 2\n @b\n def a(self): 1", False),
    ],
    ids=["methods", "constants", "used", "replaced", "decorating"],
)
def test_order_in_a_class_counts_unless_it_is_that_of_methods(
    one: str, two: str, same: bool
) -> None:
    assert (form(f"class A:\n {one}") == form(f"class A:\n {two}")) is same


def test_defaults_that_are_literals_are_told() -> None:
    found = outlined("def f(a, b=1, c=x, *, d='e', e=-1, g): pass").plain
    assert found == {"b": 1, "d": "e"}


def test_globals_written_are_told() -> None:
    assert outlined("def f():\n global a, b\n a = 1").form.written == {"a", "b"}
