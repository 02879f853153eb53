"""The files of the project's code that are loaded with one run by its path, or by a program."""

# ruff: noqa: PTH113, PTH118, PTH120 - text, as it is kept

from __future__ import annotations

import ast
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from itertools import pairwise
from pathlib import Path

from flowweaver.fingerprint.owners import Owner, owner_of_file


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
            yield from _imported(word, "", roots)


def _roots(folder: str) -> list[str]:
    return [each for each in (folder, *map(os.path.abspath, sys.path)) if each]


def _followed(paths: Iterable[str], roots: list[str]) -> list[str]:
    found: dict[str, None] = {}
    waiting = [*paths]
    while waiting:
        path = waiting.pop()
        if path not in found and owner_of_file(path) is Owner.PROJECT:
            found[path] = None
            with suppress(OSError):
                waiting += _imported(Path(path).read_bytes(), path, roots)
    return list(found)


def _imported(text: str | bytes, path: str, roots: list[str]) -> Iterator[str]:
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError):
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield from _first(roots, alias.name.split("."))
        elif isinstance(node, ast.ImportFrom):
            places = roots
            if node.level and path:
                places = [str(Path(path).parents[node.level - 1])]
            module = node.module.split(".") if node.module else []
            for alias in node.names:
                yield from _first(places, [*module, alias.name])


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
