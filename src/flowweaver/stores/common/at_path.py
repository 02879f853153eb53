"""What stores at a path have in common before anything is read or written."""

from __future__ import annotations

import os
from pathlib import Path
from typing import ClassVar

from flowweaver.errors import StoreError
from flowweaver.records import RunRecord
from flowweaver.stores.common.locks import is_held
from flowweaver.stores.common.results import ResultFiles
from flowweaver.stores.common.urls import Durability, absolute, checked_durability, url_of

# What SQLite calls a database without a file.
_IN_MEMORY = ":memory:"


class AtPath:
    """A store at a path; large results are in `<path>.results/`, locks in `<path>.locks/`.

    The path is made absolute at once; nothing on disk is touched.
    """

    _scheme: ClassVar[str]

    def __init__(self, path: str | os.PathLike[str], durability: Durability) -> None:
        _check(path, type(self).__name__)
        self._path = absolute(path)
        self._durability = checked_durability(durability)
        self._files = ResultFiles(self._path)

    @property
    def spool(self) -> Path:
        """Where files are made that are to become results."""
        return self._path.parent

    @property
    def url(self) -> str:
        """Where the store is, as a user would write it."""
        return url_of(self._scheme, self._path, self._durability)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self._path)!r}, durability={self._durability!r})"

    def is_held(self, run: RunRecord) -> bool:
        """Return whether a process works on the run at this moment."""
        return is_held(self._path, run.workflow, run.key)


def _check(path: object, store: str) -> None:
    if not isinstance(path, str | os.PathLike) or not os.fspath(path):
        raise TypeError(f"{store} takes the path of its file, not {path!r}.")
    if os.path.basename(path) == _IN_MEMORY:  # noqa: PTH119 - text, as it was given
        raise StoreError(f"{store} keeps what it has in a file; MemoryStateStore() is in memory.")
