"""What code of the project a registry holds, whatever data may be beside it."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from functools import partial
from types import FunctionType, MethodType
from typing import Any

from flowweaver.fingerprint.apart import held_by
from flowweaver.fingerprint.kinds import is_a, is_any_of
from flowweaver.fingerprint.standing import How, standing_of, standing_of_class
from flowweaver.fingerprint.values import are_scalars, is_scalar

_MOST = 100_000  # objects; what holds more is no registry
_SEQUENCES = (list, tuple, set, frozenset, deque)


def code_held_by(value: object) -> list[object]:
    """Return the project's functions and classes that a value holds, in containers and objects.

    Unlike a digest it passes over data, so that asking often costs little.
    """
    found: dict[int, object] = {}
    seen = {id(value)}
    waiting = deque([value])
    while waiting and len(seen) < _MOST:
        holder = waiting.popleft()
        if is_any_of(holder, (FunctionType, type)):
            if standing_of(holder).how is How.MEANING:
                found[id(holder)] = holder
            continue
        parts = _parts(holder)
        if not are_scalars(parts):
            new = {id(part): part for part in parts if not is_scalar(part)}
            waiting.extend(new[key] for key in new.keys() - seen)
            seen |= new.keys()
    return [*found.values()]


def _parts(holder: Any) -> Sequence[object]:
    if is_any_of(holder, (dict, *_SEQUENCES)) and len(holder) > _MOST:
        return ()
    if is_a(holder, dict):
        return (*holder.keys(), *holder.values())
    if is_any_of(holder, _SEQUENCES):
        return tuple(holder)
    if is_a(holder, partial):
        return (holder.func, *holder.args, *holder.keywords.values())
    if is_a(holder, MethodType):
        return (holder.__func__, holder.__self__)
    if standing_of_class(type(holder)).how is How.MEANING:
        return (type(holder), *(part for _, part in held_by(holder)))
    return ()
