"""The map in CONTRIBUTING: what it names is there, and nothing large is left out."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "src" / "flowweaver"
TEXT = (ROOT / "CONTRIBUTING.md").read_text()
ROWS = [line for line in TEXT.splitlines() if line.startswith("| ")]


def named(row: str) -> list[str]:
    """Return the files and folders of the package that a row of the map names."""
    return re.findall(r"`((?:\w+/)*\w+(?:\.py|/))`", row)


def test_all_that_the_map_names_is_there() -> None:
    missing = []
    for paths in map(named, ROWS):
        places = [
            PACKAGE,
            *(PACKAGE / wing for wing in paths[:1]),
        ]  # in the package, or in the wing
        missing += [path for path in paths if not any((place / path).exists() for place in places)]
    assert missing == []


def test_each_wing_is_on_the_map() -> None:
    wings = {f"{item.name}/" for item in PACKAGE.iterdir() if (item / "__init__.py").exists()}
    assert wings <= {path for row in ROWS for path in named(row)}
