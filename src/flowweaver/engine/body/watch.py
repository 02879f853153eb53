"""What one attempt reads without having said so, and what of it is to be kept.

What opens files behind Python's back (a library in C++ or Rust, another program) is not heard. So a
file that an argument, a constant of the body's or a program's command line names, or whose path is
handed to such a library, counts as read, too, if it is there before and is the same afterwards.
"""

# ruff: noqa: PTH114, PTH109, PTH116, PTH118, PTH120, PTH207 - text, for it is done at every open

from __future__ import annotations

import glob
import os
import stat
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from typing import Any, NamedTuple

from flowweaver.definitions.file_uses import file_uses
from flowweaver.definitions.task import Task
from flowweaver.engine.body.children import Children, unforked
from flowweaver.engine.body.named import NOTHING, Named, named_in, paths_in, words_of
from flowweaver.engine.body.pathlike import is_pattern
from flowweaver.engine.body.places import Places, from_here
from flowweaver.files.content import GONE, content_digest
from flowweaver.files.remembered import Identity
from flowweaver.files.seen import (
    CHANGED,
    code_found,
    emptied_at,
    found_by,
    led_by,
    left_at,
    names_in,
    source_at,
    there_at,
)
from flowweaver.fingerprint.named import files_of_code, meaning_of, name_of_code
from flowweaver.fingerprint.programs import loaded_by_command, loaded_with
from flowweaver.records import FileRecord

_MOST = 10_000
_OTHER = Identity(-1, -1, -1, -1)
"""Something is there that is no plain file: a folder, a pipe, a device."""
_Seen = Identity | None


class Watch:
    """What one attempt was seen to open, to list, to look for, to change.

    Args:
        named: What it may read unheard, as the paths stand in its code.
        given: The same, as the paths stand in its arguments.
        declared: Paths that count anyhow; what is in them need not be noted.

    Attributes:
        is_over: Whether the body has ended: what is opened now is no concern of its.
    """

    __slots__ = (
        "__weakref__", "_asked", "_children", "_code", "_first", "_heard", "_is_full", "_last",
        "_links", "_lists", "_places", "_removed", "_unheard", "_written", "is_over",
    )  # fmt: skip

    def __init__(
        self, named: Named = NOTHING, given: Named = NOTHING, declared: Iterable[str] = ()
    ) -> None:
        self.is_over = self._is_full = False
        self._places = Places(declared)
        self._first: dict[str, _Seen] = {}
        self._last: dict[str, _Seen] = {}
        # A file is heard to be read, heard to be written, or may be either unheard.
        self._heard: set[str] = set()
        self._written: set[str] = set()
        self._unheard: set[str] = set()
        self._lists: dict[str, str] = {}
        self._links: dict[str, str] = {}
        self._asked: dict[str, _Seen] = {}
        self._code: dict[str, FileRecord | None] = {}
        self._removed: set[str] = set()
        self._children = Children()
        self.named(named.paths)
        self.named(given.paths, may_be_hidden=True)
        for path in (*named.sources, *given.sources):
            self.handed(path)

    def named(self, paths: Iterable[str], *, may_be_hidden: bool = False) -> None:
        """Note files that may be read unheard; of a pattern that finds some, those."""
        for path in paths:
            if is_pattern(path) and (found := glob.glob(path)):
                self.looked_for(path)
                self.named(found[:_MOST])
            full = self._places.full(path)
            if self._places.counts(full, may_be_hidden=may_be_hidden):
                seen = _identity(full)
                if seen is not None and seen is not _OTHER:
                    self._note(full, seen, self._unheard)

    def handed(self, path: str) -> None:
        """Note a file, what a pattern finds or all in a folder, that may be read unheard."""
        self.named([path])
        if glob.has_magic(path):
            pattern = path
        elif _identity(self._places.full(path)) is _OTHER:
            pattern = os.path.join(glob.escape(path), "**")
        else:
            return
        self.looked_for(pattern)
        self.named(glob.glob(pattern, recursive=True)[:_MOST])

    def opened(self, path: str, flags: int) -> None:
        """Note that a file is about to be opened; `flags` are those of `os.open`."""
        full = self._places.full(path)
        if self._places.counts(full):
            access = flags & (os.O_RDONLY | os.O_WRONLY | os.O_RDWR)
            seen = _identity(full)
            if access != os.O_WRONLY:
                self._note(full, seen, self._heard)
            if access != os.O_RDONLY:
                self._note(full, seen, self._written)

    def asked_whether(self, path: str) -> None:
        """Note that the body asks whether there is a file or a folder."""
        full = self._places.full(path)
        if self._places.counts(full):
            self._note_asked(full, _identity(full))

    def asked_status(self, path: str) -> None:
        """Note that the body asks what the file system says of a file, which changes with it."""
        full = self._places.full(path)
        if self._places.counts(full):
            seen = _identity(full)
            if seen is None or seen is _OTHER:
                self._note_asked(full, seen)
            else:
                self._note(full, seen, self._unheard)

    def asked_link(self, path: str) -> None:
        """Note that the body asks where a link leads."""
        full = self._places.full(path)
        if self._places.counts(full) and full not in self._links:
            self._links[full] = led_by(full)
            self._tell("link", full, None)

    def executed(self, path: str) -> None:
        """Note that a file of code is about to be executed that no import statement names."""
        if path not in files_of_code(self._code):
            for each in map(from_here, loaded_with(path)):
                if self._places.counts(self._places.full(each)):
                    self._note_code(each, source_at(each))

    def found_code(self, module: str, name: str) -> None:
        """Note that a function or class is about to be found by its name, and maybe loaded."""
        found = name_of_code(module, name)
        if found:
            self._note_code(found, None)

    def changed(self, path: str) -> None:
        """Note that what is at a path is about to be made, moved or removed."""
        full = self._places.full(path)
        if self._places.counts(full):
            self._note(full, _identity(full), self._written)

    def emptied(self, folder: str) -> None:
        """Note that a folder is about to be removed or moved with all that is in it."""
        self.changed(folder)
        full = self._places.full(folder)
        if full in self._first:
            self._removed.add(full)

    def connected(self, path: str) -> None:
        """Note that a SQLite database is about to be opened; commits may stand in its log."""
        for part in (path, f"{path}-wal"):
            full = self._places.full(part)
            if self._places.counts(full):
                self._note(full, _identity(full), self._unheard)

    def listed(self, folder: str) -> None:
        """Note that the names in a folder are about to be listed."""
        full = self._places.full(folder)
        if self._places.counts(full) and full not in self._lists:
            self._lists[full] = names_in(full)
            self._tell("listed", full, None)

    def looked_for(self, pattern: str) -> None:
        """Note that the files that fit a pattern are about to be looked for."""
        full = self._places.full(pattern)
        if self._places.counts(full) and full not in self._lists:
            self._lists[full] = found_by(self._places.shown(full))
            self._tell("found", full, None)

    def started(self, command: object, folder: object) -> None:
        """Note that a program is about to be started: what its command names may be read by it."""
        where = os.fsdecode(folder) if isinstance(folder, (str, bytes, os.PathLike)) else ""
        words = words_of(command)
        self.named(map(from_here, loaded_by_command(words, where or os.getcwd())))
        for word in words:
            path = os.path.join(where, word)
            self.named([path])
            full = self._places.full(path)
            if self._places.counts(full):
                self._heard.discard(full)  # who wrote it in the end, nobody can tell
                self._note(full, _identity(full), self._unheard)

    def forks(self) -> None:
        """Note that a process is about to be forked, whose copy of this watch tells this one."""
        self._children.about_to_be_forked()

    def seen(self) -> tuple[FileRecord, ...]:
        """End the watch; return what is to be kept of it."""
        self.is_over = True
        with suppress(OSError):  # the working directory is gone
            self._hear_children()
            return tuple(self._seen())
        return ()

    def _hear_children(self) -> None:
        kinds = {"heard": self._heard, "written": self._written, "unheard": self._unheard}
        for how, full, is_whole, found in self._children.told():
            if how == "code":
                self._code.setdefault(full, source_at(full) if full.endswith(".py") else None)
                continue
            self._places.note(full, is_whole=is_whole)
            if how == "listed":
                self._lists.setdefault(full, names_in(full))
            elif how == "found":
                self._lists.setdefault(full, found_by(self._places.shown(full)))
            elif how == "link":
                self._links.setdefault(full, led_by(full))
            elif how == "asked":
                self._asked.setdefault(full, _OTHER if found == _OTHER else found)
            else:
                self._note(full, _OTHER if found == _OTHER else found, kinds[how])

    def _seen(self) -> Iterator[FileRecord]:
        yield from self._seen_of_files()
        for full, first in self._asked.items():
            if full not in self._first:
                yield from self._seen_of_asked(full, first)
        for full, told in self._lists.items():
            has_come = told == GONE and names_in(full) != GONE  # the body may have made it
            if not has_come and not self._is_own(full):
                yield FileRecord(self._places.shown(full), told)
        for full, told in self._links.items():
            if led_by(full) == told and not self._is_own(full):
                yield FileRecord(self._places.shown(full), told)
        for name, read in self._code.items():
            yield read or code_found(name, meaning_of(name))
        if self._is_full:
            yield FileRecord(f"and more than {_MOST:,} files", CHANGED)

    def _seen_of_files(self) -> Iterator[FileRecord]:
        for full, first in self._first.items():
            now, last, path = _identity(full), self._last[full], self._places.shown(full)
            is_gone = first is _OTHER and now is None  # it may have been a folder
            if is_gone or full in self._removed:
                yield emptied_at(path)
            if full in self._written and (now != first or full not in self._heard):
                if now is not first or os.path.islink(full):
                    yield left_at(path)
            elif _OTHER in (first, last, now):
                continue
            elif full not in self._heard and now != first:
                yield left_at(path)
            elif now == last:
                yield FileRecord(path, GONE if now is None else content_digest(path))
            elif last is None:
                yield FileRecord(path, GONE)
            elif now is not None:
                yield FileRecord(path, CHANGED)

    def _seen_of_asked(self, full: str, first: _Seen) -> Iterator[FileRecord]:
        now, path = _identity(full), self._places.shown(full)
        if (now is None, now is _OTHER) != (first is None, first is _OTHER):
            yield left_at(path)
        elif not self._is_own(full):
            yield (
                FileRecord(path, GONE) if now is None else there_at(path, is_file=now is not _OTHER)
            )

    def _is_own(self, place: str) -> bool:
        """Whether a folder is one that the body made, or in one."""
        while place not in self._written or self._first[place] is not None:
            place, before = os.path.dirname(place), place
            if place == before:
                return False
        return True

    def _note(self, full: str, seen: _Seen, where: set[str]) -> None:
        if full not in self._first:
            if len(self._first) >= _MOST:
                self._is_full |= where is not self._written
                return
            self._first[full] = seen
        self._last[full] = seen
        where.add(full)
        self._tell(self._kind_of(where), full, seen)

    def _note_code(self, name: str, read: FileRecord | None) -> None:
        """Note code by its name, or as it was read just now."""
        if name not in self._code:
            self._is_full |= len(self._code) >= _MOST
            self._code[name] = read
            self._tell("code", name, None)

    def _note_asked(self, full: str, seen: _Seen) -> None:
        if full not in self._asked:
            self._is_full |= len(self._asked) >= _MOST
            self._asked[full] = seen
            self._tell("asked", full, seen)

    def _tell(self, how: str, full: str, seen: _Seen) -> None:
        """Tell the process that forked this one, if it did."""
        self._children.tell(how, full, self._places.is_whole(full), seen)

    def _kind_of(self, where: set[str]) -> str:
        if where is self._heard:
            return "heard"
        return "written" if where is self._written else "unheard"


def _identity(path: str) -> _Seen:
    """Return what a file is known by; None if there is nothing."""
    try:
        status = os.stat(path)
    except (OSError, ValueError):
        return None
    return Identity.of(status) if stat.S_ISREG(status.st_mode) else _OTHER


class Watcher:
    """Sets watches over the attempts of one run."""

    __slots__ = ("_known",)

    def __init__(self) -> None:
        self._known: dict[Callable[..., Any], _Known] = {}

    def over(self, task: Task[..., Any], arguments: Mapping[str, Any]) -> Watch | None:
        """Return the watch over an attempt; None as long as there is nothing to note."""
        try:
            known = self._known.get(task.fn)
        except TypeError:  # it can't be hashed
            known = _known_of(task.fn)
        if known is None:
            known = self._known[task.fn] = _known_of(task.fn)
        named, has_files = known
        given = paths_in(arguments) if arguments else NOTHING
        if not (any(named) or any(given) or has_files or unforked.is_there):
            return None
        with suppress(OSError):  # the working directory is gone
            declared = _declared(task, arguments) if has_files else ()
            return Watch(named, given, declared)
        return None


class _Known(NamedTuple):
    """What is known of a function: the files its code names, and whether it is given such."""

    named: Named
    has_files: bool


def _known_of(fn: Callable[..., Any]) -> _Known:
    has_files = any(use.kind == "read" for use in file_uses(fn))
    return _Known(named_in(fn), has_files)


def _declared(task: Task[..., Any], arguments: Mapping[str, Any]) -> Iterator[str]:
    for use in file_uses(task.fn):
        if use.kind == "read":
            yield from (path for _, path in use.paths(arguments))
