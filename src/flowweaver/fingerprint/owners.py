"""Tell the user's own project from installed packages and from the standard library."""

from __future__ import annotations

import inspect
import os
import sys
from collections.abc import Callable
from enum import Enum
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

_SITE_DIRECTORIES = frozenset({"site-packages", "dist-packages"})
_MARKS = ("pyproject.toml", "setup.py", "setup.cfg", ".git", ".hg")
_MAIN = ("__main__", "__mp_main__")
OURSELVES = __name__.partition(".")[0]


# Where work is done and kept, and who is told of it: nothing of that is in a result.
_WORKPLACES = frozenset({"engine", "executors", "observers", "stores"})


class Owner(Enum):
    """Whose code it is, and so how it counts."""

    PROJECT = "by its source"
    PACKAGE = "by the version of its distribution"
    NOBODY = "not at all: the standard library and FlowWeaver itself"


@lru_cache
def _uncounted_directories() -> tuple[str, ...]:
    # What `sysconfig` says, without all that it reads to say it.
    versioned = f"python{sys.version_info.major}.{sys.version_info.minor}"
    for_the_platform = str(Path(sys.base_exec_prefix, sys.platlibdir, versioned))
    standard = {str(Path(os.__file__).parent), for_the_platform}
    standard |= {os.path.realpath(path) for path in standard}
    own = str(Path(__file__).parent.parent)
    return tuple(f"{path}{os.sep}" for path in (*standard, own))


@lru_cache(maxsize=4096)
def owner_of_file(filename: str) -> Owner:
    """Say whose the code in this file is; a made-up name such as ``<string>`` is the project's."""
    if filename.startswith("<frozen "):
        return Owner.NOBODY
    if not _SITE_DIRECTORIES.isdisjoint(_parts(filename)):
        top = top_of_file(filename)
        return Owner.NOBODY if top == OURSELVES else Owner.PACKAGE
    if filename.startswith(_uncounted_directories()):
        return Owner.NOBODY
    return Owner.PROJECT


@lru_cache(maxsize=4096)
def top_of_file(filename: str) -> str:
    """Return the top-level module that an installed file belongs to."""
    parts = _parts(filename)
    last = max((i for i, part in enumerate(parts) if part in _SITE_DIRECTORIES), default=-2)
    return parts[last + 1].partition(".")[0] if last + 1 < len(parts) else ""


def _parts(filename: str) -> list[str]:
    # Asked of each loaded module when a process starts; a `Path` takes ten times as long to make.
    known = filename.replace(os.altsep, os.sep) if os.altsep else filename
    return known.split(os.sep)  # noqa: PTH206 - see above


@lru_cache(maxsize=1024)
def project_of(filename: str) -> str:
    """Return the folder of the project that a file is in: the nearest that is marked as one.

    Without a mark it is the folder around the file's outermost package; "" if there is no file.
    """
    if not Path(filename).is_absolute():
        return ""
    folders = Path(filename).parents
    for folder in folders:
        if any((folder / mark).exists() for mark in _MARKS):
            return str(folder)
    return str(next(each for each in folders if not (each / "__init__.py").exists()))


def project_of_code(fn: Callable[..., Any]) -> str:
    """Return the folder of the project that a callable's code is in; "" if none is known."""
    while isinstance(fn, partial):
        fn = fn.func
    inner = inspect.unwrap(fn)
    module_globals = getattr(inner, "__globals__", None)
    if module_globals is None:
        module_globals = vars(sys.modules.get(type(inner).__module__, sys))
    filename = module_globals.get("__file__")
    is_ours = isinstance(filename, str) and owner_of_file(filename) is Owner.PROJECT
    return project_of(filename) if is_ours else ""


def projects_loaded() -> frozenset[str]:
    """Return the folders of all projects that modules are loaded from."""
    return _projects_among(len(sys.modules))


@lru_cache(maxsize=1)
def _projects_among(count: int) -> frozenset[str]:  # noqa: ARG001 - by which it is known
    files = [getattr(module, "__file__", None) for module in [*sys.modules.values()]]
    return frozenset(
        project_of(file)
        for file in files
        if isinstance(file, str) and owner_of_file(file) is Owner.PROJECT
    ) - {""}


def owner_of_module(name: str) -> Owner:
    """Say whose a module is, by its file if it has one, by its name if not; "" is nobody's."""
    if not name or top_of_module(name) == OURSELVES:
        return Owner.NOBODY
    if name in _MAIN:
        # Its file may be that of a debugger or of a notebook's kernel.
        return Owner.PROJECT
    module = sys.modules.get(name)
    filename = getattr(module, "__file__", None) or next(iter(getattr(module, "__path__", ())), "")
    if filename:
        return owner_of_file(filename)
    return Owner.NOBODY if top_of_module(name) in sys.stdlib_module_names else Owner.PROJECT


def top_of_module(name: str) -> str:
    """Return the first component of a dotted name."""
    return name.partition(".")[0]


def is_workplace(module: str) -> bool:
    """Whether a module of FlowWeaver's says where and how work is done, and not what."""
    top, _, rest = module.partition(".")
    return top == OURSELVES and rest.partition(".")[0] in _WORKPLACES
