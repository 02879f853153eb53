"""The paths that a value holds, at any depth."""

from __future__ import annotations

import pickle
from contextlib import suppress
from pathlib import PurePath
from typing import Any


def paths_within(value: object) -> list[str]:
    """Return the paths that a value holds, each once, in the order they are met.

    What pickle would follow is followed: containers, attributes of objects, what they hold. A value
    that can't be pickled is followed as far as that goes.
    """
    if isinstance(value, PurePath):
        return [str(value)]
    search = _Search()
    with suppress(Exception):  # whatever the value's own code raises: it is not for keeping
        search.dump(value)
    return list(search.found)


class _Search(pickle.Pickler):
    """Pickles into nowhere and takes down the paths on the way."""

    def __init__(self) -> None:
        super().__init__(_Nowhere(), pickle.HIGHEST_PROTOCOL)
        self.found: dict[str, None] = {}

    def persistent_id(self, obj: Any) -> Any:
        """Take a path down, and go no deeper into it."""
        if isinstance(obj, PurePath):
            self.found[str(obj)] = None
            return True
        return None


class _Nowhere:
    """Takes what is written and keeps nothing."""

    def write(self, data: bytes) -> int:
        """Return how much was written."""
        return len(data)
