"""Programs that were written to break the fingerprint."""

from __future__ import annotations

from tests.fingerprint.shapes.shape import shapes_from

ATTACKS = shapes_from(
    "attack",
    {
        "getattr under another name (whole module)": {
            "one.py": "def f(): return [[1||2]]\n",
            "steps.py": "import one\nask = getattr\ndef run(name='f'): return ask(one, name)()\n",
        },
        "attrgetter on a module (whole module)": {
            "one.py": "def f(): return [[1||2]]\n",
            "steps.py": "import one\nfrom operator import attrgetter\nget = attrgetter('f')\n"
            "def run(): return get(one)()\n",
        },
        "default that holds a lambda in a tuple": "def f(x=(lambda: [[1||2]],)): return x[0]()\n"
        "def run(): return f()\n",
        "method bound to a class": """
            class A:
                @classmethod
                def f(cls): return cls.x
                x = [[1||2]]
            g = A.f
            def run(): return g()
            """,
        "unbound method": """
            class A:
                def f(self): return [[1||2]]
            g = A.f
            def run(): return g(None)
            """,
        "property of a class taken out": """
            class A:
                p = property(lambda self: [[1||2]])
            get = A.p.fget
            def run(): return get(None)
            """,
        "dunder call of a partial": """
            from functools import partial
            def f(x): return x + [[1||2]]
            g = partial(f, 1).__call__
            def run(): return g()
            """,
        "bound method of a dict": """
            X = {"a": [[1||2]]}
            get = X.get
            def run(): return get("a")
            """,
        "bound method of a list that holds a function": """
            def f(): return [[1||2]]
            take = [f].__getitem__
            def run(): return take(0)()
            """,
        "class decorated away": """
            def instance(cls): return cls()
            @instance
            class a:
                def f(self): return [[1||2]]
            def run(): return a.f()
            """,
        "function turned into data": """
            def call(fn): return fn()
            @call
            def X(): return [[1||2]]
            def run(): return X
            """,
        "helper chosen by a dict in a body": """
            def f(): return [[1||2]]
            def g(): return 3
            def run(): return {"f": f, "g": g}["f"]()
            """,
        "walrus at the top": "if (X := [[1||2]]): pass\ndef run(): return X\n",
        "unpacked at the top": "A, *B = 0, [[1||2]], 3\ndef run(): return B\n",
        "bound by a with": """
            import contextlib
            @contextlib.contextmanager
            def opened(): yield [[1||2]]
            with opened() as X: pass
            def run(): return X
            """,
        "bound by a for": "for X in range([[2||3]]): pass\ndef run(): return X\n",
        "bound by an except": """
            try:
                raise ValueError([[1||2]])
            except ValueError as error:
                X = error.args[0]
            def run(): return X
            """,
        "bound by a match": """
            match [0, [[1||2]]]:
                case [_, X]: pass
            def run(): return X
            """,
        "bound by exec": "exec('X = [[1||2]]')\ndef run(): return X\n",
        "bound through globals": "globals()['X'] = [[1||2]]\ndef run(): return X\n",
        "bound by a global in a function": """
            def set_up():
                global X
                X = [[1||2]]
            set_up()
            def run(): return X
            """,
        "bound by setattr on the module": """
            import sys
            setattr(sys.modules[__name__], "X", [[1||2]])
            def run(): return X
            """,
        "bound by another module": {
            "other.py": "import builtins\nbuiltins.fw_secret_name = [[1||2]]\n",
            "steps.py": "import other\ndef run(): return fw_secret_name\n",
        },
        "builtin that was exchanged": {
            "other.py": "import builtins\nbuiltins.fw_len = lambda x: [[1||2]]\n",
            "steps.py": "import other\ndef run(): return fw_len('ab')\n",
        },
        "star import of a star import": {
            "a.py": "from b import *\n",
            "b.py": "def f(): return [[1||2]]\n",
            "steps.py": "from a import *\ndef run(): return f()\n",
        },
        "circular import": {
            "a.py": "import b\ndef f(): return b.g()\n",
            "b.py": "import a\ndef g(): return [[1||2]]\n",
            "steps.py": "import a\ndef run(): return a.f()\n",
        },
        "relative import in a body": {
            "pkg/__init__.py": "",
            "pkg/inner.py": "def f(): return [[1||2]]\n",
            "pkg/main.py": "def g():\n    from .inner import f\n    return f()\n",
            "steps.py": "from pkg.main import g\ndef run(): return g()\n",
        },
        "object with __getattr__ over a dict": """
            class Box:
                def __init__(self, held): self.__dict__["held"] = held
                def __getattr__(self, name): return self.held[name]
            box = Box({"x": [[1||2]]})
            def run(): return box.x
            """,
        "object with a lying __class__": """
            class A:
                __class__ = property(lambda self: int)
                def __init__(self, x): self.x = x
            X = A([[1||2]])
            def run(): return X.x
            """,
        "object with a lying __dict__": """
            class A:
                def __init__(self, x): object.__setattr__(self, "x", x)
                @property
                def __dict__(self): return {}
            X = A([[1||2]])
            def run(): return X.x
            """,
        "object with a broken hash and equality": """
            class A:
                def __init__(self, x): self.x = x
                def __eq__(self, other): raise RuntimeError
                __hash__ = None
            X = [A([[1||2]])]
            def run(): return X[0].x
            """,
        "int with an attribute": """
            class N(int): pass
            X = N(1)
            X.unit = "[[a||b]]"
            def run(): return X.unit
            """,
        "text with another content than it shows": """
            class T(str):
                def __str__(self): return "same"
                def __repr__(self): return "same"
            X = T("[[a||b]]")
            def run(): return X + ""
            """,
        "dict that hides its items": """
            class D(dict):
                def items(self): return []
                def __iter__(self): return iter(())
            X = D(a=[[1||2]])
            def run(): return X["a"]
            """,
        "list that hides its items": """
            class L(list):
                def __iter__(self): return iter(())
            X = L([ [[1||2]] ])
            def run(): return X[0]
            """,
        "slots and a dict": """
            class A:
                __slots__ = ("x", "__dict__")
            X = A()
            X.x, X.y = 1, [[1||2]]
            def run(): return X.y
            """,
        "slot of a base": """
            class B:
                __slots__ = ("x",)
            class A(B):
                __slots__ = ()
            X = A()
            X.x = [[1||2]]
            def run(): return X.x
            """,
        "private slot": """
            class A:
                __slots__ = ("__x",)
                def __init__(self, x): self.__x = x
                def get(self): return self.__x
            X = A([[1||2]])
            def run(): return X.get()
            """,
        "subclass of an array": """
            import numpy
            class A(numpy.ndarray): pass
            X = numpy.array([ [[1||2]] ]).view(A)
            def run(): return int(X[0])
            """,
        "attribute of a subclass of an array": """
            import numpy
            class A(numpy.ndarray): pass
            X = numpy.array([1]).view(A)
            X.unit = "[[a||b]]"
            def run(): return X.unit
            """,
        "array of objects": """
            import numpy
            def f(): return [[1||2]]
            X = numpy.array([f], dtype=object)
            def run(): return X[0]()
            """,
        "column of functions": """
            import pandas
            def f(): return [[1||2]]
            X = pandas.DataFrame({"f": [f]})
            def run(): return X["f"][0]()
            """,
        "attributes of a frame": """
            import pandas
            X = pandas.DataFrame({"a": [1]})
            X.attrs["unit"] = "[[a||b]]"
            def run(): return X.attrs["unit"]
            """,
        "partial over a lambda in a class attribute": """
            from functools import partial
            class A:
                f = partial(lambda x: x + [[1||2]], 1)
            def run(): return A.f()
            """,
        "closure in a class attribute": """
            def make(x): return staticmethod(lambda: x)
            class A:
                f = make([[1||2]])
            def run(): return A.f()
            """,
        "descriptor with a closure": """
            def reading(x):
                class D:
                    def __get__(self, one, kind): return x
                return D()
            class A:
                d = reading([[1||2]])
            def run(): return A().d
            """,
        "attribute of a base set later": """
            class B: pass
            class A(B): pass
            B.x = [[1||2]]
            def run(): return A.x
            """,
        "bases exchanged": """
            class B: x = 1
            class C: x = 2
            class A(B): pass
            A.__bases__ = ([[B||C]],)
            def run(): return A.x
            """,
        "class of an object exchanged": """
            class B: x = 1
            class C: x = 2
            X = B()
            X.__class__ = [[B||C]]
            def run(): return X.x
            """,
        "metaclass with a property": """
            class M(type):
                rate = property(lambda cls: [[1||2]])
            class A(metaclass=M): pass
            def run(): return A.rate
            """,
        "prepared namespace": """
            class M(type):
                @classmethod
                def __prepare__(meta, name, bases): return {"x": [[1||2]]}
            class A(metaclass=M): pass
            def run(): return A.x
            """,
        "keyword of a class": """
            class B:
                def __init_subclass__(cls, rate): cls.rate = rate
            class A(B, rate=[[1||2]]): pass
            def run(): return A.rate
            """,
        "hook of an entry in a class": """
            class B:
                def __mro_entries__(self, bases): return (C,)
            class C:
                x = [[1||2]]
            class A(B()): pass
            def run(): return A.x
            """,
        "abstract base with a hook": """
            import abc
            class Base(abc.ABC):
                @classmethod
                def __subclasshook__(cls, other): return [[True||False]]
            def run(): return issubclass(int, Base)
            """,
        "generator that has started": """
            def count(n):
                while True:
                    yield n
                    n += 1
            X = count(0)
            for _ in range([[1||2]]): next(X)
            def run(): return X.gi_frame.f_locals["n"]
            """,
        "coroutine at the top": """
            async def f(x): return x
            X = f([[1||2]])
            def run(): return X.cr_frame.f_locals["x"]
            """,
        "iterator over a generator expression": """
            X = (n for n in [ [[1||2]] ])
            def run(): return X.gi_frame.f_locals[".0"].__reduce__()[1]
            """,
        "ExitStack that holds a function": """
            import contextlib
            def f(): return [[1||2]]
            X = contextlib.ExitStack()
            X.callback(f)
            def run(): return X._exit_callbacks[0][1].__wrapped__()
            """,
        "function in a thread": """
            import threading
            def f(): return [[1||2]]
            X = threading.Thread(target=f)
            def run(): return X._target()
            """,
        "function in a timer": """
            import threading
            def f(): return [[1||2]]
            X = threading.Timer(5, f)
            def run(): return X.function()
            """,
        "default factory of a defaultdict": """
            from collections import defaultdict
            def make(): return [[1||2]]
            X = defaultdict(make)
            def run(): return X.default_factory()
            """,
        "key function of a heap": """
            import heapq
            def key(x): return [[1||-1]] * x
            def run(): return heapq.nsmallest(1, [1, 2], key=key)
            """,
        "encoder of json": """
            import json
            class E(json.JSONEncoder):
                def default(self, x): return [[1||2]]
            def run(): return json.dumps(object(), cls=E)
            """,
        "parser with a type of the project": """
            import argparse
            def number(text): return int(text) + [[1||2]]
            parser = argparse.ArgumentParser()
            parser.add_argument("--x", type=number)
            def run(): return parser.parse_args(["--x", "1"]).x
            """,
        "default of a parser": """
            import argparse
            parser = argparse.ArgumentParser()
            parser.add_argument("--x", default=[[1||2]])
            def run(): return parser.parse_args([]).x
            """,
        "section of a configuration": """
            import configparser
            config = configparser.ConfigParser()
            config.read_string("[a]\\nx = [[1||2]]\\n")
            def run(): return config["a"]["x"]
            """,
        "replacement of a pattern": """
            import re
            def put(found): return "[[a||b]]"
            def run(): return re.sub("x", put, "x")
            """,
        "table of a translation": """
            X = str.maketrans("a", "[[b||c]]")
            def run(): return "a".translate(X)
            """,
        "formatter of the project": """
            import string
            class F(string.Formatter):
                def format_field(self, value, spec): return "[[a||b]]"
            X = F()
            def run(): return X.format("{}", 1)
            """,
        "signal of a plain registry of modules (whole module)": {
            "plug.py": "def f(): return [[1||2]]\n",
            "steps.py": "import plug\nPLUGS = [plug]\n"
            "def run(): return [each.f() for each in PLUGS]\n",
        },
    },
)
