"""Show source to people: as they wrote it, without comments, docstrings and blank lines."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def shown(
    lines: Sequence[str], first: int, hidden: Iterable[range], literal: Iterable[range]
) -> str:
    """Return the lines without comment lines, blank lines and the margin they share.

    Args:
        lines: Consecutive lines of a source.
        first: The number of the first of them.
        hidden: Line numbers to leave out.
        literal: Line numbers inside of strings, where nothing is a comment.
    """
    left_out = {number for each in hidden for number in each}
    kept_as_is = {number for each in literal for number in each}
    margin = len(lines[0]) - len(lines[0].lstrip()) if lines else 0
    result = []
    for number, line in enumerate(lines, first):
        text = line.strip()
        if number in left_out or (number not in kept_as_is and (not text or text[0] == "#")):
            continue
        result.append(line[margin:].rstrip() if not line[:margin].strip() else line.rstrip())
    return "\n".join(result)
