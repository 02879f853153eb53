"""A file or folder to the digest of what is in it."""

from __future__ import annotations

import ast
import os
import stat
from collections.abc import Iterator
from hashlib import blake2b
from pathlib import Path

from flowweaver.files.remembered import Identity, Remembered
from flowweaver.parsing import parsed

_CHUNK = 1024 * 1024
_REMEMBERED = Remembered()

GONE = ""
"""The digest of what is not there."""


def content_digest(path: str | os.PathLike[str]) -> str:
    """Return the digest of a file's content, or of all that is below a folder; `GONE` for none.

    A file is read again only when its size, times or place on the disk have changed since. What
    can't be read has a digest that says why, so that it counts as changed once it can be.
    """
    try:
        status = Path(path).stat()
    except (OSError, ValueError):  # a path with a NUL in it leads nowhere
        return GONE
    if stat.S_ISDIR(status.st_mode):
        return _folder_digest(Path(path))
    return _file_digest(str(Path(path).absolute()), status)


def syntax_digest(path: str) -> str:
    """Return the digest of what a file of Python's says, whatever its comments and its layout.

    Its docstrings count only if it asks for them.
    """
    try:
        text = Path(path).read_bytes()
        tree = parsed(text)
        said = ast.dump(tree if b"__doc__" in text else _without_docstrings(tree))
    except (OSError, SyntaxError, ValueError):
        return content_digest(path)
    return blake2b(said.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def _without_docstrings(tree: ast.Module) -> ast.Module:
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            first = node.body[0] if node.body else None
            if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
                node.body = node.body[1:]
    return tree


def _file_digest(path: str, status: os.stat_result) -> str:
    if not stat.S_ISREG(status.st_mode):
        return f"no plain file: {stat.filemode(status.st_mode)[0]}"
    identity = Identity.of(status)
    known = _REMEMBERED.find(path, identity)
    if known is not None:
        return known
    try:
        digest, before = _read(path)
    except OSError as error:
        return f"unreadable: {error.strerror}"
    if before == identity:
        _REMEMBERED.note(path, identity, digest)
    return digest


def _read(path: str) -> tuple[str, Identity]:
    """Return the digest of a file, and what the file was known by before it was read."""
    state = blake2b(digest_size=16)
    # Non-blocking, for a pipe may have taken the file's place and would never answer.
    fd = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_NONBLOCK", 0))
    with os.fdopen(fd, "rb", buffering=0) as file:
        identity = Identity.of(os.fstat(fd))
        while chunk := file.read(_CHUNK):
            state.update(chunk)
    return state.hexdigest(), identity


def _folder_digest(root: Path) -> str:
    state = blake2b(digest_size=16, person=b"folder")
    for name, path in sorted(_entries(root)):
        state.update(f"{name}\0{_entry_digest(path)}\n".encode("utf-8", "surrogateescape"))
    return state.hexdigest()


def _entries(root: Path) -> Iterator[tuple[str, Path]]:
    """Yield what is below a folder, by its name from there; links are not followed."""
    for directory, folders, files in os.walk(root):
        for name in folders + files:
            path = Path(directory, name)
            yield path.relative_to(root).as_posix(), path


def _entry_digest(path: Path) -> str:
    try:
        status = path.lstat()
        if stat.S_ISLNK(status.st_mode):
            return f"link: {path.readlink()}"
    except OSError:
        return GONE
    if stat.S_ISDIR(status.st_mode):
        return "folder"
    return _file_digest(str(path.absolute()), status)
