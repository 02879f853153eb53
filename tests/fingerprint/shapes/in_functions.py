"""Functions: how a body comes by what it calls, and what functions carry with them."""

from __future__ import annotations

from tests.fingerprint.shapes.shape import shapes_from

FUNCTIONS = shapes_from(
    "function",
    {
        "helper": "def f(): return [[1||2]]\ndef run(): return f()\n",
        "helper of a helper": """
            def g(): return [[1||2]]
            def f(): return g()
            def run(): return f()
            """,
        "default": "def f(x=[[1||2]]): return x\ndef run(): return f()\n",
        "computed default": "N = [[1||2]]\ndef f(x=N + 1): return x\ndef run(): return f()\n",
        "keyword default": "def f(*, x=[[1||2]]): return x\ndef run(): return f()\n",
        "default set from outside": """
            def f(x=1): return x
            f.__defaults__ = ([[5||6]],)
            def run(): return f()
            """,
        "keyword default set from outside": """
            def f(*, x=1): return x
            f.__kwdefaults__ = {"x": [[5||6]]}
            def run(): return f()
            """,
        "code set from outside": """
            def f(): return 0
            def g(): return [[1||2]]
            f.__code__ = g.__code__
            def run(): return f()
            """,
        "attribute": "def f(): return f.rate\nf.rate = [[1||2]]\ndef run(): return f()\n",
        "attribute asked of a list": """
            def f(): pass
            def g(): pass
            f.weight, g.weight = [[1||2]], 3
            def run(): return sum(each.weight for each in (f, g))
            """,
        "attribute from the environment": """
            import os
            def f(): return f.rate
            f.rate = os.environ["V"]
            def run(): return f()
            """,
        "lambda": "f = lambda: [[1||2]]\ndef run(): return f()\n",
        "lambda in a list": "FS = [lambda: [[1||2]], lambda: 3]\ndef run(): return FS[0]()\n",
        "generator function": "def f(): yield [[1||2]]\ndef run(): return list(f())\n",
        "async function": """
            import asyncio
            async def f(): return [[1||2]]
            def run(): return asyncio.run(f())
            """,
        "recursion": "def f(n): return [[1||2]] if n == 0 else f(n - 1)\ndef run(): return f(3)\n",
        "mutual recursion": """
            def f(n): return g(n - 1)
            def g(n): return [[1||2]] if n < 1 else f(n)
            def run(): return f(3)
            """,
        "inner function": """
            def run():
                def inner():
                    return [[1||2]]
                return inner()
            """,
        "decorator of the project": """
            def twice(fn):
                def wrapper(): return [[2||3]] * fn()
                return wrapper
            @twice
            def f(): return 1
            def run(): return f()
            """,
        "decorator with arguments": """
            def times(n):
                def decorate(fn):
                    def wrapper(): return n * fn()
                    return wrapper
                return decorate
            @times([[2||3]])
            def f(): return 1
            def run(): return f()
            """,
        "decorator argument from the environment": """
            import os
            def times(n):
                def decorate(fn):
                    def wrapper(): return n * fn()
                    return wrapper
                return decorate
            @times(int(os.environ["V"]))
            def f(): return 1
            def run(): return f()
            """,
        "decorated under a decorator": """
            import functools
            def plain(fn):
                @functools.wraps(fn)
                def wrapper(): return fn()
                return wrapper
            @plain
            @plain
            def f(): return [[1||2]]
            def run(): return f()
            """,
        "decorator that registers and gives back nothing": """
            REGISTRY = {}
            def register(fn): REGISTRY["f"] = fn
            @register
            def f(): return [[1||2]]
            def run(): return REGISTRY["f"]()
            """,
        "decorator that swallows": """
            HELD = []
            def swallow(fn):
                HELD.append(fn)
                return len(HELD) - 1
            @swallow
            def f(): return [[1||2]]
            def run(): return HELD[f]()
            """,
        "partial": """
            from functools import partial
            def f(x, y): return x + y
            g = partial(f, [[1||2]], y=3)
            def run(): return g()
            """,
        "partial of a partial": """
            from functools import partial
            def f(x, y): return x + y
            g = partial(partial(f, [[1||2]]), 3)
            def run(): return g()
            """,
        "function behind a partial": """
            from functools import partial
            def f(x): return x + [[1||2]]
            g = partial(f, 1)
            def run(): return g()
            """,
        "method of an object": """
            class A:
                def f(self): return [[1||2]]
            g = A().f
            def run(): return g()
            """,
        "state of a bound method": """
            class A:
                def __init__(self, x): self.x = x
                def f(self): return self.x
            g = A([[1||2]]).f
            def run(): return g()
            """,
        "callable object": """
            class A:
                def __call__(self): return [[1||2]]
            g = A()
            def run(): return g()
            """,
        "globals by a text": "def f(): return [[1||2]]\ndef run(): return globals()['f']()\n",
        "globals by a variable (whole module)": """
            def f(): return [[1||2]]
            def run(name="f"): return globals()[name]()
            """,
        "own module by sys.modules": """
            import sys
            def f(): return [[1||2]]
            def run(): return getattr(sys.modules[__name__], "f")()
            """,
        "own module by sys.modules and a variable (whole module)": """
            import sys
            def f(): return [[1||2]]
            def run(name="f"): return getattr(sys.modules[__name__], name)()
            """,
        "attribute of an own module": """
            import sys
            def f(): return [[1||2]]
            def run(): return sys.modules[__name__].f()
            """,
        "sys.modules under another name": """
            from sys import modules
            def f(): return [[1||2]]
            def run(): return modules[__name__].f()
            """,
        "text that is evaluated": "def f(): return [[1||2]]\ndef run(): return eval('f()')\n",
        "text that is executed": """
            def f(): return [[1||2]]
            def run():
                space = {}
                exec("value = f()", {"f": f}, space)
                return space["value"]
            """,
        "text in a variable that is evaluated": """
            def f(): return [[1||2]]
            def run(text="f()"): return eval(text)
            """,
        "evaluation under another name (whole module)": """
            def f(): return [[1||2]]
            compute = eval
            def run(text="f()"): return compute(text, globals())
            """,
        "evaluation handed on": """
            def f(): return [[1||2]]
            def run(): return list(map(eval, ["f()"]))
            """,
        "docstring that is read": """
            def f():
                '''[[One.||Two.]]'''
            def run(): return f.__doc__
            """,
        "docstring of which a method is called": """
            def f():
                '''[[One.||Two.]]'''
            def run(): return f.__doc__.strip()
            """,
        "docstring of its own of which a method is called": """
            def run():
                '''[[One.||Two.]]'''
                return run.__doc__.strip()
            """,
        "annotations that are gone through": """
            def f(x: [[int||str]]): pass
            def run(): return [t.__name__ for t in f.__annotations__.values()]
            """,
        "annotation that is read": """
            def f(x: [[int||str]]): pass
            def run(): return f.__annotations__["x"].__name__
            """,
        "hints that are read": """
            import typing
            def f(x: "[[int||str]]"): pass
            def run(): return typing.get_type_hints(f)["x"].__name__
            """,
        "source that is read": """
            import inspect
            def f(): return 0  # [[one||two]]
            def run(): return inspect.getsource(f)
            """,
        "globals of a function": """
            def f(): pass
            LIMIT = [[1||2]]
            def run(): return f.__globals__["LIMIT"]
            """,
        "made by exec": """
            space = {}
            exec("def f(): return [[1||2]]", space)
            f = space["f"]
            def run(): return f()
            """,
        "made by compile": """
            import types
            code = compile("lambda: [[1||2]]", "<made>", "eval")
            f = eval(code)
            def run(): return f()
            """,
        "made of a code object": """
            import types
            def g(): return [[1||2]]
            f = types.FunctionType(g.__code__, globals())
            def run(): return f()
            """,
        "default that is a function": """
            def g(): return [[1||2]]
            def f(by=g): return by()
            def run(): return f()
            """,
        "operator function": """
            import operator
            get = operator.itemgetter([[0||1]])
            def run(): return get([5, 6])
            """,
        "method called by name": """
            import operator
            call = operator.methodcaller("[[upper||lower]]")
            def run(): return call("aB")
            """,
        "reduced over": """
            from functools import reduce
            def add(x, y): return x + y + [[1||2]]
            def run(): return reduce(add, [1, 2])
            """,
        "installed in another module": """
            import textwrap
            def mine(text): return text + "[[a||b]]"
            textwrap.shorten = mine
            def run(): return textwrap.shorten("x")
            """,
        "the task is a partial": """
            from functools import partial
            def f(x): return x
            run = partial(f, [[1||2]])
            """,
        "the task is a method": """
            class A:
                def __init__(self, x): self.x = x
                def go(self): return self.x
            run = A([[1||2]]).go
            """,
        "the task is an object": """
            class A:
                def __init__(self, x): self.x = x
                def __call__(self): return self.x
            run = A([[1||2]])
            """,
    },
)

CLOSURES = shapes_from(
    "closure",
    {
        "number": """
            def make(x):
                def run(): return x
                return run
            run = make([[1||2]])
            """,
        "list": """
            def make(x):
                def run(): return sum(x)
                return run
            run = make([1, [[1||2]]])
            """,
        "function": """
            def f(): return [[1||2]]
            def make(fn):
                def run(): return fn()
                return run
            run = make(f)
            """,
        "object": """
            class A:
                def __init__(self, x): self.x = x
            def make(a):
                def run(): return a.x
                return run
            run = make(A([[1||2]]))
            """,
        "environment": """
            import os
            def make(x):
                def run(): return x
                return run
            run = make(os.environ["V"])
            """,
        "two deep": """
            def make(x):
                def middle():
                    def run(): return x
                    return run
                return middle()
            run = make([[1||2]])
            """,
        "class made over a value": """
            def make(x):
                class A:
                    def get(self): return x
                return A
            A = make([[1||2]])
            def run(): return A().get()
            """,
        "path": """
            from pathlib import Path
            def make(x):
                def run(): return str(x)
                return run
            run = make(Path("[[a||b]]"))
            """,
        "cell that is set later": """
            def make():
                def run(): return later
                later = [[1||2]]
                return run
            run = make()
            """,
        "module": {
            "one.py": "def f(): return [[1||2]]\n",
            "steps.py": """
                import one
                def make(module):
                    def run(): return module.f()
                    return run
                run = make(one)
                """,
        },
        "partial in a cell": """
            from functools import partial
            def f(x): return x
            def make(fn):
                def run(): return fn()
                return run
            run = make(partial(f, [[1||2]]))
            """,
    },
)

IMPORTS = shapes_from(
    "import",
    {
        "another function of the standard library": """
            from math import [[floor||ceil]] as f
            def run(): return f(1.5)
            """,
        "another module of the standard library": """
            import [[json||pickle]] as m
            def run(): return m.__name__
            """,
        "another constant of the standard library": """
            from math import [[pi||e]] as x
            def run(): return x
            """,
        "another function of a package": """
            from toolz import [[first||last]] as f
            def run(): return f([1, 2])
            """,
        "another class of the standard library": """
            from collections import [[OrderedDict||Counter]] as C
            def run(): return type(C()).__name__
            """,
        "chosen by the environment": """
            import math, os
            f = {"1": math.floor, "2": math.ceil}[os.environ["V"]]
            def run(): return f(1.5)
            """,
        "base chosen from the standard library": """
            import os
            class A({"1": list, "2": dict}[os.environ["V"]]): pass
            def run(): return A.__mro__[1].__name__
            """,
        "function of the standard library in a table": """
            import math
            X = {"f": math.[[floor||ceil]]}
            def run(): return X["f"](1.5)
            """,
        "builtin under another name": "f = [[min||max]]\ndef run(): return f(1, 2)\n",
        "builtin that is shadowed": "[[||len = lambda x: 5]]\ndef run(): return len('ab')\n",
        "one of two modules": {
            "one.py": "def f(): return 1\n",
            "two.py": "def f(): return 2\n",
            "steps.py": "import [[one||two]] as m\ndef run(): return m.f()\n",
        },
        "if it is there": """
            try:
                from [[math||nowhere_at_all]] import floor as f
            except ImportError:
                def f(x): return "none"
            def run(): return f(1.5)
            """,
    },
)
