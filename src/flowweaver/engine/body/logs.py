"""The log of one attempt, without the secrets that it was printed with."""

from __future__ import annotations

from collections import deque

from flowweaver.masking import Passage, masker

# How much is kept of what an attempt prints, from its beginning and from its end.
_HEAD_CHARACTERS = 64 * 1024
_TAIL_CHARACTERS = 192 * 1024
_NOTHING: deque[str] = deque(maxlen=0)
_NO_HEAD: list[str] = []


class LogBuffer:
    """The text of one attempt, bounded: the middle of a longer one is left out."""

    __slots__ = ("_dropped", "_head", "_head_size", "_passage", "_tail", "_tail_size")

    def __init__(self) -> None:
        self._head = _NO_HEAD
        self._head_size = 0
        self._tail: deque[str] = _NOTHING
        self._tail_size = 0
        self._dropped = 0
        # Made once something is written: most attempts write nothing.
        self._passage: Passage | None = None

    def write(self, text: str) -> None:
        """Add text; a secret that comes in pieces is held back until it is whole."""
        if self._passage is None:
            self._passage, self._head, self._tail = Passage(masker), [], deque()
        self._add(self._passage.take(text))

    def _add(self, text: str) -> None:
        room = _HEAD_CHARACTERS - self._head_size
        if room > 0:
            self._head.append(text[:room])
            self._head_size += len(self._head[-1])
            text = text[room:]
        if not text:
            return
        self._tail.append(text[-_TAIL_CHARACTERS:])
        self._dropped += len(text) - len(self._tail[-1])
        self._tail_size += len(self._tail[-1])
        while self._tail_size > _TAIL_CHARACTERS:
            oldest = self._tail.popleft()
            self._tail_size -= len(oldest)
            self._dropped += len(oldest)

    def text(self) -> str:
        """Return all that was kept, once nothing comes behind it."""
        if self._passage is None:
            return ""
        self._add(self._passage.rest())
        gap = f"\n... {self._dropped} characters left out ...\n" if self._dropped else ""
        return "".join([*self._head, gap, *self._tail])
