"""What pickles call what a script defines: by the name that others import the script by.

So what `python x.py` keeps is found by who imports `x`, and the other way round. Pickle itself asks
a class for its module, and is given `__main__`.
"""

from __future__ import annotations

import pickle
import re
from io import BytesIO
from typing import Any

from flowweaver.main_module import MAIN, script_name

_LONGEST = 255
_HEAD = 9
# A module and what is in it, as pickle writes them: two short texts, kept for later or not.
_OF_MAIN = re.compile(rb"\x8c\x08__main__(?=\x94?\x8c.\w[\w.]*\x94?\x93)", re.DOTALL)


def with_known_names(data: bytes) -> bytes:
    """Return pickled bytes, or a part that was written at once, with a script's things renamed.

    They are as they were where there is none. Whoever wants to read them back must see whether
    they are: text of the value itself may be the very object that names the module.
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
    """Finds in the script what is kept under the name that others import it by."""

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
