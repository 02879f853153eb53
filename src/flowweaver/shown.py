"""What notebooks and callers may ask runs, plans and workflows for: their faces.

Who draws them stands at the far end of the flow of imports. So the drawing is looked up by its
name, when it is asked for.
"""

from __future__ import annotations

from os import PathLike
from pathlib import Path
from pkgutil import resolve_name
from typing import Any

_FACES = "flowweaver.report.faces"


def drawn(face: str, *arguments: Any) -> Any:
    """Return what a function of `report.faces` makes of `arguments`."""
    return resolve_name(f"{_FACES}:{face}")(*arguments)


class Shown:
    """Something that a notebook shows as a picture, without any script."""

    __slots__ = ()

    def _repr_html_(self) -> str:
        text: str = drawn("as_html", self)
        return text


class Reported(Shown):
    """A run, which can be kept as a page."""

    __slots__ = ()

    def save_report(self, path: str | PathLike[str]) -> Path:
        """Write the run as one HTML file, which opens anywhere with the network off.

        Raises:
            OSError: The file can't be written.
        """
        written: Path = drawn("save_report", self, path)
        return written
