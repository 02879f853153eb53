"""What one function or class of the project means, the same wherever it stands."""

from __future__ import annotations

from types import FunctionType
from typing import Any

from flowweaver.fingerprint.cache import fingerprint_callable
from flowweaver.fingerprint.kinds import is_a
from flowweaver.fingerprint.standing import How, standing_of

_LENGTH = 16


def meaning_of(value: Any) -> str:
    """Return what a function or class means; "" if it is not the project's own."""
    if not is_a(value, type) and not is_a(value, FunctionType):
        return ""
    if standing_of(value).how is not How.MEANING:
        return ""
    return fingerprint_callable(value).digest[:_LENGTH]
