"""What is met while a value is written down, beside plain content."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Generic, NamedTuple, TypeVar

from flowweaver.fingerprint.finding import Ask

T = TypeVar("T")


class HeldCode(NamedTuple):
    """Code of the project that a value holds; `by_package` if in something that was installed."""

    value: object
    by_package: bool


class Numbered(Generic[T]):
    """Things in the order in which they are first met, each once."""

    def __init__(self) -> None:
        self.things: list[T] = []
        self._numbers: dict[Hashable, int] = {}

    def number(self, key: Hashable, thing: T) -> int:
        """Return the number of the thing that this key tells from others."""
        number = self._numbers.setdefault(key, len(self.things))
        if number == len(self.things):
            self.things.append(thing)
        return number


class Met:
    """What a walk has met beside plain content; the fields are those of `ValueDigest`."""

    def __init__(self) -> None:
        self.code: Numbered[HeldCode] = Numbered()
        self.packages: dict[str, None] = {}
        self.opaque: dict[str, None] = {}
        self.is_private = False
        self.attributes: list[tuple[str, str]] = []
        self.asks: set[Ask] = set()
