"""What was kept of a project's files, seen from where the project is now.

Code counts a path in its project by its place in it, so a copy of the project takes what the
original has made. Of files whole paths are kept. Beside them stands in which folder the project
was, as a `FileRecord` of its own.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from functools import partial

from flowweaver.files.seen import is_project, project_at, with_places
from flowweaver.records import FileRecord


def with_project(
    seen: tuple[FileRecord, ...], files: Iterable[FileRecord], project: str
) -> tuple[FileRecord, ...]:
    """Return what a body was seen to do, with its project if that, or its files, are in there."""
    if project and any(_is_below(each.path, project) for each in (*seen, *files)):
        return (*seen, project_at(project))
    return seen


def project_of_seen(seen: Iterable[FileRecord]) -> str:
    """Return the folder that the project was in; "" if nothing that counts was in it."""
    return next((each.path for each in seen if is_project(each)), "")


def moved(seen: Iterable[FileRecord], was: str, now: str) -> list[FileRecord]:
    """Return what a body was seen to do as if its project had been where it is now."""
    return [with_places(each, partial(_place, was=was, now=now)) for each in seen]


def made_in(files: Iterable[FileRecord], project: str) -> list[str]:
    """Return the paths of files that were made in a project."""
    return [each.path for each in files if _is_below(each.path, project)]


def _place(path: str, was: str, now: str) -> str:
    return now + path.removeprefix(was) if _is_below(path, was) else path


def _is_below(path: str, folder: str) -> bool:
    return f"{path}{os.sep}".startswith(f"{folder}{os.sep}")
