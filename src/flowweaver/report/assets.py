"""The page's own files: scripts and styles, put together without a build step.

The scripts are small modules in `static/`. A browser that opens a report from disk can't load
modules from beside it, so they are joined: each after those it imports, without the lines that
import and export. Names at the top of a module are unique over all of them, which a test checks.
"""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files

VENDORED = "vendor/preact-htm-signals.js"

_IMPORT = re.compile(r'^import\s.*?from\s+"\./([\w-]+\.js)";\n', re.MULTILINE | re.DOTALL)
_EXPORT = re.compile(r"^export (?=const|let|function|async|class)", re.MULTILINE)


@cache
def read(name: str) -> str:
    """Return a file of `static/`."""
    return (files("flowweaver.report") / "static" / name).read_text(encoding="utf-8")


@cache
def script(entry: str) -> str:
    """Return a module and all it imports as one script."""
    return "\n".join(_bare(read(name)) for name in modules(entry))


@cache
def vendored() -> str:
    """Return the vendored library, as a script that makes a global of it."""
    return read(VENDORED)


@cache
def style() -> str:
    """Return the style sheet."""
    return read("style.css")


def modules(entry: str) -> list[str]:
    """Return a module and all it imports, each after those it imports."""
    order: dict[str, None] = {}
    _collect(entry, order, ())
    return list(order)


def _collect(name: str, order: dict[str, None], above: tuple[str, ...]) -> None:
    if name in above:
        raise ValueError(f"static/{name} imports itself by way of {', '.join(above)}")
    for imported in _IMPORT.findall(read(name)):
        if imported not in order:
            _collect(imported, order, (*above, name))
    order.setdefault(name)


def _bare(text: str) -> str:
    return _EXPORT.sub("", _IMPORT.sub("", text))
