"""Short, safe words for values, types, errors and sizes, for messages and previews."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from types import BuiltinFunctionType, FunctionType, ModuleType
from typing import TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Raised:
    """What a contained call raised, in place of its result."""

    error: BaseException


def contained(function: Callable[..., T], *args: object) -> T | Raised:
    """Call `function` and return its result, or whatever it raised.

    For code that came with a value (`__reduce__`, `__eq__`, `__str__`, a codec): even a
    `SystemExit` of it must harm only that value. `KeyboardInterrupt` is the user's and passes.
    """
    try:
        return function(*args)
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        return Raised(error)


def clean(text: str) -> str:
    r"""Return `text` with all that doesn't print (controls, ANSI, bidi marks) as ``\x..``."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def shorten(text: str, limit: int) -> str:
    """Return at most `limit` characters of `text`; a cut shows as an ellipsis."""
    return text if len(text) <= limit else text[: max(limit - 1, 0)] + "…"


def type_name(kind: type) -> str:
    """Return "module.Class", or "Class" alone for a builtin."""
    # type's own repr, since a metaclass may bring a hostile one: "<class 'module.Class'>".
    return shorten(clean(type.__repr__(kind)[8:-2]), 120)


def describe(value: object) -> str:
    """Return what `value` is, such as "module 'os'" or "_thread.lock", never its content."""
    if isinstance(value, ModuleType):
        return shorten(clean(f"module {value.__name__!r}"), 120)
    if isinstance(value, FunctionType | BuiltinFunctionType):
        return shorten(clean(f"function '{value.__module__}.{value.__qualname__}'"), 120)
    if isinstance(value, type):
        return f"class '{type_name(value)}'"
    return type_name(type(value))


def error_text(error: BaseException) -> str:
    """Return "ErrorType: first line of its message"; an error that won't say gives its type."""
    text = contained(str, error)
    first_line = "" if isinstance(text, Raised) else text.partition("\n")[0]
    name = type_name(type(error))
    return f"{name}: {shorten(clean(first_line), 200)}" if first_line else name


def size_text(size: int) -> str:
    """Return a number of bytes for people: "12 B", "1.2 KB", "3.4 MB"."""
    if size < 1000:
        return f"{size} B"
    amount = float(size)
    for unit in ("KB", "MB"):
        amount /= 1000
        if amount < 999.95:
            return f"{amount:.1f} {unit}"
    return f"{amount / 1000:.1f} GB"
