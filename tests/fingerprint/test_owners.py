"""Whose code it is."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

import flowweaver
from flowweaver.fingerprint.owners import (
    Owner,
    owner_of_file,
    owner_of_module,
    project_of,
    top_of_file,
)


@pytest.mark.parametrize(
    ("filename", "owner"),
    [
        ("/home/me/project/steps.py", Owner.PROJECT),
        ("/usr/src/app/steps.py", Owner.PROJECT),
        ("steps.py", Owner.PROJECT),
        ("<string>", Owner.PROJECT),
        ("<ipython-input-1-abc>", Owner.PROJECT),
        ("/home/me/project/.venv/lib/python3.11/site-packages/numpy/core.py", Owner.PACKAGE),
        ("/usr/lib/python3/dist-packages/six.py", Owner.PACKAGE),
        ("/v/site-packages/flowweaver/task.py", Owner.NOBODY),
        ("<frozen importlib._bootstrap>", Owner.NOBODY),
        (json.__file__, Owner.NOBODY),
        (flowweaver.__file__, Owner.NOBODY),
        (pytest.__file__, Owner.PACKAGE),
        (__file__, Owner.PROJECT),
    ],
)
def test_owner_of_a_file(filename: str, owner: Owner) -> None:
    assert owner_of_file(filename) is owner


@pytest.mark.parametrize(
    ("module", "owner"),
    [
        ("json.decoder", Owner.NOBODY),
        ("builtins", Owner.NOBODY),
        ("math", Owner.NOBODY),
        ("flowweaver.definitions.task", Owner.NOBODY),
        ("", Owner.NOBODY),
        ("pytest", Owner.PACKAGE),
        ("__main__", Owner.PROJECT),
        (__name__, Owner.PROJECT),
        ("made.by.hand", Owner.PROJECT),
    ],
)
def test_owner_of_a_module(
    module: str, owner: Owner, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(sys.modules["__main__"], "__file__", str(tmp_path / "main.py"), False)
    assert owner_of_module(module) is owner


@pytest.mark.parametrize(
    ("filename", "top"),
    [
        ("/v/site-packages/numpy/core/x.py", "numpy"),
        ("/v/site-packages/six.py", "six"),
        ("/v/site-packages/_cffi.cpython-311-x86_64-linux-gnu.so", "_cffi"),
        ("/v/site-packages", ""),
    ],
)
def test_top_level_module_of_an_installed_file(filename: str, top: str) -> None:
    assert top_of_file(filename) == top


def test_project_is_the_nearest_marked_folder(tmp_path: Path) -> None:
    (tmp_path / "project" / "src" / "pkg").mkdir(parents=True)
    (tmp_path / "project" / "pyproject.toml").touch()
    filename = tmp_path / "project" / "src" / "pkg" / "steps.py"
    assert project_of(str(filename)) == str(tmp_path / "project")


def test_unmarked_project_is_the_folder_around_its_packages(tmp_path: Path) -> None:
    (tmp_path / "src" / "pkg").mkdir(parents=True)
    (tmp_path / "src" / "pkg" / "__init__.py").touch()
    filename = tmp_path / "src" / "pkg" / "steps.py"
    assert project_of(str(filename)) == str(tmp_path / "src")


def test_made_up_file_is_in_no_project() -> None:
    assert project_of("<string>") == ""
