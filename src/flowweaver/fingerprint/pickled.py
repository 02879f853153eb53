"""Find what pickles name that are inside of other bytes, without unpickling anything."""

from __future__ import annotations

import sys
from collections.abc import Iterator

from flowweaver.fingerprint.owners import Owner, owner_of_module

_STARTS = (b"\x80\x04\x95", b"\x80\x05\x95")


def objects_named_in(data: bytes) -> Iterator[object]:
    """Yield the loaded objects of the project that pickles in these bytes name."""
    for start in _starts(data):
        for module, qualname in _globals(data[start:]):
            if module in sys.modules and owner_of_module(module) is Owner.PROJECT:
                place: object = sys.modules[module]
                for name in qualname.split("."):
                    place = getattr(place, "__dict__", {}).get(name)
                if place is not None:
                    yield place


def _starts(data: bytes) -> Iterator[int]:
    for mark in _STARTS:
        start = data.find(mark)
        while start >= 0:
            yield start
            start = data.find(mark, start + 1)


def _globals(data: bytes) -> Iterator[tuple[str, str]]:
    import pickletools  # hardly anything holds pickles

    memo: list[object] = []
    recent: list[object] = [None, None]
    try:
        for step, argument, _ in pickletools.genops(data):
            if step.name == "MEMOIZE":
                memo.append(recent[-1])
            elif step.name in ("BINGET", "LONG_BINGET") and isinstance(argument, int):
                recent.append(memo[argument] if argument < len(memo) else None)
            elif step.name == "STACK_GLOBAL":
                module, name = recent[-2:]
                if isinstance(module, str) and isinstance(name, str):
                    yield module, name
                recent.append(None)
            else:
                recent.append(argument if isinstance(argument, str) else None)
    except (ValueError, IndexError):  # it was no pickle after all
        return
