"""Fingerprints of callables, each worked out once."""

from __future__ import annotations

import functools
import weakref
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from threading import RLock
from types import FunctionType
from typing import Any

from flowweaver.errors import DefinitionError
from flowweaver.fingerprint import nodes
from flowweaver.fingerprint.effects import forget_effects
from flowweaver.fingerprint.kinds import is_task, module_of
from flowweaver.fingerprint.live import Found, uses_of
from flowweaver.fingerprint.loading import note_modules, settle_modules
from flowweaver.fingerprint.parts import CodeFingerprint, CodePart, hex_digest
from flowweaver.fingerprint.reach import Reach
from flowweaver.fingerprint.static import symbol
from flowweaver.fingerprint.things import (
    Notes,
    PackageThing,
    Thing,
    ValueThing,
    Witness,
    still_holds,
)
from flowweaver.forks import keep_free_in_copies
from flowweaver.main_module import known_as


@dataclass(slots=True)
class _Kept:
    """A fingerprint, what says whether it holds, and the keys of values that may change in place.

    `left` is the digest that it would have had when the last run ended.
    """

    fingerprint: CodeFingerprint
    witnesses: tuple[Witness, ...] = ()
    values: frozenset[Hashable] = frozenset()
    left: str = ""


_kept: dict[int, tuple[weakref.ref[Any], _Kept]] = {}
_symbols: dict[tuple[str, tuple[str, ...]], _Kept] = {}
_in_use: set[int] = set()
"""The keys of those that the present run has asked for."""
_looked_at: dict[Hashable, tuple[ValueThing, str]] = {}
"""Values of the present run, and their contents when it began."""
_lock = RLock()
keep_free_in_copies(_lock)


def fingerprint_callable(fn: Callable[..., object]) -> CodeFingerprint:
    """Return the fingerprint of what a callable means.

    It covers the callable's own code and all that this reaches: the project's functions, classes
    and modules by their meaning, installed packages by their versions, values by their content.
    Comments, docstrings, formatting, annotations, the names of locals and the place and order of
    definitions play no part. It is the same in each process and on each machine, under each
    Python version too where there is source; where it holds what no source says, the machines
    need the same key.

    It is worked out once, and again only if a name that it rests on was bound anew, as in a
    notebook. That a value was changed in place is noticed only after `forget_values`.

    Args:
        fn: A function, method, class, partial or callable object; a task stands for its function.

    Raises:
        DefinitionError: `fn` is not callable.
    """
    if not callable(fn):
        raise DefinitionError(f"{fn!r} is not callable; give a function or a callable object.")
    target: Any = fn
    while is_task(target):
        target = target.fn
    with _lock:
        _in_use.add(id(target))
        known = _known(target)
        if known is not None and still_holds(known.witnesses):
            return known.fingerprint
        found = _worked_out(target)
        if known is not None and known.left == found.fingerprint.digest:
            # What has changed was changed by the run itself.
            found.fingerprint, found.left = known.fingerprint, known.left
        _keep(target, found)
        return found.fingerprint


def digest_of_symbol(module: str, attributes: tuple[str, ...]) -> str:
    """Return the digest of what ``module.a.b`` means, as the module's file says.

    Whether the module is loaded makes no difference.
    """
    with _lock:
        kept = _symbols.get((module, attributes))
        if kept is None or not still_holds(kept.witnesses):
            notes = Notes()
            reach = Reach([use.thing for use in symbol("", module, attributes, notes)])
            witnesses = (*notes.witnesses, *reach.witnesses())
            kept = _symbols[module, attributes] = _Kept(reach.fingerprint(), witnesses)
        return kept.fingerprint.digest


def forget_values() -> None:
    """Let values that can be changed in place be looked into again, as before each plan or run.

    Those that the code itself fills while it runs, such as a cache, still count as first seen.
    """
    with _lock:
        nodes.forget_values()
        note_modules()
        forget_effects()
        _start_anew()


def settle_values() -> None:
    """Note how a run has left what was looked at when it began.

    What its own tasks did to it, such as counting calls or filling a cache, is no reason for the
    next run in this process to make anything again. What is done to it later is.
    """
    with _lock:
        # What is left is looked at as the next run will: without what bodies have loaded.
        settle_modules()
        changed = {
            key for key, (thing, before) in _looked_at.items() if nodes.content_of(thing) != before
        }
        others = [
            (target, kept)
            for reference, kept in [_kept[key] for key in _in_use if key in _kept]
            if (target := reference()) is not None
            and not (changed.isdisjoint(kept.values) and still_holds(kept.witnesses))
        ]
        if changed:
            nodes.forget_values()
        for target, kept in others:
            kept.left = _worked_out(target).fingerprint.digest
        _start_anew()


def _start_anew() -> None:
    _in_use.clear()
    _looked_at.clear()


def _known(target: object) -> _Kept | None:
    reference, kept = _kept.get(id(target), (None, None))
    return kept if reference is not None and reference() is target else None


def _keep(target: object, found: _Kept) -> None:
    key = id(target)
    try:
        reference = weakref.ref(target, lambda _: _kept.pop(key, None))
    except TypeError:
        return
    _kept[key] = reference, found


def _worked_out(fn: Callable[..., object]) -> _Kept:
    notes = Notes()
    roots = _roots(fn, notes)
    reach = Reach(roots)
    found = reach.fingerprint(notes.unseen)
    if all(isinstance(root, PackageThing) for root in roots):
        # Installed: nothing of it counts but its name, and the version of its package.
        name = _name(fn)
        part = CodePart(name, hex_digest(name), name)
        digest = hex_digest(f"{part.digest} {found.digest}")
        found = found._replace(digest=digest, parts=(part, *found.parts))
    for thing, content in reach.unsettled:
        _looked_at.setdefault(thing.key, (thing, content))
    values = frozenset(thing.key for thing, _ in reach.unsettled)
    return _Kept(found, reach.witnesses(), values)


def _roots(fn: Callable[..., object], notes: Notes) -> list[Thing]:
    things = [use.thing for use in uses_of("", Found(fn, _name(fn)), notes)]
    if things and isinstance(things[-1], ValueThing):
        things[-1] = ValueThing(f"{_kind(fn)} {_name(fn)}", fn)
    return sorted(things, key=lambda thing: isinstance(thing, PackageThing))


def _kind(fn: object) -> str:
    if isinstance(fn, functools.partial):
        return "partial"
    if isinstance(fn, FunctionType):
        return "wrapper"
    return "bound" if hasattr(fn, "__self__") else "instance"


def _name(fn: Any) -> str:
    if isinstance(fn, functools.partial):
        return _name(fn.func)
    named = fn if hasattr(fn, "__qualname__") else type(fn)
    return f"{known_as(module_of(named)) or 'builtins'}.{named.__qualname__}"
