"""Programs that were written to break the fingerprint by way of a library."""

from __future__ import annotations

from tests.fingerprint.shapes.shape import shapes_from

LIBRARY_ATTACKS = shapes_from(
    "attack",
    {
        "chain of decorators from two libraries": """
            import funcy, tenacity, wrapt
            @wrapt.decorator
            def passing(wrapped, instance, args, kwargs): return wrapped(*args, **kwargs)
            @tenacity.retry
            @passing
            @funcy.memoize
            def f(): return [[1||2]]
            def run(): return f()
            """,
        "library's decorator over a bound method": """
            import tenacity
            class A:
                def __init__(self, x): self.x = x
                def f(self): return self.x
            g = tenacity.retry(A([[1||2]]).f)
            def run(): return g()
            """,
        "library's decorator over a partial": """
            import cachetools
            from functools import partial
            def f(x): return x
            g = cachetools.cached({})(partial(f, [[1||2]]))
            def run(): return g()
            """,
        "library's wrapper in a closure": """
            import toolz
            def f(x): return x + [[1||2]]
            def make(g): return lambda: g(1)
            go = make(toolz.curry(f))
            def run(): return go()
            """,
        "library's wrapper in a default": """
            import cytoolz
            def f(x): return x + [[1||2]]
            def go(by=cytoolz.curry(f)): return by(1)
            def run(): return go()
            """,
        "subclass of a library's class": """
            import cachetools
            class Cache(cachetools.LRUCache):
                def __missing__(self, key): return [[1||2]]
            X = Cache(3)
            def run(): return X["a"]
            """,
        "callback in a library's object": """
            import traitlets
            def check(change): SEEN.append([[1||2]])
            SEEN = []
            class A(traitlets.HasTraits):
                x = traitlets.Int(0)
            a = A()
            a.observe(check, "x")
            def run():
                SEEN.clear()
                a.x += 1
                return SEEN[0]
            """,
        "hook in a session": """
            import requests
            def hook(response, **kwargs): return [[1||2]]
            s = requests.Session()
            s.hooks["response"].append(hook)
            def run(): return s.hooks["response"][0](None)
            """,
        "event of SQLAlchemy": """
            import sqlalchemy as sa
            engine = sa.create_engine("sqlite://")
            SEEN = []
            @sa.event.listens_for(engine, "connect")
            def f(one, other): SEEN.append([[1||2]])
            def run():
                SEEN.clear()
                engine.dispose()
                engine.connect().close()
                return SEEN[0]
            """,
        "type of the project in a column": """
            import sqlalchemy as sa
            class Up(sa.types.TypeDecorator):
                impl = sa.String
                cache_ok = True
                def process_bind_param(self, value, dialect): return value * [[1||2]]
            column = sa.Column("a", Up())
            def run(): return column.type.process_bind_param("x", None)
            """,
        "computed field of pydantic": """
            import pydantic
            class M(pydantic.BaseModel):
                @pydantic.computed_field
                @property
                def y(self) -> int: return [[1||2]]
            def run(): return M().model_dump()["y"]
            """,
        "serializer of pydantic": """
            import pydantic
            class M(pydantic.BaseModel):
                x: int = 1
                @pydantic.field_serializer("x")
                def put(self, value): return value + [[1||2]]
            def run(): return M().model_dump()["x"]
            """,
        "validator in an annotation": """
            from typing import Annotated
            import pydantic
            def add(value): return value + [[1||2]]
            class M(pydantic.BaseModel):
                x: Annotated[int, pydantic.AfterValidator(add)] = pydantic.Field(0)
            def run(): return M(x=1).x
            """,
        "private attribute of pydantic": """
            import os, pydantic
            class M(pydantic.BaseModel):
                _x: str = pydantic.PrivateAttr(default=os.environ["V"])
            def run(): return M()._x
            """,
        "number of the process in a class": """
            import fsspec
            class F(fsspec.AbstractFileSystem):
                protocol = "[[mine||other]]"
            def run(): return F.protocol
            """,
    },
)
