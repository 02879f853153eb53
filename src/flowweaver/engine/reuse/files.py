"""Files that tasks read: their content counts for reuse, not their time."""

from __future__ import annotations

import functools
import os
import typing
from collections.abc import Callable
from hashlib import blake2b
from pathlib import Path
from typing import Annotated, Any

_CHUNK = 1024 * 1024


class _ReadContent:
    """Marks a parameter whose value is the path of a file that the body reads."""


# A parameter annotated so takes a path, and the content of the file there is part of what the
# task's result depends on.
InputFile = Annotated[Path, _ReadContent()]


def read_parameters(fn: Callable[..., Any]) -> tuple[str, ...]:
    """Return the parameters of `fn` that are annotated as files to be read."""
    if not getattr(fn, "__annotations__", None):
        return ()
    try:
        return _annotated(fn)
    except TypeError:  # a callable that can't be a key
        return ()


@functools.lru_cache(maxsize=4096)
def _annotated(fn: Callable[..., Any]) -> tuple[str, ...]:
    try:
        hints = typing.get_type_hints(fn, include_extras=True)
    except Exception:  # names that exist for type checkers only
        return ()
    return tuple(name for name, hint in hints.items() if _is_read(hint))


def _is_read(hint: Any) -> bool:
    return any(isinstance(mark, _ReadContent) for mark in getattr(hint, "__metadata__", ()))


def content_digest(path: str | os.PathLike[str]) -> str:
    """Return the digest of a file's content, or of all files' below a folder; "" for none.

    A file is read again only when its size or times have changed.
    """
    root = Path(path)
    if root.is_dir():
        state = blake2b(digest_size=16)
        for item in sorted(item for item in root.rglob("*") if item.is_file()):
            state.update(f"{item.relative_to(root)}\0{content_digest(item)}\n".encode())
        return state.hexdigest()
    try:
        facts = root.stat()
    except OSError:
        return ""
    times = (facts.st_size, facts.st_mtime_ns, facts.st_ctime_ns, facts.st_ino)
    return _file_digest(str(root.absolute()), times)


@functools.lru_cache(maxsize=4096)
def _file_digest(path: str, _times: tuple[int, ...]) -> str:
    state = blake2b(digest_size=16)
    with Path(path).open("rb") as file:
        while chunk := file.read(_CHUNK):
            state.update(chunk)
    return state.hexdigest()
