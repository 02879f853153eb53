"""Fields of classes, and registries that are filled by others."""

from __future__ import annotations

from tests.fingerprint.shapes.shape import shapes_from

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
