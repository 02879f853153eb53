"""Fingerprints of callables, each worked out once."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from threading import RLock
from types import FunctionType
from typing import Any
from weakref import WeakKeyDictionary

from flowweaver.errors import DefinitionError
from flowweaver.fingerprint import nodes
from flowweaver.fingerprint.kinds import is_task, module_of
from flowweaver.fingerprint.live import Found, uses_of
from flowweaver.fingerprint.parts import CodeFingerprint, CodePart, hex_digest
from flowweaver.fingerprint.reach import Reach
from flowweaver.fingerprint.things import (
    Notes,
    PackageThing,
    Thing,
    ValueThing,
    Witness,
    still_holds,
)
from flowweaver.forks import keep_free_in_copies


@dataclass(frozen=True, slots=True)
class _Kept:
    fingerprint: CodeFingerprint
    witnesses: tuple[Witness, ...]


_kept: WeakKeyDictionary[FunctionType, _Kept] = WeakKeyDictionary()
_lock = RLock()
keep_free_in_copies(_lock)


def fingerprint_callable(fn: Callable[..., object]) -> CodeFingerprint:
    """Return the fingerprint of what a callable means.

    It covers the callable's own code and all that this reaches in the user's project: functions,
    classes, constants, closures and defaults, and the versions of installed packages. Comments,
    docstrings, formatting, annotations, the names of locals and the place and order of
    definitions play no part. It is the same in each process, on each machine and under each
    Python version, but for what `CodeFingerprint.unseen` names.

    A function's is worked out once, and again only if a name that it rests on was bound anew, as
    in a notebook. That a value was changed in place is noticed only after `forget_values`.

    Args:
        fn: A function, method, class, partial or callable object; a task stands for its function.

    Raises:
        DefinitionError: `fn` is not callable.
    """
    if not callable(fn):
        raise DefinitionError(f"{fn!r} is not callable: give a function or a callable object")
    target: Any = fn
    while is_task(target):
        target = target.fn
    with _lock:
        if not isinstance(target, FunctionType):
            return _worked_out(target).fingerprint
        known = _kept.get(target)
        if known is None or not still_holds(known.witnesses):
            known = _kept[target] = _worked_out(target)
        return known.fingerprint


def forget_values() -> None:
    """Let values that can be changed in place be looked into again, as before each plan or run.

    Those that the code itself fills while it runs, such as a cache, still count as first seen.
    """
    with _lock:
        nodes.forget_values()


def _worked_out(fn: Callable[..., object]) -> _Kept:
    notes = Notes()
    roots = _roots(fn, notes)
    if roots:
        reach = Reach(roots)
        return _Kept(reach.fingerprint(), reach.witnesses())
    # Of the standard library: nothing of it counts but its name.
    name = _name(fn)
    part = CodePart(name, hex_digest(name), name)
    return _Kept(CodeFingerprint(part.digest, (part,), tuple(notes.unseen)), ())


def _roots(fn: Callable[..., object], notes: Notes) -> list[Thing]:
    things = [use.thing for use in uses_of("", Found(fn, _name(fn)), notes)]
    if things and isinstance(things[-1], ValueThing):
        things[-1] = ValueThing(f"{_kind(fn)} {_name(fn)}", fn)
    return sorted(things, key=lambda thing: isinstance(thing, PackageThing))


def _kind(fn: object) -> str:
    if isinstance(fn, functools.partial):
        return "partial"
    return "bound" if hasattr(fn, "__self__") else "instance"


def _name(fn: Any) -> str:
    if isinstance(fn, functools.partial):
        return _name(fn.func)
    named = fn if hasattr(fn, "__qualname__") else type(fn)
    return f"{module_of(named) or 'builtins'}.{named.__qualname__}"
