"""What text may be the path of a file, or a pattern of paths."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator

_LONGEST = 1_000
# An apostrophe begins what another quote ends: so each is looked at anew.
_QUOTED = r"""(?=(['"])([^'"\n]{3,1000})\1)"""


def looks_like_path(text: str) -> bool:
    """Whether text may be the path of a file: a name with an ending, or with folders before it."""
    is_short = 2 < len(text) <= _LONGEST
    return is_short and ("." in text or os.sep in text) and "\n" not in text and "\0" not in text


def is_pattern(text: str) -> bool:
    """Whether text may be a pattern of names in folders, and neither dear nor an expression."""
    folder, _, name = text.rpartition("/")
    marks = sum(map(text.count, "*?["))
    return (
        0 < marks <= 2
        and not any(
            sign in text for sign in ("**", ".*", ".?", "*?", "[^", "\\", "(", "|", "+", "$")
        )
        and not (
            text.startswith("/")
            and any(map(folder.partition("/")[2].partition("/")[0].count, "*?["))
        )
        and "." in name
    )


def quoted_in(text: str) -> Iterator[str]:
    """Yield what may be paths, or patterns of them, in quotes within text: SQL names files so."""
    if "'" in text or '"' in text:
        yield from (match[2] for match in re.finditer(_QUOTED, text) if looks_like_path(match[2]))
