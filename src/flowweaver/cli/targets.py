"""Targets: how a workflow is named on the command line, and how it is loaded.

A target is a file (``pipeline.py``) or a module (``package.module``), and after a colon the name
of a workflow in it, or of a function that returns one. Without the name, the only workflow of the
module is meant.
"""

from __future__ import annotations

import sys
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any

from flowweaver.cli.output import Problem
from flowweaver.cli.traces import user_place, user_trace
from flowweaver.definitions.task import Task
from flowweaver.definitions.workflow import Workflow
from flowweaver.errors import FlowWeaverError, near_matches
from flowweaver.main_module import module_at


def load_workflow(target: str) -> Workflow:
    """Return the workflow that `target` names.

    A file is imported as a module under its own name, from a folder that is put on `sys.path`: so
    a worker process, and a later run, find its functions and classes again.

    Raises:
        Problem: There is no such file, module or workflow, or it raises when it is loaded.
    """
    place, name = _split(target)
    module = _import_file(place) if _is_file(place) else _import_module(place)
    found = _only_workflow(module, place) if name is None else _named(module, place, name)
    try:
        found.compile()
    except FlowWeaverError as error:
        raise Problem(f"{target}: {error}") from None
    return found


def check_target(target: str) -> None:
    """Raise a `Problem` if what `target` names can't be there; none of its code is loaded."""
    place, _ = _split(target)
    if _is_file(place):
        _file_of(place)
        return
    _check_module_name(place)
    top = place.partition(".")[0]  # to look further would import it
    if find_spec(top) is None:
        raise Problem(_not_found(place, top))


def _split(target: str) -> tuple[str, str | None]:
    place, colon, name = target.rpartition(":")
    if not colon or "/" in name or "\\" in name:  # no colon, or that of a drive
        return target, None
    if not name.isidentifier() or not place:
        raise Problem(
            f"Target {target!r}: after the colon comes the name of a workflow or of a function "
            "that returns one, as in pipeline.py:etl."
        )
    return place, name


def _is_file(place: str) -> bool:
    return place.endswith(".py") or "/" in place or "\\" in place or Path(place).is_file()


def _file_of(place: str) -> Path:
    path = Path(place)
    if path.is_dir():
        raise Problem(f"{place} is a folder; name a file in it, or a module by dots.")
    if not path.is_file():
        raise Problem(f"There is no file {place}{_siblings(path)}")
    if path.suffix != ".py" or "." in path.stem:
        raise Problem(f"{place} can't be imported: name it <module>.py, without another dot.")
    return path


def _import_file(place: str) -> ModuleType:
    path = _file_of(place)
    folder, module_name = module_at(path.resolve())
    _put_on_path(folder)
    module = _guarded_import(module_name, place)
    if not _is_from(module, path):
        raise Problem(
            f"{place} can't be imported: the name {module_name!r} is taken by "
            f"{getattr(module, '__file__', None) or 'a built-in module'}; rename the file."
        )
    return module


def _is_from(module: ModuleType, path: Path) -> bool:
    file = getattr(module, "__file__", None)
    return file is not None and Path(file).resolve() == path.resolve()


def _siblings(path: Path) -> str:
    if not path.parent.is_dir():
        return f": there is no folder {path.parent}."
    # Without the ending, which all have in common.
    files = {file.stem: str(file) for file in path.parent.glob("*.py")}
    return near_matches(path.stem, files, files.__getitem__)


def _import_module(place: str) -> ModuleType:
    _check_module_name(place)
    return _guarded_import(place, place)


def _check_module_name(place: str) -> None:
    _put_on_path(Path.cwd())
    if not all(part.isidentifier() for part in place.split(".")):
        raise Problem(f"Target {place!r} is neither a file nor the name of a module.")


def _put_on_path(folder: Path) -> None:
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))


def _guarded_import(name: str, place: str) -> ModuleType:
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        if error.name and (name == error.name or name.startswith(f"{error.name}.")):
            raise Problem(_not_found(place, error.name)) from None
        raise _broken(place, error) from None
    except (Exception, SystemExit) as error:
        raise _broken(place, error) from None


def _not_found(place: str, missing: str) -> str:
    hint = f"; for the file say {place}.py" if Path(f"{place}.py").is_file() else ""
    return f"there is no module {missing!r} here or among the installed packages{hint}"


def _broken(place: str, error: BaseException) -> Problem:
    if isinstance(error, SystemExit):
        return Problem(
            f"{place} called exit({error.code!r}) while it was imported; put what is to happen "
            "only when it is started as a script under: if __name__ == '__main__':"
        )
    if isinstance(error, FlowWeaverError):
        where = user_place(error)
        return Problem(f"{error}" + (f" ({where})" if where else ""))
    missing = _missing_module(error)
    return Problem(f"{place} can't be loaded{missing}", detail=user_trace(error))


def _missing_module(error: BaseException) -> str:
    if not isinstance(error, ModuleNotFoundError) or not error.name:
        return ""
    return f": it needs {error.name!r}, which is not installed for {sys.executable}"


def _only_workflow(module: ModuleType, place: str) -> Workflow:
    found = _workflows(module)
    distinct = {id(workflow): workflow for workflow in found.values()}
    if len(distinct) == 1:
        return next(iter(distinct.values()))
    if distinct:
        names = ", ".join(f"{place}:{name}" for name in found)
        raise Problem(f"{place} has {len(distinct)} workflows; say which: {names}.")
    raise Problem(
        f"{place} has no Workflow at module level; make one, or name a function that returns one: "
        f"{place}:build."
    )


def _workflows(module: ModuleType) -> dict[str, Workflow]:
    return {name: value for name, value in vars(module).items() if isinstance(value, Workflow)}


def _named(module: ModuleType, place: str, name: str) -> Workflow:
    if not hasattr(module, name):
        raise Problem(f"{place} has no {name!r}{near_matches(name, _workflows(module))}")
    value = getattr(module, name)
    if isinstance(value, Workflow):
        return value
    if isinstance(value, Task) or not callable(value):
        raise Problem(
            f"{place}:{name} is a {type(value).__name__}, neither a Workflow nor a function that "
            f"returns one{near_matches(name, _workflows(module))}"
        )
    return _built(value, f"{place}:{name}")


def _built(function: Any, target: str) -> Workflow:
    try:
        value = function()
    except (Exception, SystemExit) as error:
        raise _broken(f"{target}()", error) from None
    if not isinstance(value, Workflow):
        raise Problem(f"{target}() returned a {type(value).__name__}, not a Workflow.")
    return value
