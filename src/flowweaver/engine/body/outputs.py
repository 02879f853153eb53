"""The files that are part of what a body returned.

A file is part of a result if the result holds its path, if the body was given its path as that of
an `OutputFile`, or if the `outputs` of the task name it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from flowweaver.definitions.file_uses import file_uses
from flowweaver.definitions.task import Task
from flowweaver.errors import MissingOutputError, UnstorableError
from flowweaver.files.content import GONE, content_digest
from flowweaver.files.within import paths_within
from flowweaver.introspection import signature_of
from flowweaver.masking import mask, masker
from flowweaver.records import FileRecord
from flowweaver.serialize.culprit import SECRET_REASON

# What these wrote holds no path.
_WITHOUT_PATHS = frozenset(
    {"json", "bytes", "numpy", "numpy-scalar", "arrow", "pandas", "pandas-series"}
    | {"polars", "polars-series"}
)


def files_of(
    task: Task[..., Any], arguments: Mapping[str, Any], value: object, codec: str
) -> tuple[FileRecord, ...]:
    """Return the files that are part of what a body returned.

    Args:
        task: The task whose body it was.
        arguments: What the body was given.
        value: What it returned.
        codec: What that was encoded by.

    Raises:
        MissingOutputError: A file that the task says it makes is not there.
    """
    uses, outputs = file_uses(task.fn), task.options.outputs
    if not uses and not outputs and codec in _WITHOUT_PATHS:  # as with most: every result comes by
        return ()
    paths: dict[str, bool] = {}
    if codec not in _WITHOUT_PATHS:
        paths.update(dict.fromkeys(paths_within(value), False))
    for use in uses:
        if use.kind == "made":
            paths.update((path, True) for _, path in use.paths(arguments))
    paths.update((_filled_in(task, path, arguments), True) for path in outputs)
    return tuple(_records(task.name, paths)) if paths else ()


def _filled_in(task: Task[..., Any], path: str, arguments: Mapping[str, Any]) -> str:
    """Return the path of an output, with what the body was given, or takes if it is not."""
    try:
        return path.format_map({**_defaults(task.fn), **arguments} if "{" in path else arguments)
    except (LookupError, AttributeError, ValueError, TypeError) as error:
        raise MissingOutputError(
            f"Task {task.name!r} says that it makes {path!r}, which can't be filled in with its "
            f"arguments ({type(error).__name__}: {error}). Name parameters that it is given."
        ) from None


def _defaults(fn: Callable[..., Any]) -> dict[str, Any]:
    try:
        parameters = signature_of(fn).parameters.values()
    except (TypeError, ValueError):
        return {}
    return {each.name: each.default for each in parameters if each.default is not each.empty}


def _records(name: str, paths: Mapping[str, bool]) -> Iterator[FileRecord]:
    """Yield the files at these paths; `paths` says which of them the task says that it makes."""
    for path, is_declared in paths.items():
        if masker.is_in(path.encode("utf-8", "surrogateescape")):
            raise UnstorableError(f"path {mask(path)!r}", SECRET_REASON)
        if not is_declared and _is_surroundings(path):
            continue
        digest = content_digest(path)
        if digest != GONE:
            yield FileRecord(path, digest)
        elif is_declared:
            raise MissingOutputError(
                f"Task {name!r} did not make {path!r}, which it says it does. Write the file, or "
                "take it out of the task's outputs."
            )


def _is_surroundings(path: str) -> bool:
    """Whether a path leads to a folder that the run itself goes on in: it is never at rest."""
    folder, here = Path(path), Path.cwd()
    if not folder.is_dir():
        return False
    folder = folder.resolve()
    return folder == here or folder in here.parents or folder == Path.home()
