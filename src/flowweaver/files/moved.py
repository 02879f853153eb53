"""What was kept of a project's files, seen from where the project is now.

Code counts a path in its project by its place in it, so a copy of the project takes what the
original has made. Of files whole paths are kept. Beside them stands in which folder the project
was, as a `FileRecord` of its own.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from functools import partial

from flowweaver.files.seen import is_project, project_at, with_places
from flowweaver.records import FileRecord


def with_projects(
    seen: tuple[FileRecord, ...],
    files: Iterable[FileRecord],
    project: str,
    others: Callable[[], Iterable[str]],
) -> tuple[FileRecord, ...]:
    """Return what a body was seen to do, with the projects that this, or its files, are in.

    Its own comes first, whether something is in there or in one of the others.
    """
    whole = [each.path for each in (*seen, *files) if os.path.isabs(each.path)]  # noqa: PTH117 - text
    outside = [path for path in whole if not _is_below(path, project)]
    more = others() if project and outside else ()
    found = [each for each in more if any(_is_below(path, each) for path in outside)]
    if not project or not (found or len(outside) < len(whole)):
        return seen
    return (*seen, *map(project_at, (project, *found)))


def project_of_seen(seen: Iterable[FileRecord]) -> str:
    """Return the folder that the project was in; "" if nothing that counts was in any."""
    return next((each.path for each in seen if is_project(each)), "")


def are_several(seen: Iterable[FileRecord]) -> bool:
    """Whether something that counts was in another project."""
    return sum(map(is_project, seen)) > 1


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
