"""Runs, plans and workflows as pictures in a notebook."""

import re
import subprocess
import sys

import pytest

from flowweaver import MemoryStateStore, Task, Workflow
from tests.report.viewing import executed, halves

HOSTILE = "<img src=x onerror=alert(1)>"


def shown():
    store = MemoryStateStore()
    run = executed(store, params={"bad": 2})
    return {
        "run": run,
        "loose run": executed(params={"bad": 2}),
        "plan": halves.plan({"bad": 2}, state_store=store),
        "workflow": halves,
    }


@pytest.mark.parametrize("name", ["run", "loose run", "plan", "workflow"])
def test_pictures_have_no_script(name):
    picture = shown()[name]._repr_html_()
    assert "halve" in picture
    assert "<script" not in picture
    assert not re.search(r"\son\w+=", picture)


@pytest.mark.parametrize("name", ["run", "loose run"])
def test_run_tells_what_failed(name):
    run = shown()[name]
    for told in (run._repr_html_(), str(run)):
        assert "halve[2] (2)" in told
        assert "be halved" in told


def test_print_tells_in_lines_and_repr_in_one():
    things = shown()
    assert "3 executed, 1 failed" in str(things["run"])
    assert str(things["plan"]).splitlines()[0].startswith("plan of halves: ")
    assert str(halves).splitlines()[0].startswith("halves: 4 tasks")
    for thing in things.values():
        assert "\n" not in repr(thing)
    assert repr(things["plan"]).startswith("<Plan of 'halves': ")


def test_hostile_names_stay_text():
    workflow = Workflow(HOSTILE, [Task(HOSTILE, lambda: HOSTILE)])
    run = executed(workflow=workflow)
    for thing in (workflow, run, workflow.plan({}, state_store=MemoryStateStore())):
        assert "<img" not in thing._repr_html_()


def test_many_tasks_are_told_in_part():
    workflow = Workflow("many", [Task(f"t{n}", lambda: 1) for n in range(100)])
    run = executed(workflow=workflow)
    assert "and 70 more" in run._repr_html_()
    assert "and 70 tasks more" in str(run)
    assert "<svg" not in workflow._repr_html_()


def test_progress_is_shown_on_request():
    code = (
        "from flowweaver import SequentialExecutor, Task, Workflow\n"
        "flow = Workflow('flow', [Task('one', lambda: 1)])\n"
        "SequentialExecutor().execute(flow)\n"
        "SequentialExecutor().execute(flow, progress=True)\n"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stderr.count("one started") == 1
