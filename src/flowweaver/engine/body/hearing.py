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
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache, partial, wraps
from glob import escape
from pathlib import PurePath
from types import FrameType, FunctionType
from typing import Any, TypeGuard
from urllib.parse import unquote
from weakref import WeakKeyDictionary

from flowweaver.engine.body.call import around, call_here
from flowweaver.engine.body.watch import Watch

# What looks for code looks through folders of code, and data may be beside it.
_LOOKING_FOR_CODE = frozenset(
    ("importlib", "pkgutil", "pkg_resources", "zipimport", "runpy", "linecache", "tokenize")
)
_CODE = (".py", ".pyc", ".pyi", ".so", ".pyd", ".dll", ".dylib", ".zip", ".egg", ".pth")
_PATTERNS = frozenset(("glob", "pathlib"))
_OURSELVES = __name__.partition(".")[0]
# What these do to a file is heard, or is not to read it.
_HEARD_ANYHOW = frozenset(
    ("genericpath", "glob", "ntpath", "os", "pathlib", "posixpath", "shutil", "tempfile", "zipfile")
) | {_OURSELVES, *_LOOKING_FOR_CODE}
# These are given a folder to read all that is in it.
_READING_FOLDERS = frozenset(("polars", "pyarrow"))
_by_thread: WeakKeyDictionary[threading.Thread, tuple[Watch, ...]] = WeakKeyDictionary()
_here = threading.local()
_starting = threading.RLock()
_LONGEST_START = 1.0  # seconds; what is done in between may itself start threads


@cache
def hear_bodies() -> None:
    """Hear, from now on, what bodies in this process open."""
    sys.addaudithook(_hear if sys.version_info >= (3, 12) else _undisturbed(_hear))
    _hear_pools()
    _hear_names()
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(before=_about_to_fork)
    if sys.version_info < (3, 12):
        _hear_threads()


def _hear_pools() -> None:
    """Hear of calls that threads of others make for bodies: those of a pool that stays."""
    pools: Any = ThreadPoolExecutor
    submit = pools.submit

    @wraps(submit)
    def heard(pool: ThreadPoolExecutor, fn: Callable[..., Any], /, *args: Any, **kw: Any) -> Any:
        watches = _watches_here()
        return submit(pool, partial(_watched, watches, fn) if watches else fn, *args, **kw)

    pools.submit = heard


def _watched(watches: tuple[Watch, ...], fn: Callable[..., Any], *args: Any, **kw: Any) -> Any:
    before, _here.watches = getattr(_here, "watches", ()), watches
    try:
        return fn(*args, **kw)
    finally:
        _here.watches = before


def _about_to_fork() -> None:
    watches = _watches_here()
    if watches:
        _tell(watches, Watch.forks)


def _hear_names() -> None:
    """Hear of files that are handed to what opens them unheard, as libraries in C++ and Rust do.

    Such a library asks a path for its text, and expands a home directory in a text.
    """
    paths: Any = PurePath
    text_of, expand = paths.__fspath__, os.path.expanduser

    @wraps(text_of)
    def heard_text_of(path: PurePath) -> str:
        text: str = text_of(path)
        _named(text)
        return text

    @wraps(expand)
    def heard_expand(path: Any) -> Any:
        expanded = expand(path)
        _named(expanded)
        return expanded

    paths.__fspath__ = heard_text_of
    os.path.expanduser = heard_expand


def _named(path: str | bytes) -> None:
    if isinstance(path, str) and not getattr(_here, "is_noting", False):
        watches = _watches_here()
        if watches:
            top = _top_of(sys._getframe(2))
            if top not in _HEARD_ANYHOW:
                _tell(watches, _handed_whole if top in _READING_FOLDERS else _handed, path)


def _hear_threads() -> None:
    """Hear of threads where no event tells of them: before Python 3.12."""
    threads: Any = threading.Thread
    start = threads.start

    @wraps(start)
    def heard(thread: threading.Thread) -> None:
        if watches := _watches_here():
            _by_thread[thread] = watches
        if threading.gettrace() is None:
            start(thread)
        else:
            _start_alone(thread, start)

    threads.start = heard


def _start_alone(thread: threading.Thread, start: Callable[[threading.Thread], None]) -> None:
    """Start a thread, and wait until the trace function is set in it, as one at a time can be.

    See `_undisturbed`: a collection of garbage in the event of setting one gives way as well.
    """
    run, set_before, is_set = thread.run, vars(thread).get("run"), threading.Event()

    def run_set() -> None:
        is_set.set()
        run()

    with _alone():
        vars(thread)["run"] = run_set
        try:
            start(thread)
            is_set.wait(_LONGEST_START)
        finally:
            vars(thread).pop("run", None)
            if set_before is not None:
                vars(thread)["run"] = set_before


@contextmanager
def _alone() -> Iterator[None]:
    """Wait until no other thread starts one; for a while only, as an interrupt may come between."""
    global _starting  # noqa: PLW0603 - whoever keeps it that long keeps it for good
    lock = _starting
    if not lock.acquire(timeout=2 * _LONGEST_START):
        _starting = threading.RLock()
        yield
        return
    try:
        yield
    finally:
        lock.release()


def _hear(event: str, args: tuple[Any, ...]) -> None:
    if event in _NOTES:
        _note(event, args)


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
    if getattr(_here, "is_noting", False):
        return
    watches = _watches_here()
    if not watches:
        return
    frame = sys._getframe(2)
    top = _top_of(frame)
    if top == _OURSELVES or (top in _LOOKING_FOR_CODE and _is_of_code(event, args)):
        return
    if event == "os.scandir" and _is_for_pattern(frame):
        return  # the pattern was noted
    _tell(watches, _NOTES[event], *args)


def _tell(watches: tuple[Watch, ...], note: Callable[..., None], *args: object) -> None:
    _here.is_noting = True  # what is looked at here is not what the body looks at
    try:
        for watch in watches:
            if not watch.is_over:
                note(watch, *args)
    except Exception:  # the body must not notice
        return
    finally:
        _here.is_noting = False


def _watches_here() -> tuple[Watch, ...]:
    """Return the watch over the body that runs here, and those over bodies that execute its run."""
    call = call_here()
    if call is None:
        return getattr(_here, "watches", ()) or (_watches_of_thread() if _by_thread else ())
    watches = []
    while call is not None:
        if call.watch is None:
            call.watch = Watch()
        watches.append(call.watch)
        call = around(call)
    return tuple(watches)


def _watches_of_thread() -> tuple[Watch, ...]:
    """Return the watches over the body that started this thread."""
    here = threading.get_ident()
    return next((found for thread, found in [*_by_thread.items()] if thread.ident == here), ())


def _is_of_code(event: str, args: tuple[Any, ...]) -> bool:
    return event != "open" or str(args[0]).endswith(_CODE)


def _is_for_pattern(frame: FrameType) -> bool:
    """Whether a folder is listed to find what fits a pattern: not by `Path.iterdir` or `walk`."""
    outer: FrameType | None = frame
    name = ""
    while outer is not None and _top_of(outer) in _PATTERNS:
        name = outer.f_code.co_name
        outer = outer.f_back
    return name not in ("", "iterdir", "walk")


def _top_of(frame: FrameType) -> str:
    return str(frame.f_globals.get("__name__", "")).partition(".")[0]


def _handed(watch: Watch, path: str) -> None:
    watch.named([path])


def _handed_whole(watch: Watch, path: str) -> None:
    watch.handed(path)


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


def _started_thread(watch: Watch, function: Any, *more: object) -> None:
    thread = getattr(function, "__self__", None)
    if isinstance(thread, threading.Thread):
        _by_thread[thread] = (*_by_thread.get(thread, ()), watch)


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
    "subprocess.Popen": _started,
    "os.system": _started_shell,
    "_thread.start_new_thread": _started_thread,
    "_thread.start_joinable_thread": _started_thread,
}
