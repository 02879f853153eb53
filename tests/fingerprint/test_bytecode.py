"""What is known of code whose source nobody has tells apart whatever does something else."""

from __future__ import annotations

from types import CodeType
from typing import Any

import pytest

from flowweaver.fingerprint.bytecode import listing

EXPRESSIONS = [
    ("x in y", "x not in y"),
    ("x is y", "x is not y"),
    ("x + 1", "x + 2"),
    ("x + 255", "x + 256"),
    ("x + y", "x - y"),
    ("x + y", "y + x"),
    ("x < y", "x <= y"),
    ("x and y", "x or y"),
    ("x == y == 3", "x == (y == 3)"),
    ("-x", "~x"),
    ("1", "True"),
    ("1", "1.0"),
    ("0.0", "-0.0"),
    ("[x, y][0]", "[x, y][1]"),
    ("x[1:2]", "x[1:3]"),
    ("x[1:2]", "x[1:2:1]"),
    ("f'{x!r}'", "f'{x!s}'"),
    ("f'{x}'", "f'{x:>3}'"),
    ("f(x, y)", "f((x, y))"),
    ("f(x)(y)", "f(x, y)"),
    ("f(*x)", "f(x)"),
    ("f(a=x)", "f(b=x)"),
    ("f(**x)", "f(a=x)"),
    ("(x, [y])", "([x], y)"),
    ("[*x]", "(*x,)"),
    ("{x: y}", "{y: x}"),
    ("[a for a in x if a]", "[a for a in x if not a]"),
    ("lambda a=1: x", "lambda a=2: x"),
    ("lambda a, /: x", "lambda a: x"),
    ("lambda *, a: x", "lambda a: x"),
    ("lambda *a: x", "lambda **a: x"),
]
STATEMENTS = [
    ("a, *b, c = x; return a", "*a, b, c = x; return a"),
    ("x += y; return x", "x -= y; return x"),
    ("x[0] = y", "x[1] = y"),
    ("raise", "raise x"),
    ("raise x", "raise x from y"),
    ("from a import b", "from .a import b"),
    ("from .a import b", "from ..a import b"),
    ("assert x", "assert y"),
    ("with x: pass", "with y: pass"),
    ("for a in x: break", "for a in x: continue"),
    ("try: f()\n except ValueError: pass", "try: f()\n except TypeError: pass"),
    ("match x:\n  case [a, *b]: return a", "match x:\n  case [*b, a]: return a"),
    ("match x:\n  case {'k': a}: return a", "match x:\n  case {'j': a}: return a"),
    ("match x:\n  case f(real=a): return a", "match x:\n  case f(imag=a): return a"),
    ("match x:\n  case f(a): return a", "match x:\n  case f(a, b): return a"),
]


def compiled(body: str) -> CodeType:
    names: dict[str, Any] = {}
    exec(f"def made(x, y, f):\n {body}", names)
    code: CodeType = names["made"].__code__
    return code


@pytest.mark.parametrize(
    ("one", "other"),
    [*((f"return {one}", f"return {other}") for one, other in EXPRESSIONS), *STATEMENTS],
)
def test_code_that_does_something_else_is_listed_otherwise(one: str, other: str) -> None:
    assert listing(compiled(one)) == listing(compiled(one))
    assert listing(compiled(one)) != listing(compiled(other))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("def made(a, /, b): return a", "def made(a, b): return a"),
        ("def made(a, *, b): return a", "def made(a, b): return a"),
        ("def made(a, *b): return a", "def made(a, **b): return a"),
    ],
)
def test_parameters_that_are_given_otherwise_are_listed_otherwise(one: str, other: str) -> None:
    listings = []
    for text in (one, other):
        names: dict[str, Any] = {}
        exec(text, names)
        listings.append(listing(names["made"].__code__))
    assert listings[0] != listings[1]
