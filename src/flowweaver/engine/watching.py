"""Observers by name, and progress: on request, and by default in a notebook."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace

from flowweaver.engine.options import ExecuteOptions
from flowweaver.events import Observer
from flowweaver.lazy import late

_progress = late("observers.progress", "progress")
_in_notebook = late("observers.notebook", "in_notebook")
_notebook_progress = late("observers.notebook", "NotebookProgress")

_find_observer = late("observers.finding", "find_observer")


def observers_of(given: Iterable[Observer | str]) -> tuple[Observer, ...]:
    """Return observers; those that text names are found among what is installed.

    Raises:
        UnknownNameError: There is none of a name.
        TypeError: It is no list of observers.
    """
    if isinstance(given, str) or not isinstance(given, Iterable):
        raise TypeError(f"observers takes a list of observers, not {given!r}.")
    found = tuple(_find_observer(item) if isinstance(item, str) else item for item in given)
    for item in found:
        if not callable(item):
            raise TypeError(f"An observer is a function of an event, or a name, not {item!r}.")
    return found


@contextmanager
def watched(options: ExecuteOptions) -> Iterator[ExecuteOptions]:
    """Show how a run goes on meanwhile, where that is asked for; yield options that see to it."""
    wanted = options.progress
    is_notebook = wanted is not False and "IPython" in sys.modules and _in_notebook()
    if not is_notebook and not wanted:
        yield options
        return
    with _notebook_progress() if is_notebook else _progress() as shown:
        yield replace(options, observers=(*options.observers, shown))
