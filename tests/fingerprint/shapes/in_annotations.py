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
    },
)
