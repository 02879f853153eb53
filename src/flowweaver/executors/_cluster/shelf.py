"""Large values that are on the cluster already, so that calls can refer to them."""

from __future__ import annotations

import pickle
import weakref
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import blake2b
from threading import Lock
from typing import Any

from flowweaver.executors._cluster.job import Report
from flowweaver.executors._workers.outcome import Outcome, tell_value
from flowweaver.executors._workers.wire import Packed
from flowweaver.plugins import MISSING, Held
from flowweaver.serialize import encode

LARGE_BYTES = 1_000_000
"""Smaller values are not worth a reference."""
# How much is kept on the cluster for calls that may come; the oldest values are dropped first.
_MOST_BYTES = 2**31


@dataclass(frozen=True, slots=True)
class _Kept:
    """A value on the cluster: its reference and size; `here` gives the object here, or MISSING."""

    reference: object
    size: int
    here: Callable[[], Any]


class Shelf:
    """The large values of one run that are on the cluster.

    With a store, where each taker gets a copy of its own, a result is recognised by its digest;
    without one, by its identity. A value sent from here is recognised by its bytes.

    Args:
        put: Puts bytes on the cluster and returns what refers to them.
        is_there: Says whether a reference is not known to be lost.
    """

    def __init__(self, put: Callable[[bytes], object], is_there: Callable[[object], bool]) -> None:
        self._put = put
        self._is_there = is_there
        self._kept: OrderedDict[str | int, _Kept] = OrderedDict()
        self._bytes = 0
        self._lock = Lock()

    def note(self, outcome: Outcome, reference: object, size: int) -> None:
        """Remember where the result of a call is."""
        if outcome.encoded is not None:
            self._keep(outcome.encoded.digest, _Kept(reference, size, lambda: MISSING))
        elif outcome.value is not MISSING:
            value = outcome.value
            self._keep(id(value), _Kept(reference, size, _hold(value)))

    def same(self, value: Any) -> object | None:
        """Return the reference to a result that is this very object, or None."""
        kept = self._find(id(value))
        return kept.reference if kept is not None and kept.here() is value else None

    def equal(self, value: Any) -> object | None:
        """Return the reference to an equal stored result, or None."""
        try:
            kept = self._find(value.digest if isinstance(value, Held) else encode(value).digest)
        except Exception:  # its own code may raise anything; such a value is no stored result
            return None
        return None if kept is None else kept.reference

    def sent(self, packed: Packed) -> object:
        """Return the reference to a packed value, which is put on the cluster the first time."""
        data = _report(packed)
        name = f"sent {blake2b(data, digest_size=20).hexdigest()}"
        kept = self._find(name)
        if kept is None:
            kept = _Kept(self._put(data), len(data), lambda: MISSING)
            self._keep(name, kept)
        return kept.reference

    def clear(self) -> None:
        """Drop all references, so that the cluster may drop the values."""
        with self._lock:
            self._kept.clear()
            self._bytes = 0

    @property
    def is_empty(self) -> bool:
        """Whether nothing is known to be on the cluster."""
        return not self._kept

    def _find(self, name: str | int) -> _Kept | None:
        with self._lock:
            kept = self._kept.get(name)
        return kept if kept is not None and self._is_there(kept.reference) else None

    def _keep(self, name: str | int, kept: _Kept) -> None:
        with self._lock:
            before = self._kept.pop(name, None)
            self._kept[name] = kept
            self._bytes += kept.size - (0 if before is None else before.size)
            while self._bytes > _MOST_BYTES and len(self._kept) > 1:
                _, oldest = self._kept.popitem(last=False)
                self._bytes -= oldest.size


def _hold(value: Any) -> Callable[[], Any]:
    """Return a function that gives a value, without keeping it alive if that is possible."""
    try:
        return weakref.ref(value)
    except TypeError:
        return lambda: value


def _report(packed: Packed) -> bytes:
    """Return a value as a worker would report it."""
    return pickle.dumps(Report(((False, tell_value(packed)),), 0.0, ""), 5)
