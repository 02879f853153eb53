"""What a body was seen to read and to leave, and whether what it read is still the same.

All are kept as `FileRecord`. The digest of a file that was read is that of its content. Others say
by their first word what they are of:

- ``names``: what a folder listed, by names;
- ``found``: what a pattern found, by paths;
- ``leads``: where a link led;
- ``there``: whether a file or a folder was at a path, for a body that asked no more;
- ``source``: a file of code that the body ran by its path, by what it says;
- ``code``: what the body found by a name in data, by its meaning; its path is that name;
- ``left``: what the body left at a path, by what the file system says of it; nothing if it removed
  what was there. A path that ends with a separator is that of a folder with all that was in it;
- ``project``: no file, but in which folder the project was (see `flowweaver.files.moved`).
"""

from __future__ import annotations

import errno
import glob
import json
import os
import stat
import zlib
from base64 import b85decode, b85encode
from collections.abc import Callable, Iterable, Iterator
from fnmatch import fnmatchcase
from hashlib import blake2b
from typing import NamedTuple

from flowweaver.files.content import GONE, content_digest, syntax_digest
from flowweaver.files.remembered import Identity
from flowweaver.records import FileRecord

CHANGED = "changed while it was read"
"""The digest of what is not sure to be what was read."""

_NAMES = "names "
_FOUND = "found "
_LEFT = "left "
_LEADS = "leads "
_THERE = "there "
_SOURCE = "source "
_CODE = "code "
_PROJECT = "project"
_FILE = "file"
_FOLDER = "folder"
# Longer lists are kept by their digest alone.
_LONGEST = 10_000

Explains = Callable[[str, str | None], bool]
"""Whether later tasks left at a path what the file system says of it; None for anything."""


def names_in(folder: str) -> str:
    """Return the names in a folder, as they are kept; `GONE` if there is none."""
    try:
        names = os.listdir(folder)  # noqa: PTH208 - a folder of many files, and their names alone
    except (OSError, ValueError):
        return GONE
    return _NAMES + _packed([name for name in names if _counts(name)])


def found_by(pattern: str) -> str:
    """Return the paths that a pattern finds, as `glob` understands it, as they are kept."""
    return _FOUND + _packed(glob.glob(pattern, recursive=True))  # noqa: PTH207 - so it is kept


def led_by(link: str) -> str:
    """Return where a link leads, as it is kept; nowhere if it is none, `GONE` if there is none."""
    try:
        return _LEADS + os.readlink(link)  # noqa: PTH115 - text, as it is kept
    except OSError as error:
        return _LEADS if error.errno == errno.EINVAL else GONE
    except ValueError:
        return GONE


def there_at(path: str, *, is_file: bool) -> FileRecord:
    """Return what is kept of a body's having asked whether there is something at a path."""
    return FileRecord(path, _THERE + (_FILE if is_file else _FOLDER))


def source_at(path: str) -> FileRecord:
    """Return what is kept of a file of code that a body runs by its path."""
    return FileRecord(path, _SOURCE + syntax_digest(path))


def code_found(name: str, digest: str) -> FileRecord:
    """Return what is kept of code that a body found by a name, such as ``shop.models:Price``."""
    return FileRecord(name, _CODE + digest)


def left_at(path: str) -> FileRecord:
    """Return what is kept of what a body leaves at a path."""
    return FileRecord(path, _LEFT + status_of(path))


def emptied_at(folder: str) -> FileRecord:
    """Return what is kept of a folder that a body removed with all that was in it."""
    return FileRecord(f"{folder}{os.sep}", _LEFT)


def project_at(folder: str) -> FileRecord:
    """Return what is kept of where a project is."""
    return FileRecord(folder, _PROJECT)


def is_left(seen: FileRecord) -> bool:
    """Whether this is what a body left."""
    return seen.digest.startswith(_LEFT)


def is_project(seen: FileRecord) -> bool:
    """Whether this says where the project was."""
    return seen.digest == _PROJECT


def is_read(seen: FileRecord) -> bool:
    """Whether this is what a body read."""
    return not (is_left(seen) or is_project(seen))


def with_places(seen: FileRecord, change: Callable[[str], str]) -> FileRecord:
    """Return it as if each path in it were another."""
    digest = seen.digest
    if digest.startswith(_LEADS):
        digest = _LEADS + change(digest.removeprefix(_LEADS))
    elif digest.startswith(_FOUND):
        found = _unpacked(digest.removeprefix(_FOUND))
        digest = digest if found is None else _FOUND + _packed([*map(change, found)])
    return seen._replace(path=change(seen.path), digest=digest)


def left_status(seen: FileRecord) -> str:
    """Return what the file system said of what a body left; see `status_of`."""
    return seen.digest.removeprefix(_LEFT)


def status_of(path: str) -> str:
    """Return what the file system says of a path in a word; nothing if nothing is there."""
    try:
        status = os.stat(path)  # noqa: PTH116 - text, as it is kept
    except (OSError, ValueError):
        return GONE
    return ",".join(map(str, Identity.of(status))) if stat.S_ISREG(status.st_mode) else _FOLDER


class Read(NamedTuple):
    """One thing that a body was seen to read: a path, or a pattern, and as what."""

    path: str
    kind: str


_IN_WORDS = {
    "file": "",
    "missing": " (not there)",
    "folder": " (its names)",
    "pattern": " (what it finds)",
    "link": " (where it leads)",
    "there": " (whether it is there)",
    "source": " (its code)",
    "code": " (code found by its name)",
    "changing": f" ({CHANGED})",
}


_KINDS = {
    _NAMES: "folder",
    _FOUND: "pattern",
    _LEADS: "link",
    _THERE: "there",
    _SOURCE: "source",
    _CODE: "code",
}


def read_of(seen: Iterable[FileRecord]) -> list[Read]:
    """Return what a body was seen to read, without what it left."""
    return [Read(each.path, _kind(each.digest)) for each in seen if is_read(each)]


def _kind(digest: str) -> str:
    if digest == CHANGED:
        return "changing"
    if digest == GONE:
        return "missing"
    return next((kind for mark, kind in _KINDS.items() if digest.startswith(mark)), "file")


def read_in_words(seen: Iterable[FileRecord], most: int) -> list[str]:
    """Return what a body was seen to read as people read it: the first, and how many more."""
    read = read_of(seen)
    words = [f"{path}{_IN_WORDS[kind]}" for path, kind in read[:most]]
    return words if len(read) <= most else [*words, f"{len(read) - most:,} more"]


def changes_since(
    seen: Iterable[FileRecord],
    trusted: Iterable[str],
    explains: Explains,
    means: Callable[[str], str],
) -> Iterator[str]:
    """Yield in words what is not as it was when it was read.

    Args:
        seen: What a body was seen to read and to leave.
        trusted: Paths, or patterns of such, of which it is no matter.
        explains: Whether later tasks of the workflow made what is at a path now.
        means: Returns the digest of what code means that is found by a name.
    """
    patterns = tuple(trusted)
    for each in seen:
        if not is_read(each) or any(fnmatchcase(each.path, pattern) for pattern in patterns):
            continue
        if each.digest == CHANGED:
            yield f"the file `{each.path}` {CHANGED}"
        elif each.digest.startswith(_NAMES):
            yield from _changes_of_names(each, explains)
        elif each.digest.startswith(_FOUND):
            yield from _changes_of_found(each, explains)
        elif each.digest.startswith(_THERE):
            yield from _changes_of_there(each, explains)
        elif each.digest.startswith(_LEADS):
            if led_by(each.path) != each.digest and not explains(each.path, status_of(each.path)):
                is_new = each.digest == _LEADS
                how = "is a link now" if is_new else "leads elsewhere, or nowhere"
                yield f"{'' if is_new else 'the link '}`{each.path}` {how}"
        elif each.digest.startswith((_SOURCE, _CODE)):
            yield from _changes_of_code(each, explains, means)
        elif (now := content_digest(each.path)) != each.digest and not explains(
            each.path, status_of(each.path)
        ):
            yield _words(each, now)


def _words(read: FileRecord, now: str) -> str:
    if now == GONE:
        return f"the file `{read.path}`, which it read, is gone"
    if read.digest == GONE:
        return f"the file `{read.path}`, which it looked for, is there now"
    return f"the file `{read.path}` has changed since it was read"


def _changes_of_names(read: FileRecord, explains: Explains) -> Iterator[str]:
    now = names_in(read.path)
    if now == read.digest:
        return
    if now == GONE:
        if not explains(read.path, GONE):
            yield f"the folder `{read.path}` is gone"
    elif not _are_explained(read, now.removeprefix(_NAMES), read.path, explains):
        yield f"the folder `{read.path}` holds other names than before"


def _changes_of_found(read: FileRecord, explains: Explains) -> Iterator[str]:
    now = found_by(read.path)
    if now != read.digest and not _are_explained(read, now.removeprefix(_FOUND), "", explains):
        yield f"`{read.path}` finds other files than before"


def _changes_of_there(asked: FileRecord, explains: Explains) -> Iterator[str]:
    now = status_of(asked.path)
    is_same = now != GONE and (now == _FOLDER) == asked.digest.endswith(_FOLDER)
    if not is_same and not explains(asked.path, now):
        if now == GONE:
            yield f"`{asked.path}`, which it looked for, is gone"
        else:
            yield f"`{asked.path}` is no longer a {asked.digest.removeprefix(_THERE)}"


def _changes_of_code(
    read: FileRecord, explains: Explains, means: Callable[[str], str]
) -> Iterator[str]:
    if read.digest.startswith(_CODE):
        if means(read.path) != read.digest.removeprefix(_CODE):
            yield f"the code of `{read.path}`, which it found by that name, has changed"
    elif source_at(read.path) != read and not explains(read.path, status_of(read.path)):
        yield f"the code in `{read.path}` has changed since it was run"


def _are_explained(read: FileRecord, now: str, folder: str, explains: Explains) -> bool:
    """Whether each path that is more or less than before is by later tasks."""
    before, after = _unpacked(read.digest.partition(" ")[2]), _unpacked(now)
    if before is None or after is None:
        return False
    return all(
        explains(os.path.join(folder, name), None if name in after else GONE)  # noqa: PTH118 - text
        for name in before ^ after
    )


def _counts(name: str) -> bool:
    """Whether a name tells of work: what is hidden comes and goes with tools."""
    return not name.startswith(".") and name != "__pycache__"


def _packed(names: list[str]) -> str:
    text = json.dumps(sorted(names))
    if len(names) > _LONGEST:
        return "#" + blake2b(text.encode(), digest_size=16).hexdigest()
    return b85encode(zlib.compress(text.encode())).decode()


def _unpacked(text: str) -> set[str] | None:
    """Return the names that were packed; None if there were too many, or they are no names."""
    try:
        return set(json.loads(zlib.decompress(b85decode(text)))) if text[:1] != "#" else None
    except (ValueError, TypeError, zlib.error):
        return None
