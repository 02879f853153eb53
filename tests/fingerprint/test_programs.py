"""Random programs of several modules: an edit of one thing runs again just what reaches it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.fingerprint.shapes.programs import Program, program

RUNNER = Path(__file__).with_name("shapes") / "programs_runner.py"
ROOT = Path(__file__).parents[2]
SEEDS = range(int(os.environ.get("PROGRAMS", "40")))
"""More of them are tried by setting the environment variable."""
PROGRAMS = {seed: program(seed) for seed in SEEDS}
Found = dict[int, dict[str, Any]]


def executed(folder: Path, side: str, store: str, seed: str) -> Found:
    """Have a fresh process execute all programs; return what came of their symbols."""
    jobs = []
    for number, each in PROGRAMS.items():
        place = folder / str(number)
        place.mkdir(exist_ok=True)
        for path, text in getattr(each, side).items():
            (place / path).write_text(text)
        jobs.append({"name": f"{number}", "folder": str(place), "symbols": each.symbols})
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(ROOT)]),
        "PYTHONHASHSEED": seed,
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    done = subprocess.run(
        [sys.executable, str(RUNNER)],
        input=json.dumps({"store": str(folder / store), "jobs": jobs}),
        capture_output=True,
        text=True,
        cwd=folder,
        env=environment,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return dict(zip(PROGRAMS, json.loads(done.stdout.splitlines()[-1]), strict=True))


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Found]:
    folder = tmp_path_factory.mktemp("programs")
    executed(folder, "before", "state.db", "1")
    return {
        "again": executed(folder, "before", "state.db", "2"),
        "edited": executed(folder, "after", "state.db", "3"),
        "from nothing": executed(folder, "after", "nothing.db", "4"),
    }


every_program = pytest.mark.parametrize(("seed", "each"), PROGRAMS.items())


@every_program
def test_nothing_runs_again_in_another_process(
    seed: int, each: Program, runs: dict[str, Found]
) -> None:
    again = runs["again"][seed]
    assert {name: found for name, found in again.items() if found[0] != "restored"} == {}


@every_program
def test_edit_runs_again_just_what_reaches_it(
    seed: int, each: Program, runs: dict[str, Found]
) -> None:
    edited = runs["edited"][seed]
    assert {name for name, found in edited.items() if found[0] == "executed"} == each.concerned


@every_program
def test_results_are_those_of_a_run_from_nothing(
    seed: int, each: Program, runs: dict[str, Found]
) -> None:
    edited, nothing = runs["edited"][seed], runs["from nothing"][seed]
    assert [edited[name][1] for name in each.symbols] == [nothing[n][1] for n in each.symbols]
    assert [edited[name][1] for name in each.symbols] == [edited[n][2] for n in each.symbols]
