"""Events as lines of a file."""

from __future__ import annotations

from pathlib import Path

from flowweaver import Event


class Notes:
    """Adds a line to a file for each event."""

    def __init__(self, path: str | Path) -> None:
        self._path = Path(path).absolute()

    def __call__(self, event: Event) -> None:
        """Note an event."""
        with self._path.open("a") as file:
            file.write(f"{event.kind.value} {event.name or event.workflow}\n")
