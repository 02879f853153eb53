"""The identity of classes, functions and tasks that travel by value, across processes.

Each gets a key when it is first sent, and the key travels with it. By the key a process recognises
a thing that it already has, and never builds a second one:

- The process that made a thing keeps its own, unchanged, whatever comes back.
- A worker's copy is renewed by each request that brings it, since its maker may have changed it.
- A reply changes nothing that is there.

So a reply can send the key alone of a thing that came with the function that was called.
"""

from __future__ import annotations

import uuid
import weakref
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any

from flowweaver.errors import FlowWeaverError
from flowweaver.executors._workers.script import put


class LostIdentityError(FlowWeaverError, LookupError):
    """A reply names a thing that is no longer there."""


class Errand(Enum):
    """What something is sent for."""

    FUNCTION = "a function, to a worker"
    ARGUMENTS = "what it is called with"
    REPLY = "what came of the call, back to who sent the function"
    REPORT = "what came of the call, for other workers too"


@dataclass(slots=True)
class _Known:
    """What is known of one thing; `run` is the run in which it came with a function, 0 if none."""

    ref: weakref.ref[Any]
    key: str
    is_own: bool
    is_complete: bool
    run: int = 0


_things: weakref.WeakValueDictionary[str, Any] = weakref.WeakValueDictionary()
_known: dict[int, _Known] = {}
_run = 1


def reduced(
    thing: Any, by_value: tuple[Any, ...], errand: Errand, name: str = ""
) -> tuple[Any, ...]:
    """Return, in the form of `__reduce__`, how a thing is pickled so that it is recognised there.

    Args:
        thing: A class, function or task.
        by_value: How it would be built anew: 2 items, or 6 with a setter of its state.
        errand: What it is sent for.
        name: Its name in the main module; "" if it has none there.
    """
    known = _of(thing) or _note(thing, uuid.uuid4().hex, is_own=True)
    if errand is Errand.REPLY and known.run == _run:
        return _find, (known.key, f"{thing!r}")
    make, arguments, *rest = by_value
    head = _make, (known.key, errand, name, make, arguments)
    if not rest:
        return head
    state, _, _, set_state = rest
    return (*head, (errand, set_state, state), None, None, _set_state)


def begin_run() -> None:
    """Assume that no function has come yet: the sender of earlier ones may have dropped them."""
    global _run  # noqa: PLW0603
    _run += 1


def _find(key: str, shown: str) -> Any:
    thing = _things.get(key)
    if thing is None:
        raise LostIdentityError(f"{shown} is no longer in the process that sent it to a worker")
    return thing


def _make(
    key: str, errand: Errand, name: str, make: Callable[..., Any], arguments: tuple[Any, ...]
) -> Any:
    thing = _things.get(key)
    if thing is None or (_renews(errand) and not _known[id(thing)].is_own):
        thing = make(*arguments)
    known = _of(thing) or _note(thing, key, is_own=False)
    if errand is Errand.FUNCTION:
        known.run = _run
    if name and not known.is_own:
        put(name, thing)
    return thing


def _set_state(thing: Any, parts: tuple[Errand, Callable[[Any, Any], None], Any]) -> None:
    errand, set_state, state = parts
    known = _known[id(thing)]
    if not known.is_own and (_renews(errand) or not known.is_complete):
        set_state(thing, state)
        known.is_complete = True


def _renews(errand: Errand) -> bool:
    return errand in (Errand.FUNCTION, Errand.ARGUMENTS)


def _of(thing: Any) -> _Known | None:
    known = _known.get(id(thing))
    return known if known is not None and known.ref() is thing else None


def _note(thing: Any, key: str, *, is_own: bool) -> _Known:
    number = id(thing)
    ref = weakref.ref(thing, lambda _: _known.pop(number, None))
    _known[number] = known = _Known(ref, key, is_own, is_complete=is_own)
    _things[key] = thing
    return known
