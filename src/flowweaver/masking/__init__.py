"""Which secrets are in use in this process, and how they are taken out of text.

Whatever of bodies the engine keeps or shows comes through here, in the process that the body runs
in. `forms` says how a secret turns up in text; it is loaded once there is a secret.
"""

from __future__ import annotations

from _thread import get_ident  # `threading` is left to those who need it
from collections.abc import Iterator
from typing import Any, NamedTuple, TextIO

MASK = "***"
"""What stands in text in place of a secret."""

_PIECE_BYTES = 1 << 20
# A process that goes through secrets by the million knows the latest.
_MOST_KNOWN = 1000


class _Forms(NamedTuple):
    """What is looked for: in text the longest first, with the characters that these begin with.

    `version` says of which state of the masker it was made.
    """

    version: int
    in_text: tuple[str, ...] = ()
    beginnings: frozenset[str] = frozenset()
    in_data: tuple[bytes, ...] = ()
    in_large_data: tuple[bytes, ...] = ()


class Masker:
    """Takes the secrets that it was told of out of text, in any thread; masking takes no lock.

    Attributes:
        is_used: Whether there ever was a secret, also one that is too short to be looked for.
    """

    def __init__(self) -> None:
        self.is_used = False
        self._known: dict[str, None] = {}
        self._version = 0
        self._made = _Forms(0)

    def note(self, secret: object) -> None:
        """Take it that what text and bytes there are in a value is secret."""
        from flowweaver.masking.forms import noting, texts_in

        self.is_used = True
        texts = list(texts_in(secret))
        with noting:
            # Exchanged as a whole: whoever masks meanwhile must miss none that was known before.
            known, before = dict(self._known), self._known
            for text in texts:
                known.pop(text, None)
                known[text] = None  # as the latest
                if len(known) > _MOST_KNOWN:
                    known.pop(next(iter(known)))
            self._known = known
            if known.keys() - before.keys():
                self._version += 1

    @property
    def knows_any(self) -> bool:
        """Whether there is anything to look for."""
        return bool(self._known)

    def mask(self, text: str) -> str:
        """Return text without secrets."""
        if not self._known:
            return text
        for form in self._forms().in_text:
            if form in text:
                text = text.replace(form, MASK)
        return text

    def is_in(self, data: bytes | memoryview) -> bool:
        """Whether there is a secret in bytes that are to be kept.

        In large data, which is mostly numbers, only as it is: looking costs time.
        """
        if not self._known:
            return False
        known, view = self._forms(), memoryview(data)
        forms = known.in_data if len(view) <= _PIECE_BYTES else known.in_large_data
        beyond = max(map(len, forms), default=0)
        return any(
            form in piece
            for start in range(0, len(view), _PIECE_BYTES)
            for piece in [bytes(view[start : start + _PIECE_BYTES + beyond])]
            for form in forms
        )

    def settled(self, text: str) -> int:
        """Return how much of text can't be part of a secret that goes on behind it."""
        if not self._known:
            return len(text)
        settled = self._beginning_at_the_end(text)
        while (end := self._end_of_what_spans(text, settled)) > settled:
            settled = end
        return settled

    def _beginning_at_the_end(self, text: str) -> int:
        """Return where in text the beginning of a secret stands that is cut off by its end."""
        known = self._forms()
        forms = known.in_text
        longest = len(forms[0]) - 1 if forms else 0
        for start in range(max(0, len(text) - longest), len(text)):
            if text[start] in known.beginnings:
                end = text[start:]
                if any(len(form) > len(end) and form.startswith(end) for form in forms):
                    return start
        return len(text)

    def _end_of_what_spans(self, text: str, place: int) -> int:
        """Return where the whole secret ends that a place is in the middle of."""
        for form in self._forms().in_text:
            start = text.find(form, max(0, place - len(form) + 1))
            if 0 <= start < place:
                return start + len(form)
        return place

    def _forms(self) -> _Forms:
        if self._made.version == self._version:
            return self._made
        from flowweaver.masking.forms import forms_in_data, forms_in_large_data, forms_in_text

        version, texts = self._version, list(self._known)
        in_text = {form for text in texts for form in forms_in_text(text)}
        self._made = made = _Forms(
            version,
            tuple(sorted(in_text, key=lambda form: (-len(form), form))),
            frozenset(form[0] for form in in_text),
            tuple(form for text in texts for form in forms_in_data(text)),
            tuple(form for text in texts for form in forms_in_large_data(text)),
        )
        return made


class Passage:
    """Takes secrets out of text that comes in pieces: one may begin in one and end in another.

    Pieces belong together by who writes them, by default a thread: what others write in between
    must not part them.
    """

    __slots__ = ("_held", "_masker")

    def __init__(self, masker: Masker) -> None:
        self._masker = masker
        self._held: dict[object, str] = {}

    def take(self, text: str, writer: object = None) -> str:
        """Return what is settled by now, of what was held of a writer and `text`, masked."""
        if not (self._held or self._masker.knows_any):
            return text
        writer = writer or get_ident()
        text = self._held.pop(writer, "") + text
        settled = self._masker.settled(text)
        if settled < len(text):
            self._held[writer] = text[settled:]
        return self._masker.mask(text[:settled])

    def rest(self) -> str:
        """Return what was held, without secrets, as nothing comes behind it."""
        held, self._held = self._held, {}
        return "".join(map(self._masker.mask, held.values()))


class MaskedStream:
    """A text stream that takes secrets out of what is written to it; all else is the stream's."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._passage = Passage(masker)

    @property
    def stream(self) -> TextIO:
        """The stream that is written to."""
        return self._stream

    def write(self, text: str) -> int:
        """Write text without secrets; say that all of it was written."""
        self._stream.write(self._passage.take(text, self._writer()))
        return len(text)

    def _writer(self) -> object:
        """Return to whom the pieces belong that are written here and now."""
        return get_ident()

    def writelines(self, lines: Any) -> None:
        """Write lines without secrets."""
        for line in lines:
            self.write(line)

    def end(self) -> None:
        """Write what was held back, as nothing comes behind it."""
        held = self._passage.rest()
        if held and not self._stream.closed:
            self._stream.write(held)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def __iter__(self) -> Iterator[str]:
        return iter(self._stream)


masker = Masker()
"""What this process knows of secrets."""


def mask(text: str) -> str:
    """Return text without the secrets that are in use in this process."""
    return masker.mask(text)
