"""What is published: the same whoever builds it, with all that belongs in it and nothing more."""

import json
import zipfile
from email import message_from_bytes
from email.message import Message
from pathlib import Path
from typing import Any

import pytest

from tools.dist import build_twice, check_contents

VENDOR = Path(__file__).parents[2] / "src" / "flowweaver" / "report" / "static" / "vendor"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built here and again from its sdist, which has to give the same."""
    built = build_twice(tmp_path_factory.mktemp("dist"))
    assert [path.suffix for path in built] == [".whl", ".gz"]
    return built[0]


def read(wheel: Path, ending: str) -> bytes:
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith(ending))
        return archive.read(name)


@pytest.fixture
def metadata(wheel: Path) -> Message:
    return message_from_bytes(read(wheel, ".dist-info/METADATA"))


@pytest.fixture
def bill(wheel: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(read(wheel, ".dist-info/sboms/flowweaver.cdx.json"))
    return found


def test_wheel_has_what_it_must_have_and_nothing_of_tests(wheel):
    check_contents(wheel)


@pytest.mark.parametrize("extra", ["tests/test_x.py", "flowweaver/testing/simulation/seeds.py"])
def test_what_does_not_belong_in_a_wheel_is_named(wheel, extra, tmp_path):
    copy = tmp_path / wheel.name
    copy.write_bytes(wheel.read_bytes())
    with zipfile.ZipFile(copy, "a") as archive:
        archive.writestr(extra, "")
    with pytest.raises(SystemExit, match=extra):
        check_contents(copy)


def test_what_is_missing_from_a_wheel_is_named(tmp_path):
    empty = tmp_path / "flowweaver.whl"
    zipfile.ZipFile(empty, "w").close()
    with pytest.raises(SystemExit, match=r"py\.typed"):
        check_contents(empty)


def test_licence_covers_what_is_vendored(metadata, bill):
    licences = {item["licenses"][0]["license"]["id"] for item in bill["components"]}
    assert licences <= set(metadata["License-Expression"].split(" AND "))
    assert any(file.endswith("vendor/LICENSES.txt") for file in metadata.get_all("License-File"))


def test_bill_of_materials_is_of_this_version(metadata, bill):
    itself = bill["metadata"]["component"]
    assert (itself["name"], itself["version"]) == ("flowweaver", metadata["Version"])
    assert bill["bomFormat"] == "CycloneDX"


def test_bill_of_materials_lists_what_the_licences_name(bill):
    text = (VENDOR / "LICENSES.txt").read_text(encoding="utf-8")
    for item in bill["components"]:
        assert f"{item['name'].rpartition('/')[2]} {item['version']}" in text
    (root,) = bill["dependencies"]
    assert root["dependsOn"] == [item["bom-ref"] for item in bill["components"]]


def test_every_folder_of_vendored_files_says_what_they_are():
    folders = [path for path in VENDOR.parents[3].rglob("vendor") if path.is_dir()]
    assert VENDOR in folders
    assert [folder for folder in folders if not (folder / "components.json").is_file()] == []
