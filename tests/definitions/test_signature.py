"""What a function takes, read fast, as `inspect` would read it."""

import functools
import inspect
from collections.abc import AsyncIterator, Callable, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowweaver.definitions.signature import Signature, read_signature


@st.composite
def functions(draw: st.DrawFn) -> Callable[..., object]:
    """Draw a function with parameters of every kind, with and without defaults."""
    positional, both, keyword = (draw(st.integers(0, 3)) for _ in range(3))
    defaults = draw(st.integers(0, positional + both))
    names = [f"p{n}" for n in range(positional)] + [f"b{n}" for n in range(both)]
    split = len(names) - defaults
    shown = names[:split] + [f"{name}=0" for name in names[split:]]
    if positional:
        shown.insert(positional, "/")
    if draw(st.booleans()):
        shown.append("*args")
    elif keyword:
        shown.append("*")
    for n in range(keyword):
        shown.append(f"k{n}" + draw(st.sampled_from(["", "=0"])))
    if draw(st.booleans()):
        shown.append("**kwargs")
    made: Callable[..., object] = eval(f"lambda {', '.join(shown)}: 0")
    return made


def as_inspect_says(fn: Callable[..., object]) -> Signature:
    found = inspect.signature(fn).parameters.values()
    by_name = [p for p in found if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)]
    return Signature(
        required=tuple(p.name for p in by_name if p.default is p.empty),
        optional=tuple(p.name for p in by_name if p.default is not p.empty),
        takes_any=any(p.kind is p.VAR_KEYWORD for p in found),
        positional_only=tuple(p.name for p in found if p.kind is p.POSITIONAL_ONLY),
    )


@given(functions())
def test_plain_function_is_read_as_inspect_reads_it(fn: Callable[..., object]) -> None:
    assert read_signature(fn) == as_inspect_says(fn)


@given(functions())
def test_wrapped_function_is_read_as_the_one_inside(fn: Callable[..., object]) -> None:
    @functools.wraps(fn)
    def wrapper(*args: object, **kwargs: object) -> object:
        return fn(*args, **kwargs)

    assert read_signature(wrapper) == as_inspect_says(fn)


async def a_coroutine(x: int) -> None: ...


def a_generator(x: int) -> Iterator[int]:
    yield x


async def an_async_generator(x: int) -> AsyncIterator[int]:
    yield x


class Caller:
    async def __call__(self, x: int) -> None: ...

    async def method(self, x: int) -> None: ...


@pytest.mark.parametrize(
    "fn", [a_coroutine, functools.partial(a_coroutine, 1), Caller(), Caller().method]
)
def test_call_that_gives_a_coroutine_is_seen_through_what_wraps_it(
    fn: Callable[..., object],
) -> None:
    signature = read_signature(fn)
    assert signature.is_coroutine
    assert not signature.is_generator


@pytest.mark.parametrize("fn", [a_generator, an_async_generator, functools.partial(a_generator, 1)])
def test_generator_is_told_from_a_coroutine(fn: Callable[..., object]) -> None:
    signature = read_signature(fn)
    assert signature.is_generator
    assert not signature.is_coroutine


@pytest.mark.parametrize("fn", [len, print, dict, lambda x: x])
def test_plain_call_gives_its_result(fn: Callable[..., object]) -> None:
    signature = read_signature(fn)
    assert not signature.is_coroutine
    assert not signature.is_generator


def load(path: str, size: int = 3, *, deep: bool) -> None: ...


class Loader:
    def __init__(self, root: str = "/") -> None: ...

    def __call__(self, path: str) -> None: ...

    def method(self, path: str, size: int = 1) -> None: ...


@pytest.mark.parametrize(
    ("fn", "required", "optional"),
    [
        (functools.partial(load, "here"), ("deep",), ("size",)),
        (functools.partial(load, path="here"), ("deep",), ("path", "size")),
        (Loader("/").method, ("path",), ("size",)),
        (Loader("/"), ("path",), ()),
        (Loader, (), ("root",)),
        (functools.cache(load), ("path", "deep"), ("size",)),
    ],
    ids=["partial", "partial by name", "bound method", "callable", "class", "cached"],
)
def test_callables_of_other_kinds(
    fn: Callable[..., object], required: tuple[str, ...], optional: tuple[str, ...]
) -> None:
    found = read_signature(fn)
    assert (found.required, found.optional) == (required, optional)


def test_async_function_is_read_as_a_sync_one() -> None:
    async def wait(seconds: float, *, why: str = "") -> None: ...

    assert read_signature(wait) == Signature(
        ("seconds",), ("why",), takes_any=False, positional_only=(), is_coroutine=True
    )


def test_what_cant_be_inspected_takes_nothing_by_name() -> None:
    assert read_signature(max) == Signature((), (), False, ())


def test_functions_of_one_code_with_other_defaults_are_told_apart() -> None:
    def make(default: int | None) -> Callable[..., object]:
        def fn(amount: int | None) -> None: ...

        fn.__defaults__ = None if default is None else (default,)
        return fn

    assert read_signature(make(None)).required == ("amount",)
    assert read_signature(make(3)).optional == ("amount",)
