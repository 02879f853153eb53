"""Edits of functions that mean something, and the part that each of them is in."""

from __future__ import annotations

from tests.fingerprint.making import Edit, real
from tests.fingerprint.projects import (
    DECORATED,
    GENERIC,
    HANDED_AROUND,
    IMPORTS,
    MATCH,
    PROJECT,
    SIMPLE,
    TASKS,
)

DISTRIBUTION = {
    "site-packages/fakelib.py": "def answer():\n    return 1\n",
    "site-packages/fakelib-1.0.dist-info/METADATA": "Name: fakelib\nVersion: 1.0\n",
    "steps.py": """
        from fakelib import answer

        def run():
            return answer()
        """,
}


def _simple(name: str, old: str, new: str, culprit: str = "steps.run") -> Edit:
    return real(name, culprit, SIMPLE, (old, new))


def _small(name: str, before: str, old: str, new: str) -> Edit:
    return real(name, "steps.run", before, (old, new))


def _returned(name: str, before: str, after: str) -> Edit:
    """Return an edit of what a function of one line returns, of which it has some parameters."""
    return _small(name, f"def run(x=1.5, y='a'):\n    return {before}\n", before, after)


def _in_parts(name: str, culprit: str, old: str, new: str, target: str = "run") -> Edit:
    return real(name, culprit, IMPORTS, {"pkg/parts.py": (old, new)}, f"steps:{target}")


_IN_A_FUNCTION = [
    _simple("constant changed", "> 1000", "> 10"),
    _simple("number's type changed", "total = 0", "total = 0.5"),
    _simple("operator changed", "+= half", "-= half"),
    _simple("comparison swapped", "total > 1000", "total < 1000"),
    _simple("string changed", '"a" "b"', '"a" "c"'),
    _simple("key changed", "'text'", "'texts'"),
    _simple("literal default changed", "scale=10", "scale=11"),
    _simple("tuple default changed", "(1, 2, 3)", "(1, 2, 4)"),
    _simple("parameter added", "scale=10):", "scale=10, by=10):"),
    _simple("statement exchanged", "        total = math.floor(total)\n", "        return 0\n"),
    _simple("log line added", "    total = 0\n", "    total = 0\n    print(total)\n"),
    _simple("module's function exchanged", "math.floor", "math.sqrt"),
    _simple("helper edited", "value / 2", "value / 4", "steps.half"),
    _simple("helper's default added", "half(value):", "half(value, by=3):", "steps.half"),
    _simple(
        "helper defined anew further down",
        "def run(",
        "def half(value):\n    return value\n\n\ndef run(",
        "steps.half",
    ),
    _returned("keyword added", "sorted([1, 2])", "sorted([1, 2], reverse=True)"),
    _returned("keyword order changed", "dict(a=1, b=2)", "dict(b=2, a=1)"),
    _returned("order in a dict changed", "[*{1: 2, 3: 4}]", "[*{3: 4, 1: 2}]"),
    _returned("inner lambda edited", "(lambda z: z + 1)(1)", "(lambda z: z + 2)(1)"),
    _returned("lambda default edited", "(lambda z=1: z)()", "(lambda z=2: z)()"),
    _returned("format spec changed", "f'{x:.1f}'", "f'{x:.3f}'"),
    _returned("f-string conversion added", "f'{y}'", "f'{y!r}'"),
    _returned("f-string shows its expression", "f'{y}'", "f'{y=}'"),
    _returned("walrus moved", "[(n := len('abc')), n + 1]", "[(n := len('abc') + 1), n]"),
    _returned("condition added", "[z for z in range(5)]", "[z for z in range(5) if z % 2]"),
    _returned("slice changed", "[1, 2, 3][0:2]", "[1, 2, 3][1:2]"),
    _returned("negation added", "x > 0", "not x > 0"),
    _returned("precedence changed", "x + x * x", "(x + x) * x"),
    _returned("operands swapped", "x - 1", "1 - x"),
    _returned("list made tuple", "[1, 2]", "(1, 2)"),
    _returned("call added", "y.upper", "y.upper()"),
    _small(
        "await added",
        "async def part():\n    return 1\n\nasync def run():\n    return part().close()\n",
        "return part().close()",
        "return await part()",
    ),
    _small("function made async", "def run():\n    return 1\n", "def run", "async def run"),
    _small("return made yield", "def run():\n    return 1\n", "return", "yield"),
    _small(
        "nested function edited",
        "def run():\n    def inner(x):\n        return x + 1\n    return inner(1)\n",
        "x + 1",
        "x + 2",
    ),
    _small("match pattern changed", MATCH, "(1, y)", "(y, 2)"),
    _small("match guard added", MATCH, "(1, y):", "(1, y) if y > 2:"),
    _small(
        "statement moved out of a loop",
        "def run():\n    t = 0\n    for x in 1, 2:\n        t += x\n        t *= 2\n    return t\n",
        "        t *= 2\n",
        "    t *= 2\n",
    ),
    _small(
        "exception type changed",
        "def run():\n    try:\n        return {}[0]\n    except KeyError:\n        return 2\n",
        "KeyError:\n        return 2",
        "Exception:\n        return 3",
    ),
    _small(
        "two locals exchanged",
        "def run():\n    a = 1\n    b = 2\n    return a - b\n",
        "a - b",
        "b - a",
    ),
    _small(
        "local made global",
        "n = [1]\n\ndef run():\n    n = [2]\n    return n is globals()['n']\n",
        "    n = [2]\n",
        "    global n\n    n = [2]\n",
    ),
    _small(
        "local renamed that is looked at by name",
        "def run():\n    a = 1\n    return locals()\n",
        "a = 1",
        "b = 1",
    ),
    _small(
        "unpacking changed",
        "def run():\n    a, *b = (1, 2, 3)\n    return a, b\n",
        "a, *b",
        "*a, b",
    ),
]

_AROUND_A_FUNCTION = [
    real("helper two modules away edited", "deep.tidy", PROJECT, {"deep.py": ("lower", "upper")}),
    real("imported helper edited", "helpers.parse", PROJECT, {"helpers.py": ('","', '"b"')}),
    real(
        "global constant changed", "constant config.LIMIT", PROJECT, {"config.py": ("= 3", "= 2")}
    ),
    real(
        "mutable global changed",
        "constant config.RATES",
        PROJECT,
        {"config.py": ('"b": 2', '"b": 3')},
    ),
    real(
        "mutable global changed in place",
        "constant config.NAMES",
        PROJECT,
        {"config.py": ("PORT = 1", 'PORT = 1\nNAMES.append("z")')},
    ),
    real(
        "mutable global changed by another module",
        "constant config.NAMES",
        PROJECT,
        {"deep.py": ("def tidy", "import config\nconfig.NAMES.pop()\n\ndef tidy")},
    ),
    real(
        "order of global statements changed",
        "constant steps.LIMIT",
        "LIMIT = 2\nLIMIT *= 3\nLIMIT += 1\n\ndef run():\n    return LIMIT\n",
        ("LIMIT *= 3\nLIMIT += 1", "LIMIT += 1\nLIMIT *= 3"),
    ),
    real(
        "constant's type changed",
        "constant steps.LIMIT",
        "LIMIT = 1\n\ndef run():\n    return repr(LIMIT)\n",
        ("LIMIT = 1", "LIMIT = True"),
    ),
    real(
        "what computes a constant changed",
        "constant steps.LIMIT",
        "def compute():\n    return 1\n\nLIMIT = compute()\n\ndef run():\n    return LIMIT\n",
        ("return 1", "return 2"),
    ),
    real(
        "import exchanged for another under the same name",
        "steps.run",
        {
            "one.py": "def f():\n    return 1\n\ndef g():\n    return 2\n",
            "steps.py": "from one import f as x, g as y\n\ndef run():\n    return x(), y()\n",
        },
        {"steps.py": ("f as x, g as y", "g as x, f as y")},
    ),
    real(
        "star import hidden by a definition",
        "steps.f",
        {
            "one.py": "def f():\n    return 1\n",
            "steps.py": "from one import *\n\ndef run():\n    return f()\n",
        },
        {"steps.py": ("def run", "def f():\n    return 2\n\ndef run")},
    ),
    real(
        "decorator argument changed",
        "steps.twice",
        DECORATED,
        {"steps.py": ("@times(2)", "@times(3)")},
    ),
    real("decorator removed", "steps.twice", DECORATED, {"steps.py": ("@times(2)\n", "")}),
    real(
        "decorator without wraps edited",
        "tools.loud.<locals>.wrapper",
        DECORATED,
        {"tools.py": ("upper", "title")},
    ),
    real(
        "decorator edited",
        "tools.times.<locals>.decorate.<locals>.wrapper",
        DECORATED,
        {"tools.py": ("range(count)", "range(count + 1)")},
    ),
    real("function under a cache edited", "steps.kept", DECORATED, {"steps.py": ('"k"', '"j"')}),
    real(
        "decorated function edited",
        "steps.run",
        DECORATED,
        {"steps.py": ("return twice(), kept()", "return kept()")},
    ),
    real("task called as a function edited", "steps.part", TASKS, ("return 1", "return 2")),
    real("task edited", "steps.run", TASKS, ("part() + 1", "part() + 2")),
    _in_parts("locally imported helper edited", "pkg.parts.piece", "range(size)", "range(9)"),
    _in_parts("locally imported constant", "definition pkg.parts.SIZE", "SIZE = 3", "SIZE = 4"),
    _in_parts("module imported by name", "pkg.parts.piece", "range(size)", "range(9)", "by_name"),
    _in_parts(
        "attribute taken by name", "pkg.parts.piece", "range(size)", "range(9)", "by_getattr"
    ),
    real(
        "locally imported package's function edited",
        "pkg.core.work",
        IMPORTS,
        {"pkg/core.py": ("piece(SIZE)", "piece(SIZE)[1:]")},
    ),
    real(
        "function of a module handed around edited",
        "one.f",
        HANDED_AROUND,
        {"one.py": ("return 1", "return 2")},
    ),
    real("generic function edited", "steps._of_int", GENERIC, ('"int"', '"whole"')),
    real(
        "context manager edited",
        "steps.opened",
        """
        from contextlib import contextmanager

        @contextmanager
        def opened():
            yield 1

        def run():
            with opened() as value:
                return value
        """,
        ("yield 1", "yield 2"),
    ),
    real(
        "functions that call each other edited",
        "steps.odd",
        """
        def even(n):
            return n == 0 or odd(n - 1)

        def odd(n):
            return n != 0 and even(n - 1)

        def run():
            return even(4)
        """,
        ("n != 0", "n == 1"),
    ),
    real(
        "attribute of a function changed",
        "constant steps.limit.most",
        "def limit():\n    return 1\n\nlimit.most = 3\n\ndef run():\n    return limit.most\n",
        ("most = 3", "most = 4"),
    ),
    real(
        "dependency upgraded",
        "package fakelib",
        DISTRIBUTION,
        {
            "site-packages/fakelib-1.0.dist-info/METADATA": ("Version: 1.0", "Version: 1.1"),
            "site-packages/fakelib.py": ("return 1", "return 2"),
        },
    ),
]

REAL_IN_CODE = (*_IN_A_FUNCTION, *_AROUND_A_FUNCTION)
