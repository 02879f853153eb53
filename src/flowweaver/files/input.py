"""The path of a file that a task reads."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated


class ReadMark:
    """Marks, in an annotation, the path of a file that is read."""

    def __repr__(self) -> str:
        return "ReadMark()"


InputFile = Annotated[Path, ReadMark()]
"""A parameter annotated so takes a path, and the content there is part of what the task's result
depends on. It may stand inside containers, and beside None."""
