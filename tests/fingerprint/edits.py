"""A catalogue of edits to small projects, and what each of them means."""

from __future__ import annotations

from tests.fingerprint.cosmetic import COSMETIC
from tests.fingerprint.making import Edit
from tests.fingerprint.real_in_code import REAL_IN_CODE
from tests.fingerprint.real_in_objects import REAL_IN_OBJECTS

__all__ = ["EDITS", "Edit"]

EDITS: tuple[Edit, ...] = (*COSMETIC, *REAL_IN_CODE, *REAL_IN_OBJECTS)
