"""What more libraries, and Python's own, keep of a program's functions and values."""

from __future__ import annotations

from tests.fingerprint.shapes.shape import shapes_from

_PROGRAMS = {
    "cmp_to_key": """
        import functools
        def c(a, b): return (a > b) - (a < b) if [[True||False]] else (b > a) - (b < a)
        K = functools.cmp_to_key(c)
        def run(): return sorted([2, 1, 3], key=K)""",
    "methodcaller of operator": """
        import operator
        M = operator.methodcaller('[[upper||lower]]')
        def run(): return M('aB')""",
    "itemgetter of operator": """
        import operator
        M = operator.itemgetter([[0||1]])
        def run(): return M('aB')""",
    "attrgetter of operator": """
        import operator
        class C: a = 1; b = 2
        M = operator.attrgetter('[[a||b]]')
        def run(): return M(C)""",
    "starmap": """
        def f(*a, **k): return [[1||2]]
        import itertools
        S = lambda: itertools.starmap(f, [(1,)])
        def run(): return list(S())""",
    "ContextDecorator": """
        import contextlib
        class D(contextlib.ContextDecorator):
            def __enter__(self): out.append([[1||2]])
            def __exit__(self, *e): return False
        out = []
        @D()
        def g(): return list(out)
        def run():
            out.clear(); return g()""",
    "asynccontextmanager": """
        import contextlib, asyncio
        @contextlib.asynccontextmanager
        async def m(): yield [[1||2]]
        def run():
            async def go():
                async with m() as v: return v
            return asyncio.run(go())""",
    "yaml own loader": """
        def f(*a, **k): return [[1||2]]
        import yaml
        class L(yaml.SafeLoader): pass
        L.add_constructor('!x', lambda l, n: f())
        def run(): return yaml.load('!x 1', Loader=L)""",
    "json encoder class": """
        def f(*a, **k): return [[1||2]]
        import json
        class E(json.JSONEncoder):
            def default(self, o): return f()
        def run(): return json.dumps(object(), cls=E)""",
    "string.Formatter": """
        import string
        class S(string.Formatter):
            def format_field(self, v, s): return '[[1||2]]'
        X = S()
        def run(): return X.format('{}', 0)""",
    "ast transformer": """
        import ast
        class T(ast.NodeTransformer):
            def visit_Constant(self, n): return ast.Constant([[1||2]])
        def run(): return ast.unparse(T().visit(ast.parse('5')))""",
    "logging filter": """
        import logging
        class Fi(logging.Filter):
            def filter(self, r): return [[1||2]]
        X = Fi()
        def run(): return X.filter(None)""",
    "decimal context": """
        import decimal
        CTX = decimal.Context(prec=[[3||4]])
        def run(): return str(CTX.divide(decimal.Decimal(1), 3))""",
    "dask bag": """
        def f(*a, **k): return [[1||2]]
        import dask.bag as db
        def run(): return db.from_sequence([1]).map(f).compute(scheduler='sync')""",
    "narwhalify": """
        def f(*a, **k): return [[1||2]]
        import narwhals as nw
        import pandas as pd
        @nw.narwhalify
        def g(df): return df.with_columns(b=nw.lit([[1||2]]))
        def run(): return int(g(pd.DataFrame({'a':[1]}))['b'][0])""",
    "tornado coroutine": """
        from tornado import gen
        import asyncio
        @gen.coroutine
        def g(): return [[1||2]]
        def run():
            async def go(): return await g()
            return asyncio.run(go())""",
    "six wraps": """
        import six
        def d(fn):
            @six.wraps(fn)
            def w(): return fn()
            return w
        @d
        def g(): return [[1||2]]
        def run(): return g()""",
    "six with_metaclass": """
        import six
        class M(type):
            def v(cls): return [[1||2]]
        class C(six.with_metaclass(M)): pass
        def run(): return C.v()""",
    "fasteners": """
        import fasteners, threading
        class C:
            def __init__(self): self._lock = threading.Lock()
            @fasteners.locked
            def g(self): return [[1||2]]
        def run(): return C().g()""",
    "zict func": """
        import zict
        D = zict.Func(lambda v: v, lambda v: v + [[1||2]], {'a': 1})
        def run(): return D['a']""",
    "sortedcontainers key": """
        from sortedcontainers import SortedKeyList
        L = SortedKeyList([1, 2, 3], key=lambda x: x * [[1||-1]])
        def run(): return list(L)""",
    "hybrid property of SQLAlchemy": """
        from sqlalchemy.ext.hybrid import hybrid_property
        class C:
            @hybrid_property
            def v(self): return [[1||2]]
        def run(): return C().v""",
    "marshmallow function": """
        import marshmallow as ma
        class S(ma.Schema):
            v = ma.fields.Function(lambda o: [[1||2]])
        def run(): return S().dump({})""",
    "traitlets observe": """
        import traitlets as t
        class C(t.HasTraits):
            a = t.Int()
            @t.validate('a')
            def _v(self, p): return [[1||2]]
        def run():
            c = C(); c.a = 9; return c.a""",
    "make_scorer": """
        from sklearn.metrics import make_scorer
        def m(a, b): return [[1||2]]
        S = make_scorer(m)
        def run(): return S._score_func(1, 2)""",
    "column transformer": """
        from sklearn.compose import ColumnTransformer
        from sklearn.preprocessing import FunctionTransformer
        import numpy as np
        def g(x): return x + [[1||2]]
        T = ColumnTransformer([('a', FunctionTransformer(g), [0])])
        def run(): return T.fit_transform(np.zeros((1, 1))).tolist()""",
    "pandas pipe": """
        import pandas as pd
        def g(d): return len(d) + [[1||2]]
        def run(): return pd.DataFrame({'a': [1]}).pipe(g)""",
    "pandas offset": """
        import pandas as pd
        O = pd.offsets.Day([[1||2]])
        def run(): return str(pd.Timestamp('2020-01-01') + O)""",
    "pandas interval index": """
        import pandas as pd
        I = pd.interval_range(0, [[2||3]])
        def run(): return len(I)""",
    "pandas attrs": """
        import pandas as pd
        D = pd.DataFrame({'a': [1]})
        D.attrs['x'] = [[1||2]]
        def run(): return D.attrs['x']""",
    "numpy poly": """
        import numpy as np
        P = np.polynomial.Polynomial([1, [[1||2]]])
        def run(): return float(P(2))""",
    "numpy dtype": """
        import numpy as np
        T = np.dtype('[[i4||i8]]')
        def run(): return T.itemsize""",
    "numpy structured": """
        import numpy as np
        A = np.zeros(1, dtype=[('[[a||b]]', 'i4')])
        def run(): return A.dtype.names""",
    "scipy interp": """
        from scipy.interpolate import interp1d
        I = interp1d([0, 1], [0, [[1||2]]])
        def run(): return float(I(0.5))""",
    "scipy stats frozen": """
        from scipy import stats
        N = stats.norm(loc=[[1||2]])
        def run(): return float(N.mean())""",
    "dateutil rrule": """
        from dateutil.rrule import rrule, DAILY
        import datetime as d
        R = rrule(DAILY, count=[[2||3]], dtstart=d.datetime(2020, 1, 1))
        def run(): return len(list(R))""",
    "dateutil tz": """
        from dateutil import tz
        import datetime as d
        T = tz.gettz('[[Europe/Berlin||Asia/Tokyo]]')
        def run(): return str(d.datetime(2020, 1, 1, tzinfo=T).utcoffset())""",
    "zoneinfo": """
        import zoneinfo, datetime as d
        T = zoneinfo.ZoneInfo('[[Europe/Berlin||Asia/Tokyo]]')
        def run(): return str(d.datetime(2020, 1, 1, tzinfo=T).utcoffset())""",
    "packaging version": """
        from packaging.version import Version
        V = Version('[[1.0||2.0]]')
        def run(): return V.major""",
    "packaging specifier": """
        from packaging.specifiers import SpecifierSet
        V = SpecifierSet('>=[[1.0||2.0]]')
        def run(): return '1.5' in V""",
    "jsonschema": """
        import jsonschema
        V = jsonschema.Draft7Validator({'type': '[[integer||string]]'})
        def run(): return V.is_valid(1)""",
    "pathspec": """
        import pathspec
        P = pathspec.PathSpec.from_lines('gitwildmatch', ['*.[[py||txt]]'])
        def run(): return P.match_file('a.py')""",
    "tomlkit": """
        import tomlkit
        D = tomlkit.parse('a = [[1||2]]')
        def run(): return int(D['a'])""",
    "ruamel": """
        from ruamel.yaml import YAML
        import io
        D = YAML().load('a: [[1||2]]')
        def run(): return D['a']""",
    "msgpack ext": """
        import msgpack
        E = msgpack.ExtType([[1||2]], b'')
        def run(): return E.code""",
    "urllib3 retry": """
        from urllib3 import Retry
        R = Retry([[1||2]])
        def run(): return R.total""",
    "httpx hooks": """
        import httpx
        def h(r): return [[1||2]]
        C = httpx.Client(event_hooks={'request': [h]})
        def run(): return C.event_hooks['request'][0](0)""",
    "httpx transport": """
        import httpx
        T = httpx.MockTransport(lambda r: httpx.Response([[200||201]]))
        C = httpx.Client(transport=T)
        def run(): return C.get('http://x').status_code""",
    "starlette route": """
        from starlette.routing import Route
        def h(r): return [[1||2]]
        R = Route('/', h)
        def run(): return R.endpoint(0)""",
    "pygments filter": """
        from pygments.filter import simplefilter
        @simplefilter
        def g(self, lexer, stream, options): yield [[1||2]]
        def run(): return list(g().filter(None, []))""",
    "rich text": """
        from rich.text import Text
        T = Text('[[a||b]]')
        def run(): return T.plain""",
    "returns curry": """
        from returns.curry import curry
        @curry
        def g(a, b): return [[1||2]]
        def run(): return g(1)(2)""",
    "returns pipeline": """
        from returns.pipeline import flow
        def g(x): return [[1||2]]
        def run(): return flow(0, g)""",
    "returns result": """
        from returns.result import Success
        S = Success([[1||2]])
        def run(): return S.unwrap()""",
    "toolz excepts": """
        import toolz
        G = toolz.excepts(ValueError, lambda x: [[1||2]])
        def run(): return G(0)""",
    "attrs hook": """
        import attrs
        def h(cls, fields): return [f.evolve(default=[[1||2]]) for f in fields]
        @attrs.define(field_transformer=h)
        class C:
            a: int = 0
        def run(): return C().a""",
    "pyarrow scalar": """
        import pyarrow as pa
        S = pa.scalar([[1||2]])
        def run(): return S.as_py()""",
    "pyarrow schema": """
        import pyarrow as pa
        S = pa.schema([('[[a||b]]', pa.int8())])
        def run(): return S.names""",
    "pyarrow compute expr": """
        import pyarrow.compute as pc
        import pyarrow as pa
        E = pc.field('a') > [[1||2]]
        def run(): return pa.table({'a': [2]}).filter(E).num_rows""",
    "polars schema": """
        import polars as pl
        S = pl.Schema({'a': pl.[[Int8||Int16]]})
        def run(): return str(S['a'])""",
    "polars enum": """
        import polars as pl
        E = pl.Enum(['[[a||b]]'])
        def run(): return E.categories.to_list()""",
    "lazy_object_proxy": """
        import lazy_object_proxy as l
        P = l.Proxy(lambda: [[1||2]])
        def run(): return P + 0""",
    "hypothesis strategy": """
        from hypothesis import strategies as st
        S = st.just([[1||2]])
        def run(): return S.value""",
    "pydantic secretstr": """
        import pydantic
        class C(pydantic.BaseModel):
            k: pydantic.SecretStr = pydantic.SecretStr('x')
            u: str = '[[a||b]]'
        O = C()
        def run(): return O.u""",
    "pydantic dataclass": """
        import pydantic
        @pydantic.dataclasses.dataclass
        class C:
            a: int = [[1||2]]
        def run(): return C().a""",
    "anyio limiter": """
        import anyio
        L = anyio.CapacityLimiter([[1||2]])
        def run(): return L.total_tokens""",
    "annotated default": """
        from typing import Annotated, get_args
        T = Annotated[int, [[1||2]]]
        def run(): return get_args(T)[1]""",
    "typevar": """
        from typing import TypeVar
        T = TypeVar('T', bound=[[int||str]])
        def run(): return T.__bound__.__name__""",
    "template string": """
        from string import Template
        T = Template('$x [[a||b]]')
        def run(): return T.substitute(x=1)""",
    "simplenamespace": """
        import types
        N = types.SimpleNamespace(f=lambda: [[1||2]])
        def run(): return N.f()""",
    "ipaddress": """
        import ipaddress
        N = ipaddress.ip_network('10.0.0.0/[[8||16]]')
        def run(): return N.num_addresses""",
    "csv dialect": """
        import csv
        class D(csv.excel): delimiter = '[[;||,]]'
        def run(): return next(csv.reader(['a;b'], dialect=D))""",
    "difflib": """
        import difflib
        S = difflib.SequenceMatcher(None, 'abc', '[[abd||xyz]]')
        def run(): return S.ratio()""",
    "validator of jsonschema with a reference": """
        import jsonschema
        kinds = {"a": {"type": "[[integer||string]]"}}
        v = jsonschema.Draft7Validator({"$defs": kinds, "$ref": "#/$defs/a"})
        def run(): return v.is_valid(1)""",
    "map of rpds": """
        import rpds
        held = rpds.HashTrieMap({"a": 1, "b": 2, "c": [[3||4]]})
        def run(): return held["c"]""",
    "set of rpds": """
        import rpds
        held = rpds.HashTrieSet(["a", "b", "[[c||d]]"])
        def run(): return sorted(held)""",
}

LIBRARIES = shapes_from("library", _PROGRAMS)
