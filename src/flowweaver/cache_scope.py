"""Which results a task takes: whose, and when."""

from __future__ import annotations

from typing import Literal, get_args

from flowweaver.errors import DefinitionError

CacheScope = Literal["workflow", "store"]
ReuseMode = Literal["unchanged", "completed", "never"]


def check_scope(scope: object) -> None:
    """Raise `DefinitionError` for what does not say whose results are taken."""
    if scope not in get_args(CacheScope):
        known = ", ".join(get_args(CacheScope))
        raise DefinitionError(f"cache_scope must be one of {known}, not {scope!r}.")
