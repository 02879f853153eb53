"""Hears what bodies open, by Python's audit events, and notes it with the attempt they are in.

The hook stays for the life of the process: Python has no way to take it away. What threads do for a
body is told apart where they are started, and where a pool is given the work.
"""

# ruff: noqa: ARG001, PTH118, PTH120 - what an event tells comes by position, and paths as text

from __future__ import annotations

import dis
import os
import sys
import threading
from collections.abc import Callable
from glob import escape
from types import FrameType, FunctionType
from typing import Any, TypeGuard
from urllib.parse import unquote

from flowweaver.engine.body.asking import hear_paths
from flowweaver.engine.body.loading import is_project_module, is_told_by_text
from flowweaver.engine.body.unforked import hear_processes
from flowweaver.engine.body.watch import Watch
from flowweaver.engine.body.watching import (
    note_thread,
    noting,
    tell,
    top_of,
    watch_threads,
    watches_here,
)
from flowweaver.fingerprint.owners import OURSELVES
from flowweaver.forks import keep_free_in_copies

# What looks for code looks through folders of code, and data may be beside it.
_LOOKING_FOR_CODE = frozenset(
    ("importlib", "pkgutil", "pkg_resources", "zipimport", "runpy", "linecache", "tokenize")
)
_CODE = (".py", ".pyc", ".pyi", ".so", ".pyd", ".dll", ".dylib", ".zip", ".egg", ".pth")
_PATTERNS = frozenset(("glob", "pathlib"))

# Several threads may be the first to want it: what was wrapped twice would be heard twice for good.
_hears = threading.Event()
_beginning = threading.Lock()
keep_free_in_copies(_beginning)


def hear_bodies() -> None:
    """Hear, from now on, what bodies in this process open."""
    if _hears.is_set():
        return
    with _beginning:
        if not _hears.is_set():
            _begin()
            _hears.set()


def _begin() -> None:
    sys.addaudithook(_hear if sys.version_info >= (3, 12) else _undisturbed(_hear))
    watch_threads()
    hear_paths()
    hear_processes(hear_bodies)
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(before=_about_to_fork)


def _about_to_fork() -> None:
    watches = watches_here()
    if watches:
        noting(tell, watches, Watch.forks)


def _hear(event: str, args: tuple[Any, ...]) -> None:
    if event in _NOTES:
        noting(_note, event, args)


def _undisturbed(hook: Callable[[str, tuple[Any, ...]], None]) -> Callable[..., None]:
    """Return a hook that is over at once, and no other thread has its turn, for most events.

    Before 3.12, Python refuses a trace function, such as a debugger sets in each thread, while
    another thread is in the event of setting one. A function that is entered gives way to threads
    that wait; one that goes on after an await does not.
    """
    resume = bytes((dis.opmap["RESUME"], 2))
    code = hook.__code__
    assert code.co_code[0] == resume[0]
    return FunctionType(code.replace(co_code=resume + code.co_code[2:]), hook.__globals__)


def _note(event: str, args: tuple[Any, ...]) -> None:
    if event == "exec":
        hear_processes(hear_bodies)  # what it is in may just have been loaded
    watches = watches_here()
    if not watches:
        return
    frame = sys._getframe(3)
    top = top_of(frame)
    if top == OURSELVES or (top in _LOOKING_FOR_CODE and _is_of_code(event, args)):
        return
    if event == "os.scandir" and _is_for_pattern(frame):
        return  # the pattern was noted
    if event == "exec" and (not is_project_module(args[0]) or is_told_by_text(frame)):
        return
    tell(watches, _NOTES[event], *args)


def _is_of_code(event: str, args: tuple[Any, ...]) -> bool:
    return event not in ("exec", "open") or (event == "open" and str(args[0]).endswith(_CODE))


def _is_for_pattern(frame: FrameType) -> bool:
    """Whether a folder is listed to find what fits a pattern, and not for all that is in it."""
    outer: FrameType | None = frame
    names = set()
    while outer is not None and top_of(outer) in _PATTERNS:
        names.add(outer.f_code.co_name)
        outer = outer.f_back
    return bool(names) and names.isdisjoint(("iterdir", "walk"))


def _opened(watch: Watch, path: object, mode: object, flags: object) -> None:
    if _is_path(path) and isinstance(flags, int):
        watch.opened(os.fsdecode(path), flags)


def _changed(watch: Watch, path: object, *details: object) -> None:
    """Note what is made or removed at a path; the last detail says from where, if not from here."""
    if _is_path(path) and details[-1:] in ((), (-1,), (None,)):
        watch.changed(os.fsdecode(path))


def _emptied(watch: Watch, folder: object, *details: object) -> None:
    if _is_path(folder) and details[-1:] in ((), (-1,), (None,)):
        watch.emptied(os.fsdecode(folder))


def _truncated(watch: Watch, path: object, length: object) -> None:
    if _is_path(path):
        watch.changed(os.fsdecode(path))


def _renamed(
    watch: Watch, old: object, new: object, old_folder: object, new_folder: object
) -> None:
    _changed(watch, old, old_folder)
    _changed(watch, new, new_folder)


def _linked(watch: Watch, old: Any, new: Any, *folders: object) -> None:
    """Note the link as made, and what it leads to as read: it may be read by that name."""
    if _is_path(old) and _is_path(new) and {*folders} <= {-1}:
        watch.changed(os.fsdecode(new))
        is_symbolic = len(folders) == 1
        origin = os.path.dirname(os.fsdecode(new)) if is_symbolic else ""
        watch.opened(os.path.join(origin, os.fsdecode(old)), os.O_RDONLY)


def _connected(watch: Watch, database: object) -> None:
    if _is_path(database):
        path = os.fsdecode(database)
        if path.startswith("file:"):
            path = unquote(path.removeprefix("file:").partition("?")[0])
            path = path.removeprefix("//") if path.startswith("///") else path
        watch.connected(path)


def _listed(watch: Watch, folder: object) -> None:
    if folder is None or _is_path(folder):
        watch.listed(os.curdir if folder is None else os.fsdecode(folder))


def _globbed(watch: Watch, pattern: Any, recursive: object, root: Any, folder: object) -> None:
    if folder is None:
        watch.looked_for(os.path.join(os.fsdecode(root or ""), os.fsdecode(pattern)))


def _globbed_below(watch: Watch, folder: object, pattern: Any) -> None:
    watch.looked_for(os.path.join(escape(str(folder)), str(pattern)))


def _globbed_far_below(watch: Watch, folder: object, pattern: Any) -> None:
    _globbed_below(watch, folder, os.path.join("**", str(pattern)))


def _started(watch: Watch, program: object, command: object, folder: object, env: object) -> None:
    watch.started(command, folder)


def _started_shell(watch: Watch, command: object) -> None:
    watch.started(command, None)


def _executed(watch: Watch, code: Any) -> None:
    watch.executed(code.co_filename)


def _found_code(watch: Watch, module: str, name: str) -> None:
    watch.found_code(module, name)


def _started_thread(watch: Watch, function: Any, *more: object) -> None:
    thread = getattr(function, "__self__", None)
    if isinstance(thread, threading.Thread):
        note_thread(watch, thread)


def _is_path(value: object) -> TypeGuard[str | bytes | os.PathLike[str]]:
    return isinstance(value, (str, bytes, os.PathLike))


_NOTES: dict[str, Callable[..., None]] = {
    "open": _opened,
    "os.mkdir": _changed,
    "os.remove": _changed,
    "os.rmdir": _changed,
    "shutil.rmtree": _emptied,
    "os.truncate": _truncated,
    "os.rename": _renamed,
    "os.link": _linked,
    "os.symlink": _linked,
    "sqlite3.connect": _connected,
    "os.listdir": _listed,
    "os.scandir": _listed,
    "glob.glob/2": _globbed,
    "pathlib.Path.glob": _globbed_below,
    "pathlib.Path.rglob": _globbed_far_below,
    "exec": _executed,
    "pickle.find_class": _found_code,
    "subprocess.Popen": _started,
    "os.system": _started_shell,
    "_thread.start_new_thread": _started_thread,
    "_thread.start_joinable_thread": _started_thread,
}
