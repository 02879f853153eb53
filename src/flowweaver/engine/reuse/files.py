"""Files that tasks read: their content counts for reuse, not their time."""

from __future__ import annotations

import functools
import os
from hashlib import blake2b
from pathlib import Path

_CHUNK = 1024 * 1024


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
