"""Functions and values in the hands of installed libraries, wherever these keep them."""

from __future__ import annotations

from tests.fingerprint.shapes.shape import shapes_from

# Each wraps `f`, whose body is edited, and leaves it to be called as `f()`.
_DECORATORS = {
    "tenacity": "import tenacity\n@tenacity.retry(stop=tenacity.stop_after_attempt(3))",
    "wrapt": """
        import wrapt
        @wrapt.decorator
        def passing(wrapped, instance, args, kwargs): return wrapped(*args, **kwargs)
        @passing""",
    "deprecated": "import deprecated\n@deprecated.deprecated('old')",
    "cachetools": "import cachetools\n@cachetools.cached({})",
    "cachetools with a clock": "import cachetools\n@cachetools.cached(cachetools.TTLCache(9, 60))",
    "toolz curry": "import toolz\n@toolz.curry",
    "toolz memoize": "import toolz\n@toolz.memoize",
    "cytoolz curry": "import cytoolz\n@cytoolz.curry",
    "cytoolz memoize": "import cytoolz\n@cytoolz.memoize",
    "pydantic": "import pydantic\n@pydantic.validate_call",
    "beartype": "from beartype import beartype\n@beartype",
    "typeguard": "from typeguard import typechecked\n@typechecked",
    "diskcache": "import diskcache\n@diskcache.Cache('kept').memoize(expire=0)",
    "decorator": """
        import decorator
        @decorator.decorator
        def passing(fn, *args, **kwargs): return fn(*args, **kwargs)
        @passing""",
    "backoff": "import backoff\n@backoff.on_exception(backoff.expo, OSError, max_tries=3)",
    "joblib": "import joblib\n@joblib.Memory(None, verbose=0).cache",
    "funcy memoize": "import funcy\n@funcy.memoize",
    "funcy retry": "import funcy\n@funcy.retry(3)",
    "funcy ignore": "import funcy\n@funcy.ignore(OSError)",
    "boltons": """
        from boltons.funcutils import wraps
        def passing(fn):
            @wraps(fn)
            def wrapper(*args, **kwargs): return fn(*args, **kwargs)
            return wrapper
        @passing""",
    "boltons cached": "from boltons.cacheutils import LRU, cached\n@cached(LRU())",
    "stamina": "import stamina\n@stamina.retry(on=OSError)",
    "retrying": "import retrying\n@retrying.retry",
    "multipledispatch": "import multipledispatch\n@multipledispatch.dispatch()",
    "plum": "import plum\n@plum.dispatch",
    "methodtools": "import methodtools\n@methodtools.lru_cache()",
    "numpy vectorize": "import numpy\n@numpy.vectorize",
    "contextmanager as decorator": """
        import contextlib
        @contextlib.contextmanager
        def around(): yield
        @around()""",
    "singledispatch": "import functools\n@functools.singledispatch",
    "lru_cache": "import functools\n@functools.lru_cache",
    "twice decorated": "import funcy, tenacity\n@tenacity.retry\n@funcy.memoize",
}


def _decorated(decorator: str) -> str:
    lines = decorator.strip("\n").splitlines()
    margin = len(lines[0]) - len(lines[0].lstrip())
    text = "\n".join(line[margin:] for line in lines)
    takes = "x=1" if "singledispatch" in text or "vectorize" in text else ""
    call = "f(1)" if takes else "f()"
    head = "import sys\nsys.setrecursionlimit(3000)\n" if "twice" in text else ""
    return f"{head}{text}\ndef f({takes}): return [[1||2]]\ndef run(): return int({call})\n"


WRAPPERS = shapes_from(
    "wrapper",
    {
        **{name: _decorated(text) for name, text in _DECORATORS.items()},
        "stop of tenacity": """
            import tenacity
            @tenacity.retry(stop=tenacity.stop_after_attempt([[2||3]]), reraise=True)
            def f():
                COUNT.append(1)
                raise OSError
            COUNT = []
            def run():
                COUNT.clear()
                try:
                    f()
                except OSError:
                    return len(COUNT)
            """,
        "stop of tenacity from the environment": """
            import os, tenacity
            def f():
                COUNT.append(1)
                raise OSError
            COUNT = []
            f = tenacity.retry(
                stop=tenacity.stop_after_attempt(int(os.environ["V"])), reraise=True
            )(f)
            def run():
                COUNT.clear()
                try:
                    f()
                except OSError:
                    return len(COUNT)
            """,
        "tenacity by a call": """
            import tenacity
            def g(): return [[1||2]]
            f = tenacity.retry(g)
            def run(): return f()
            """,
        "wrapt in a dict": """
            import wrapt
            @wrapt.decorator
            def passing(wrapped, instance, args, kwargs): return wrapped(*args, **kwargs)
            def g(): return [[1||2]]
            TABLE = {"g": passing(g)}
            def run(): return TABLE["g"]()
            """,
        "decorator of wrapt": """
            import wrapt
            @wrapt.decorator
            def adding(wrapped, instance, args, kwargs): return wrapped() + [[1||2]]
            @adding
            def f(): return 0
            def run(): return f()
            """,
        "proxy of wrapt": """
            import wrapt
            p = wrapt.ObjectProxy({"a": [[1||2]]})
            def run(): return p["a"]
            """,
        "composed by toolz": """
            import toolz
            def f(x): return x + [[1||2]]
            g = toolz.compose(str, f)
            def run(): return g(1)
            """,
        "composed by cytoolz": """
            import cytoolz
            def f(x): return x + [[1||2]]
            g = cytoolz.compose(str, f)
            def run(): return g(1)
            """,
        "juxtaposed by cytoolz": """
            import cytoolz
            def f(x): return x + [[1||2]]
            g = cytoolz.juxt(f, f)
            def run(): return list(g(1))
            """,
        "argument of toolz curry": """
            import toolz
            def f(x, y): return x + y
            g = toolz.curry(f)([[1||2]])
            def run(): return g(1)
            """,
        "argument of cytoolz curry": """
            import cytoolz
            def f(x, y): return x + y
            g = cytoolz.curry(f)([[1||2]])
            def run(): return g(1)
            """,
        "annotation that pydantic reads": """
            import pydantic
            @pydantic.validate_call
            def f(x: [[int||str]]): return type(x).__name__
            def run():
                try:
                    return f("1")
                except pydantic.ValidationError:
                    return "refused"
            """,
        "class in an annotation that pydantic reads": """
            import pydantic
            class M(pydantic.BaseModel):
                x: int = [[1||2]]
            @pydantic.validate_call
            def f(m: M): return m.x
            def run(): return f({})
            """,
        "annotation that beartype reads": """
            from beartype import beartype
            from beartype.roar import BeartypeCallHintViolation
            @beartype
            def f(x: [[int||str]]): return x
            def run():
                try:
                    return f(1)
                except BeartypeCallHintViolation:
                    return "refused"
            """,
        "annotation that plum reads": """
            import plum
            @plum.dispatch
            def f(x: [[int||str]]): return "one"
            @plum.dispatch
            def f(x: object): return "other"
            def run(): return f(1)
            """,
        "second of two under multipledispatch": """
            import multipledispatch
            @multipledispatch.dispatch(int)
            def f(x): return 1
            @multipledispatch.dispatch(str)
            def f(x): return [[1||2]]
            def run(): return f("a")
            """,
        "implementation under singledispatch": """
            import functools
            @functools.singledispatch
            def f(x): return 0
            @f.register(int)
            def _(x): return [[1||2]]
            def run(): return f(1)
            """,
        "ufunc of numpy": """
            import numpy
            def f(x): return x + [[1||2]]
            g = numpy.frompyfunc(f, 1, 1)
            def run(): return g(1)
            """,
        "option of click": """
            import click
            @click.command()
            @click.option("--x", default=[[1||2]])
            def f(x): return x
            def run(): return f.main([], standalone_mode=False)
            """,
        "group of click": """
            import click
            @click.group()
            def top(): pass
            @top.command()
            def f(): return [[1||2]]
            def run(): return top.main(["f"], standalone_mode=False)
            """,
        "safe of returns": """
            from returns.result import safe
            @safe
            def f(): return [[1||2]]
            def run(): return f().unwrap()
            """,
        "cache of asyncstdlib": """
            import asyncio, asyncstdlib
            @asyncstdlib.lru_cache
            async def f(): return [[1||2]]
            def run(): return asyncio.run(f())
            """,
        "cache of aiocache": """
            import asyncio, aiocache
            @aiocache.cached(noself=True, key="k")
            async def f(): return [[1||2]]
            def run(): return asyncio.run(f(cache_read=False, cache_write=False))
            """,
        "method under methodtools": """
            import methodtools
            class A:
                @methodtools.lru_cache()
                def f(self): return [[1||2]]
            def run(): return A().f()
            """,
        "property of funcy": """
            import funcy
            class A:
                @funcy.cached_property
                def f(self): return [[1||2]]
            def run(): return A().f
            """,
        "transformer of sklearn": """
            from sklearn.preprocessing import FunctionTransformer
            def f(x): return [[1||2]]
            t = FunctionTransformer(f)
            def run(): return t.transform([[0]])
            """.replace("[[0]]", "[ [0] ]"),
        "parameter of an estimator": """
            from sklearn.linear_model import LogisticRegression
            model = LogisticRegression(C=[[1||2]])
            def run(): return model.C
            """,
        "pipeline of sklearn": """
            from sklearn.pipeline import make_pipeline
            from sklearn.preprocessing import FunctionTransformer, StandardScaler
            pipe = make_pipeline(StandardScaler(), FunctionTransformer(lambda x: [[1||2]]))
            def run(): return pipe.steps[1][1].transform(0)
            """,
        "expression of polars": """
            import polars
            e = polars.col("a") + [[1||2]]
            def run(): return polars.DataFrame({"a": [1]}).select(e).item()
            """,
        "function in an expression of polars": """
            import polars
            def f(x): return x + [[1||2]]
            e = polars.col("a").map_elements(f, return_dtype=polars.Int64)
            def run(): return polars.DataFrame({"a": [1]}).select(e).item()
            """,
        "filter of jinja2": """
            import jinja2
            def f(text): return text + "[[a||b]]"
            env = jinja2.Environment()
            env.filters["f"] = f
            def run(): return env.from_string("{{ 'x'|f }}").render()
            """,
        "template of jinja2": """
            import jinja2
            t = jinja2.Template("[[a||b]] {{ x }}")
            def run(): return t.render(x=1)
            """,
        "plug-in of pluggy": """
            import pluggy
            spec, impl = pluggy.HookspecMarker("p"), pluggy.HookimplMarker("p")
            class Spec:
                @spec
                def go(self): pass
            class Plugin:
                @impl
                def go(self): return [[1||2]]
            manager = pluggy.PluginManager("p")
            manager.add_hookspecs(Spec)
            manager.register(Plugin())
            def run(): return manager.hook.go()
            """,
        "lazy proxy": """
            import lazy_object_proxy
            def make(): return [[1||2]]
            p = lazy_object_proxy.Proxy(make)
            def run(): return p + 0
            """,
        "limit of limits": """
            import limits
            limit = limits.parse("[[5||6]]/minute")
            def run(): return limit.amount
            """,
        "iterator of more_itertools": """
            import more_itertools
            def f(x): return x + [[1||2]]
            def run(): return list(more_itertools.map_reduce([1], f))
            """,
        "peekable of more_itertools": """
            import more_itertools
            p = more_itertools.peekable([ [[1||2]] ])
            def run(): return p.peek()
            """,
        "signal in a list of a library": """
            import sortedcontainers
            def f(x): return [[1||-1]] * x
            keyed = sortedcontainers.SortedKeyList([1, 2], key=f)
            def run(): return list(keyed)
            """,
        "environment in a library's object": """
            import os, cachetools
            c = cachetools.LRUCache(maxsize=int(os.environ["V"]))
            def run(): return c.maxsize
            """,
        "session of requests": """
            import requests
            s = requests.Session()
            s.headers["X"] = "[[a||b]]"
            def run(): return s.headers["X"]
            """,
        "client of httpx": """
            import httpx
            c = httpx.Client(base_url="http://[[a||b]]/")
            def run(): return c.base_url.host
            """,
        "graph of networkx": """
            import networkx
            g = networkx.path_graph([[3||4]])
            def run(): return len(g)
            """,
        "logger of loguru": """
            from loguru import logger
            log = logger.bind(a=1)
            def f(): log.debug("x"); return [[1||2]]
            def run(): return f()
            """,
        "logger of structlog": """
            import structlog
            log = structlog.get_logger()
            def f(): return [[1||2]] if log else 0
            def run(): return f()
            """,
        "task of another workflow": """
            from flowweaver import task
            @task
            def f(): return [[1||2]]
            def run(): return f()
            """,
    },
)
