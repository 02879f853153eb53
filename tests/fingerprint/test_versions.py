"""The versions of installed packages, and what stands for one."""

from __future__ import annotations

from pathlib import Path

import pytest

from flowweaver.fingerprint.versions import package_content, package_version


def test_version_is_that_of_the_distribution() -> None:
    assert package_version("pytest") == pytest.__version__


def distribution(folder: Path, name: str, version: str, modules: str) -> None:
    information = folder / f"{name.replace('-', '_')}-{version}.dist-info"
    information.mkdir(parents=True)
    (information / "METADATA").write_text(f"Name: {name}\nVersion: {version}\n")
    (information / "top_level.txt").write_text(modules)


def test_version_is_found_under_another_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    distribution(tmp_path, "Fw-Other-Name", "2.5", "fw_named_otherwise\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert package_version("fw_named_otherwise") == "Fw-Other-Name 2.5"


RECORD = """\
fw_in_record/__init__.py,sha256=abc,12
fw_in_record/deeper/other.py,sha256=abc,12
fw_single.py,sha256=abc,3
fw_built.cpython-311-x86_64-linux-gnu.so,sha256=abc,99
fw_stable.abi3.so,sha256=abc,99
"fw_odd,name/file.py",sha256=abc,1
../../../bin/fw-script,sha256=abc,1
fw_recorded-1.0.dist-info/METADATA,,
__pycache__/fw_single.cpython-311.pyc,,
"""


@pytest.fixture
def recorded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Install a distribution that says in its record alone what it brings."""
    distribution(tmp_path, "fw-recorded", "1.0", "")
    (tmp_path / "fw_recorded-1.0.dist-info" / "RECORD").write_text(RECORD)
    monkeypatch.syspath_prepend(str(tmp_path))


@pytest.mark.usefixtures("recorded")
@pytest.mark.parametrize("top", ["fw_in_record", "fw_single", "fw_built", "fw_stable"])
def test_what_is_brought_stands_in_the_record_where_nothing_else_says_it(
    top: str,
) -> None:
    assert package_version(top) == "fw-recorded 1.0"


@pytest.mark.usefixtures("recorded")
@pytest.mark.parametrize("top", ["fw_recorded-1", "bin", "deeper", "other", "file"])
def test_what_is_no_module_at_the_top_is_brought_by_none(
    top: str,
) -> None:
    assert package_version(top) is None


def test_distribution_of_that_name_with_other_modules_is_not_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    distribution(tmp_path, "fw_misleading", "1.0", "something_else\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert package_version("fw_misleading") is None


def test_files_stand_for_the_version_of_a_package_without_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "fw_bare"
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    (folder / "inner.py").write_text("X = 1\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    before = package_content("fw_bare")
    (folder / "inner.py").write_text("X = 2\n")
    package_content.cache_clear()
    assert before is not None
    assert before.startswith("(no version) ")
    assert package_content("fw_bare") != before


def test_package_that_is_not_there_counts_as_such() -> None:
    assert package_content("fw_not_there_at_all") == "(not installed)"
