"""Modules as they are used, and objects whose insides are in C."""

from __future__ import annotations

from tests.fingerprint.shapes.shape import shapes_from

MODULES = shapes_from(
    "module",
    {
        "function": {
            "one.py": "def f(): return [[1||2]]\n",
            "steps.py": "import one\ndef run(): return one.f()\n",
        },
        "constant": {
            "one.py": "X = [[1||2]]\n",
            "steps.py": "import one\ndef run(): return one.X\n",
        },
        "constant from the environment": {
            "one.py": "import os\nX = os.environ['V']\n",
            "steps.py": "import one\ndef run(): return one.X\n",
        },
        "imported in a body": {
            "one.py": "def f(): return [[1||2]]\n",
            "steps.py": "def run():\n    import one\n    return one.f()\n",
        },
        "imported in a body, from the environment": {
            "one.py": "import os\nX = os.environ['V']\n",
            "steps.py": "def run():\n    import one\n    return one.X\n",
        },
        "imported in a body, from a file": {
            "one.py": "from pathlib import Path\n"
            "X = Path(__file__).with_name('x.txt').read_text()\n",
            "x.txt": "[[1||2]]",
            "steps.py": "def run():\n    from one import X\n    return X\n",
        },
        "in a package": {
            "pkg/__init__.py": "from pkg.inner import f\n",
            "pkg/inner.py": "def f(): return [[1||2]]\n",
            "steps.py": "import pkg\ndef run(): return pkg.f()\n",
        },
        "all names imported": {
            "one.py": "def f(): return [[1||2]]\n",
            "steps.py": "from one import *\ndef run(): return f()\n",
        },
        "by importlib": {
            "one.py": "def f(): return [[1||2]]\n",
            "steps.py": "import importlib\ndef run(): return importlib.import_module('one').f()\n",
        },
        "by importlib and a variable": {
            "one.py": "def f(): return [[1||2]]\n",
            "steps.py": "import importlib\n"
            "def run(name='one'): return importlib.import_module(name).f()\n",
        },
        "by importlib under another name": {
            "one.py": "def f(): return [[1||2]]\n",
            "steps.py": "from importlib import import_module as load\n"
            "def run(name='one'): return load(name).f()\n",
        },
        "handed around (whole module)": {
            "one.py": "def f(): return [[1||2]]\n",
            "steps.py": "import one\n"
            "def call(module, name): return getattr(module, name)()\n"
            "def run(): return call(one, 'f')\n",
        },
        "names of a module (whole module)": {
            "one.py": "def f(): return [[1||2]]\n",
            "steps.py": "import one\ndef run(): return one.__dict__['f']()\n",
        },
        "vars of a module (whole module)": {
            "one.py": "def f(): return [[1||2]]\n",
            "steps.py": "import one\ndef run(): return vars(one)['f']()\n",
        },
        "in a dict (whole module)": {
            "one.py": "def f(): return [[1||2]]\n",
            "steps.py": "import one\nX = {'one': one}\ndef run(): return X['one'].f()\n",
        },
        "module of a module (whole module)": {
            "one.py": "import two\n",
            "two.py": "def f(): return [[1||2]]\n",
            "steps.py": "import one\n"
            "def call(module): return module.two.f()\n"
            "def run(): return call(one)\n",
        },
        "lazy attribute": {
            "one.py": "def __getattr__(name): return [[1||2]]\n",
            "steps.py": "import one\ndef run(): return one.anything\n",
        },
        "lazy submodule (whole module)": {
            "pkg/__init__.py": "import importlib\n"
            "def __getattr__(name):\n"
            "    if name == 'inner':\n"
            "        return importlib.import_module('pkg.inner')\n"
            "    raise AttributeError(name)\n",
            "pkg/inner.py": "def f(): return [[1||2]]\n",
            "steps.py": "import pkg\ndef run(): return pkg.inner.f()\n",
        },
        "lazily loaded": {
            "one.py": "def f(): return [[1||2]]\n",
            "steps.py": """
                import importlib.util, sys
                def lazy(name):
                    spec = importlib.util.find_spec(name)
                    spec.loader = importlib.util.LazyLoader(spec.loader)
                    module = importlib.util.module_from_spec(spec)
                    sys.modules[name] = module
                    spec.loader.exec_module(module)
                    return module
                one = lazy("one")
                def run(): return one.f()
                """,
        },
        "loaded from a path": {
            "other/one.py": "def f(): return [[1||2]]\n",
            "steps.py": """
                import importlib.util
                from pathlib import Path
                path = Path(__file__).parent / "other" / "one.py"
                spec = importlib.util.spec_from_file_location("one_by_path", path)
                one = importlib.util.module_from_spec(spec)
                spec.loader.exec_module(one)
                def run(): return one.f()
                """,
        },
        "made by hand": """
            import types
            one = types.ModuleType("made_by_hand")
            one.x = [[1||2]]
            def run(): return one.x
            """,
        "found by its name": """
            import sys, types
            one = sys.modules["found_by_name"] = types.ModuleType("found_by_name")
            one.x = [[1||2]]
            def run(): return sys.modules["found_by_name"].x
            """,
        "set by another module": {
            "config.py": "X = 0\n",
            "setting.py": "import config\nconfig.X = [[1||2]]\n",
            "steps.py": "import setting, config\ndef run(): return config.X\n",
        },
        "chosen by a condition": """
            if [[True||False]]:
                def f(): return 1
            else:
                def f(): return 2
            def run(): return f()
            """,
        "name bound twice": "def f(): return 1\ndef f(): return [[2||3]]\ndef run(): return f()\n",
        "without a distribution": {
            "site-packages/fw_shape_pkg.py": "def f(): return [[1||2]]\n",
            "steps.py": "import fw_shape_pkg\ndef run(): return fw_shape_pkg.f()\n",
        },
        "by a version": {
            "site-packages/fw_shape_dist.py": "def f(): return [[1||2]]\n",
            "site-packages/fw_shape_dist-1.dist-info/METADATA": "Name: fw_shape_dist\n"
            "Version: [[1.0||2.0]]\n",
            "steps.py": "import fw_shape_dist\ndef run(): return fw_shape_dist.f()\n",
        },
    },
)

IN_C = shapes_from(
    "in C",
    {
        "generator": """
            def count(n):
                yield n
                yield n + 1
            X = count([[1||2]])
            def run(): return X.gi_frame.f_locals["n"]
            """,
        "iterator": "X = iter([[ [1, 2]||[3] ]])\ndef run(): return X.__length_hint__()\n",
        "map": """
            def f(x): return x + [[1||2]]
            X = map(f, [1])
            def run(): return list(map(f, [1]))
            """,
        "count of itertools": """
            import itertools
            X = itertools.count([[1||2]])
            def run(): return repr(X)
            """,
        "connection of sqlite": """
            import sqlite3
            X = sqlite3.connect(":memory:")
            X.execute("create table t as select [[1||2]] as a")
            def run(): return X.execute("select a from t").fetchone()[0]
            """,
        "connection from the environment": """
            import os, sqlite3
            X = sqlite3.connect(":memory:")
            X.execute("create table t as select " + os.environ["V"] + " as a")
            def run(): return X.execute("select a from t").fetchone()[0]
            """,
        "open file": """
            from pathlib import Path
            PATH = Path(__file__).with_name("x.txt")
            PATH.write_text("[[1||2]]")
            X = PATH.open()
            def run():
                X.seek(0)
                return X.read()
            """,
        "hash state": """
            import hashlib
            X = hashlib.sha256(b"[[a||b]]")
            def run(): return X.hexdigest()
            """,
        "compiled expression": """
            import functools
            def f(x): return [[1||-1]] * x
            X = functools.cmp_to_key(lambda a, b: f(a) - f(b))
            def run(): return sorted([1, 2], key=X)
            """,
        "bound method of a builtin": """
            X = "[[a||b]]".join
            def run(): return X(["1", "2"])
            """,
        "method wrapper": "X = (5).__add__\nY = ([[1||2]]).__add__\ndef run(): return Y(1)\n",
        "property object": """
            class A:
                def __init__(self): self.x = 1
            A.y = property(lambda self: self.x + [[1||2]])
            def run(): return A().y
            """,
        "encoder of msgspec": """
            import msgspec
            def f(x): return [[1||2]]
            X = msgspec.json.Encoder(enc_hook=f)
            def run(): return X.encode(object()).decode()
            """,
        "function of ctypes": """
            import ctypes
            T = ctypes.CFUNCTYPE(ctypes.c_int)
            def f(): return [[1||2]]
            X = T(f)
            def run(): return X()
            """,
        "element of a tree": """
            import xml.etree.ElementTree as ET
            X = ET.fromstring("<a>[[1||2]]</a>")
            def run(): return X.text
            """,
        "code object": """
            X = compile("[[1||2]]", "<x>", "eval")
            def run(): return eval(X, {})
            """,
        "frame of a function": """
            import sys
            LIMIT = [[1||2]]
            def run(): return sys._getframe().f_globals["LIMIT"]
            """,
    },
)
