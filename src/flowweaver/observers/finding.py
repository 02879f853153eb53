"""Observers by name, as a text among `observers=` and ``--observer`` give them.

A plug-in is an entry point of the group ``flowweaver.observers``: a function called as
``make(address)`` that returns an observer. `address` is what follows ``name://`` ("" if nothing
does).
"""

from __future__ import annotations

from importlib.metadata import EntryPoint, entry_points

from flowweaver.errors import DefinitionError, UnknownNameError, near_matches
from flowweaver.events import Observer

GROUP = "flowweaver.observers"
"""The group of entry points by which observers are known."""

_BUILT_IN = {"log": "flowweaver.observers.log:make"}


def find_observer(wanted: str) -> Observer:
    """Return the observer that ``name`` or ``name://address`` asks for.

    Raises:
        UnknownNameError: There is none of that name.
        DefinitionError: What it needs is not installed.
    """
    name, _, address = wanted.partition("://")
    makers = _makers()
    if name not in makers:
        known = ", ".join(sorted(makers))
        raise UnknownNameError(
            f"There is no observer {name!r}, only {known}{near_matches(name, makers)}"
        )
    try:
        made: Observer = makers[name].load()(address)
    except ImportError as error:
        raise DefinitionError(f"Observer {name!r} can't be loaded: {error}.") from None
    return made


def _makers() -> dict[str, EntryPoint]:
    built_in = [EntryPoint(name, where, GROUP) for name, where in _BUILT_IN.items()]
    return {point.name: point for point in (*entry_points(group=GROUP), *built_in)}
