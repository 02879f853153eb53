"""What a release says of itself."""

import pytest

from tools.notes import checked, notes

CHANGELOG = """# Changelog

## 1.1.0 - unreleased

- Not out yet.

## 1.0.1 - 2027-01-02

### Fixed

- This.

## 1.0.0 - 2026-12-01

- All.
"""


def test_notes_are_what_stands_under_the_version_alone():
    assert notes(CHANGELOG, "1.0.1") == "### Fixed\n\n- This."
    assert notes(CHANGELOG, "1.0.0") == "- All."


def test_a_version_without_a_date_is_not_released():
    with pytest.raises(ValueError, match="put the date there"):
        notes(CHANGELOG, "1.1.0")


@pytest.mark.parametrize("version", ["1.0", "1.0.2", "1x0.1"])
def test_a_version_that_the_changelog_does_not_have_is_named(version):
    with pytest.raises(ValueError, match=f"no heading '## {version} - DATE'"):
        notes(CHANGELOG, version)


def test_a_tag_has_to_be_that_of_the_version():
    checked("v1.0.1", "1.0.1")
    with pytest.raises(ValueError, match=r"v1\.0\.2 is not that of version 1\.0\.1"):
        checked("v1.0.2", "1.0.1")
