"""What the processes that a body forks read, told to the one that waits for them."""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Iterator

from flowweaver.files.remembered import Identity

Told = tuple[str, str, bool, Identity | None]
"""How something was met, its path, whether it was given whole, and what was there."""


class Journal:
    """A file without a name that a process and those it forks have in common.

    Lines of several processes don't mix: they share the place in the file that they write at.
    """

    __slots__ = ("_fd", "_maker")

    def __init__(self) -> None:
        self._maker = os.getpid()
        self._fd, name = tempfile.mkstemp()
        os.unlink(name)  # noqa: PTH108 - text, as it was given

    def __del__(self) -> None:
        """Close this process's own way to the file."""
        os.close(self._fd)

    @property
    def is_anothers(self) -> bool:
        """Whether this process is a child of the one that made it."""
        return os.getpid() != self._maker

    def tell(self, *told: object) -> None:
        """Write a line, in a child."""
        os.write(self._fd, f"{json.dumps(told)}\n".encode())

    def told(self) -> Iterator[Told]:
        """Yield what children have told so far."""
        if sys.platform == "win32":  # where nothing forks
            return
        lines = os.pread(self._fd, os.fstat(self._fd).st_size, 0).splitlines()
        for how, path, is_whole, found in map(json.loads, lines):
            yield how, path, is_whole, None if found is None else Identity(*found)
