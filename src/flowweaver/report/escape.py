"""Names made harmless for the languages of pictures.

Task names are chosen by users and can come from data; none may become syntax.
"""

from __future__ import annotations

from flowweaver.serialize.describe import clean

_PLAIN_IN_MERMAID = frozenset(" _-.,()/")


def for_mermaid(text: str) -> str:
    """Return `text` for a quoted label of Mermaid.

    Whatever is not a letter, a digit or plainly harmless becomes an entity code (``#34;``), which
    Mermaid shows as the character and never reads as syntax, Markdown or HTML.
    """
    return "".join(
        c if c.isalnum() or c in _PLAIN_IN_MERMAID else f"#{ord(c)};" for c in clean(text)
    )


def for_dot(text: str) -> str:
    """Return `text` for a quoted string of the DOT language."""
    shown = clean(text).replace("&", "&amp;")
    return shown.replace("\\", "\\\\").replace('"', '\\"')
