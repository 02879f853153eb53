"""What pickles call classes and functions of the project, and how these are found again.

A class is kept under the name that others import its module by, and found by the module that
defines it today. Pickle itself asks a class for its module: that is `__main__` in a script, which
others import as `x`; and a file may be renamed or moved. So a script's things are renamed when they
are kept, and what each of the project's own means is noted behind the pickle, where pickle does not
look.
"""

from __future__ import annotations

import json
import pickle
import re
import sys
from collections.abc import Callable, Mapping
from functools import lru_cache
from io import BytesIO
from operator import itemgetter
from typing import Any

from flowweaver.lazy import late
from flowweaver.main_module import MAIN, known_as, script_name
from flowweaver.serialize.encoded import Data

Name = tuple[str, str]
"""A module, and what it calls something in it."""

Home = Callable[[str, str, str], str]
"""Says, of a module, a name in it and what that meant, which module has it today."""

Renamed = tuple[tuple[str, str], ...]
"""Modules, each with the name that is written in its place."""

meaning_of = late("fingerprint.meanings", "meaning_of")

_LONGEST = 255
# Ends what stands behind a pickle; a pickle itself ends with a full stop.
_NOTED = b"\0names"
_SIZE = 4
_HEAD = 9
# What follows a module where something in it is named: its name, also kept for later.
_AND_NAME = rb"(?=\x94?\x8c.\w[\w.]*\x94?\x93)"


def with_known_names(data: bytes, kept_in: Renamed = ()) -> bytes:
    """Return pickled bytes, or a part that was written at once, with things as they are kept.

    Those of a script are renamed, and those of modules that `kept_in` has other names for. The
    bytes are as they were where there is none. Whoever wants to read them back must see whether
    they are: text of the value itself may be the very object that names the module.
    """
    names = _of_script(script_name())
    if kept_in:
        names = tuple({**dict(names), **dict(kept_in)}.items())
    pieces, done = [], 0
    while names and (found := _naming(names).search(data, done)) is not None:
        frame = _frame_around(data, found.start())
        if frame is None:
            return data
        renamed = _renamed(data[frame.start : frame.stop], names)
        pieces += [data[done : frame.start - 8], len(renamed).to_bytes(8, "little"), renamed]
        done = frame.stop
    return b"".join([*pieces, data[done:]]) if pieces else data


def _of_script(name: str) -> Renamed:
    return ((MAIN, name),) if name and len(name.encode()) <= _LONGEST else ()


def _renamed(frame: bytes, names: Renamed) -> bytes:
    texts = {_text(module): _text(name) for module, name in names}
    return _naming(names).sub(lambda found: texts[found[0]], frame)


@lru_cache(maxsize=64)
def _naming(names: Renamed) -> re.Pattern[bytes]:
    """Return where a pickle names something in one of some modules, as its pickler writes it."""
    texts = b"|".join(re.escape(_text(module)) for module, _ in names)
    return re.compile(b"(?:" + texts + b")" + _AND_NAME, re.DOTALL)


def _text(name: str) -> bytes:
    data = name.encode()
    return pickle.SHORT_BINUNICODE + bytes([len(data)]) + data


def noted(data: bytes, met: Mapping[Name, Any], *, renamed: bool) -> bytes:
    """Return a pickle with what those of the project's things mean that it names.

    Of classes whose values are written by position it has the fields, too, for previews.
    """
    told = {}
    for (module, name), value in sorted(met.items(), key=itemgetter(0)):
        is_standard = module.partition(".")[0] in sys.stdlib_module_names
        meaning = "" if is_standard else meaning_of(value)
        fields = _fields_by_position(value)
        if meaning or fields:
            told[f"{known_as(module) if renamed else module}:{name}"] = [meaning, *fields]
    if not told:
        return data
    note = json.dumps(told, separators=(",", ":")).encode()
    return b"".join([data, note, len(note).to_bytes(_SIZE, "big"), _NOTED])


def _fields_by_position(value: Any) -> tuple[str, ...]:
    """Return the fields of a class whose values have no names in a pickle."""
    if not isinstance(value, type):
        return ()
    held = vars(value)
    if issubclass(value, tuple):
        return tuple(map(str, held.get("_fields", ())))
    return tuple(map(str, held.get("__dataclass_fields__", ()))) if "__slots__" in held else ()


def _notes_in(data: Data) -> dict[str, list[str]]:
    end = len(data) - len(_NOTED)
    if bytes(data[max(end, 0) :]) != _NOTED:
        return {}
    start = end - _SIZE
    size = int.from_bytes(data[start:end], "big")
    found: dict[str, list[str]] = json.loads(bytes(data[start - size : start]))
    return found


def meanings_in(data: Data) -> dict[str, str]:
    """Return what is noted behind a pickle: by `module:name`, what that meant."""
    return {named: meaning for named, (meaning, *_) in _notes_in(data).items() if meaning}


def fields_in(data: Data) -> dict[str, list[str]]:
    """Return the fields that are noted behind a pickle, by the `module:name` of their class."""
    return {named: fields for named, (_, *fields) in _notes_in(data).items() if fields}


def loaded(data: Data, home: Home | None = None) -> Any:
    """Return what was pickled. Runs code that the bytes chose.

    Args:
        data: The pickle.
        home: Finds the project's own things where they are today; without it they are looked for
            where they were.
    """
    meanings = {} if home is None else meanings_in(data)
    if meanings or script_name():
        return _Finding(data, home, meanings).load()
    return pickle.loads(data)


def loaded_with_names(data: Data) -> tuple[Any, dict[Name, Any]]:
    """Return what was pickled, and what of it was found by name."""
    finding = _Finding(data, None, {})
    return finding.load(), finding.met


class _Finding(pickle.Unpickler):
    """Finds what a pickle names: what a script defines in the script, what has moved where it is.

    Attributes:
        met: What was found, by the names that the pickle has for it.
    """

    def __init__(self, data: Data, home: Home | None, meanings: Mapping[str, str]) -> None:
        super().__init__(BytesIO(data))
        self._home = home
        self._meanings = meanings
        self.met: dict[Name, Any] = {}

    def find_class(self, module: str, name: str) -> Any:
        meaning = self._meanings.get(f"{module}:{name}")
        home = (
            module if meaning is None or self._home is None else self._home(module, name, meaning)
        )
        found = super().find_class(MAIN if home == script_name() else home, name)
        self.met[module, name] = found
        return found


def _frame_around(data: bytes, place: int) -> range | None:
    """Return the frame that a place is in, without its head."""
    head = place
    while (head := data.rfind(pickle.FRAME, 0, head)) >= 0:
        start = head + _HEAD
        stop = start + int.from_bytes(data[start - 8 : start], "little")
        if start <= place < stop <= len(data):
            return range(start, stop)
    return None
