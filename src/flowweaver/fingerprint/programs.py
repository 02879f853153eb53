"""The files of the project's code that are loaded with one run by its path, or by a program."""

# ruff: noqa: PTH113, PTH118, PTH120 - text, as it is kept

from __future__ import annotations

import ast
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import TypeAlias

from flowweaver.files.remembered import Identity
from flowweaver.fingerprint.owners import Owner, owner_of_file
from flowweaver.parsing import parsed

# A program of more files is followed no further.
_MOST = 2_000
_Import: TypeAlias = tuple[int, str]
"""How many levels up, and the dotted name from there."""


def loaded_with(path: str) -> list[str]:
    """Return a file of code, and all of the project's that it imports, also in functions."""
    return _followed([os.path.abspath(path)], _roots(""))  # noqa: PTH100 - text, as it is kept


def loaded_by_command(words: Sequence[str], folder: str) -> list[str]:
    """Return the files of the project's code that a program loads that is run in a folder.

    Args:
        words: The words of its command line, such as ``python -m tools.show``.
        folder: The working directory.
    """
    found = [*_followed(_named(words, folder), _roots(folder))]
    for path in (os.path.join(folder, word) for word in words if word.endswith(".py")):
        found += _followed([path], _roots(os.path.dirname(path)))
    return found


def _named(words: Sequence[str], folder: str) -> Iterator[str]:
    roots = _roots(folder)
    for option, word in pairwise(words):
        if option == "-m":
            yield from _first(roots, [*word.split("."), "__main__"])
            yield from _first(roots, word.split("."))
        elif option == "-c":
            for _, name in _imports_in(word):
                yield from _first(roots, name.split("."))


def _roots(folder: str) -> list[str]:
    return [each for each in (folder, *map(os.path.abspath, sys.path)) if each]


def _followed(paths: Iterable[str], roots: list[str]) -> list[str]:
    found: dict[str, None] = {}
    waiting = [*paths]
    while waiting and len(found) < _MOST:
        path = waiting.pop()
        if path not in found and owner_of_file(path) is Owner.PROJECT:
            found[path] = None
            for level, name in _imports_of(path):
                folders = [str(each) for each in Path(path).parents]
                places = folders[level - 1 : level] if level else roots
                waiting += _first(places, name.split("."))
    return list(found)


def _imports_of(path: str) -> tuple[_Import, ...]:
    with suppress(OSError):
        return _imports_as_of(path, Identity.of(Path(path).stat()))
    return ()


@lru_cache(maxsize=4096)
def _imports_as_of(path: str, identity: Identity) -> tuple[_Import, ...]:  # noqa: ARG001 - a key
    return tuple(_imports_in(Path(path).read_bytes()))


def _imports_in(text: str | bytes) -> Iterator[_Import]:
    try:
        tree = parsed(text)
    except (SyntaxError, ValueError):
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((0, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = f"{node.module}." if node.module else ""
            yield from ((node.level, f"{module}{alias.name}") for alias in node.names)


def _first(roots: list[str], parts: list[str]) -> list[str]:
    return next(filter(None, (list(_files(root, parts)) for root in roots)), [])


def _files(root: str, parts: list[str]) -> Iterator[str]:
    """Yield the files that are loaded for a dotted name, if they are below a folder."""
    place = root
    for part in parts:
        place = os.path.join(place, part)
        for path in (f"{place}.py", os.path.join(place, "__init__.py")):
            if os.path.isfile(path):
                yield path
