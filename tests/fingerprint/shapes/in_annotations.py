"""Functions whose annotations are read by what they are handed to while a body runs."""

from __future__ import annotations

from tests.fingerprint.shapes.shape import shapes_from

_GO = "def go(x: [[int||float]]): return x\n"
_TYPED = "def go(x: [[int||str]]): return 1\n"
_CHECKED = """
    try:
        return checks(go)(1)
    except Exception:
        return "refused"
"""

_A = (
    "import inspect\nfrom typing import get_type_hints\n"
    "class A:\n    def f(self): return [[1||2]]\n"
)
_FIRST = "inspect.signature(go).parameters['x'].annotation()"
_ASKING = {
    "a signature has": f"def go(x: A): return x.f()\ndef run(): return go({_FIRST})\n",
    "a dict has": "def go(x: A): return x.f()\ndef run(): return go(go.__annotations__['x']())\n",
    "hints have": "def go(x: A): return x.f()\ndef run(): return go(get_type_hints(go)['x']())\n",
    "hints have of a text": "def go(x: 'A'): return x.f()\n"
    "def run(): return go(get_type_hints(go)['x']())\n",
    "hints have of a text in a list": "def go(x: list['A']): return x[0].f()\n"
    "def run(): return go([get_type_hints(go)['x'].__args__[0]()])\n",
    "hints of a class have": "class C:\n    x: A\ndef run(): return get_type_hints(C)['x']().f()\n",
    "one hands on to another function": "def inject(f):\n"
    "    return f(*[p.annotation() for p in inspect.signature(f).parameters.values()])\n"
    "def go(x: A): return x.f()\ndef run(): return inject(go)\n",
}

ANNOTATIONS = shapes_from(
    "annotation",
    {
        "read at a call": f"from pydantic import validate_call\n{_GO}"
        "def run(): return validate_call(go)('1')\n",
        "read at a call of what a body imports": f"{_GO}def run():\n"
        "    from pydantic import validate_call\n    return validate_call(go)('1')\n",
        "read at a call with a setting": f"import pydantic\n{_GO}"
        "def run(): return pydantic.validate_call(go, validate_return=True)('1')\n",
        "read at a call by a checker": f"{_TYPED}def run():\n"
        f"    from beartype import beartype as checks{_CHECKED}",
        "read by an adapter": f"from pydantic import TypeAdapter\n{_GO}"
        "def run():\n"
        "    made = TypeAdapter(go).core_schema['arguments_schema']['arguments_schema']\n"
        "    return made[0]['schema']['type']\n",
        "of a function in the body": "from pydantic import validate_call\n"
        "def run():\n"
        "    def go(x: [[int||float]]): return x\n"
        "    return validate_call(go)('1')\n",
        "of a function that the body imports": {
            "one.py": _GO,
            "steps.py": "from pydantic import validate_call\n"
            "def run():\n    import one\n    return validate_call(one.go)('1')\n",
        },
        "read in a module that the body imports": {
            "one.py": f"from pydantic import validate_call\n{_GO}"
            "def f(): return validate_call(go)('1')\n",
            "steps.py": "def run():\n    from one import f\n    return f()\n",
        },
        "that is a class of the project": """
            from pydantic import BaseModel, validate_call
            class A(BaseModel):
                x: [[int||float]]
            def go(a: A): return a.x
            def run(): return validate_call(go)({"x": "1"})
            """,
        **{f"whose class {how}": f"{_A}{program}" for how, program in _ASKING.items()},
        "that is another word for a type": """
            from typing import get_type_hints
            WORDS = [int, float]
            Word = WORDS[ [[0||1]] ]
            class C:
                x: Word
            def run(): return get_type_hints(C)["x"]("1")
            """,
        "with more than a type": """
            from typing import Annotated, get_type_hints
            def given(): return [[1||2]]
            class Given:
                def __init__(self, by): self.by = by
            def go(x: Annotated[int, Given(given)]): return x
            def run():
                hint = get_type_hints(go, include_extras=True)["x"]
                return go(hint.__metadata__[0].by())
            """,
        "in a module that a body imports": {
            "one.py": "class A:\n    def f(self): return [[1||2]]\ndef go(x: A): return x.f()\n",
            "steps.py": "import inspect\ndef run():\n    from one import go\n"
            "    return go(inspect.signature(go).parameters['x'].annotation())\n",
        },
    },
)
