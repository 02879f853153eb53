"""What finds things by their names, imported in the body that asks it."""

from __future__ import annotations

from textwrap import dedent

from tests.fingerprint.shapes.shape import shapes_from

_ONE = {"one.py": "def f(): return [[1||2]]\n"}
_PLUGINS = {"plugins/__init__.py": "", "plugins/a.py": "def f(): return [[1||2]]\n"}
_FALLBACK = "def f(): return 0\n"


def _in_a_body(imported: str, returned: str, before: str = "") -> str:
    return f"{before}\ndef run():\n    {imported}\n    return {returned}\n"


_IN_BODIES = {
    f"{imported}: {returned}": {**_ONE, "steps.py": _in_a_body(imported, returned)}
    for imported, returned in (
        ("from importlib import import_module", "import_module('one').f()"),
        ("from importlib import import_module as load", "load('one').f()"),
        ("import importlib as il", "il.import_module('one').f()"),
        ("import importlib", "importlib.import_module(name='one').f()"),
        ("from importlib import import_module", "[import_module(n).f() for n in ('one',)]"),
        ("from importlib import import_module as load", "[load(n).f() for n in ('one',)]"),
        ("from pydoc import locate as find", "find('one.f')()"),
    )
} | {
    f"{imported}: {returned}": _in_a_body(imported, returned, before)
    for imported, returned, before in (
        ("from builtins import eval as e", "e('f()')", "def f(): return [[1||2]]"),
        ("from builtins import eval", "eval('f()')", "def f(): return [[1||2]]"),
        ("import builtins", "builtins.eval('f()')", "def f(): return [[1||2]]"),
        ("import builtins as b", "b.eval('f' + '()')", "def f(): return [[1||2]]"),
        ("from inspect import getdoc", "getdoc(f)", "def f():\n    '''[[One.||Two.]]'''"),
        ("from inspect import getdoc as doc", "doc(f)", "def f():\n    '''[[One.||Two.]]'''"),
        ("from inspect import getsource", "getsource(f)", "def f(): return 0  # [[one||two]]"),
        ("from inspect import signature", "str(signature(f))", "def f(x: [[int||str]]): return x"),
        ("import inspect as i", "str(i.signature(f))", "def f(x: [[int||str]]): return x"),
        ("from typing import get_type_hints", "str(get_type_hints(A))", "class A: x: [[int||str]]"),
        ("from sys import modules", "modules[__name__].f()", "def f(): return [[1||2]]"),
        ("import sys as s", "s.modules[__name__].f()", "def f(): return [[1||2]]"),
    )
}

_OTHERS: dict[str, str | dict[str, str]] = {
    "runpy.run_module (whole module)": {
        **_ONE,
        "steps.py": _in_a_body("from runpy import run_module", "run_module('one')['f']()"),
    },
    "runpy.run_path (whole module)": {
        **_ONE,
        "steps.py": "import runpy\nfrom pathlib import Path\n"
        "def run(): return runpy.run_path(str(Path(__file__).with_name('one.py')))['f']()\n",
    },
    "SourceFileLoader (whole module)": {
        **_ONE,
        "steps.py": "from importlib.machinery import SourceFileLoader\n"
        "from pathlib import Path\n"
        "def run():\n"
        "    path = str(Path(__file__).with_name('one.py'))\n"
        "    return SourceFileLoader('one_by_path', path).load_module().f()\n",
    },
    "pickle": {
        "one.py": "def f(): return [[1||2]]\ndef g(): return f()\n",
        "steps.py": _in_a_body("import pickle", "pickle.loads(b'cone\\ng\\n)R.')"),
    },
    "pickle of what the body has itself": "import pickle\n"
    "class A:\n    x = [[1||2]]\n"
    "def run(): return pickle.loads(pickle.dumps(A())).x\n",
    "pickle of a class that counts its objects": "import pickle\n"
    "class A:\n"
    "    made = 0\n"
    "    def __setstate__(self, state):\n"
    "        type(self).made += 1\n"
    "        self.x = [[1||2]]\n"
    "    def __getstate__(self): return {'x': 0}\n"
    "def run(): return pickle.loads(pickle.dumps(A())).x\n",
    "builtins at the top": "import builtins\ndef f(): return [[1||2]]\n"
    "def run(): return builtins.eval('f()')\n",
    "relative to a constant": {
        **_PLUGINS,
        "steps.py": _in_a_body(
            "from importlib import import_module", "import_module('.a', 'plugins').f()"
        ),
    },
    "relative to a constant by name": {
        **_PLUGINS,
        "steps.py": "import importlib\n"
        "def run(): return importlib.import_module('.a', package='plugins').f()\n",
    },
    "relative to a module": {
        **_PLUGINS,
        "steps.py": "import importlib, plugins\n"
        "def run(): return importlib.import_module('.a', plugins.__name__).f()\n",
    },
    "relative to the package of the code (whole module)": {
        "plugins/__init__.py": "import importlib\n"
        "def load(): return importlib.import_module('.a', __name__)\n",
        "plugins/a.py": "def f(): return [[1||2]]\n",
        "steps.py": "import plugins\ndef run(): return plugins.load().f()\n",
    },
    "finder under another name in a module loaded in the body": {
        **_ONE,
        "two.py": "from importlib import import_module as load\n"
        "def f(): return [load(n).f() for n in ('one',)]\n",
        "steps.py": _in_a_body("from two import f", "f()"),
    },
    "first of two that are tried": {
        "fast.py": "def f(): return [[1||2]]\n",
        "slow.py": _FALLBACK,
        "steps.py": """
            def run():
                try:
                    from fast import f
                except ImportError:
                    from slow import f
                return f()
            """,
    },
    "second of two that are tried": {
        "slow.py": "def f(): return [[1||2]]\n",
        "steps.py": """
            def run():
                try:
                    from fw_shape_fast import f
                except ImportError:
                    from slow import f
                return f()
            """,
    },
    "first of two modules that are tried": {
        "fast.py": "def f(): return [[1||2]]\n",
        "slow.py": _FALLBACK,
        "steps.py": """
            def run():
                try:
                    import fast as chosen
                except ImportError:
                    import slow as chosen
                return chosen.f()
            """,
    },
    "module added that is tried first": {
        "fast[[_no||]].py": "def f(): return 1\n",
        "slow.py": _FALLBACK,
        "steps.py": """
            def run():
                try:
                    from fast import f
                except ImportError:
                    from slow import f
                return f()
            """,
    },
    "module added that is looked for": {
        "fast[[_no||]].py": "",
        "steps.py": "import importlib.util\n"
        "def run(): return importlib.util.find_spec('fast') is not None\n",
    },
    "module added that is looked for in a body": {
        "fast[[_no||]].py": "",
        "steps.py": _in_a_body(
            "from importlib.util import find_spec as find", "find('fast') is not None"
        ),
    },
    "attribute of a module that makes it when asked for": {
        "one.py": "def __getattr__(name): return [[1||2]]\n",
        "steps.py": _in_a_body("from one import anything", "anything"),
    },
    "attribute of a module taken that makes it when asked for": {
        "one.py": "def __getattr__(name): return [[1||2]]\n",
        "steps.py": _in_a_body("import one", "one.anything"),
    },
    "attribute of a package that makes it when asked for": {
        "pkg/__init__.py": "from pkg.lazy import __getattr__\n",
        "pkg/lazy.py": "def __getattr__(name): return [[1||2]]\n",
        "steps.py": _in_a_body("from pkg import anything", "anything"),
    },
}


def _handed_out(steps: str) -> dict[str, str]:
    return {**_ONE, "steps.py": dedent(steps)}


# What a body imports under a name that others see.
_HANDED_OUT = {
    "module for all of the file (whole module)": _handed_out("""
        def load():
            global one
            import one
        def run():
            load()
            return one.f()
        """),
    "name for all of the file": _handed_out("""
        def load():
            global f
            from one import f
        def run():
            load()
            return f()
        """),
    "module for all of the file, which has it (whole module)": _handed_out("""
        import one
        def run():
            global one
            import one
            return one.f()
        """),
    "module when it is first asked for (whole module)": _handed_out("""
        _one = None
        def loaded():
            global _one
            if _one is None:
                import one as _one
            return _one
        def run(): return loaded().f()
        """),
    "module for all of the file, by another module (whole module)": {
        **_ONE,
        "two.py": "def load():\n    global one\n    import one\n",
        "steps.py": "import two\ndef run():\n    two.load()\n    return two.one.f()\n",
    },
    "module of a package for all of the file (whole module)": {
        "pkg/__init__.py": "",
        "pkg/one.py": _ONE["one.py"],
        "steps.py": "def load():\n    global pkg\n    import pkg.one\n"
        "def run():\n    load()\n    return pkg.one.f()\n",
    },
    "module for the function around (whole module)": _handed_out("""
        def run():
            one = None
            def load():
                nonlocal one
                import one
            load()
            return one.f()
        """),
    "name for a class": _handed_out("""
        def run():
            class C:
                from one import f
            return C.f()
        """),
}
LOOKED_FOR = shapes_from("in a body", {**_IN_BODIES, **_OTHERS, **_HANDED_OUT})
