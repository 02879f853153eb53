"""What finds things by their names, under another name that a module gives it."""

from __future__ import annotations

from tests.fingerprint.shapes.shape import shapes_from

RENAMES = shapes_from(
    "under another name",
    {
        "getdoc as gd at top": '''
            from inspect import getdoc as gd
            def f():
                """[[One.||Two.]]"""
            def run(): return gd(f)
            ''',
        "import_module as im at top": {
            "steps.py": """
                from importlib import import_module as im
                def run(): return im("one").f()
                """,
            "one.py": """
                def f(): return [[1||2]]
                """,
        },
        "import importlib as il": {
            "steps.py": """
                import importlib as il
                def run(): return il.import_module("one").f()
                """,
            "one.py": """
                def f(): return [[1||2]]
                """,
        },
        "finder": {
            "steps.py": """
                import importlib
                finder = importlib.import_module
                def run(): return finder("one").f()
                """,
            "one.py": """
                def f(): return [[1||2]]
                """,
        },
        "own module attr": {
            "steps.py": """
                import tools
                def run(): return tools.im("one").f()
                """,
            "one.py": """
                def f(): return [[1||2]]
                """,
            "tools.py": """
                from importlib import import_module as im
                """,
        },
        "own module attr getdoc": {
            "steps.py": '''
                import tools
                def f():
                    """[[One.||Two.]]"""
                def run(): return tools.gd(f)
                ''',
            "tools.py": """
                from inspect import getdoc as gd
                """,
        },
        "from own module": {
            "steps.py": '''
                from tools import gd
                def f():
                    """[[One.||Two.]]"""
                def run(): return gd(f)
                ''',
            "tools.py": """
                import inspect
                gd = inspect.getdoc
                """,
        },
        "getsource finder": """
            import inspect
            src = inspect.getsource
            def f(): return 0 # [[one||two]]
            def run(): return src(f)
            """,
        "signature as sig": """
            from inspect import signature as sig
            def f(x: [[int||str]]): return x
            def run(): return str(sig(f))
            """,
        "get_type_hints as gth": """
            from typing import get_type_hints as gth
            class A:
                x: [[int||str]]
            def run(): return str(gth(A))
            """,
        "eval renamed": """
            from builtins import eval as e
            def f(): return [[1||2]]
            def run(): return e("f()")
            """,
        "eval alias": """
            e = eval
            def f(): return [[1||2]]
            def run(): return e("f()")
            """,
        "globals alias (whole module)": """
            g = globals
            def f(): return [[1||2]]
            def run(): return g()["f"]()
            """,
        "getattr alias const (whole module)": {
            "steps.py": """
                import one
                ga = getattr
                def run(): return ga(one, "f")()
                """,
            "one.py": """
                def f(): return [[1||2]]
                """,
        },
        "sys modules renamed": """
            from sys import modules as m
            def f(): return [[1||2]]
            def run(): return m[__name__].f()
            """,
        "import sys as s": """
            import sys as s
            def f(): return [[1||2]]
            def run(): return s.modules[__name__].f()
            """,
        "find_spec as fs": {
            "steps.py": """
                from importlib.util import find_spec as fs
                def run(): return fs("one") is not None
                """,
            "one[[_no||]].py": """
                X=1
                """,
        },
        "environ renamed at module loaded in body": {
            "steps.py": """
                def run():
                    from conf import X
                    return X
                """,
            "conf.py": """
                from os import getenv as ge
                X = [[1||2]]
                """,
        },
        "finder in class attr": {
            "steps.py": """
                import importlib
                class T:
                    load = staticmethod(importlib.import_module)
                def run(): return T.load("one").f()
                """,
            "one.py": """
                def f(): return [[1||2]]
                """,
        },
        "nonconst im": {
            "steps.py": """
                from importlib import import_module as im
                def run(n="one"): return im(n).f()
                """,
            "one.py": """
                def f(): return [[1||2]]
                """,
        },
        "renamed in module loaded in body": {
            "steps.py": """
                def run():
                    from tools import load
                    return load()
                """,
            "tools.py": """
                from importlib import import_module as im
                def load(): return im("one").f()
                """,
            "one.py": """
                def f(): return [[1||2]]
                """,
        },
        "own attr in module loaded in body": {
            "steps.py": """
                def run():
                    import tools
                    return tools.im("one").f()
                """,
            "tools.py": """
                from importlib import import_module as im
                """,
            "one.py": """
                def f(): return [[1||2]]
                """,
        },
        "getdoc renamed in module loaded in body": {
            "steps.py": """
                def run():
                    import tools
                    return tools.go()
                """,
            "tools.py": '''
                from inspect import getdoc as gd
                def f():
                    """[[One.||Two.]]"""
                def go(): return gd(f)
                ''',
        },
        "query renamed": """
            from pandas import eval as ev
            k = [[1||2]]
            def run(): return int(ev("k + 1"))
            """,
        "__import__ alias": {
            "steps.py": """
                load = __import__
                def run(): return load("one").f()
                """,
            "one.py": """
                def f(): return [[1||2]]
                """,
        },
    },
)
