"""What those who write values down ask of the one who walks through them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Protocol


class Walk(Protocol):
    """What is asked of the one who writes a value; see `values.Walk`."""

    @property
    def is_in_package(self) -> bool:
        """Whether what is written now is held by something that was installed."""

    def write(self, value: object, depth: int) -> None:
        """Write a value that is a part of what is being written."""

    def named(self, name: str, parts: Iterable[object], depth: int) -> None:
        """Write a kind of thing and its parts."""

    def text(self, text: str) -> None:
        """Write what is no content of the value."""

    def known(self, kind: str, content: str, *leaves: tuple[object, ...]) -> None:
        """Write a value of a known kind by its text, which is in the source if its leaves are."""

    def in_package(self, top: str, name: str, parts: Iterable[object], depth: int) -> None:
        """Write what an installed package has made."""

    def in_order(self, elements: Iterable[object], depth: int) -> list[object]:
        """Return the elements of a set in an order that is the same in each process."""

    def portable(self, text: str) -> str:
        """Return a path as it counts: one in the project by its place in it."""

    def hide(self, value: object, what: str) -> None:
        """Note something that can't be seen."""


Writer = Callable[["Walk", Any, int], None]
