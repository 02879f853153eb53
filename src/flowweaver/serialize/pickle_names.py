"""Pickles that name a script's definitions by the module others import it as.

A result that `python x.py` stores can so be read where `x` is imported, and the other way round.
Pickle itself would write the module that a class names, which is `__main__`.
"""

from __future__ import annotations

import pickle
import re
from io import BytesIO
from typing import Any

from flowweaver.main_module import MAIN, script_name

_LONGEST = 255
_HEAD = 9
# A module and a name in it, as pickle writes them: two short texts, memoized or not.
_OF_MAIN = re.compile(rb"\x8c\x08__main__(?=\x94?\x8c.\w[\w.]*\x94?\x93)", re.DOTALL)


def with_known_names(data: bytes) -> bytes:
    """Return pickled bytes, or a part written in one piece, with a script's definitions renamed.

    Where there are none the very same object is returned. Callers must check that the result still
    loads as before: a text of the value itself may be the object that names the module.
    """
    name = script_name().encode()
    if not name or len(name) > _LONGEST:
        return data
    text = pickle.SHORT_BINUNICODE + bytes([len(name)]) + name
    pieces, done = [], 0
    while (found := _OF_MAIN.search(data, done)) is not None:
        frame = _frame_around(data, found.start())
        if frame is None:
            return data
        renamed = _OF_MAIN.sub(lambda _: text, data[frame.start : frame.stop])
        pieces += [data[done : frame.start - 8], len(renamed).to_bytes(8, "little"), renamed]
        done = frame.stop
    return b"".join([*pieces, data[done:]]) if pieces else data


def loaded(data: Any) -> Any:
    """Return what was pickled. Runs code that the bytes chose."""
    if script_name():
        return _InScript(BytesIO(data)).load()
    return pickle.loads(data)


class _InScript(pickle.Unpickler):
    """Looks in the running script for what was stored under its importable name."""

    def find_class(self, module: str, name: str) -> Any:
        return super().find_class(MAIN if module == script_name() else module, name)


def _frame_around(data: bytes, place: int) -> range | None:
    """Return the frame that a place is in, without its head."""
    head = place
    while (head := data.rfind(pickle.FRAME, 0, head)) >= 0:
        start = head + _HEAD
        stop = start + int.from_bytes(data[start - 8 : start], "little")
        if start <= place < stop <= len(data):
            return range(start, stop)
    return None
