"""Places inside a value: the steps that lead there, and the path they are shown as."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

from flowweaver.masking import mask
from flowweaver.serialize.describe import Raised, clean, contained, describe, shorten

Step: TypeAlias = tuple[Literal["item", "key", "attribute"], object]
"""One step down: to the item at a key or position, to the n-th key, to an attribute."""

Trail: TypeAlias = tuple[Any, Step] | None
"""The steps from the root, the last one first: (trail of the parent, step)."""

_SHOWN_KEYS = frozenset({type(None), bool, int, float, str, bytes})


def render(root: str, trail: Trail) -> str:
    """Return the path of a trail, such as ``result['x'][3].name``."""
    texts: list[str] = []
    while trail is not None:
        trail, step = trail
        texts.append(_step_text(step))
    return root + "".join(reversed(texts))


def _step_text(step: Step) -> str:
    kind, key = step
    if kind == "attribute":
        return shorten(clean(f".{key}"), 80)
    if kind == "key":
        return f".keys()[{key}]"
    return f"[{_key_text(key)}]"


def _key_text(key: object) -> str:
    if type(key) not in _SHOWN_KEYS:
        return f"<{describe(key)}>"
    text = contained(repr, key)
    return "<a huge int>" if isinstance(text, Raised) else shorten(clean(mask(text)), 80)
