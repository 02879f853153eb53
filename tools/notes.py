"""The notes of a release: what the changelog says of it. ``python -m tools.notes v1.2.3``."""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]


def main(tag: str) -> None:
    """Print the notes for a tag; exit with what is wrong if it can't be released."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    try:
        checked(tag, settings["project"]["version"])
        print(notes((ROOT / "CHANGELOG.md").read_text("utf-8"), tag.removeprefix("v")))
    except ValueError as error:
        sys.exit(str(error))


def checked(tag: str, version: str) -> None:
    """Raise `ValueError` unless the tag is that of the version."""
    if tag != f"v{version}":
        raise ValueError(f"The tag {tag} is not that of version {version}: v{version}.")


def notes(changelog: str, version: str) -> str:
    """Return what stands under a version's heading.

    Raises:
        ValueError: There is no such heading, or it has no date yet.
    """
    heading = re.compile(rf"^## {re.escape(version)} - (?P<date>\S+)$", re.MULTILINE)
    found = heading.search(changelog)
    if found is None:
        raise ValueError(f"CHANGELOG.md has no heading '## {version} - DATE'.")
    if not re.fullmatch(r"\d{4}-\d\d-\d\d", found["date"]):
        raise ValueError(f"CHANGELOG.md calls {version} {found['date']}; put the date there.")
    after = re.compile(r"^## ", re.MULTILINE).search(changelog, found.end())
    return changelog[found.end() : after.start() if after else None].strip()


if __name__ == "__main__":
    main(*sys.argv[1:])
