"""Classes, however they are made, and registries that are filled by others."""

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

FIELDS = shapes_from(
    "field",
    {
        "default of a dataclass": """
            from dataclasses import dataclass
            @dataclass
            class A:
                x: int = [[1||2]]
            def run(): return A().x
            """,
        "default from the environment": """
            import os
            from dataclasses import dataclass
            from pathlib import Path
            @dataclass
            class A:
                x: Path = Path(os.environ["V"])
            def run(): return str(A().x)
            """,
        "default of a slotted dataclass": """
            import os
            from dataclasses import dataclass
            @dataclass(slots=True, frozen=True)
            class A:
                x: str = os.environ["V"]
            def run(): return A().x
            """,
        "factory of a dataclass": """
            from dataclasses import dataclass, field
            def make(): return [[1||2]]
            @dataclass
            class A:
                x: int = field(default_factory=make)
            def run(): return A().x
            """,
        "option of a dataclass": """
            from dataclasses import dataclass
            @dataclass([[||order=True]])
            class A:
                x: int = 1
            def run():
                try:
                    return A() < A(2)
                except TypeError:
                    return "no"
            """,
        "metadata of a field": """
            import dataclasses, os
            @dataclasses.dataclass
            class A:
                x: int = dataclasses.field(default=1, metadata={"unit": os.environ["V"]})
            def run(): return dataclasses.fields(A)[0].metadata["unit"]
            """,
        "made by make_dataclass": """
            import dataclasses
            A = dataclasses.make_dataclass("A", [("x", int, [[1||2]])])
            def run(): return A().x
            """,
        "post-init of a dataclass": """
            from dataclasses import dataclass
            @dataclass
            class A:
                x: int = 1
                def __post_init__(self): self.x += [[1||2]]
            def run(): return A().x
            """,
        "hash of a frozen dataclass": """
            from dataclasses import dataclass
            @dataclass(frozen=True)
            class A:
                x: int = [[1||2]]
            def run(): return A() in {A()} and A().x
            """,
        "named tuple by a class": """
            from typing import NamedTuple
            class P(NamedTuple):
                a: int = [[1||2]]
            def run(): return P().a
            """,
        "named tuple by a class, from the environment": """
            import os
            from typing import NamedTuple
            class P(NamedTuple):
                a: str = os.environ["V"]
            def run(): return P().a
            """,
        "named tuple by a call": """
            import os
            from collections import namedtuple
            P = namedtuple("P", "a b", defaults=(os.environ["V"], 1))
            def run(): return P().a
            """,
        "attrs frozen": """
            import attrs
            @attrs.frozen
            class A:
                x: int = [[1||2]]
            def run(): return A().x
            """,
        "attrs default from the environment": """
            import attrs, os
            @attrs.define
            class A:
                x: str = os.environ["V"]
            def run(): return A().x
            """,
        "attrs factory": """
            import attrs
            def make(): return [[1||2]]
            @attrs.define
            class A:
                x: int = attrs.field(factory=make)
            def run(): return A().x
            """,
        "attrs converter": """
            import attrs
            @attrs.define
            class A:
                x: int = attrs.field(default=1, converter=lambda x: x + [[1||2]])
            def run(): return A().x
            """,
        "attrs validator": """
            import attrs
            def check(one, field, value):
                if value == [[1||2]]:
                    raise ValueError
            @attrs.define
            class A:
                x: int = attrs.field(default=1, validator=check)
            def run():
                try:
                    return A().x
                except ValueError:
                    return "refused"
            """,
        "attrs made by a call": """
            import attrs
            A = attrs.make_class("A", {"x": attrs.field(default=[[1||2]])})
            def run(): return A().x
            """,
        "pydantic default": """
            import pydantic
            class M(pydantic.BaseModel):
                x: int = [[1||2]]
            def run(): return M().x
            """,
        "pydantic default from the environment": """
            import os, pydantic
            class M(pydantic.BaseModel):
                x: str = os.environ["V"]
            def run(): return M().x
            """,
        "pydantic factory": """
            import pydantic
            def make(): return [[1||2]]
            class M(pydantic.BaseModel):
                x: int = pydantic.Field(default_factory=make)
            def run(): return M().x
            """,
        "pydantic bound": """
            import pydantic
            class M(pydantic.BaseModel):
                x: int = pydantic.Field(gt=[[1||5]])
            def run():
                try:
                    return M(x=3).x
                except pydantic.ValidationError:
                    return "refused"
            """,
        "pydantic validator": """
            import pydantic
            class M(pydantic.BaseModel):
                x: int = 0
                @pydantic.field_validator("x")
                @classmethod
                def add(cls, value): return value + [[1||2]]
            def run(): return M(x=1).x
            """,
        "pydantic config": """
            import pydantic
            class M(pydantic.BaseModel):
                model_config = pydantic.ConfigDict(frozen=[[True||False]])
                x: int = 0
            def run():
                m = M()
                try:
                    m.x = 1
                except pydantic.ValidationError:
                    pass
                return m.x
            """,
        "pydantic model of a model": """
            import pydantic
            class N(pydantic.BaseModel):
                y: int = [[1||2]]
            class M(pydantic.BaseModel):
                n: N = N()
            def run(): return M().n.y
            """,
        "pydantic model by a call": """
            import pydantic
            M = pydantic.create_model("M", x=(int, [[1||2]]))
            def run(): return M().x
            """,
        "pydantic type adapter": """
            from typing import Annotated
            import pydantic
            A = pydantic.TypeAdapter(Annotated[int, pydantic.Field(gt=[[1||5]])])
            def run():
                try:
                    return A.validate_python(3)
                except pydantic.ValidationError:
                    return "refused"
            """,
        "msgspec default": """
            import msgspec
            class S(msgspec.Struct):
                x: int = [[1||2]]
            def run(): return S().x
            """,
        "msgspec default from the environment": """
            import msgspec, os
            class S(msgspec.Struct):
                x: str = os.environ["V"]
            def run(): return S().x
            """,
        "traitlets default": """
            import traitlets
            class A(traitlets.HasTraits):
                x = traitlets.Int([[1||2]])
            def run(): return A().x
            """,
        "marshmallow field": """
            from marshmallow import Schema, fields
            class S(Schema):
                x = fields.Int(load_default=[[1||2]])
            def run(): return S().load({})["x"]
            """,
        "field of pyrsistent": """
            from pyrsistent import PClass, field
            class P(PClass):
                x = field(initial=[[1||2]])
            def run(): return P().x
            """,
        "SQLAlchemy column": """
            import sqlalchemy as sa
            from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
            class Base(DeclarativeBase): pass
            class User(Base):
                __tablename__ = "user"
                id: Mapped[int] = mapped_column(primary_key=True)
                name: Mapped[str] = mapped_column(sa.String([[10||20]]))
            def run(): return User.__table__.c.name.type.length
            """,
        "SQLAlchemy default from the environment": """
            import os
            from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
            class Base(DeclarativeBase): pass
            class User(Base):
                __tablename__ = "user"
                id: Mapped[int] = mapped_column(primary_key=True)
                name: Mapped[str] = mapped_column(default=os.environ["V"])
            def run(): return User.__table__.c.name.default.arg
            """,
        "SQLAlchemy query": """
            import sqlalchemy as sa
            users = sa.table("users", sa.column("id"))
            query = sa.select(users).where(users.c.id == [[1||2]])
            def run(): return list(query.compile().params.values())
            """,
        "SQLAlchemy engine": """
            import sqlalchemy as sa
            engine = sa.create_engine("sqlite:///[[a||b]].db")
            def run(): return engine.url.database
            """,
        "SQLAlchemy method of a model": """
            from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
            class Base(DeclarativeBase): pass
            class User(Base):
                __tablename__ = "user"
                id: Mapped[int] = mapped_column(primary_key=True)
                def f(self): return [[1||2]]
            def run(): return User().f()
            """,
    },
)

REGISTRIES = shapes_from(
    "registry",
    {
        "by __init_subclass__": """
            class Base:
                kinds = {}
                def __init_subclass__(cls): Base.kinds[cls.__name__] = cls
            class A(Base):
                def f(self): return [[1||2]]
            def run(): return [kind().f() for kind in Base.kinds.values()]
            """,
        "by a metaclass": """
            class M(type):
                kinds = []
                def __init__(cls, *args):
                    super().__init__(*args)
                    M.kinds.append(cls)
            class A(metaclass=M):
                def f(self): return [[1||2]]
            def run(): return M.kinds[0]().f()
            """,
        "by __set_name__": """
            NAMES = {}
            class D:
                def __init__(self, x): self.x = x
                def __set_name__(self, owner, name): NAMES[name] = self
            class A:
                d = D([[1||2]])
            def run(): return NAMES["d"].x
            """,
        "by a decorator": """
            TABLE = {}
            def register(name):
                def add(fn):
                    TABLE[name] = fn
                    return fn
                return add
            @register("f")
            def f(): return [[1||2]]
            def run(): return TABLE["f"]()
            """,
        "in another module": {
            "registry.py": "TABLE = {}\ndef register(fn):\n    TABLE[fn.__name__] = fn\n"
            "    return fn\n",
            "plugin.py": "from registry import register\n@register\ndef f(): return [[1||2]]\n",
            "steps.py": "import plugin\nfrom registry import TABLE\n"
            "def run(): return TABLE['f']()\n",
        },
        "weak": """
            import weakref
            KINDS = weakref.WeakSet()
            class Base:
                def __init_subclass__(cls): KINDS.add(cls)
            class A(Base):
                def f(self): return [[1||2]]
            def run(): return [kind().f() for kind in KINDS]
            """,
        "of instances": """
            class A:
                all = []
                def __init__(self, x):
                    self.x = x
                    A.all.append(self)
            A([[1||2]])
            def run(): return [each.x for each in A.all]
            """,
        "that grows by a subclass": """
            class Base:
                kinds = []
                def __init_subclass__(cls): Base.kinds.append(cls)
            class A(Base): pass
            [[||class B(Base): pass]]
            def run(): return len(Base.kinds)
            """,
        "object of the project": """
            class Registry:
                def __init__(self): self.items = {}
                def add(self, fn):
                    self.items[fn.__name__] = fn
                    return fn
            registry = Registry()
            @registry.add
            def f(): return [[1||2]]
            def run(): return registry.items["f"]()
            """,
        "of converters": """
            import functools
            @functools.singledispatch
            def convert(x): return "?"
            class A: pass
            @convert.register
            def _(x: A): return [[1||2]]
            def run(): return convert(A())
            """,
        "of a library": """
            from multipledispatch import Dispatcher
            convert = Dispatcher("convert")
            @convert.register(int)
            def f(x): return [[1||2]]
            def run(): return convert(1)
            """,
    },
)
