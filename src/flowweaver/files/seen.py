"""What was seen to be read, and whether it is still the same: files, folders' lists, patterns.

Each is kept as a `FileRecord`. The digest of a file is that of its content; that of a list of names
says by its first word what the list is of.
"""

from __future__ import annotations

import glob
import os
from collections.abc import Callable, Iterable, Iterator
from fnmatch import fnmatchcase
from hashlib import blake2b
from pathlib import Path

from flowweaver.files.content import GONE, content_digest
from flowweaver.records import FileRecord

CHANGED = "changed while it was read"
"""The digest of what is not sure to be what was read."""

_NAMES = "names "
_FOUND = "found "
_PASSING = "passing "


def names_digest(folder: str) -> str:
    """Return a digest of the names in a folder; `GONE` if there is none."""
    try:
        names = os.listdir(folder)  # noqa: PTH208 - a folder of many files, and their names alone
    except (OSError, ValueError):
        return GONE
    return _NAMES + _digest(name for name in names if _counts(name))


def found_digest(pattern: str) -> str:
    """Return a digest of the paths that a pattern finds, as `glob` understands it."""
    return _FOUND + _digest(glob.glob(pattern, recursive=True))  # noqa: PTH207 - so it is kept


def _counts(name: str) -> bool:
    """Whether a name tells of work: what is hidden comes and goes with tools."""
    return not name.startswith(".") and name != "__pycache__"


def _digest(names: Iterable[str]) -> str:
    text = "\0".join(sorted(names))
    return blake2b(text.encode("utf-8", "surrogateescape"), digest_size=16).hexdigest()


def passing_since(reads: Iterable[FileRecord], start: float) -> tuple[FileRecord, ...]:
    """Return what was read with those marked that were made after a time: they may go again.

    A run tidies up what it made on its way. What it made is not missed, then; what was there before
    is. `start` is in seconds since the epoch.
    """
    return tuple(
        read._replace(digest=_PASSING + read.digest) if _is_since(read, start) else read
        for read in reads
    )


def _is_since(read: FileRecord, start: float) -> bool:
    if read.digest in (GONE, CHANGED):
        return False
    place = folder_of(read.path) if read.digest.startswith(_FOUND) else read.path
    try:
        status = Path(place).stat()
    except (OSError, ValueError):
        return False
    return max(status.st_mtime, status.st_ctime) >= start


def folder_of(pattern: str) -> str:
    """Return the folder that everything a pattern finds is in."""
    at = min((place for mark in "*?[" if (place := pattern.find(mark)) >= 0), default=None)
    return pattern if at is None else pattern[: pattern.rfind(os.sep, 0, at) + 1] or os.curdir


def changes_since(reads: Iterable[FileRecord], trusted: Iterable[str] = ()) -> Iterator[str]:
    """Yield in words what is not as it was when it was read.

    Args:
        reads: What was read.
        trusted: Paths, or patterns of such, of which it is no matter.
    """
    patterns = tuple(trusted)
    for read in reads:
        if any(fnmatchcase(read.path, pattern) for pattern in patterns):
            continue
        may_be_gone = read.digest.startswith(_PASSING)
        before = read._replace(digest=read.digest.removeprefix(_PASSING))
        now = _digest_like(before.digest)(read.path)
        if before.digest == CHANGED:
            yield f"the file `{read.path}` {CHANGED}"
        elif now != before.digest and not (may_be_gone and now in _NOTHING):
            yield _words(before, now)


# What is left where everything was removed.
_NOTHING = (GONE, _NAMES + _digest(()), _FOUND + _digest(()))


def _digest_like(digest: str) -> Callable[[str], str]:
    if digest.startswith(_NAMES):
        return names_digest
    return found_digest if digest.startswith(_FOUND) else content_digest


def _words(read: FileRecord, now: str) -> str:
    if read.digest.startswith(_FOUND):
        return f"`{read.path}` finds other files than before"
    if read.digest.startswith(_NAMES):
        return f"the folder `{read.path}` {'holds other names than before' if now else 'is gone'}"
    if now == GONE:
        return f"the file `{read.path}`, which it read, is gone"
    if read.digest == GONE:
        return f"the file `{read.path}`, which it looked for, is there now"
    return f"the file `{read.path}` has changed since it was read"
