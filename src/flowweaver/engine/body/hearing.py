"""Hears what bodies open, by Python's audit events, and notes it with the attempt they are in.

The hook stays for the life of the process: Python has no way to take it away.
"""

# ruff: noqa: ARG001, PTH118 - what an event tells comes by position, and paths as text

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable
from functools import cache
from glob import escape
from typing import Any
from weakref import WeakKeyDictionary

from flowweaver.engine.body.call import Call, around, call_here
from flowweaver.engine.body.watch import Watch

# What looks for code looks through folders of code, and data may be beside it.
_LOOKING_FOR_CODE = frozenset(
    ("importlib", "pkgutil", "pkg_resources", "zipimport", "runpy", "linecache", "tokenize")
)
_OURSELVES = __name__.partition(".")[0]
_starters: WeakKeyDictionary[threading.Thread, Call] = WeakKeyDictionary()
_here = threading.local()


@cache
def hear_bodies() -> None:
    """Hear, from now on, what bodies in this process open."""
    sys.addaudithook(_hear)


def _hear(event: str, args: tuple[Any, ...]) -> None:
    note = _NOTES.get(event)
    if note is None:
        return
    call = call_here() or _call_of_thread()
    if call is None or getattr(_here, "is_noting", False):
        return
    top = sys._getframe(1).f_globals.get("__name__", "").partition(".")[0]
    if top in _LOOKING_FOR_CODE or top == _OURSELVES:
        return
    _here.is_noting = True  # what is looked at here is not what the body looks at
    try:
        while call is not None:
            if call.watch is None:
                call.watch = Watch()
            if not call.watch.is_over:
                note(call, *args)
            call = around(call)
    except Exception:  # the body must not notice
        return
    finally:
        _here.is_noting = False


def _call_of_thread() -> Call | None:
    """Return the call whose body started this thread."""
    if not _starters:
        return None
    here = threading.get_ident()
    return next((call for thread, call in [*_starters.items()] if thread.ident == here), None)


def _opened(call: Call, path: object, mode: object, flags: object) -> None:
    assert call.watch is not None
    if isinstance(path, (str, bytes, os.PathLike)) and isinstance(flags, int):
        call.watch.opened(os.fsdecode(path), flags)


def _changed(call: Call, *details: object) -> None:
    assert call.watch is not None
    for path in details:
        if isinstance(path, (str, bytes, os.PathLike)):  # others are numbers: modes, folders
            call.watch.changed(os.fsdecode(path))


def _connected(call: Call, database: object) -> None:
    assert call.watch is not None
    if isinstance(database, (str, bytes, os.PathLike)):
        path = os.fsdecode(database)
        call.watch.connected(path.removeprefix("file:").partition("?")[0])


def _listed(call: Call, folder: object) -> None:
    assert call.watch is not None
    if folder is None or isinstance(folder, (str, bytes, os.PathLike)):
        call.watch.listed(os.curdir if folder is None else os.fsdecode(folder))


def _globbed(call: Call, pattern: Any, recursive: object, root: Any, folder: object) -> None:
    assert call.watch is not None
    if folder is None:
        call.watch.looked_for(os.path.join(os.fsdecode(root or ""), os.fsdecode(pattern)))


def _globbed_below(call: Call, folder: object, pattern: Any) -> None:
    assert call.watch is not None
    call.watch.looked_for(os.path.join(escape(str(folder)), str(pattern)))


def _globbed_far_below(call: Call, folder: object, pattern: Any) -> None:
    _globbed_below(call, folder, os.path.join("**", str(pattern)))


def _started(call: Call, program: object, command: object, folder: object, env: object) -> None:
    assert call.watch is not None
    call.watch.started(command, folder)


def _started_thread(call: Call, function: Any, *more: object) -> None:
    thread = getattr(function, "__self__", None)
    if isinstance(thread, threading.Thread):
        _starters[thread] = call


_NOTES: dict[str, Callable[..., None]] = {
    "open": _opened,
    **dict.fromkeys(("os.mkdir", "os.remove", "os.rename", "os.rmdir", "os.truncate"), _changed),
    **dict.fromkeys(("os.link", "os.symlink"), _changed),
    "sqlite3.connect": _connected,
    "os.listdir": _listed,
    "os.scandir": _listed,
    "glob.glob/2": _globbed,
    "pathlib.Path.glob": _globbed_below,
    "pathlib.Path.rglob": _globbed_far_below,
    "subprocess.Popen": _started,
    "_thread.start_new_thread": _started_thread,
    "_thread.start_joinable_thread": _started_thread,
}
