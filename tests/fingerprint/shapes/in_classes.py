"""Classes, however they are made."""

from __future__ import annotations

from tests.fingerprint.shapes.shape import shapes_from


def _attribute(value: str, imports: str = "", asked: str = "repr(Conf.v)") -> str:
    return f"{imports}\nclass Conf:\n    v = {value}\ndef run(): return {asked}\n"


CLASSES = shapes_from(
    "class",
    {
        "method": "class A:\n    def f(self): return [[1||2]]\ndef run(): return A().f()\n",
        "method of a base": """
            class B:
                def f(self): return [[1||2]]
            class A(B): pass
            def run(): return A().f()
            """,
        "method by super": """
            class B:
                def f(self): return [[1||2]]
            class A(B):
                def f(self): return super().f()
            def run(): return A().f()
            """,
        "metaclass": """
            class M(type):
                def __call__(cls): return [[1||2]]
            class A(metaclass=M): pass
            def run(): return A()
            """,
        "attribute of a metaclass": """
            class M(type):
                rate = [[1||2]]
            class A(metaclass=M): pass
            def run(): return A.rate
            """,
        "made by a metaclass": """
            import os
            class M(type):
                def __new__(meta, name, bases, space):
                    space["rate"] = os.environ["V"]
                    return super().__new__(meta, name, bases, space)
            class A(metaclass=M): pass
            def run(): return A.rate
            """,
        "that answers for its module": """
            class Proxy:
                def __init__(self, fn): self.fn = fn
                def __call__(self): return self.fn() + [[1||2]]
                @property
                def __module__(self): return self.fn.__module__
            X = Proxy(lambda: 1)
            def run(): return X()
            """,
        "static method": """
            class A:
                @staticmethod
                def f(): return [[1||2]]
            def run(): return A.f()
            """,
        "class method": """
            class A:
                @classmethod
                def f(cls): return [[1||2]]
            def run(): return A.f()
            """,
        "property": """
            class A:
                @property
                def f(self): return [[1||2]]
            def run(): return A().f
            """,
        "setter": """
            class A:
                @property
                def f(self): return self.x
                @f.setter
                def f(self, value): self.x = value + [[1||2]]
            def run():
                a = A()
                a.f = 1
                return a.f
            """,
        "cached property": """
            from functools import cached_property
            class A:
                @cached_property
                def f(self): return [[1||2]]
            def run(): return A().f
            """,
        "partial method": """
            from functools import partialmethod
            class A:
                def f(self, x): return x
                g = partialmethod(f, [[1||2]])
            def run(): return A().g()
            """,
        "single dispatch method": """
            from functools import singledispatchmethod
            class A:
                @singledispatchmethod
                def f(self, x): return 0
                @f.register
                def _(self, x: int): return [[1||2]]
            def run(): return A().f(1)
            """,
        "descriptor": """
            class D:
                def __get__(self, one, kind): return [[1||2]]
            class A:
                d = D()
            def run(): return A().d
            """,
        "state of a descriptor": """
            class D:
                def __init__(self, x): self.x = x
                def __get__(self, one, kind): return self.x
            class A:
                d = D([[1||2]])
            def run(): return A().d
            """,
        "decorated method": """
            import functools
            def doubled(fn):
                @functools.wraps(fn)
                def wrapper(self): return 2 * fn(self)
                return wrapper
            class A:
                @doubled
                def f(self): return [[1||2]]
            def run(): return A().f()
            """,
        "method under an installed decorator": """
            import tenacity
            class A:
                @tenacity.retry
                def f(self): return [[1||2]]
            def run(): return A().f()
            """,
        "inner class": """
            class A:
                class B:
                    x = [[1||2]]
            def run(): return A.B.x
            """,
        "mangled method": """
            class A:
                def __f(self): return [[1||2]]
                def g(self): return self.__f()
            def run(): return A().g()
            """,
        "dunder method": """
            class A:
                def __len__(self): return [[1||2]]
            def run(): return len(A())
            """,
        "call of a class": """
            class A:
                def __new__(cls): return [[1||2]]
            def run(): return A()
            """,
        "attribute by item": """
            class A:
                def __class_getitem__(cls, key): return [[1||2]]
            def run(): return A[0]
            """,
        "attribute by __getattr__": """
            class A:
                def __getattr__(self, name): return [[1||2]]
            def run(): return A().anything
            """,
        "set from outside": "class A: pass\nA.x = [[1||2]]\ndef run(): return A.x\n",
        "set from outside by the environment": """
            import os
            from pathlib import Path
            class A: pass
            A.x = Path(os.environ["V"])
            def run(): return str(A.x)
            """,
        "set by setattr": """
            class A: pass
            for name in ("x", "y"):
                setattr(A, name, [[1||2]])
            def run(): return A.x
            """,
        "function put in": """
            class A: pass
            def f(self): return [[1||2]]
            A.f = f
            def run(): return A().f()
            """,
        "lambda put in": "class A: pass\nA.f = lambda self: [[1||2]]\ndef run(): return A().f()\n",
        "set by a class decorator": """
            def mark(cls):
                cls.x = [[1||2]]
                return cls
            @mark
            class A: pass
            def run(): return A.x
            """,
        "replaced by a class decorator": """
            def wrap(cls):
                class B(cls):
                    x = [[1||2]]
                return B
            @wrap
            class A: pass
            def run(): return A.x
            """,
        "made by type": "A = type('A', (), {'x': [[1||2]]})\ndef run(): return A.x\n",
        "method of what type made": """
            A = type("A", (), {"f": lambda self: [[1||2]]})
            def run(): return A().f()
            """,
        "made by new_class": """
            import os, types
            A = types.new_class("A", (), {}, lambda space: space.update(x=os.environ["V"]))
            def run(): return A.x
            """,
        "made in a function": """
            def make(n):
                class A:
                    x = n
                return A
            A = make([[1||2]])
            def run(): return A.x
            """,
        "base chosen at run time": """
            class B:
                x = 1
            class C:
                x = 2
            class A([[B||C]]): pass
            def run(): return A.x
            """,
        "base computed": """
            import os
            class B1: x = 1
            class B2: x = 2
            class A({"1": B1, "2": B2}[os.environ["V"]]): pass
            def run(): return A.x
            """,
        "registered by ABC": """
            import abc, os
            class Base(abc.ABC): pass
            if os.environ["V"] == "2":
                Base.register(int)
            def run(): return isinstance(1, Base)
            """,
        "abstract": """
            import abc
            class Base(abc.ABC):
                @abc.abstractmethod
                def f(self): return [[1||2]]
            class A(Base):
                def f(self): return super().f()
            def run(): return A().f()
            """,
        "generic": """
            from typing import Generic, TypeVar
            T = TypeVar("T")
            class A(Generic[T]):
                def f(self): return [[1||2]]
            def run(): return A[int]().f()
            """,
        "protocol": """
            from typing import Protocol, runtime_checkable
            @runtime_checkable
            class P(Protocol):
                def [[f||g]](self): ...
            class A:
                def f(self): ...
            def run(): return isinstance(A(), P)
            """,
        "exception of the project": """
            class E(Exception):
                code = [[1||2]]
            def run():
                try:
                    raise E
                except E as error:
                    return error.code
            """,
        "enumeration": """
            import enum
            class E(enum.Enum):
                A = [[1||2]]
            def run(): return E.A.value
            """,
        "enumeration from the environment": """
            import enum, os
            class E(enum.Enum):
                A = os.environ["V"]
            def run(): return E.A.value
            """,
        "attribute of a member": """
            import enum, os
            class E(enum.Enum):
                A = 1
                def __init__(self, number): self.mass = os.environ["V"]
            def run(): return E.A.mass
            """,
        "method of an enumeration": """
            import enum
            class E(enum.Enum):
                A = 1
                def f(self): return [[1||2]]
            def run(): return E.A.f()
            """,
        "enumeration by a call": """
            import enum
            E = enum.Enum("E", {"A": [[1||2]]})
            def run(): return E.A.value
            """,
        "slots": """
            class A:
                __slots__ = ("[[a||b]]",)
            def run(): return A.__slots__[0]
            """,
        "typed dict": """
            from typing import TypedDict
            class T(TypedDict):
                [[a||b]]: int
            def run(): return list(T.__annotations__)
            """,
        "typed dict by a call": """
            from typing import TypedDict
            T = TypedDict("T", {"[[a||b]]": int})
            def run(): return list(T.__annotations__)
            """,
        "attribute: path": _attribute("Path('[[a||b]]')", "from pathlib import Path"),
        "attribute: date": _attribute("date(2020, 1, [[1||2]])", "from datetime import date"),
        "attribute: decimal": _attribute("D('[[1||2]]')", "from decimal import Decimal as D"),
        "attribute: pattern": _attribute("re.compile('[[a||b]]')", "import re"),
        "attribute: partial": _attribute(
            "partial(max, [[1||2]])", "from functools import partial", "Conf.v(0)"
        ),
        "attribute: array": _attribute("numpy.array([ [[1||2]] ])", "import numpy"),
        "attribute: list of functions": """
            def f(): return [[1||2]]
            class Conf:
                v = [f]
            def run(): return Conf.v[0]()
            """,
        "attribute: dict of functions": """
            def f(): return [[1||2]]
            class Conf:
                v = {"f": f}
            def run(): return Conf.v["f"]()
            """,
        "attribute: config object": """
            import os
            class Settings:
                def __init__(self): self.v = os.environ["V"]
            class Conf:
                settings = Settings()
            def run(): return Conf.settings.v
            """,
        "attribute: environment": _attribute("os.environ['V']", "import os"),
        "attribute: private": _attribute("0\n    _w = os.environ['V']", "import os", "Conf._w"),
        "attribute: mangled": """
            import os
            class Conf:
                __w = os.environ["V"]
                def get(self): return self.__w
            def run(): return Conf().get()
            """,
        "attribute: dunder": """
            import os
            class Conf: pass
            Conf.__registry__ = [os.environ["V"]]
            def run(): return Conf.__registry__
            """,
        "attribute: class": """
            class Inner:
                def f(self): return [[1||2]]
            class Conf:
                kind = Inner
            def run(): return Conf.kind().f()
            """,
        "attribute: module (whole module)": {
            "one.py": "def f(): return [[1||2]]\n",
            "steps.py": "import one\nclass Conf:\n    m = one\ndef run(): return Conf.m.f()\n",
        },
        "subclasses that are asked for": """
            class Base: pass
            class A(Base):
                def f(self): return [[1||2]]
            def run(): return Base.__subclasses__()[0]().f()
            """,
    },
)
