"""The paths that one attempt has to do with: how they were given, and which of them matter."""

# ruff: noqa: PTH100, PTH109, PTH117 - text, for it is done at every open

from __future__ import annotations

import os
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path, PurePath

from flowweaver.fingerprint.owners import Owner, owner_of_file
from flowweaver.masking import masker

# Where a machine keeps what is its own. A working directory in there is worked in.
_SYSTEM = tuple(
    f"{root}{os.sep}"
    for root in (
        *("/proc", "/sys", "/dev", "/etc", "/usr", "/lib", "/lib64", "/bin", "/sbin", "/run"),
        *("/System", "/Library", "/private/etc", os.environ.get("SYSTEMROOT", "/boot")),
    )
)


class Places:
    """The whole paths of what was given as it may be, and what each is to be kept as.

    Args:
        declared: Paths that count anyhow; what is in them need not be noted.
    """

    __slots__ = ("_absolute", "_declared", "_relative")

    def __init__(self, declared: Iterable[str]) -> None:
        self._declared = tuple(map(os.path.abspath, declared))
        self._relative: set[str] = set()
        self._absolute: set[str] = set()

    def full(self, path: str) -> str:
        """Return the whole path, and remember how it was given."""
        full = os.path.abspath(path)
        self.note(full, is_whole=os.path.isabs(path))
        return full

    def note(self, full: str, *, is_whole: bool) -> None:
        """Remember whether a path was given whole."""
        (self._absolute if is_whole else self._relative).add(full)

    def is_whole(self, full: str) -> bool:
        """Whether a path was given whole at least once."""
        return full in self._absolute

    def shown(self, full: str) -> str:
        """Return a path as it is kept: as it was given, so that a folder can be moved whole.

        A constant may name by chance, from here, what the body opens by the whole path.
        """
        is_given_so = full in self._relative and full not in self._absolute
        return from_here(full) if is_given_so else full

    def counts(self, full: str, *, may_be_hidden: bool = False) -> bool:
        """Whether what is at a path is worked on, and does not count anyhow."""
        is_declared = any(
            f"{full}{os.sep}".startswith(f"{each}{os.sep}") for each in self._declared
        )
        return not is_declared and _is_of_work(full, "" if may_be_hidden else os.getcwd())


def from_here(full: str) -> str:
    """Return a whole path as seen from the working directory, if it is below it."""
    here = f"{os.getcwd()}{os.sep}"
    return full[len(here) :] or os.curdir if f"{full}{os.sep}".startswith(here) else full


@lru_cache(maxsize=4096)
def _is_of_work(full: str, here: str) -> bool:
    """Whether a path leads to something that is worked on: no program's, system's or tool's own.

    Hidden folders are tools' own below `here`, if that is given, and below home.
    """
    if full.startswith(_SYSTEM) and not here.startswith(_SYSTEM):
        return False
    if owner_of_file(full) is not Owner.PROJECT or masker.is_in(os.fsencode(full)):
        return False
    folders: tuple[str, ...] = ()
    for root in (here, str(Path.home())) if here else ():
        if full.startswith(f"{root}{os.sep}"):
            folders = PurePath(full[len(root) + 1 :]).parts[:-1]
            break
    return not any(each == "__pycache__" or each.startswith(".") for each in folders)
