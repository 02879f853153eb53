"""Fingerprint callables of projects on disk, many in one fresh process.

Reads a list of jobs as JSON from stdin and writes as many answers to stdout. A job says in which
folder, which ``module:qualname``, and how it is loaded: imported, run as a script, or run as the
cells of a notebook.
"""

from __future__ import annotations

import ast
import asyncio
import importlib
import inspect
import json
import linecache
import sys
import types
from pathlib import Path
from typing import Any

from flowweaver.fingerprint import fingerprint_callable


def answer(job: dict[str, str]) -> dict[str, Any]:
    """Return a target's fingerprint, and what calling it gives."""
    folder = Path(job["folder"])
    paths = [str(folder), str(folder / "site-packages")]
    known = {*sys.modules}
    main = sys.modules["__main__"]
    sys.path[:0] = paths
    try:
        target = loaded(folder, job)
        found = fingerprint_callable(target)
        return {
            "digest": found.digest,
            "parts": {part.name: [part.digest, part.text] for part in found.parts},
            "unseen": [str(each) for each in found.unseen],
            "again": fingerprint_callable(target).digest == found.digest,
            "result": called(target),
        }
    finally:
        sys.path[:] = sys.path[len(paths) :]
        sys.modules["__main__"] = main
        for name in {*sys.modules} - known:
            del sys.modules[name]
        importlib.invalidate_caches()


def loaded(folder: Path, job: dict[str, str]) -> Any:
    """Load the target's module as the job says, and return the target."""
    module, _, qualname = job["target"].partition(":")
    if job["how"] == "import":
        value: Any = importlib.import_module(module)
    else:
        value = sys.modules["__main__"] = types.ModuleType("__main__")
        path = folder / f"{module}.py"
        if job["how"] == "script":
            value.__file__ = str(path)
            code = compile(path.read_bytes(), path, "exec", dont_inherit=True)
            exec(code, value.__dict__)
        else:
            run_cells(path.read_text(), job["folder"], value.__dict__)
    for name in qualname.split("."):
        value = getattr(value, name)
    return value


def run_cells(text: str, key: str, names: dict[str, Any]) -> None:
    """Run a text in cells of one top-level statement each, as a notebook does."""
    lines = text.splitlines(keepends=True)
    for number, statement in enumerate(ast.parse(text).body):
        first = min([each.lineno for each in getattr(statement, "decorator_list", [])], default=0)
        cell = "".join(lines[(first or statement.lineno) - 1 : statement.end_lineno])
        name = f"<ipython-input-{number}-{key}>"
        linecache.cache[name] = (len(cell), None, cell.splitlines(keepends=True), name)
        exec(compile(cell, name, "exec", dont_inherit=True), names)


def called(target: Any) -> str:
    """Return what calling the target gives, as text."""
    result = target()
    if inspect.isgenerator(result):
        result = list(result)
    return repr(asyncio.run(result) if inspect.iscoroutine(result) else result)


if __name__ == "__main__":
    json.dump([answer(job) for job in json.load(sys.stdin)], sys.stdout)
