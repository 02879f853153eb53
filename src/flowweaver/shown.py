"""What notebooks and callers may ask runs, plans and workflows for: their faces.

What draws them stands at the far end of the flow of imports, and is imported when it is asked.
"""

from __future__ import annotations

from os import PathLike
from typing import TYPE_CHECKING

from flowweaver.lazy import late

if TYPE_CHECKING:
    from pathlib import Path

_as_html = late("report.faces", "as_html")
_as_text = late("report.faces", "as_text")
_save_report = late("report.faces", "save_report")


class Shown:
    """Something that a notebook shows as a picture, without any script, and `print` as lines."""

    __slots__ = ()

    def _repr_html_(self) -> str:
        text: str = _as_html(self)
        return text

    def __str__(self) -> str:
        text: str = _as_text(self)
        return text


class Reported(Shown):
    """A run, which can be kept as a page."""

    __slots__ = ()

    def save_report(self, path: str | PathLike[str]) -> Path:
        """Write the run as one HTML file, which opens anywhere with the network off.

        Raises:
            OSError: The file can't be written.
        """
        written: Path = _save_report(self, path)
        return written
