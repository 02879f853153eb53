"""Which code of the user's project a process has imported, and whether it is what is meant.

What a task depends on is looked up in the runner's process: a module that is loaded there counts as
it was loaded, any other as its file is now. So a call must find each module in that very version. A
worker that has another one is replaced, or imports its modules anew; where it finds another one
then, too, it is sent what the runner has.
"""

from __future__ import annotations

import os
import sys
import time
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

from flowweaver.errors import FlowWeaverError

_INSTALLED = frozenset({"site-packages", "dist-packages"})
_MAIN = frozenset({"__main__", "__mp_main__"})
# By how much the time stamps of files may lag behind the clock, at most.
_CLOCK_NS = 20_000_000

Stat = tuple[int, int]


class OtherCodeError(FlowWeaverError, ImportError):
    """A worker finds other code under a name than the runner meant."""


@dataclass(frozen=True, slots=True)
class Meant:
    """What the runner's process has loaded of the project: the digests of files, by module."""

    process: str
    digests: Mapping[str, bytes]


@dataclass(frozen=True, slots=True)
class _Version:
    """A module as it was loaded; loading it again gives it another `spec`.

    It is `in_doubt` if its file may have changed while it was loaded, and so may be newer.
    """

    spec: object
    file: str
    stat: Stat
    digest: bytes
    in_doubt: bool


class _Look(NamedTuple):
    """What one look has found: the modules loaded, those of no file, and those of the project.

    A module may be given a file later, as a notebook's main module is.
    """

    loaded: Mapping[str, ModuleType]
    without_file: tuple[str, ...]
    versions: Mapping[str, _Version]


class Modules:
    """The project's modules that this process has loaded, and their files as they were then."""

    def __init__(self) -> None:
        self._last = _Look({}, (), {})  # one value: several threads may look
        self._looked = _start_of_process()

    def look(self, *, closely: bool = True) -> bool:
        """Note the modules loaded since the last look, and return whether there may be any.

        Unless `closely`, it goes by their number, and misses loads if as many were dropped.
        """
        since, self._looked = self._looked, time.time_ns()
        last = self._last
        if not closely and len(sys.modules) == len(last.loaded):
            return False
        if sys.modules == last.loaded:  # of thousands, few are of the project
            loaded, without_file = last.loaded, last.without_file
            candidates = {name: loaded[name] for name in (*last.versions, *without_file)}
        else:
            candidates = loaded = sys.modules.copy()
            without_file = tuple(name for name, each in loaded.items() if not _file_of(each))
        versions = {}
        for name, spec, file in _of_project(candidates):
            known = last.versions.get(name)
            if known is None or known.spec is not spec or known.file != file:
                known = _version(spec, file, since)
            versions[name] = known
        self._last = _Look(loaded, without_file, versions)
        return True

    def meant(self) -> Meant:
        """Return which code is meant by what this process, the runner's, sends to workers."""
        self.look()
        return Meant(_process(), {name: each.digest for name, each in self._last.versions.items()})

    def other_code(self, meant: Meant, *, anew: bool) -> OtherCodeError | None:
        """Return an error if a module is loaded here in another version than is meant.

        `anew` says that all were loaded just now.
        """
        if meant.process == _process():
            return None
        for name, here in self._last.versions.items():
            digest = meant.digests.get(name)
            if digest not in (None, here.digest):
                return OtherCodeError(
                    f"{here.file} is not what the process that executes the workflow has loaded "
                    f"as module {name!r}: have it load the file as it is now",
                    name=name,
                )
            if not anew and (here.in_doubt or (digest is None and _has_changed(here))):
                return OtherCodeError(f"{here.file} was changed since it was loaded", name=name)
        return None

    def forget(self) -> None:
        """Drop all of them from `sys.modules`, so that the next import loads them anew."""
        for name in self._last.versions:
            module = sys.modules.get(name)
            if not getattr(getattr(module, "__spec__", None), "_initializing", False):
                sys.modules.pop(name, None)
        self._last = _Look({}, (), {})


def _start_of_process() -> int:
    """Return when this process was started, 0 if nobody says."""
    try:
        ticks = int(Path("/proc/self/stat").read_text().rpartition(")")[2].split()[19])
        age = time.clock_gettime(time.CLOCK_BOOTTIME) - ticks / os.sysconf("SC_CLK_TCK")
    except (OSError, AttributeError):
        return 0
    return time.time_ns() - int(age * 1e9)


def _of_project(loaded: Mapping[str, ModuleType]) -> Iterator[tuple[str, object, str]]:
    for name, module in loaded.items():
        file = _file_of(module)
        if file and name not in _MAIN and _is_of_project(file):
            yield name, getattr(module, "__spec__", None) or module, file


def _file_of(module: ModuleType) -> str:
    file = getattr(module, "__file__", None)
    return file if isinstance(file, str) else ""


@lru_cache
def _folders_of_others() -> tuple[str, ...]:
    folders = [Path(os.__file__).parent, Path(__file__).parents[2]]
    return tuple({f"{each}{os.sep}" for path in folders for each in (path, path.resolve())})


@lru_cache(maxsize=8192)
def _is_of_project(file: str) -> bool:
    return _INSTALLED.isdisjoint(Path(file).parts) and not file.startswith(_folders_of_others())


def _version(spec: object, file: str, since: int) -> _Version:
    stat = _stat(file)
    return _Version(spec, file, stat, _digest(file, stat), stat[1] >= since - _CLOCK_NS)


def _has_changed(version: _Version) -> bool:
    stat = _stat(version.file)
    return stat != version.stat and _digest(version.file, stat) != version.digest


def _stat(file: str) -> Stat:
    try:
        found = Path(file).stat()
    except OSError:
        return 0, 0
    return found.st_mtime_ns, found.st_ctime_ns


@lru_cache(maxsize=8192)
def _digest(file: str, _: Stat) -> bytes:
    try:
        return blake2b(Path(file).read_bytes(), digest_size=16).digest()
    except OSError:
        return b""


_token = uuid.uuid4().hex


def _process() -> str:
    return f"{_token}-{os.getpid()}"


here = Modules()
"""The modules of this process."""
