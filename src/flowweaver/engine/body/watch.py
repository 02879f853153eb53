"""What one attempt reads without having said so, and what of it is to be kept.

What opens files behind Python's back (a library in C++ or Rust, another program) is not heard. So a
file that an argument, a constant of the body's or a program's command line names counts as read,
too, if it is there before and is the same afterwards.
"""

# ruff: noqa: PTH100, PTH109, PTH110, PTH116, PTH117, PTH118, PTH207 - text, for it is done at every open

from __future__ import annotations

import glob
import os
import shlex
import stat
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from functools import lru_cache
from pathlib import Path, PurePath
from typing import Any, NamedTuple

from flowweaver.definitions.file_uses import file_uses
from flowweaver.definitions.task import Task
from flowweaver.engine.body.named import is_pattern, looks_like_path, named_in
from flowweaver.files.content import GONE, content_digest
from flowweaver.files.remembered import Identity
from flowweaver.files.seen import CHANGED, folder_of, found_digest, names_digest
from flowweaver.fingerprint.owners import Owner, owner_of_file
from flowweaver.masking import masker
from flowweaver.records import FileRecord

_MOST = 10_000
# Where a machine keeps what is its own. A working directory in there is worked in.
_SYSTEM = tuple(
    f"{root}{os.sep}"
    for root in (
        *("/proc", "/sys", "/dev", "/etc", "/usr", "/lib", "/lib64", "/bin", "/sbin", "/run"),
        *("/System", "/Library", "/private/etc", os.environ.get("SYSTEMROOT", "/boot")),
    )
)
# A list of arguments this long is data, not the names of files.
_MOST_ARGUMENTS = 1_000
_Seen = Identity | None


class Watch:
    """What one attempt was seen to open, to list and to look for.

    Args:
        named: Files that it may read unheard, as their paths stand in arguments and code.
        declared: Paths that count anyhow; what is in them need not be noted.

    Attributes:
        is_over: Whether the body has ended: what is opened now is no concern of its.
    """

    __slots__ = (
        "_declared", "_first", "_found", "_heard", "_last", "_listed", "_relative",
        "_written", "is_over",
    )  # fmt: skip

    def __init__(self, named: Iterable[str] = (), declared: Iterable[str] = ()) -> None:
        self.is_over = False
        self._declared = tuple(map(os.path.abspath, declared))
        self._relative: set[str] = set()
        self._first: dict[str, _Seen] = {}
        self._last: dict[str, _Seen] = {}
        self._heard: set[str] = set()
        self._written: set[str] = set()
        self._listed: dict[str, str] = {}
        self._found: dict[str, str] = {}
        self.named(named)

    def named(self, paths: Iterable[str]) -> None:
        """Note files that may be read unheard; of a pattern that finds some, those."""
        for path in paths:
            if is_pattern(path) and (found := glob.glob(path)):
                self.looked_for(path)
                self.named(found[:_MOST])
            full = self._full(path)
            if self._is_of_interest(full) and (seen := _identity(full)) is not None:
                self._note(full, seen)

    def opened(self, path: str, flags: int) -> None:
        """Note that a file is about to be opened; `flags` are those of `os.open`."""
        full = self._full(path)
        if not self._is_of_interest(full):
            return
        access = flags & (os.O_RDONLY | os.O_WRONLY | os.O_RDWR)
        if access != os.O_RDONLY:
            self._written.add(full)
        if access != os.O_WRONLY:
            self._heard.add(full)
        self._note(full, _identity(full))

    def changed(self, path: str) -> None:
        """Note that what is at a path is about to be made, moved or removed."""
        full = self._full(path)
        if self._is_of_interest(full):
            self._written.add(full)
            self._note(full, _identity(full))

    def connected(self, path: str) -> None:
        """Note that a SQLite database is about to be opened; commits may stand in its log."""
        for part in (path, f"{path}-wal"):
            if os.path.exists(part):
                self.opened(part, os.O_RDWR)

    def listed(self, folder: str) -> None:
        """Note that the names in a folder are about to be listed."""
        full = self._full(folder)
        if self._is_of_interest(full) and not self._is_looked_through(full):
            self._listed.setdefault(full, names_digest(full))

    def looked_for(self, pattern: str) -> None:
        """Note that the files that fit a pattern are about to be looked for."""
        full = self._full(pattern)
        if self._is_of_interest(full):
            self._found.setdefault(full, found_digest(self._shown(full)))

    def started(self, command: object, folder: object) -> None:
        """Note that a program is about to be started: what its command names may be read by it."""
        where = os.fsdecode(folder) if isinstance(folder, (str, bytes, os.PathLike)) else ""
        self.named(os.path.join(where, word) for word in _words(command) if word)

    def reads(self) -> tuple[FileRecord, ...]:
        """End the watch; return what is to be kept: places, and what was there to be read."""
        self.is_over = True
        with suppress(OSError):  # the working directory is gone
            return tuple(self._reads())
        return ()

    def _reads(self) -> Iterator[FileRecord]:
        yield from self._files()
        yield from self._lists()
        if len(self._first) >= _MOST:
            yield FileRecord(f"and more than {_MOST:,} files", CHANGED)

    def _files(self) -> Iterator[FileRecord]:
        for full, first in self._first.items():
            now, path = _identity(full), self._shown(full)
            if full in self._written:  # by the body itself, unless it left all as it was
                if now is not None and now == first and full in self._heard:
                    yield FileRecord(path, content_digest(path))
            elif now == self._last[full]:
                if now is not None:
                    yield FileRecord(path, content_digest(path))
                elif first is None:
                    yield FileRecord(path, GONE)
            elif full in self._heard:
                if self._last[full] is None:
                    yield FileRecord(path, GONE)
                elif now is not None:
                    yield FileRecord(path, CHANGED)

    def _lists(self) -> Iterator[FileRecord]:
        for noted, digest_of in ((self._listed, names_digest), (self._found, found_digest)):
            for full, before in noted.items():
                path = self._shown(full)
                now = digest_of(path)
                if GONE not in (before, now):
                    yield FileRecord(path, now if self._writes_in(full) else before)

    def _writes_in(self, place: str) -> bool:
        return any(path.startswith(_base(place)) for path in self._written)

    def _is_looked_through(self, folder: str) -> bool:
        return any(f"{folder}{os.sep}".startswith(_base(pattern)) for pattern in self._found)

    def _note(self, full: str, seen: _Seen) -> None:
        if len(self._first) < _MOST or full in self._first:
            self._first.setdefault(full, seen)
            self._last[full] = seen

    def _full(self, path: str) -> str:
        full = os.path.abspath(path)
        if not os.path.isabs(path):
            self._relative.add(full)
        return full

    def _shown(self, full: str) -> str:
        """Return a path as it is kept: as it was given, so that a folder can be moved whole."""
        here = f"{os.getcwd()}{os.sep}"
        is_below = full in self._relative and full.startswith(here)
        return full[len(here) :] or os.curdir if is_below else full

    def _is_of_interest(self, full: str) -> bool:
        is_declared = any(
            f"{full}{os.sep}".startswith(f"{each}{os.sep}") for each in self._declared
        )
        return not is_declared and _is_of_work(full, os.getcwd())


@lru_cache(maxsize=4096)
def _is_of_work(full: str, here: str) -> bool:
    """Whether a path leads to something that is worked on: no program's, system's or tool's own."""
    if full.startswith(_SYSTEM) and not here.startswith(_SYSTEM):
        return False
    if owner_of_file(full) is not Owner.PROJECT or masker.is_in(os.fsencode(full)):
        return False
    for root in (here, str(Path.home())):
        if full.startswith(f"{root}{os.sep}"):
            folders = PurePath(full[len(root) + 1 :]).parts[:-1]
            break
    else:
        folders = ()
    return "__pycache__" not in folders and not any(each.startswith(".") for each in folders)


def _identity(path: str) -> _Seen:
    """Return what a plain file is known by; None if there is none."""
    with suppress(OSError, ValueError):
        status = os.stat(path)
        if stat.S_ISREG(status.st_mode):
            return Identity.of(status)
    return None


def _base(place: str) -> str:
    """Return the beginning of all paths in a folder, or of all that a pattern finds."""
    return f"{folder_of(place).rstrip(os.sep)}{os.sep}"


def _words(command: object) -> list[str]:
    if isinstance(command, (str, bytes)):
        command = [command]
    if not isinstance(command, (list, tuple)):
        return []
    words = [os.fsdecode(word) for word in command if isinstance(word, (str, bytes, os.PathLike))]
    with suppress(ValueError):  # a quotation without an end
        words += [each for word in words if " " in word for each in shlex.split(word)]
    return words[1:]


class Watcher:
    """Sets watches over the attempts of one run."""

    __slots__ = ("_known",)

    def __init__(self) -> None:
        # By the identity of functions: not all are hashable.
        self._known: dict[int, _Known] = {}

    def over(self, task: Task[..., Any], arguments: Mapping[str, Any]) -> Watch | None:
        """Return the watch over an attempt; None as long as there is nothing to note."""
        known = self._known.get(id(task.fn))
        if known is None:
            has_files = any(use.kind == "read" for use in file_uses(task.fn))
            known = _Known(task.fn, tuple(named_in(task.fn)), has_files)
            self._known[id(task.fn)] = known
        _, named, has_files = known
        given = [*_paths_in(arguments)] if arguments else ()
        if not (named or given or has_files):
            return None
        with suppress(OSError):  # the working directory is gone
            declared = _declared(task, arguments) if has_files else ()
            return Watch((*named, *given), declared)
        return None


class _Known(NamedTuple):
    """What is known of a function: the files its code names, and whether it is given such."""

    fn: Callable[..., Any]
    named: tuple[str, ...]
    has_files: bool


def _declared(task: Task[..., Any], arguments: Mapping[str, Any]) -> Iterator[str]:
    for use in file_uses(task.fn):
        if use.kind == "read":
            yield from (path for _, path in use.paths(arguments))


def _paths_in(arguments: Mapping[str, Any]) -> Iterator[str]:
    """Yield what may be a path in the arguments of a call, or in containers among them."""
    for value in arguments.values():
        if isinstance(value, (str, PurePath)):
            values: Iterable[Any] = (value,)
        elif isinstance(value, (list, tuple, set, frozenset)) and len(value) <= _MOST_ARGUMENTS:
            values = value
        elif isinstance(value, dict) and len(value) <= _MOST_ARGUMENTS:
            values = value.values()
        else:
            continue
        for each in values:
            if isinstance(each, PurePath):
                yield str(each)
            elif isinstance(each, str) and looks_like_path(each):
                yield each
