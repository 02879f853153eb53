"""The names of workflows and tasks: what is fit for one, and when two are the same."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from typing import Any

from flowweaver.errors import DefinitionError, StoreCorruptError

_LONGEST_NAME = 255


def check_name(name: object, what: str) -> str:
    """Return the name of a task or workflow in NFC form; raises `DefinitionError` if unfit."""
    if not isinstance(name, str) or not name.strip():
        raise DefinitionError(f"A {what}'s name must be text, not {name!r}.")
    if len(name) > _LONGEST_NAME:
        raise DefinitionError(
            f"A {what}'s name has at most {_LONGEST_NAME} characters, not {len(name)}: "
            f"{name[:40]!r}...."
        )
    if not name.isprintable():
        raise DefinitionError(
            f"A {what}'s name must be printable, without control characters: {name!r}."
        )
    return normal_name(name)


def normal_name(name: str) -> str:
    """Return a name in NFC form, in which those that look alike are alike."""
    return name if name.isascii() else unicodedata.normalize("NFC", name)


def task_run_name(task: str, element: str) -> str:
    """Return what a TaskRun is called: its task's name, with the element's key ``page[3]``."""
    return f"{task}[{element}]" if element else task


def shown_name(task: str, element: str, label: str) -> str:
    """Return what a TaskRun is called for people: an element by what it is, too: page[3] (Oslo)."""
    name = task_run_name(task, element)
    return f"{name} ({label})" if label else name


def split_name(name: str) -> tuple[str, str]:
    """Return the task and the element's key in the name of an element; both "" if it is none."""
    task, bracket, key = name.removesuffix("]").rpartition("[")
    return (task, key) if bracket and name.endswith("]") else ("", "")


def element_path(element: str) -> tuple[int, ...]:
    """Return the numbers in the key of an element, ``3.1``; none for a whole task.

    Raises:
        StoreCorruptError: It is no such key, as only a store that others wrote to can hold.
    """
    if not element:
        return ()
    try:
        return (int(element),) if "." not in element else tuple(map(int, element.split(".")))
    except ValueError:
        raise StoreCorruptError(
            f"The store has an element {element!r}, and elements are numbered: something else "
            "wrote to it. Put a backup in its place, or move it away to start afresh."
        ) from None


def clean_names(what: str, given: Any) -> tuple[str, ...]:
    """Return names, given as one text or several, once each; `what` is said in errors."""
    listed = (given,) if isinstance(given, str) or not isinstance(given, Iterable) else given
    names = tuple(listed)
    for name in names:
        if not isinstance(name, str):
            raise DefinitionError(f"{what} takes names, not {name!r}.")
    return tuple(dict.fromkeys(map(normal_name, names)))
