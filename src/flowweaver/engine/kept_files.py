"""What a store keeps of files and folders (`keep=True`), and how it is put back."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from flowweaver.errors import StoreCorruptError, UnstorableError
from flowweaver.files.output import OutputFile
from flowweaver.records import FileRecord
from flowweaver.serialize import Encoded, decode, encode

File = bytes | tuple[int, bytes]
"""The content of a file, with its rights where not everybody may read it, or run it."""
Part = File | str | None
"""What is in a folder by some name: a file, where a link leads to, or None for a folder."""

_RIGHTS = 0o777
_EXECUTABLE, _PUBLIC = 0o111, 0o644


def content_of(path: str) -> Encoded:
    """Return what a file or folder holds, to be kept in a store.

    Raises:
        UnstorableError: A part of it can't be read, or is neither file, folder nor link.
    """
    root = Path(path)
    try:
        if not root.is_dir():
            return encode(_file(root))
        return encode({item.relative_to(root).as_posix(): _part(item) for item in _below(root)})
    except OSError as error:
        place = error.filename or path
        raise UnstorableError(f"file {str(place)!r}", f"{error.strerror or error}") from error


def _below(root: Path) -> list[Path]:
    """Return what is below a folder, links not followed, each folder before what is in it."""
    found = [
        Path(directory, name)
        for directory, folders, files in os.walk(root, onerror=_raise)
        for name in (*folders, *files)
    ]
    return sorted(found)


def _raise(error: OSError) -> None:
    raise error


def _part(path: Path) -> Part:
    if path.is_symlink():
        return os.fspath(path.readlink())
    return None if path.is_dir() else _file(path)


def _file(path: Path) -> File:
    # Nothing waits for who writes to a pipe that has taken the file's place.
    flags = os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_NONBLOCK", 0)
    with os.fdopen(os.open(path, flags), "rb") as file:
        mode = os.fstat(file.fileno()).st_mode
        if not stat.S_ISREG(mode):
            raise UnstorableError(
                f"file {str(path)!r}", "what is in a pipe, a socket or a device is not kept"
            )
        content = file.read()
    is_plain = mode & _PUBLIC == _PUBLIC and not mode & _EXECUTABLE
    return content if is_plain else (mode & _RIGHTS, content)


def put_back(file: FileRecord, kept: Encoded) -> None:
    """Write a file or folder as it was from what is kept of it.

    Raises:
        StoreCorruptError: What is kept holds something else than files and folders.
    """
    content = decode(kept)
    target = OutputFile(file.path)
    parts = None if _is_file(content) else _checked(file, content)
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.writing() as path:
        if parts is None:
            _write(path, content)
        else:
            _write_folder(path, parts)
    if isinstance(content, tuple):  # what stood in its place had others
        target.chmod(content[0])


def _write_folder(root: Path, parts: Mapping[str, Part]) -> None:
    root.mkdir()
    # Links last, so that nothing is written to where one leads.
    for name, part in sorted(parts.items(), key=lambda entry: isinstance(entry[1], str)):
        path = root / name
        if part is None:
            path.mkdir(parents=True, exist_ok=True)
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(part, str):
            path.symlink_to(part)
        else:
            _write(path, part)


def _write(path: Path, file: File) -> None:
    rights, content = (None, file) if isinstance(file, bytes) else file
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    made = 0o666 if rights is None else rights & ~0o077 | 0o600  # nobody else reads it meanwhile
    with os.fdopen(os.open(path, flags, made), "wb") as written:
        written.write(content)
        os.fsync(written.fileno())
    if rights is not None:
        path.chmod(rights)


def _is_file(content: Any) -> bool:
    if isinstance(content, bytes):
        return True
    return (
        isinstance(content, tuple)
        and len(content) == 2
        and isinstance(content[0], int)
        and content[0] & ~_RIGHTS == 0
        and isinstance(content[1], bytes)
    )


def _checked(file: FileRecord, content: Any) -> Mapping[str, Part]:
    """Return the parts of a folder; whoever can write a store could name any place."""
    is_sound = isinstance(content, dict) and all(
        isinstance(name, str)
        and name
        and not PurePosixPath(name).is_absolute()
        and ".." not in PurePosixPath(name).parts
        and "\\" not in name
        and (part is None or isinstance(part, str) or _is_file(part))
        for name, part in content.items()
    )
    if not is_sound:
        raise StoreCorruptError(
            f"What is kept of {file.path!r} holds something else than files. Run the task that "
            "makes it again (force=[...]), or put a backup of the store in its place."
        )
    parts: Mapping[str, Part] = content
    return parts
