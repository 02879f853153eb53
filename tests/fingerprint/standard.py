"""Small programs over what Python's standard library makes, which its versions make otherwise.

In each, `X` is what the program's function `run` reaches.
"""

from __future__ import annotations

_PLAIN = """
import functools
def plain(x: int = 1) -> int:
    "Return it."
    return x
"""
_WRAPPING = {
    "lru_cache": "X = functools.lru_cache(maxsize=3)(plain)",
    "cache": "X = functools.cache(plain)",
    "cache as a decorator": "@functools.cache\ndef X(): return 1",
    "wraps around a partial": "X = functools.wraps(plain)(functools.partial(plain, 2))",
    "partial": "X = functools.partial(plain, 2)",
    "partial method": "class X:\n    f = functools.partialmethod(plain, 1)",
    "cached property": "class X:\n    f = functools.cached_property(plain)",
    "cached method": "class X:\n    f = functools.lru_cache(plain)",
    "singledispatch": "X = functools.singledispatch(plain)\nX.register(int, lambda x: 2)",
    "singledispatchmethod": """
class X:
    @functools.singledispatchmethod
    def f(self, x): return 1
    @f.register
    def _(self, x: int): return 2
""",
    "class of a decorator": """
class Around:
    def __init__(self, fn): functools.update_wrapper(self, fn)
X = Around(plain)
""",
    "wrapper without source": """
def decorate(fn):
    return functools.wraps(fn)(lambda: fn())
X = decorate(plain)
""",
}
_CLASSES = {
    "dataclass": "@dataclasses.dataclass\nclass X:\n    a: int = 1",
    "dataclass with slots": """
@dataclasses.dataclass(slots=True, weakref_slot=True, frozen=True, order=True, kw_only=True)
class X:
    a: int = 1
    b: list = dataclasses.field(default_factory=list)
""",
    "object of a dataclass": "@dataclasses.dataclass\nclass A:\n    a: int = 1\nX = A(2)",
    "named tuple": "class X(typing.NamedTuple):\n    a: int = 1\n    b: str = ''",
    "named tuple by a call": "X = collections.namedtuple('X', 'a b', defaults=[1])",
    "object of a named tuple": "class A(typing.NamedTuple):\n    a: int = 1\nX = A(2)",
    "protocol": "class X(typing.Protocol):\n    def f(self) -> int: ...",
    "protocol at run time": """
@typing.runtime_checkable
class P(typing.Protocol):
    a: int
class X(P):
    a = 1
""",
    "generic": "T = typing.TypeVar('T')\nclass X(typing.Generic[T]):\n    a = 1",
    "typed dict": "class X(typing.TypedDict, total=False):\n    a: int",
    "typed dict by a call": "X = typing.TypedDict('X', {'a': int})",
    "enum": "class X(enum.Enum):\n    A = 1",
    "enum of texts": "class X(enum.StrEnum):\n    A = enum.auto()",
    "enum of a kind": "class X(str, enum.Enum):\n    A = 'a'",
    "flag": "class A(enum.Flag):\n    A = 1\n    B = 2\nX = A.A | A.B",
    "flag of numbers": "class X(enum.IntFlag):\n    A = 1\n    B = 2",
    "abstract": "class X(abc.ABC):\n    @abc.abstractmethod\n    def f(self): ...",
    "ordered": """
@functools.total_ordering
class X:
    def __eq__(self, other): return True
    def __lt__(self, other): return False
""",
    "of a path": "class X(pathlib.PurePosixPath):\n    a = 1",
    "of a stream": "class X(io.StringIO):\n    a = 1",
    "of a random generator": "class X(random.Random):\n    a = 1",
    "of a dict": "class X(collections.OrderedDict):\n    a = 1",
    "number with an attribute": "class A(int): ...\nX = A(3)\nX.a = 1",
    "text with an attribute": "class A(str): ...\nX = A('3')\nX.a = 1",
    "tuple with an attribute": "class A(tuple): ...\nX = A((3,))\nX.a = 1",
    "list with an attribute": "class A(list): ...\nX = A((3,))\nX.a = 1",
}
_TYPES = {
    "type variable": "X = typing.TypeVar('T')",
    "bound type variable": "X = typing.TypeVar('T', bound=int)",
    "parameter specification": "X = typing.ParamSpec('P')",
    "variadic": "X = typing.TypeVarTuple('T')",
    "new type": "X = typing.NewType('UserId', int)",
    "union": "X = int | str",
    "optional": "X = typing.Optional[int]",
    "union of a text": "X = typing.Union[int, 'str']",
    "alias": "X = dict[str, list[int]]",
    "callable": "X = collections.abc.Callable[[int], str]",
    "literal": "X = typing.Literal['a', 1]",
    "annotated": "X = typing.Annotated[int, 'a']",
}
_VALUES = {
    "range iterator": "X = iter(range(4))\nnext(X)",
    "long range iterator": "X = iter(range(2 ** 70, 2 ** 70 + 5))\nnext(X)",
    "list iterator": "X = iter([1, 2])\nnext(X)",
    "count": "X = itertools.count(3)",
    "path": "X = pathlib.Path('/a/b')",
    "deque": "X = collections.deque([1, 2], 3)",
    "counter": "X = collections.Counter('aab')",
    "default dict": "X = collections.defaultdict(list, a=[1])",
    "random generator": "X = random.Random(3)",
    "decimal context": "X = decimal.Context(prec=5)",
    "moment in a zone": "X = datetime.datetime(2020, 1, 1, tzinfo=zoneinfo.ZoneInfo('UTC'))",
    "network": "X = ipaddress.ip_network('10.0.0.0/8')",
    "item getter": "X = operator.itemgetter(1)",
    "pattern": "X = re.compile('a+', re.I)",
    "encoder": "X = json.JSONEncoder(indent=1)",
    "decoder": "X = json.JSONDecoder()",
    "lock": "X = threading.RLock()",
    "event": "X = threading.Event()",
    "text stream": "X = io.StringIO('abc')",
    "context variable": "X = contextvars.ContextVar('x', default=1)",
    "signature": "X = inspect.signature(plain)",
    "error": "X = ExceptionGroup('a', [ValueError(1)])",
    "normal distribution": "X = statistics.NormalDist(1, 2)",
    "method of a text": "X = 'a'.upper",
}
_STARTED = """
def go():
    numbers = [each for each in range(3)]
    yield 1
    try:
        yield 2
    except ZeroDivisionError:
        yield 3
    finally:
        yield numbers
    yield from go()
X = go()
{}
"""
_ASYNC = """
class Pause:
    def __await__(self): yield 1
class Around:
    async def __aenter__(self): await Pause()
    async def __aexit__(self, *of): await Pause()
async def go():
    async with Around() as a:
        await Pause()
    return 1
X = go()
X.send(None)
"""
_SUSPENDED = {
    f"generator after {steps}": _STARTED.format("next(X)\n" * steps) for steps in range(5)
} | {
    f"coroutine after {steps}": f"{_ASYNC}{'X.send(None)' if steps == 2 else ''}"
    for steps in (1, 2)
}

_IMPORTS = (
    "import abc, collections, collections.abc, contextvars, dataclasses, datetime, decimal, enum, "
    "inspect, io, ipaddress, itertools, json, operator, pathlib, random, re, statistics, "
    "threading, typing, zoneinfo"
)
STANDARD = {
    name: f"{_IMPORTS}\n{_PLAIN}\n{text}\ndef run():\n    return type(X).__name__\n"
    for name, text in {**_WRAPPING, **_CLASSES, **_TYPES, **_VALUES, **_SUSPENDED}.items()
}
