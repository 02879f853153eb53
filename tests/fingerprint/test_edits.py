"""The catalogue of edits, over fresh processes, ways to load code, hash seeds and Pythons."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.fingerprint.asking import ask
from tests.fingerprint.edits import EDITS, Edit
from tests.fingerprint.pythons import other_pythons

ONE_MODULE = [edit for edit in EDITS if edit.is_one_module]
Answers = dict[str, dict[str, Any]]


def answers(edits: list[Edit], side: str, folder: Path, how: str, **settings: str) -> Answers:
    """Return what a fresh process says of one side of the edits."""
    jobs = []
    for number, edit in enumerate(edits):
        place = folder / side / str(number)
        for path, text in getattr(edit, f"files_{side}").items():
            (place / path).parent.mkdir(parents=True, exist_ok=True)
            (place / path).write_text(text, encoding="utf-8", newline="")
        jobs.append({"folder": str(place), "target": edit.target, "how": how})
    return dict(zip([edit.name for edit in edits], ask(jobs, **settings), strict=True))


def both_sides(edits: list[Edit], folder: Path, how: str) -> dict[str, tuple[Any, Any]]:
    before, after = (answers(edits, side, folder, how) for side in ("before", "after"))
    return {edit.name: (before[edit.name], after[edit.name]) for edit in edits}


@pytest.fixture(scope="module")
def imported(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Any, Any]]:
    return both_sides(list(EDITS), tmp_path_factory.mktemp("imported"), "import")


@pytest.fixture(scope="module")
def as_script(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Any, Any]]:
    return both_sides(ONE_MODULE, tmp_path_factory.mktemp("script"), "script")


@pytest.fixture(scope="module")
def in_cells(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Any, Any]]:
    return both_sides(ONE_MODULE, tmp_path_factory.mktemp("cells"), "cells")


def changed(before: dict[str, Any], after: dict[str, Any]) -> set[str]:
    """Return the names of the parts that differ."""
    old, new = before["parts"], after["parts"]
    return {name for name in {*old, *new} if old.get(name, [""])[0] != new.get(name, [""])[0]}


def named(edits: tuple[Edit, ...] | list[Edit], cosmetic: bool) -> list[Any]:
    return [pytest.param(edit, id=edit.name) for edit in edits if edit.cosmetic is cosmetic]


def test_names_are_unique() -> None:
    assert len({edit.name for edit in EDITS}) == len(EDITS)


@pytest.mark.parametrize("edit", named(EDITS, cosmetic=True))
def test_cosmetic_edit_changes_nothing(edit: Edit, imported: Any) -> None:
    before, after = imported[edit.name]
    assert (before["digest"], before["result"]) == (after["digest"], after["result"])


@pytest.mark.parametrize("edit", named(EDITS, cosmetic=False))
def test_real_edit_changes_the_fingerprint_and_the_culprit(edit: Edit, imported: Any) -> None:
    before, after = imported[edit.name]
    assert before["digest"] != after["digest"]
    assert edit.culprit in changed(before, after)


@pytest.mark.parametrize("edit", named(ONE_MODULE, cosmetic=True))
def test_cosmetic_edit_of_a_script_changes_nothing(edit: Edit, as_script: Any) -> None:
    before, after = as_script[edit.name]
    assert before["digest"] == after["digest"]


@pytest.mark.parametrize("edit", named(ONE_MODULE, cosmetic=False))
def test_real_edit_of_a_script_changes_the_culprit(edit: Edit, as_script: Any) -> None:
    before, after = as_script[edit.name]
    assert before["digest"] != after["digest"]
    assert str(edit.culprit) in changed(before, after)


@pytest.mark.parametrize("edit", named(ONE_MODULE, cosmetic=True))
def test_cosmetic_edit_of_a_notebook_changes_nothing(edit: Edit, in_cells: Any) -> None:
    before, after = in_cells[edit.name]
    assert before["digest"] == after["digest"]


@pytest.mark.parametrize("edit", named(ONE_MODULE, cosmetic=False))
def test_real_edit_of_a_notebook_is_seen_or_said_not_to_be(edit: Edit, in_cells: Any) -> None:
    before, after = in_cells[edit.name]
    said = any("the state of" in message for message in before["unseen"])
    assert before["digest"] != after["digest"] or said


def test_nothing_of_the_projects_is_unseen(imported: Any) -> None:
    assert [name for name, (before, _) in imported.items() if before["unseen"]] == []


def test_asking_twice_gives_the_same(imported: Any) -> None:
    assert [name for name, (before, _) in imported.items() if not before["again"]] == []


def digests(found: Answers) -> dict[str, str]:
    return {name: answer["digest"] for name, answer in found.items()}


@pytest.mark.parametrize("seed", ["1", "2"])
def test_hash_seed_plays_no_part(seed: str, imported: Any, tmp_path: Path) -> None:
    found = answers(list(EDITS), "before", tmp_path, "import", seed=seed)
    assert digests(found) == digests({name: before for name, (before, _) in imported.items()})


@pytest.mark.parametrize("how", ["import", "script"])
def test_python_version_plays_no_part(
    how: str, imported: Any, as_script: Any, tmp_path: Path
) -> None:
    edits = list(EDITS) if how == "import" else ONE_MODULE
    here = {"import": imported, "script": as_script}[how]
    for python in other_pythons():
        found = answers(edits, "before", tmp_path, how, python=python)
        assert digests(found) == digests({name: before for name, (before, _) in here.items()})
