"""Lets the processes tell what they read that a body starts by `multiprocessing` and does not fork.

So do those of joblib. Such a process is given something to call; what it is given instead listens
first.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable
from functools import wraps
from typing import Any

from flowweaver.engine.body.children import line_of, unforked
from flowweaver.engine.body.watch import Watch
from flowweaver.engine.body.watching import watch_all_here, watches_here
from flowweaver.files.remembered import Identity
from flowweaver.records import FileRecord

_MODULE = "multiprocessing.process"
# Taken by whoever is the first to find it loaded, and never given back.
_heard = threading.Lock()


def hear_processes(hear_there: Callable[[], None]) -> None:
    """Hear, from now on, of processes that bodies start, if `multiprocessing` is loaded.

    Args:
        hear_there: Is called in such a process, to hear what it reads.
    """
    module = None if _heard.locked() else sys.modules.get(_MODULE)
    processes: Any = getattr(module, "BaseProcess", None)
    if processes is None or not _heard.acquire(blocking=False):
        return
    start = processes.start

    @wraps(start)
    def heard_start(process: Any) -> None:
        target = getattr(process, "_target", None)  # none where `run` is the process's own
        if target is not None and _method_of(process) != "fork" and watches_here():
            process._target = Telling(target, unforked.path(), hear_there)
        start(process)

    processes.start = heard_start


def _method_of(process: object) -> str:
    method = getattr(process, "_start_method", None)
    return str(method or sys.modules["multiprocessing"].get_start_method())


class Telling:
    """What a process is given to call, with what it reads while it does so told to another.

    Args:
        target: What it was to call.
        path: The file to write to.
        hear: Lets the process hear what it reads.
    """

    def __init__(self, target: Callable[..., Any], path: str, hear: Callable[[], None]) -> None:
        self._target = target
        self._path = path
        self._hear = hear

    def __call__(self, *args: Any, **kw: Any) -> Any:
        """Call it."""
        watch_all_here(_TellingWatch(self._path))
        self._hear()
        return self._target(*args, **kw)


class _TellingWatch(Watch):
    """A watch that notes nothing here, and tells each time: others may listen each time."""

    __slots__ = ("_path",)

    def __init__(self, path: str) -> None:
        self._path = path
        super().__init__()

    def listed(self, folder: str) -> None:
        self._tell_of("listed", folder)

    def looked_for(self, pattern: str) -> None:
        self._tell_of("found", pattern)

    def _tell_of(self, how: str, path: str) -> None:
        full = self._places.full(path)
        if self._places.counts(full):
            self._tell(how, full, None)

    def _note(self, full: str, seen: Identity | None, where: set[str]) -> None:
        self._tell(self._kind_of(where), full, seen)

    def _note_asked(self, full: str, seen: Identity | None) -> None:
        self._tell("asked", full, seen)

    def _note_code(self, name: str, read: FileRecord | None) -> None:  # noqa: ARG002 - told anew
        self._tell("code", name, None)

    def _tell(self, how: str, full: str, seen: Identity | None) -> None:
        line = line_of((how, full, self._places.is_whole(full), seen))
        fd = os.open(self._path, os.O_WRONLY | os.O_APPEND)
        try:
            os.write(fd, line)
        finally:
            os.close(fd)
