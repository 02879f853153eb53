"""Values that a body can reach, and what holds them."""

from __future__ import annotations

from tests.fingerprint.shapes.shape import shapes_from


def _constant(made: str, asked: str = "repr(X)", imports: str = "") -> str:
    return f"{imports}\nX = {made}\ndef run(): return {asked}\n"


_LIBRARY = """
class Bunch(dict):
    def __getattr__(self, name): return self[name]
class Rows(list):
    def __setstate__(self, state): raise ValueError
class Pair(tuple): pass
class Names(set): pass
class Word(str): pass
class Count(int): pass
"""


def _of_library(made: str, asked: str) -> dict[str, str]:
    steps = f"import library\nX = library.{made}\ndef run(): return {asked}\n"
    return {"site-packages/library.py": _LIBRARY, "steps.py": steps}


def _generic(above: str) -> str:
    return f"{above}\n    def f(self): return [[1||2]]\nX = A[int]\ndef run(): return X().f()\n"


CONTAINERS = shapes_from(
    "container",
    {
        "registry of one's own": """
            class Registry(dict): pass
            R = Registry()
            def register(fn):
                R.setdefault("a", []).append(fn)
                return fn
            @register
            def one(): return [[1||2]]
            def run(): return R["a"][0]()
            """,
        "heap": """
            import heapq
            H = [3, [[1||2]]]
            heapq.heapify(H)
            def run(): return H[0]
            """,
        "dict of a library": _of_library("Bunch(rate=[[1||2]])", "X.rate"),
        "list of a library": _of_library("Rows([0, [[1||2]]])", "X[1]"),
        "tuple of a library": _of_library("Pair([0, [[1||2]]])", "X[1]"),
        "set of a library": _of_library("Names([0, [[1||2]]])", "max(X)"),
        "text of a library": _of_library("Word('[[1||2]]')", "str(X)"),
        "number of a library": _of_library("Count([[1||2]])", "X + 1"),
        "cookies": _constant(
            "SimpleCookie('a=[[1||2]]')", "X['a'].value", "from http.cookies import SimpleCookie"
        ),
        "nodes of a document": _constant(
            "parseString('<a><b c=\"[[1||2]]\"/></a>')",
            "X.documentElement.childNodes[0].getAttribute('c')",
            "from xml.dom.minidom import parseString",
        ),
        "class with a type": _generic(
            "from typing import Generic, TypeVar\nT = TypeVar('T')\nclass A(Generic[T]):"
        ),
        "class with a type, by its own word": _generic(
            "import types\nclass A:\n    __class_getitem__ = classmethod(types.GenericAlias)"
        ),
        "class with a type in a dict": _constant(
            "{'a': A[int]}",
            "X['a']().f()",
            "from typing import Generic, TypeVar\nT = TypeVar('T')\n"
            "class A(Generic[T]):\n    def f(self): return [[1||2]]\n",
        ),
        "list": _constant("[1, [[2||3]]]"),
        "dict": _constant("{'a': [[1||2]]}"),
        "order of a dict": _constant("{[['a': 1, 'b': 2||'b': 2, 'a': 1]]}"),
        "set": _constant("{'a', '[[b||c]]'}", "sorted(X)"),
        "frozenset": _constant("frozenset({'a', '[[b||c]]'})", "sorted(X)"),
        "tuple in a dict in a list": _constant("[{'a': (1, [[2||3]])}]"),
        "deque": _constant("deque([ [[1||2]] ])", imports="from collections import deque"),
        "defaultdict": _constant(
            "defaultdict(lambda: [[1||2]])", "X['a']", "from collections import defaultdict"
        ),
        "OrderedDict": _constant(
            "OD(a=[[1||2]])", imports="from collections import OrderedDict as OD"
        ),
        "Counter": _constant("Counter('[[a||b]]')", imports="from collections import Counter"),
        "ChainMap": _constant(
            "ChainMap({'a': [[1||2]]}, {'a': 3})", "X['a']", "from collections import ChainMap"
        ),
        "mapping proxy": _constant(
            "M({'a': [[1||2]]})", imports="from types import MappingProxyType as M"
        ),
        "namespace": _constant("N(a=[[1||2]])", imports="from types import SimpleNamespace as N"),
        "functions in a dict": """
            def f(): return [[1||2]]
            X = {"f": f}
            def run(): return X["f"]()
            """,
        "function in a list in a dict in an object": """
            class A: pass
            def f(): return [[1||2]]
            a = A()
            a.x = {"y": [f]}
            def run(): return a.x["y"][0]()
            """,
        "class in a dict": """
            class A:
                def f(self): return [[1||2]]
            X = {"a": A}
            def run(): return X["a"]().f()
            """,
        "function in a set": """
            def f(): return [[1||2]]
            X = {f}
            def run(): return [each() for each in X][0]
            """,
        "object that holds itself": """
            class A: pass
            a = A()
            a.me, a.x = a, [[1||2]]
            def run(): return a.me.me.x
            """,
        "list that holds itself": """
            X = [ [[1||2]] ]
            X.append(X)
            def run(): return X[1][1][0]
            """,
        "deeply nested": """
            X = [ [[1||2]] ]
            for _ in range(300): X = [X]
            def run():
                x = X
                while isinstance(x, list): x = x[0]
                return x
            """,
        "weak values": """
            import weakref
            class A:
                def __init__(self, x): self.x = x
            kept = A([[1||2]])
            X = weakref.WeakValueDictionary(a=kept)
            def run(): return X["a"].x
            """,
        "weak keys": """
            import weakref
            class A: pass
            kept = A()
            X = weakref.WeakKeyDictionary({kept: [[1||2]]})
            def run(): return list(X.values())
            """,
        "weak reference": """
            import weakref
            class A:
                def __init__(self, x): self.x = x
            kept = A([[1||2]])
            X = weakref.ref(kept)
            def run(): return X().x
            """,
        "subclass of list": """
            class L(list): pass
            X = L([1, [[2||3]]])
            X.mark = 1
            def run(): return sum(X)
            """,
        "attribute of a subclass of dict": """
            class D(dict): pass
            X = D(a=1)
            X.mark = [[1||2]]
            def run(): return X.mark
            """,
        "filled in a loop": """
            X = {}
            for letter in "[[ab||ac]]":
                X[letter] = 1
            def run(): return list(X)
            """,
        "from the environment": _constant("[os.environ['V']]", imports="import os"),
        "built by a helper": """
            def build(n): return list(range(n))
            X = build([[2||3]])
            def run(): return len(X)
            """,
        "from another module": {
            "config.py": "X = [1, [[2||3]]]\n",
            "steps.py": "from config import X\ndef run(): return sum(X)\n",
        },
        "range": _constant("range([[2||3]])", "len(X)"),
        "slice": _constant("slice([[1||2]])", "[1, 2, 3][X]"),
        "array": _constant("array('i', [ [[1||2]] ])", "X[0]", "from array import array"),
        "bytes": _constant("b'[[a||b]]'"),
        "bytearray": _constant("bytearray(b'[[a||b]]')"),
        "memoryview": _constant("memoryview(b'[[a||b]]')", "X.tobytes()"),
        "pmap of pyrsistent": _constant(
            "pmap({'a': [[1||2]]})", "X['a']", "from pyrsistent import pmap"
        ),
        "frozendict": _constant(
            "fd(a=[[1||2]])", "X['a']", "from frozendict import frozendict as fd"
        ),
        "SortedDict": _constant(
            "S(a=[[1||2]])", "X['a']", "from sortedcontainers import SortedDict as S"
        ),
    },
)

VALUES = shapes_from(
    "value",
    {
        "number": _constant("[[1||2]]"),
        "type of a number": _constant("[[1||1.0]]"),
        "text": _constant("'[[a||b]]'"),
        "sum": _constant("60 * [[60||61]]"),
        "path": _constant("Path('[[a||b]]')", "str(X)", "from pathlib import Path"),
        "decimal": _constant("D('[[1.0||1.00]]')", "str(X)", "from decimal import Decimal as D"),
        "fraction": _constant("F(1, [[2||3]])", imports="from fractions import Fraction as F"),
        "date": _constant("date(2020, 1, [[1||2]])", imports="from datetime import date"),
        "zoned time": _constant(
            "datetime(2020, 1, 1, tzinfo=ZoneInfo('Europe/[[Oslo||Rome]]'))",
            "str(X.tzinfo)",
            "from datetime import datetime\nfrom zoneinfo import ZoneInfo",
        ),
        "time span": _constant(
            "timedelta(hours=[[1||2]])", imports="from datetime import timedelta"
        ),
        "pattern": _constant("re.compile('[[a||b]]')", "X.pattern", "import re"),
        "flags of a pattern": _constant(
            "re.compile('a'[[||, re.I]])", "bool(X.match('A'))", "import re"
        ),
        "uuid": _constant("uuid.UUID(int=[[1||2]])", "str(X)", "import uuid"),
        "member of an enumeration": """
            import enum
            class E(enum.Enum):
                A = 1
                B = 2
            X = E.[[A||B]]
            def run(): return X.value
            """,
        "value of a member": """
            import enum
            class E(enum.Enum):
                A = [[1||2]]
            X = E.A
            def run(): return X.value
            """,
        "several flags": """
            import enum
            class F(enum.Flag):
                A, B, C = 1, 2, 4
            X = F.A | F.[[B||C]]
            def run(): return X.value
            """,
        "named tuple": """
            from collections import namedtuple
            P = namedtuple("P", "a b")
            X = P(1, [[2||3]])
            def run(): return X.b
            """,
        "exception": _constant("ValueError('[[a||b]]')", "str(X)"),
        "template": _constant("Template('[[a||b]]')", "X.template", "from string import Template"),
        "struct": _constant("Struct('[[<i||<q]]')", "X.size", "from struct import Struct"),
        "context variable": _constant(
            "ContextVar('x', default=[[1||2]])", "X.get()", "from contextvars import ContextVar"
        ),
        "generic alias": _constant("list[ [[int||str]] ]"),
        "new type": """
            from typing import NewType
            X = NewType("X", [[int||str]])
            def run(): return X.__supertype__.__name__
            """,
        "annotated type": """
            from typing import Annotated
            X = Annotated[int, [[1||2]]]
            def run(): return X.__metadata__[0]
            """,
        "seeded random": _constant(
            "Random([[1||2]])", "X.getstate()[1][1]", "from random import Random"
        ),
        "seed from the environment": """
            import os, random
            class A: pass
            a = A()
            a.source = random.Random(os.environ["V"])
            def run(): return hash(a.source.getstate())
            """,
        "seeded generator of numpy": """
            import numpy
            X = numpy.random.default_rng([[1||2]])
            def run(): return str(X.bit_generator.state["state"]["state"])
            """,
        "array of numpy": _constant("numpy.array([1, [[2||3]]])", "int(X[1])", "import numpy"),
        "type of an array": _constant(
            "numpy.zeros(1, '[[i4||f8]]')", "str(X.dtype)", "import numpy"
        ),
        "masked array": """
            import numpy
            X = numpy.ma.masked_array([1, 2], mask=[0, [[0||1]]])
            def run(): return int(X.sum())
            """,
        "frame of pandas": """
            import pandas
            X = pandas.DataFrame({"a": [1, [[2||3]]]})
            def run(): return int(X["a"].sum())
            """,
        "group-by of pandas": """
            import pandas
            X = pandas.DataFrame({"a": [1, 1], "b": [1, [[2||3]]]}).groupby("a")
            def run(): return int(X["b"].sum().iloc[0])
            """,
        "frame of polars": """
            import polars
            X = polars.DataFrame({"a": [ [[1||2]] ]})
            def run(): return X.item()
            """,
        "lazy frame of polars": """
            import polars
            X = polars.DataFrame({"a": [1]}).lazy().select(polars.col("a") + [[1||2]])
            def run(): return X.collect().item()
            """,
        "table of pyarrow": """
            import pyarrow
            X = pyarrow.table({"a": [ [[1||2]] ]})
            def run(): return X["a"][0].as_py()
            """,
        "model of pydantic": """
            import pydantic
            class M(pydantic.BaseModel):
                x: int
            X = M(x=[[1||2]])
            def run(): return X.x
            """,
        "struct of msgspec": """
            import msgspec
            class S(msgspec.Struct):
                x: int
            X = S(x=[[1||2]])
            def run(): return X.x
            """,
        "object of attrs": """
            import attrs
            @attrs.define
            class A:
                x: int
            X = A([[1||2]])
            def run(): return X.x
            """,
        "object with slots": """
            class A:
                __slots__ = ("x",)
                def __init__(self, x): self.x = x
            X = A([[1||2]])
            def run(): return X.x
            """,
        "object that hides its state from pickle": """
            class A:
                def __init__(self, x): self.x = x
                def __getstate__(self): return {}
            X = A([[1||2]])
            def run(): return X.x
            """,
        "object that refuses to be pickled": """
            class A:
                def __init__(self, x): self.x = x
                def __reduce__(self): raise TypeError
            X = A([[1||2]])
            def run(): return X.x
            """,
        "state beside a lock": """
            import threading
            class A:
                def __init__(self, x): self.lock, self.x = threading.Lock(), x
            X = A([[1||2]])
            def run(): return X.x
            """,
        "event of threading": """
            import threading
            X = threading.Event()
            [[||X.set()]]
            def run(): return X.is_set()
            """,
        "state of a thread": """
            import threading
            X = threading.local()
            X.a = [[1||2]]
            def run(): return X.a
            """,
        "queue": """
            import queue
            X = queue.Queue()
            X.put([[1||2]])
            def run(): return X.queue[0]
            """,
        "settings object": """
            class Settings:
                def __init__(self): self.depth = [[1||2]]
            X = Settings()
            def run(): return X.depth
            """,
        "settings from the environment": """
            import os
            class Settings:
                def __init__(self): self.depth = os.environ["V"]
            X = Settings()
            def run(): return X.depth
            """,
        "private attribute": """
            class A:
                def __init__(self, x): self.__x = x
                def get(self): return self.__x
            X = A([[1||2]])
            def run(): return X.get()
            """,
        "attribute put on an object": """
            class A: pass
            X = A()
            X.y = [[1||2]]
            def run(): return X.y
            """,
    },
)
