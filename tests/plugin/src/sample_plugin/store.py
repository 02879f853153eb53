"""Runs in a folder of their own."""

from __future__ import annotations

from pathlib import Path

from flowweaver import JSONStateStore


class FolderStateStore(JSONStateStore):
    """Keeps runs in `<folder>/runs.json`, and what belongs to them beside it."""

    def __init__(self, folder: str | Path) -> None:
        self._folder = Path(folder).absolute()
        super().__init__(self._folder / "runs.json", durability="process")

    @classmethod
    def from_url(cls, url: str) -> FolderStateStore:
        """Return the store at ``folder://relative/path`` or ``folder:///absolute/path``."""
        return cls(url.removeprefix("folder://"))

    @property
    def url(self) -> str:
        """Where the store is."""
        return f"folder://{self._folder}"
