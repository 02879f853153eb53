"""What bounds the tasks of a tag: how many run at once, and how often they start."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from flowweaver.definitions.units import SECONDS
from flowweaver.errors import DefinitionError

_RATE = re.compile(r"\s*(\d+)\s*/\s*(s|min|h|d|w)\s*")


def check_limits(limits: Mapping[str, Any] | None) -> dict[str, int]:
    """Return how many tasks of each tag may run at once; raises `DefinitionError` if unfit."""
    found = _by_tag("limits", limits)
    for tag, limit in found.items():
        if not isinstance(limit, int) or isinstance(limit, bool) or limit < 1:
            raise DefinitionError(f"limits[{tag!r}] must be a whole number from 1, not {limit!r}.")
    return found


def check_rate(rate: Mapping[str, Any] | None) -> dict[str, str]:
    """Return how often tasks of each tag may start; raises `DefinitionError` if unfit."""
    found = _by_tag("rate", rate)
    for tag, text in found.items():
        spacing_of(tag, text)
    return found


def _by_tag(what: str, given: Any) -> dict[str, Any]:
    if given is not None and not isinstance(given, Mapping):
        raise DefinitionError(f"{what} must say what holds by tag, not {given!r}.")
    return dict(given or {})


def spacing_of(tag: str, text: Any) -> float:
    """Return the seconds between two starts of a tag, given its rate: ``"10/s"``."""
    match = _RATE.fullmatch(text) if isinstance(text, str) else None
    if match is None or not int(match[1]):
        raise DefinitionError(
            f"rate[{tag!r}] must be like '10/s', '100/min', '5/h' or '20/d', not {text!r}."
        )
    return SECONDS[match[2]] / int(match[1])


def stricter_limits(one: Mapping[str, int], other: Mapping[str, int]) -> dict[str, int]:
    """Return limits that keep to both."""
    return {**one, **{tag: min(limit, one.get(tag, limit)) for tag, limit in other.items()}}


def stricter_rate(one: Mapping[str, str], other: Mapping[str, str]) -> dict[str, str]:
    """Return rates that keep to both."""
    slower = {
        tag: max((text, one.get(tag, text)), key=lambda given: spacing_of(tag, given))
        for tag, text in other.items()
    }
    return {**one, **slower}
