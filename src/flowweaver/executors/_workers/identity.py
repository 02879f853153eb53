"""What classes, functions and tasks that travel by value are, in whichever process they turn up.

Each gets a key when it is first sent, and the key goes along. By it a process knows a thing that it
has, and never builds a second one:

- Who made a thing keeps it, untouched, whatever comes back.
- What a worker was given by requests, the next request renews: its maker may have changed it.
- What comes back the other way changes nothing that is there.

So a reply can say the key alone of what came with the function that was called.
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
    """What a reply names is not there any more."""


class Errand(Enum):
    """What is sent, and to whom."""

    FUNCTION = "a function, to a worker"
    ARGUMENTS = "what it is called with"
    REPLY = "what came of the call, back to who sent the function"
    REPORT = "what came of the call, for other workers too"


@dataclass(slots=True)
class _Known:
    """What is known of one thing; `run` is the one it came with a function in, 0 if in none."""

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
    """Return what `__reduce__` would, so that the thing is known again where it arrives.

    Args:
        thing: A class, function or task.
        by_value: What would have it made there: 2 items, or 6 with what sets the state.
        errand: What it is sent for.
        name: What it is called in the main module, if it has a name there.
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
    """Take it that no function came yet: who sent earlier ones may have let go of them."""
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
    place = id(thing)
    ref = weakref.ref(thing, lambda _: _known.pop(place, None))
    _known[place] = known = _Known(ref, key, is_own, is_complete=is_own)
    _things[key] = thing
    return known
