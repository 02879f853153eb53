"""Sizes and times as people write them: "2GB" is decimal, "2GiB" binary, "12h" half a day."""

from __future__ import annotations

import math
import re

from flowweaver.errors import DefinitionError

SECONDS = {"s": 1.0, "min": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}

_DURATION = re.compile(r"\s*(\d+(?:\.\d+)?)\s*(s|min|h|d|w)\s*")
# A unit without its B means the same: "500M" is "500MB".
_SIZE = re.compile(r"\s*(\d+(?:\.\d+)?)\s*(?:([kmgt])(i?))?b?\s*", re.IGNORECASE)
_POWERS = {"": 0, "k": 1, "m": 2, "g": 3, "t": 4}


def is_number(value: object) -> bool:
    """Whether `value` is a finite number, and not one of the truth values that Python counts in."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def parse_size(given: float | str, what: str) -> int:
    """Return the bytes that a number or text like "500MB", "2G" or "1.5GiB" says.

    Raises:
        DefinitionError: It can't be read, or is nothing; `what` names the culprit.
    """
    size = 0.0
    if not isinstance(given, str):
        size = given if is_number(given) else 0.0
    elif (match := _SIZE.fullmatch(given)) is not None:
        base = 1024 if match[3] else 1000
        size = float(match[1]) * base ** _POWERS[(match[2] or "").lower()]
    if size < 1:
        raise DefinitionError(
            f"{what} must be bytes or text like '500MB' or '2GiB', not {given!r}."
        )
    return int(size)


def parse_duration(text: str, what: str) -> float:
    """Return the seconds that text like "90s", "15min", "12h", "1d" or "2w" says.

    Raises:
        DefinitionError: The text can't be read; `what` names the culprit.
    """
    match = _DURATION.fullmatch(text)
    if match is None:
        raise DefinitionError(
            f"{what} must be text like '90s', '15min', '12h', '1d' or '2w', not {text!r}."
        )
    return float(match[1]) * SECONDS[match[2]]
