"""Over the catalogue of edits: no cosmetic one runs anything, no real one leaves a stale result."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flowweaver import (
    MemoryStateStore,
    Origin,
    SequentialExecutor,
    Task,
    TaskStatus,
    Workflow,
    each,
)
from tests.fingerprint.edits import EDITS, Edit

ROOT = Path(__file__).parents[2]
DRIVER = Path(__file__).with_name("reuse_driver.py")
ONE_MODULE = [edit for edit in EDITS if edit.is_one_module]
Answers = dict[str, dict[str, Any]]


def outcomes(edits: list[Edit], side: str, how: str, folder: Path) -> Answers:
    """Return what planning and running one side of the edits comes to, in a fresh process."""
    jobs = []
    for number, edit in enumerate(edits):
        place = folder / side / str(number)
        for path, text in getattr(edit, f"files_{side}").items():
            (place / path).parent.mkdir(parents=True, exist_ok=True)
            (place / path).write_text(text, encoding="utf-8", newline="")
        workflow = f"edit {number}"
        jobs.append({"folder": str(place), "target": edit.target, "how": how, "workflow": workflow})
    done = subprocess.run(
        [sys.executable, str(DRIVER), str(folder / "state.db")],
        input=json.dumps(jobs),
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONHASHSEED": "random"},
        check=False,
    )
    assert done.returncode == 0, done.stderr
    answers = json.loads(done.stdout.splitlines()[-1])
    return dict(zip([edit.name for edit in edits], answers, strict=True))


@pytest.fixture(scope="module", params=["import", "script", "cells"])
def both(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[list[Edit], Answers, Answers]:
    edits = list(EDITS) if request.param == "import" else ONE_MODULE
    folder = tmp_path_factory.mktemp(request.param)
    before, after = (outcomes(edits, side, request.param, folder) for side in ("before", "after"))
    return edits, before, after


Both = tuple[list[Edit], Answers, Answers]


def is_stale(found: dict[str, Any]) -> bool:
    """Whether a result was restored that the code would not return any more."""
    return found["origin"] == "restored" and bool(found["result"] != found["fresh"])


class TestCatalogue:
    def test_has_enough_edits_of_both_kinds(self) -> None:
        assert len(EDITS) >= 60
        assert sum(edit.cosmetic for edit in EDITS) >= 20

    def test_everything_runs_at_first(self, both: Both) -> None:
        _, before, _ = both
        assert {found["origin"] for found in before.values()} == {"executed"}

    def test_no_cosmetic_edit_runs_anything_again(self, both: Both) -> None:
        edits, _, after = both
        ran = [e.name for e in edits if e.cosmetic and after[e.name]["origin"] != "restored"]
        assert ran == []

    def test_no_edit_leaves_a_stale_result_that_plan_did_not_warn_of(self, both: Both) -> None:
        edits, _, after = both
        stale = [edit.name for edit in edits if is_stale(after[edit.name])]
        assert [name for name in stale if not after[name]["unseen"]] == []

    def test_no_edit_leaves_a_stale_value(self, both: Both) -> None:
        edits, _, after = both
        assert [edit.name for edit in edits if is_stale(after[edit.name])] == []

    def test_every_real_edit_runs_again_and_says_why(self, both: Both) -> None:
        edits, _, after = both
        real = [edit.name for edit in edits if not edit.cosmetic]
        assert {name: after[name]["origin"] for name in real} == dict.fromkeys(real, "executed")
        silent = [name for name in real if not after[name]["reason"].startswith("code changed")]
        assert silent == []

    def test_plan_agrees_with_the_run(self, both: Both) -> None:
        _, before, after = both
        for found in (*before.values(), *after.values()):
            assert (found["action"], found["origin"]) in [
                ("run", "executed"),
                ("restore", "restored"),
            ]


def test_a_global_changed_in_place_between_two_runs_is_noticed() -> None:
    weights = [1, 2]

    def weigh() -> int:
        return sum(weights)

    executor = SequentialExecutor(state_store=MemoryStateStore())
    workflow = Workflow("weigh", [Task("weigh", weigh)])
    assert executor.execute(workflow)["weigh"] == 3
    weights.append(3)
    assert executor.execute(workflow)["weigh"] == 6


# Plan against run over random workflows and edits -------------------------------------------


def body(version: int, constant: int) -> Any:
    def compute(**inputs: Any) -> int:
        return version * 0 + constant + sum(_flat(list(inputs.values())))

    return compute


def _flat(values: Any) -> list[int]:
    if isinstance(values, list):
        return [item for value in values for item in _flat(value)]
    return [values]


def elements(source: list[int] | int) -> list[int]:
    return source if isinstance(source, list) else [source, source + 1]


def random_workflow(seed: int, edits: list[int]) -> Workflow:
    """Return a workflow made by `seed`, with the code of some of its tasks edited."""
    rng = random.Random(seed)
    made = Workflow("random")
    names: list[str] = []
    for number in range(rng.randint(1, 8)):
        name = f"t{number}"
        before = rng.sample(names, min(len(names), rng.randint(0, 3)))
        constant = rng.randint(0, 2)
        edit = edits.count(number)
        # An edit changes what is returned, or only the code.
        task = Task(name, body(edit, constant + (edit if seed % 2 else 0)))
        made.add_task(task, depends_on=before)
        names.append(name)
    mapped = rng.choice(names)
    made.add_task(elements, name="list", inputs={"source": mapped})
    made.add_task(_plus_one, name="mapped", inputs={"item": each("list")})
    return made


def _plus_one(item: int) -> int:
    return item + 1


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    seed=st.integers(0, 10_000),
    rounds=st.lists(st.lists(st.integers(0, 7), max_size=3), min_size=1, max_size=4),
    force=st.booleans(),
)
def test_plan_agrees_with_the_run_task_by_task(
    seed: int, rounds: list[list[int]], force: bool
) -> None:
    store = MemoryStateStore()
    executor = SequentialExecutor(state_store=store)
    edits: list[int] = []
    for edited in rounds:
        edits += edited
        workflow = random_workflow(seed, edits)
        wish: Any = {"force": ["t0"]} if force else {}
        plan = workflow.plan(state_store=store, **wish)
        run = executor.execute(workflow, **wish)
        for planned in plan:
            if planned.name not in run:
                assert planned.element  # of a list that turned out otherwise
                continue
            item = run.tasks[planned.name]
            assert item.status is TaskStatus.COMPLETED
            if planned.action == "run":
                assert item.origin is Origin.EXECUTED, planned
            elif planned.action == "restore":
                assert item.origin is Origin.RESTORED, planned
        undisturbed = SequentialExecutor().execute(random_workflow(seed, edits))
        assert {name: run[name] for name in run.tasks} == {
            name: undisturbed[name] for name in undisturbed.tasks
        }


def test_element_that_equals_another_of_before_is_restored_under_its_own_key() -> None:
    store = MemoryStateStore()
    executor = SequentialExecutor(state_store=store)

    def workflow(items: list[int]) -> Workflow:
        made = Workflow("moved", [Task("items", lambda: items)])
        made.add_task(_plus_one, name="next", inputs={"item": each("items")})
        return made

    executor.execute(workflow([1, 2]))
    run = executor.execute(workflow([2, 3]))
    kept = {task.element: task.origin for task in store.tasks(run.id) if task.task == "next"}
    assert kept == {"0": Origin.RESTORED, "1": Origin.EXECUTED, "": Origin.EXECUTED}
    assert run.tasks["next[0]"].element == "0"
    assert executor.execute(workflow([2, 3]))["next"] == run["next"] == [3, 4]
