"""Hears of paths that bodies hand to what opens files unheard, and of what they ask of files.

No audit event tells of either: functions of Python's own are replaced that tell first.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from functools import wraps
from pathlib import PurePath
from types import FrameType
from typing import Any

from flowweaver.engine.body.watch import Watch
from flowweaver.engine.body.watching import noting, tell, top_of, watches_here
from flowweaver.fingerprint.owners import OURSELVES, Owner, owner_of_file

# What these do to a file is heard, or is not to read it.
_HEARD_ANYHOW = frozenset(
    {"genericpath", "glob", "importlib", "linecache", "ntpath", "os", "pathlib", "pkg_resources"}
    | {"pkgutil", "posixpath", "runpy", "shutil", "tempfile", "tokenize", "zipfile", "zipimport"}
    | {OURSELVES}
)
# These are given a folder to read all that is in it.
_READING_FOLDERS = frozenset(("polars", "pyarrow"))
_OF_PATHS = frozenset(("genericpath", "ntpath", "pathlib", "posixpath"))


def hear_paths() -> None:
    """Hear, from now on, of paths that bodies in this process hand on or ask about."""
    _hear_handed()
    _hear_asked()


def _hear_handed() -> None:
    """Hear of files that are handed to what opens them unheard, as libraries in C++ and Rust do.

    Such a library asks a path for its text, and expands a home directory in a text.
    """
    paths: Any = PurePath
    text_of, expand = paths.__fspath__, os.path.expanduser

    @wraps(text_of)
    def heard_text_of(path: PurePath) -> str:
        text: str = text_of(path)
        noting(_handed, text)
        return text

    @wraps(expand)
    def heard_expand(path: Any) -> Any:
        expanded = expand(path)
        noting(_handed, expanded)
        return expanded

    paths.__fspath__ = heard_text_of
    os.path.expanduser = heard_expand


def _hear_asked() -> None:
    """Hear of what the project's code asks of files: all of it comes to these in the end."""
    _hear_function("stat", _note_status)
    _hear_function("lstat", _note_status)
    _hear_function("readlink", _note_link)
    _hear_function("access", _note_whether)


def _hear_function(name: str, direct: Callable[[Watch, str], None]) -> None:
    """Hear of a function of `os`; `direct` notes what is asked without a function around it."""
    system: Any = os
    function = getattr(system, name, None)
    if function is None:
        return

    @wraps(function)
    def heard(path: Any, *how: Any, **options: Any) -> Any:
        if isinstance(path, (str, bytes, os.PathLike)) and options.get("dir_fd") is None:
            noting(_asked, path, direct)
        return function(path, *how, **options)

    heard.__module__ = "os"  # by which it can be pickled
    for able in (
        *(system.supports_dir_fd, system.supports_fd),
        *(system.supports_follow_symlinks, system.supports_effective_ids),
    ):
        if function in able:
            able.add(heard)
    setattr(system, name, heard)


def _handed(path: str | bytes) -> None:
    if not isinstance(path, str):
        return
    top = top_of(sys._getframe(3))
    if top not in _HEARD_ANYHOW and (watches := watches_here()):
        tell(watches, _note_whole if top in _READING_FOLDERS else _note_file, path)


def _note_file(watch: Watch, path: str) -> None:
    watch.named([path])


def _note_whole(watch: Watch, path: str) -> None:
    watch.handed(path)


def _note_whether(watch: Watch, path: str) -> None:
    watch.asked_whether(path)


def _note_status(watch: Watch, path: str) -> None:
    watch.asked_status(path)


def _note_link(watch: Watch, path: str) -> None:
    watch.asked_link(path)


# By the function that asks. What others do with what they are told is heard, or is no matter.
_NOTES = {
    **dict.fromkeys(("exists", "is_dir", "is_file", "isdir", "isfile"), _note_whether),
    **dict.fromkeys(("is_symlink", "islink"), _note_link),
    "lexists": _note_whether,
    **dict.fromkeys(("getctime", "getmtime", "getsize", "stat"), _note_status),
    **dict.fromkeys(("lstat", "samefile"), _note_status),
}
# These ask of each folder on the way as well, but where links lead is all that they tell.
_OF_LINKS = frozenset(("readlink", "realpath", "resolve"))


def _asked(path: str | bytes | os.PathLike[str], direct: Callable[[Watch, str], None]) -> None:
    asking: FrameType | None = sys._getframe(3)
    by = ""
    while asking is not None and top_of(asking) in _OF_PATHS:
        by, asking = asking.f_code.co_name, asking.f_back
    note: Callable[[Watch, str], None] | None = direct
    if direct is not _note_link and by:
        note = None if by in _OF_LINKS else _NOTES.get(by)
    if note is None or asking is None:
        return
    if owner_of_file(asking.f_code.co_filename) is Owner.PROJECT and (watches := watches_here()):
        tell(watches, note, os.fsdecode(path))
