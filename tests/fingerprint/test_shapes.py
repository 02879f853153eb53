"""The catalogue of shapes: nothing stale, nothing made again for nothing, nothing silent."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, Literal

import pytest

from tests.fingerprint.shapes.catalogue import SHAPES
from tests.fingerprint.shapes.shape import Shape

RUNNER = Path(__file__).with_name("shapes") / "runner.py"
ROOT = Path(__file__).parents[2]
Side = Literal["before", "after", "cosmetic"]
Answers = dict[str, dict[str, Any]]
UNSEEN = "not all that it reaches can be seen"
ANNOUNCED = {
    "function: evaluation handed on",
    "function: evaluation under another name (whole module)",
    "function: globals of a function",
    "function: text in a variable that is evaluated",
    "in a body: finder under another name in a module loaded in the body",
    "in a body: from importlib import import_module as load: [load(n).f() for n in ('one',)]",
    "in a body: from importlib import import_module: [import_module(n).f() for n in ('one',)]",
    "in a body: from pydoc import locate as find: find('one.f')()",
    "in a body: import builtins as b: b.eval('f' + '()')",
    "in a body: relative to a module",
    "in C: code object",
    "in C: connection from the environment",
    "in C: connection of sqlite",
    "in C: encoder of msgspec",
    "in C: frame of a function",
    "in C: function of ctypes",
    "in C: hash state",
    "in C: open file",
    "module: by importlib and a variable",
    "module: by importlib under another name",
    "module: imported in a body, from a file",
    "module: imported in a body, from the environment",
    "ours: run at the top",
    "under another name: nonconst im",
}


def executed(folder: Path, side: Side, seed: str) -> Answers:
    """Have a fresh process execute all programs, with one store for all processes."""
    jobs = []
    for number, shape in enumerate(SHAPES):
        for path, text in getattr(shape, side).items():
            place = folder / str(number) / path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(text)
        jobs.append({"name": shape.name, "folder": str(folder / str(number))})
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(ROOT)]),
        "PYTHONHASHSEED": seed,
        "PYTHONDONTWRITEBYTECODE": "1",
        "V": "2" if side == "after" else "1",
    }
    done = subprocess.run(
        [sys.executable, str(RUNNER)],
        input=json.dumps({"store": str(folder / "state.db"), "jobs": jobs}),
        capture_output=True,
        text=True,
        cwd=folder,
        env=environment,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    answers = json.loads(done.stdout.splitlines()[-1])
    return dict(zip([shape.name for shape in SHAPES], answers, strict=True))


# Each execution is a fixture of its own, so that none has to be over within another's time limit;
# each has a hash seed of its own, and all have one store, which the one before leaves to the next.


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("shapes")


@pytest.fixture(scope="module")
def first(folder: Path) -> Answers:
    return executed(folder, "before", "1")


@pytest.fixture(scope="module")
def cosmetic(folder: Path, first: Answers) -> Answers:
    return executed(folder, "cosmetic", "2")


@pytest.fixture(scope="module")
def edited(folder: Path, cosmetic: Answers) -> Answers:
    return executed(folder, "after", "3")


every_shape = pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.name)
every_edit_that_matters = pytest.mark.parametrize(
    "shape", [each for each in SHAPES if each.matters], ids=lambda shape: shape.name
)
every_edit_beside = pytest.mark.parametrize(
    "shape", [each for each in SHAPES if not each.matters], ids=lambda shape: shape.name
)


def is_announced(answer: dict[str, Any]) -> bool:
    return answer["how"] == "executed" and answer["reason"].startswith(UNSEEN)


def test_there_are_enough_shapes() -> None:
    assert len({shape.name for shape in SHAPES}) == len(SHAPES) >= 200


@every_shape
def test_program_is_executed(shape: Shape, first: Answers) -> None:
    answer = first[shape.name]
    assert (answer["how"], answer["result"]) == ("executed", answer["fresh"]), answer


@every_shape
def test_nothing_is_made_again_in_another_process_or_for_other_looks(
    shape: Shape, cosmetic: Answers
) -> None:
    answer = cosmetic[shape.name]
    assert answer["how"] == "restored" or is_announced(answer), answer


@every_edit_that_matters
def test_edit_matters(shape: Shape, first: Answers, edited: Answers) -> None:
    assert edited[shape.name]["fresh"] != first[shape.name]["fresh"]


@every_edit_beside
def test_nothing_is_made_again_for_an_edit_beside_it(shape: Shape, edited: Answers) -> None:
    answer = edited[shape.name]
    assert (answer["how"], answer["result"]) == ("restored", answer["fresh"]), answer


@every_edit_that_matters
def test_nothing_is_stale(shape: Shape, edited: Answers) -> None:
    answer = edited[shape.name]
    assert answer["how"] == "executed", answer
    assert answer["result"] == answer["fresh"]


def test_what_is_only_announced_is_what_can_not_be_told(cosmetic: Answers) -> None:
    announced = {name for name, answer in cosmetic.items() if is_announced(answer)}
    assert announced == ANNOUNCED
