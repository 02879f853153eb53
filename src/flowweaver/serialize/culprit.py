"""The innermost part of a value that can't be stored, and the path to it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import PurePath
from typing import Any, TypeAlias

from flowweaver.errors import UnstorableError
from flowweaver.serialize.describe import Raised, contained, describe, error_text
from flowweaver.serialize.shape import ATOMIC, PLAIN
from flowweaver.serialize.trail import Step, Trail, render
from flowweaver.serialize.verdicts import SecretMet, Verdict

SECRET_REASON = (
    "there is a secret in it, and secrets are used and never kept; leave it out, or give it as a "
    "parameter that is a Secret"
)

FailureOf: TypeAlias = Callable[[object], BaseException | None]
Part: TypeAlias = tuple[Step, object]

# Above any depth that pickle reaches; an object may make up new parts each time it is asked.
_MAX_STEPS = 1_000
# Attributes of builtin types that are neither in `__dict__` nor in `__slots__`.
_HIDDEN_ATTRIBUTES = ("args", "default_factory", "func", "keywords", "tzinfo")


def unstorable(
    value: object, root: str, error: BaseException, failure_of: FailureOf
) -> UnstorableError:
    """Return the error for a value that failed, leading to the part that fails alone.

    `failure_of` returns what a part raises when stored alone, or None.
    """
    trail: Trail = None
    seen = {id(value)}
    for _ in range(_MAX_STEPS):
        found = _failing_part(value, error, seen, failure_of)
        if found is None:
            break
        step, value, error = found
        trail = (trail, step)
        seen.add(id(value))
    if isinstance(error, SecretMet):
        return UnstorableError(render(root, trail), SECRET_REASON)
    why = str(error) if isinstance(error, Verdict) else error_text(error)
    advice = "return plain data instead, or register a codec for its type"
    return UnstorableError(render(root, trail), f"{describe(value)} ({why}); {advice}")


def _failing_part(
    value: object, error: BaseException, seen: set[int], failure_of: FailureOf
) -> tuple[Step, object, BaseException] | None:
    for step, part in _parts_of(value, error):
        if (type(part) in PLAIN and type(part) is not str) or id(part) in seen:
            continue
        part_error = failure_of(part)
        if part_error is not None:
            return step, part, part_error
    return None


def _parts_of(value: Any, error: BaseException) -> Iterable[Part]:
    """Return what a value is made of: items of builtin containers, else what pickle takes."""
    kind = type(value)
    if isinstance(error, SecretMet) and (kind in ATOMIC or issubclass(kind, PurePath)):
        return []
    if kind is dict:
        return _dict_parts(value.items())
    if kind in (list, tuple, set, frozenset):
        return [(("item", n), part) for n, part in enumerate(value)]
    if isinstance(error, Verdict | RecursionError):
        # It is the object that no form takes; and a chain of them, link by link, tells nothing.
        return []
    parts = contained(lambda: list(_reduced_parts(value)))
    return [] if isinstance(parts, Raised) else parts


def _dict_parts(pairs: Iterable[tuple[object, object]]) -> Iterator[Part]:
    for n, (key, item) in enumerate(pairs):
        yield ("key", n), key
        yield ("item", key), item


def _reduced_parts(value: Any) -> Iterator[Part]:
    """Yield the parts of an object by its own `__reduce_ex__`, in the order pickle writes them.

    May raise whatever that does.
    """
    reduced = value.__reduce_ex__(5)
    if type(reduced) is not tuple:
        return
    args, state, items, pairs = (*reduced[1:5], None, None, None)[:4]
    if isinstance(value, tuple | set | frozenset):
        args, items = (), value
    for n, part in enumerate(args):
        if part is not type(value):
            yield ("attribute", _name_of(value, part) or f"__reduce_ex__(5)[1][{n}]"), part
    yield from ((("item", n), part) for n, part in enumerate(items or ()))
    yield from _dict_parts(pairs or ())
    for part in state if type(state) in (tuple, list) else [state]:
        name = _name_of(value, part)
        if name is None and type(part) is dict:
            yield from ((("attribute", name), item) for name, item in part.items())
        else:
            yield ("attribute", name or "__reduce_ex__(5)[2]"), part


def _name_of(value: Any, part: object) -> str | None:
    """Return the attribute that holds a part of which only the identity is known."""
    own = getattr(value, "__dict__", ())
    for name in (*own, *_slot_names(type(value)), *_HIDDEN_ATTRIBUTES):
        if getattr(value, name, None) is part:
            return str(name)
    args = getattr(value, "args", None)
    positions = enumerate(args) if type(args) is tuple else ()
    return next((f"args[{n}]" for n, arg in positions if arg is part), None)


def _slot_names(kind: type) -> Iterator[str]:
    for base in kind.__mro__:
        slots = base.__dict__.get("__slots__", ())
        yield from (slots,) if isinstance(slots, str) else slots
