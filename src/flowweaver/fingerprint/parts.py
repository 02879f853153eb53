"""What a fingerprint is made of, and how two of them differ."""

from __future__ import annotations

import re
from collections.abc import Iterable
from hashlib import blake2b
from typing import NamedTuple

_LONGEST_TEXT = 20_000
_OF_VALUES = ("closure ", "constant ", "default ")
_DOTTED = re.compile(r"[\w.<>]+")


class CodePart(NamedTuple):
    """One thing that a callable's meaning depends on.

    `name` is ``pkg.helpers.parse`` for a function or class, else says what it is: ``constant
    pkg.config.LIMIT``, ``package numpy``, ``closure rate``, ``default rows``, ``definition
    pkg.db.client``. `text` is the source or the value as a person reads it, of bounded length;
    `digest` covers all of it. What live objects hold is in no text: of that there are its type and
    a digest with the key of which `key` is the mark.
    """

    name: str
    digest: str
    text: str
    key: str = ""

    @property
    def is_cut(self) -> bool:
        """Whether there is more to it than its text shows."""
        return len(self.text) > _LONGEST_TEXT

    @property
    def is_code(self) -> bool:
        """Whether it is source that is called, and not a value that is held."""
        return not self.name.startswith(_OF_VALUES)


class Unseen(NamedTuple):
    """Something that can't be seen: what it is, and in what."""

    what: str
    where: str

    def __str__(self) -> str:
        return f"{self.what} in {self.where}"

    def is_vouched_for(self, trusted: Iterable[str]) -> bool:
        """Whether one of these names is that of it, of its type, or of what it is in."""
        names = _DOTTED.findall(str(self))
        return any(f"{name}.".startswith(f"{each}.") for each in trusted for name in names)


class CodeFingerprint(NamedTuple):
    """The meaning of a callable.

    `digest` covers all `parts`: the callable itself, then what it reaches, by name. `unseen` is
    what could not be seen.
    """

    digest: str
    parts: tuple[CodePart, ...]
    unseen: tuple[Unseen, ...]


class PartChange(NamedTuple):
    """A part that differs between two fingerprints, and a unified diff of its text."""

    name: str
    diff: str


def hex_digest(text: str) -> str:
    """Return the short digest that all of this package uses (blake2b, 16 bytes)."""
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def bounded(text: str) -> str:
    """Return the text, fit to be kept: without lone surrogates, and cut where it is too long."""
    if not text.isascii():
        text = text.encode("utf-8", "backslashreplace").decode("utf-8")
    if len(text) <= _LONGEST_TEXT:
        return text
    return f"{text[:_LONGEST_TEXT]}\n... {len(text) - _LONGEST_TEXT} more characters"


def changed_parts(old: Iterable[CodePart], new: Iterable[CodePart]) -> tuple[PartChange, ...]:
    """Return the parts that differ: edited ones first, then added, then removed ones."""
    before = {part.name: part for part in old}
    after = {part.name: part for part in new}
    edited = [name for name in after if name in before]
    added = [name for name in after if name not in before]
    removed = [name for name in before if name not in after]
    return tuple(
        PartChange(name, _diff(before.get(name), after.get(name)))
        for name in (*edited, *added, *removed)
        if _digest(before.get(name)) != _digest(after.get(name))
    )


def diff_parts(
    old: Iterable[CodePart], new: Iterable[CodePart], *, max_lines: int | None = 40
) -> str:
    """Return one unified diff of all parts that differ, each under its name; "" if none does.

    Beyond `max_lines` lines the rest is only counted.
    """
    lines = [line for change in changed_parts(old, new) for line in change.diff.splitlines()]
    if max_lines is not None and len(lines) > max_lines:
        lines[max_lines:] = [f"... {len(lines) - max_lines} more lines"]
    return "\n".join(lines)


def _digest(part: CodePart | None) -> str | None:
    return part.digest if part else None


def _diff(old: CodePart | None, new: CodePart | None) -> str:
    import difflib  # most runs show no difference

    name = (new or old).name  # type: ignore[union-attr]  # one of them is there
    before, after = (part.text.splitlines() if part else [] for part in (old, new))
    labels = (name if old else "(not there)", name if new else "(not there)")
    lines = list(difflib.unified_diff(before, after, *labels, n=1, lineterm=""))
    if not lines:
        lines = [f"--- {name}", f"+++ {name}", "(differs in what is not shown)"]
    return "\n".join(lines)
