"""What a script's functions and classes are known by, whoever runs the script.

Python calls the module that it was started with `__main__`. The same file has another name when the
command, or another module, imports it. What is kept in a store goes by that other name, so that
both find what either has made.
"""

from __future__ import annotations

import sys
from functools import lru_cache
from pathlib import Path

MAIN = "__main__"
_AS_MAIN = (MAIN, "__mp_main__")  # the second one where `multiprocessing` runs it again

_told = ""


def call_script(name: str) -> None:
    """Note what the script is known by that the things sent to this process are from."""
    global _told  # noqa: PLW0603 - a process works for one script at a time
    _told = name


def script_name() -> str:
    """Return the name by which the main module could be imported; "" if it has none.

    It has none where that name was imported as well: its classes are then others.
    """
    main = sys.modules.get(MAIN)
    name = _told or _name_of(
        getattr(getattr(main, "__spec__", None), "name", None), getattr(main, "__file__", None)
    )
    return name if name and sys.modules.get(name, main) is main else ""


def known_as(module: str) -> str:
    """Return what a module is known by: what a script could be imported as, else its own name."""
    return script_name() or module if module in _AS_MAIN else module


def module_at(path: Path) -> tuple[Path, str]:
    """Return the folder to import a file from, and its dotted name: it belongs to its package."""
    parts = [] if path.stem == "__init__" else [path.stem]
    folder = path.parent
    while (folder / "__init__.py").is_file():
        parts.insert(0, folder.name)
        folder = folder.parent
    return folder, ".".join(parts)


@lru_cache(maxsize=64)
def _name_of(spec: str | None, file: str | None) -> str:
    if spec is not None:  # it was started by its name: python -m NAME
        return "" if spec in _AS_MAIN else spec
    path = Path(file or "").absolute()
    if path.suffix != ".py" or "." in path.stem or path.stem in _AS_MAIN or not path.is_file():
        return ""
    return module_at(path.resolve())[1]
