"""Edits that mean nothing."""

from __future__ import annotations

from tests.fingerprint.making import Edit, cosmetic
from tests.fingerprint.projects import (
    CLASSES,
    DECORATED,
    IMPORTS,
    PROJECT,
    SIMPLE,
    TASKS,
    TYPED,
    VALUES,
)


def _simple(name: str, old: str, new: str) -> Edit:
    return cosmetic(name, SIMPLE, (old, new))


def _moved(text: str, block: str, before: str) -> str:
    """Return the text with the block that starts so moved before another one."""
    start = text.index(block)
    end = text.index("\n\n\n", start) + 3 if block[:4] != "    " else text.index("\n\n", start) + 2
    rest = text[:start] + text[end:]
    return rest.replace(before, text[start:end] + before, 1)


_IN_A_FUNCTION = [
    _simple("comment added", "    total = 0\n", "    total = 0  # start\n    # go on\n"),
    _simple("comment removed", "    # The total.\n", ""),
    _simple("docstring changed", '"""Add things up.', '"""Sum.'),
    _simple("docstring removed", '    """Return half."""\n', ""),
    _simple("module docstring changed", "Steps of a small flow", "Some steps"),
    _simple("blank lines added", "    total = 0\n", "\n\n    total = 0\n\n"),
    _simple("spaces changed", "values=(1, 2, 3), scale=10", "values = ( 1,2,3 ) , scale = 10"),
    _simple("line broken", "half(value) * scale", "(\n            half(value)\n * scale)"),
    _simple("parentheses added", "if total > 1000:", "if (total > (1000)):"),
    _simple("quotes changed", "'text'", '"text"'),
    _simple("trailing comma added", '"a" "b"}', '"a" "b",}'),
    _simple("number with underscores", "1000", "1_000"),
    _simple("number in another base", "1000", "0x3E8"),
    _simple("strings joined", '"a" "b"', '"ab"'),
    _simple("string prefix added", '"a" "b"', 'u"a" r"b"'),
    _simple("pass added", "    total = 0\n", "    total = 0\n    pass\n"),
    _simple("string statement added", "    total = 0\n", '    "a note"\n    total = 0\n'),
    _simple("semicolon added", "    total = 0\n    for", "    total = 0;\n    for"),
    _simple("parameters annotated", "scale=10", "scale: 'int' = 10"),
    _simple("return annotated", "scale=10):", "scale=10) -> dict[str, object]:"),
    _simple("local annotated", "    total = 0\n", "    total: float = 0\n"),
    _simple("bare annotation added", "    total = 0\n", "    total: float\n    total = 0\n"),
    cosmetic(
        "locals renamed",
        SIMPLE,
        SIMPLE.replace("total ", "summed ")
        .replace("(total)", "(summed)")
        .replace("total}", "summed}")
        .replace("total,", "summed,")
        .replace("for value in", "for each in")
        .replace("half(value) *", "half(each) *"),
    ),
    cosmetic("line ends changed", SIMPLE, SIMPLE.lstrip("\n").replace("\n", "\r\n")),
    cosmetic("tabs for spaces", SIMPLE, SIMPLE.replace("    ", "\t")),
    cosmetic(
        "comprehension variables renamed",
        "def run():\n    return [x for x in range(3)], {k: v for k, v in [(1, 2)]}\n",
        "def run():\n    return [y for y in range(3)], {a: b for a, b in [(1, 2)]}\n",
    ),
    cosmetic(
        "local of an inner function renamed",
        "def run():\n    def inner():\n        out = 1\n        return out\n    return inner()\n",
        "def run():\n    def inner():\n        new = 1\n        return new\n    return inner()\n",
    ),
    cosmetic(
        "captured local renamed",
        "def run():\n    rate = 2\n    return [*map(lambda x: x * rate, [1])]\n",
        "def run():\n    factor = 2\n    return [*map(lambda x: x * factor, [1])]\n",
    ),
    cosmetic(
        "names bound by statements renamed",
        """
        import io

        def run():
            try:
                1 / 0
            except ZeroDivisionError as e:
                text = str(e)
            with io.StringIO("x") as f:
                read = f.read()
            match [1, 2, 3]:
                case [first, *rest] as whole:
                    pass
            if (n := len(rest)) > 1:
                return text, read, first, whole, n
        """,
        """
        import io

        def run():
            try:
                1 / 0
            except ZeroDivisionError as error:
                message = str(error)
            with io.StringIO("x") as stream:
                content = stream.read()
            match [1, 2, 3]:
                case [head, *tail] as everything:
                    pass
            if (count := len(tail)) > 1:
                return message, content, head, everything, count
        """,
    ),
    cosmetic(
        "local import renamed",
        "def run():\n    import math as m\n    return m.floor(1.5)\n",
        "def run():\n    import math as maths\n    return maths.floor(1.5)\n",
    ),
    cosmetic(
        "local imports reordered",
        """
        def run():
            import math
            import json
            from os import sep, curdir
            return math.pi, json.dumps(1), sep, curdir
        """,
        """
        def run():
            import json, math
            from os import curdir
            from os import sep
            return math.pi, json.dumps(1), sep, curdir
        """,
    ),
    cosmetic(
        "f-string quoted otherwise",
        "def run(x=1):\n    return f'{x!r:>{5}} {x:.2f}' 'z'\n",
        ("f'{x!r:>{5}} {x:.2f}' 'z'", 'f"{x!r:>{5}} " f"{x:.2f}z"'),
    ),
    cosmetic(
        "type-checking block in a body",
        "from typing import TYPE_CHECKING\n\n\ndef run():\n    return 1\n",
        ("    return 1\n", "    if TYPE_CHECKING:\n        import json\n    return 1\n"),
    ),
]

_AROUND_A_FUNCTION = [
    _simple("imports reordered", "import math\nimport os\n", "import os\nimport math\n"),
    _simple("import added", "import os\n", "import os\nimport json\n"),
    _simple("unused import removed", "import os\n", ""),
    _simple("unrelated function edited", "return x - 1", "return x + 100"),
    _simple("unrelated function added", "def half", "def third(x):\n    return x\n\n\ndef half"),
    _simple("unrelated constant added", "def half", "OTHER = 5\n\n\ndef half"),
    _simple("helper annotated", "def half(value):", "def half(value: float) -> float:"),
    _simple("helper commented", "    return value / 2", "    # in two\n    return value / 2"),
    _simple("moved to another line", "import math\n", "import math\n\n\n# far\n\n\n"),
    _simple(
        "type-checking block added",
        "import os\n",
        "import os\nfrom typing import TYPE_CHECKING\n\n"
        "if TYPE_CHECKING:\n    from decimal import Decimal as half\n",
    ),
    cosmetic("definitions reordered", SIMPLE, _moved(SIMPLE, "def half", "def unrelated")),
    cosmetic(
        "constant spelled otherwise",
        PROJECT,
        {"config.py": ('{"a": 1, "b": 2}', "dict(a=1, b=2)")},
    ),
    cosmetic("constant annotated", PROJECT, {"config.py": ("LIMIT = 3", "LIMIT: int = 3")}),
    cosmetic(
        "constants reordered",
        PROJECT,
        {"config.py": "NAMES = ['x', 'y']\nRATES = {'a': 1, 'b': 2}\nPORT = 1\nLIMIT = 3\n"},
    ),
    cosmetic("unrelated constant changed", PROJECT, {"config.py": ("PORT = 1", "PORT = 2")}),
    cosmetic(
        "helper two modules away commented",
        PROJECT,
        {"deep.py": ("def tidy", "# tidy up\ndef tidy")},
    ),
    cosmetic(
        "helper two modules away renames a local",
        PROJECT,
        {"deep.py": "def tidy(text):\n    bare = text.strip()\n    return bare.lower()\n"},
    ),
    cosmetic("unrelated module added", PROJECT, {"other.py": "X = 2\n"}),
    cosmetic(
        "helper moved to another module",
        PROJECT,
        {
            "helpers.py": "from elsewhere import parse\n",
            "elsewhere.py": """
                from deep import tidy

                def parse(line):
                    return tidy(line).split(",")
                """,
        },
    ),
    cosmetic(
        "decorator's inside commented",
        DECORATED,
        {"tools.py": ("    def decorate", "    # deep inside\n    def decorate")},
    ),
    cosmetic(
        "decorated function commented",
        DECORATED,
        {"steps.py": ("    return twice()", "    # twice\n    return twice()")},
    ),
    cosmetic(
        "cached function documented",
        DECORATED,
        {"steps.py": ('    return "k"', '    """Return it."""\n    return "k"')},
    ),
    cosmetic(
        "cached function annotated",
        DECORATED,
        {"steps.py": ("def kept():", "def kept() -> str:")},
    ),
    cosmetic(
        "locally imported module commented",
        IMPORTS,
        {"pkg/parts.py": ("SIZE = 3", "SIZE = 3  # three")},
    ),
    cosmetic(
        "rest of a locally imported module edited",
        IMPORTS,
        {"pkg/parts.py": ("return None", "return 1")},
    ),
    cosmetic(
        "FlowWeaver's decorator added",
        "from flowweaver.definitions.task import task\n\ndef run():\n    return 1\n",
        ("def run", "@task\ndef run"),
    ),
    cosmetic(
        "FlowWeaver's decorator given options",
        TASKS,
        ("@ft.task\ndef run", '@ft.task(name="other", retries=3)\ndef run'),
    ),
    cosmetic(
        "task called as a function given options",
        TASKS,
        ("@ft.task\ndef part", "@ft.task(retries=3)\ndef part"),
    ),
]

_IN_CLASSES = [
    cosmetic("class documented", CLASSES, ('"""Cleans."""', '"""Cleans a lot."""')),
    cosmetic(
        "method documented",
        CLASSES,
        ("    def plain():\n", '    def plain():\n        """Plain."""\n'),
    ),
    cosmetic(
        "method annotated",
        CLASSES,
        ("def clean(self, value):", "def clean(self, value: int) -> int:"),
    ),
    cosmetic("methods reordered", CLASSES, _moved(CLASSES, "    def clean", "    def __init__")),
    cosmetic("classes reordered", CLASSES, _moved(CLASSES, "class Level", "@dataclass\nclass Row")),
    cosmetic("method of a typed class annotated", TYPED, ("def up(self):", "def up(self) -> int:")),
    cosmetic(
        "protocol documented",
        TYPED,
        ("class Shape(Protocol):\n", 'class Shape(Protocol):\n    """Has an area."""\n\n'),
    ),
    cosmetic(
        "attribute of a plain class annotated",
        "class A:\n    x = 1\n\ndef run():\n    return A.x\n",
        ("x = 1", "x: int = 1"),
    ),
]

_TASK = """
from flowweaver import exponential, task
def wait(error, number): return 1
@task({})
def f(): return 1
def run(): return f()
"""
_NESTED = """
from flowweaver import (
    JSONStateStore, MemoryStateStore, SequentialExecutor, Task, ThreadedExecutor, Workflow,
)
store = MemoryStateStore()
executor = SequentialExecutor()
w = Workflow("w", [Task("a", lambda: 1)])
def run(): return executor.execute(w)["a"] if store else 0
"""

_IN_VALUES = [
    cosmetic(
        "partial's function commented",
        VALUES,
        ("    return x**n", "    # to the power\n    return x ** n"),
        "steps:cubed",
    ),
    cosmetic(
        "closure's maker commented",
        VALUES,
        ("    def inner", "    # inside\n    def inner"),
        "steps:closed",
    ),
    cosmetic(
        "lambda moved to another line",
        VALUES,
        ("first, second", "\n\nfirst, second"),
        "steps:second",
    ),
    cosmetic("other lambda of the line edited", VALUES, ("x + 1", "x - 1"), "steps:second"),
    cosmetic("lambda reformatted", VALUES, ("x + 2", "(x+2)"), "steps:second"),
    cosmetic(
        "method of a bound instance commented",
        VALUES,
        ("        return self(value)", "        # call\n        return self(value)"),
        "steps:bound",
    ),
    cosmetic("path spelled otherwise", VALUES, ('HERE / "data.csv"', 'HERE.joinpath("data.csv")')),
    cosmetic("set spelled in another order", VALUES, ('{"a", "b", "c"}', '{"c", "b", "a"}')),
]

_AROUND_TASKS = [
    cosmetic(f"{what} of a task that is called", f"{_TASK.format(before)}", (before, after))
    for what, before, after in (
        ("retries", "retries=1", "retries=2"),
        ("wait", "backoff=wait", "backoff=exponential(2.0)"),
        ("condition", "when=lambda: True", "when=lambda: False"),
        ("tags", "tags=['a']", "tags=['b']"),
    )
] + [
    cosmetic(
        "executor of a workflow in a body", _NESTED, ("SequentialExecutor()", "ThreadedExecutor(3)")
    ),
    cosmetic(
        "store of a workflow in a body", _NESTED, ("MemoryStateStore()", "JSONStateStore('s.json')")
    ),
]

_NAMED = """
word = 1

class Frame:
    query = count = str

def run(f=Frame):
    {}
"""

_IN_TEXTS = [
    cosmetic(f"global with the name of {what}", _NAMED.format(text), ("word = 1", "word = 2"))
    for what, text in (
        ("a host", "return 'somebody@word.org'"),
        ("a folder", "return '~/word'"),
        ("a column of a table", "return f.query('t.word > 1')"),
        ("a word beside a query", "return f.query('a > 1'), 'word'"),
        ("a word in another call", "return f.count('word')"),
    )
]

_IN_IMPORTS = [
    cosmetic(
        "annotation of a function handed to what reads none",
        "def f(x: int): return x\n\ndef run(): return list(map(f, [1]))\n",
        ("x: int", "x: str"),
    ),
    cosmetic(
        "comment in a function whose annotations are read",
        "def validate_call(fn): return fn\n\ndef f(x: int):\n    return x  # one\n\n"
        "def run():\n    return validate_call(f)(1)\n",
        ("# one", "# two"),
    ),
    cosmetic(
        "module edited that is only looked for",
        {
            "one.py": "x = 1\n",
            "steps.py": "import importlib.util\n\n"
            "def run():\n    return importlib.util.find_spec('one') is None\n",
        },
        {"one.py": ("x = 1", "x = 2")},
    ),
    cosmetic(
        "annotation that a function called like one of inspect does not read",
        {
            "one.py": "def signature(f):\n    return 1\n",
            "steps.py": "def f(x: int): pass\n\n"
            "def run():\n    from one import signature\n    return signature(f)\n",
        },
        {"steps.py": ("x: int", "x: str")},
    ),
    cosmetic(
        "what makes other attributes of a module edited",
        {
            "one.py": "x = 1\n\ndef __getattr__(name):\n    return 1\n",
            "steps.py": "def run():\n    from one import x\n    return x\n",
        },
        {"one.py": ("return 1", "return 2")},
    ),
]

COSMETIC = (
    *_AROUND_TASKS,
    *_IN_A_FUNCTION,
    *_AROUND_A_FUNCTION,
    *_IN_CLASSES,
    *_IN_VALUES,
    *_IN_TEXTS,
    *_IN_IMPORTS,
)
