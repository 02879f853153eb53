"""The page's scripts, joined to one, and its style."""

import re
from collections import Counter

import pytest

from flowweaver.report import assets

ENTRIES = ["report.js", "live.js"]


@pytest.mark.parametrize("entry", ENTRIES)
def test_names_at_the_top_of_modules_are_unique(entry):
    text = assets.script(entry)
    names = re.findall(r"^(?:async )?(?:function|const|let|class) (\w+)", text, re.MULTILINE)
    assert [name for name, count in Counter(names).items() if count > 1] == []


@pytest.mark.parametrize("entry", ENTRIES)
def test_modules_come_after_what_they_import(entry):
    names = assets.modules(entry)
    assert names[-1] == entry
    assert names[0] == "lib.js"


@pytest.mark.parametrize("entry", ENTRIES)
def test_nothing_imports_or_exports_in_the_joined_script(entry):
    assert not re.search(r"^(import|export)\b", assets.script(entry), re.MULTILINE)


def test_nothing_on_the_page_names_another_host():
    for text in (assets.script("report.js"), assets.vendored(), assets.style()):
        assert set(re.findall(r"https?://[\w.]+", text)) <= {"http://www.w3.org"}


def test_vendored_file_has_its_licences_beside_it():
    assert "Apache License" in assets.read("vendor/LICENSES.txt")
    assert "MIT" in assets.read("vendor/LICENSES.txt")
