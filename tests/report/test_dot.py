"""DOT graphs: their text, and names that must stay names."""

import re

import pytest

from flowweaver import SequentialExecutor, Task, Workflow
from flowweaver.report.dot import export_dot

HOSTILE = ['"]; evil [', "back\\slash", 'a\\"b', "<b>bold</b>", "a&b;", "{rank}", "\\N", "日本語"]
NODE = re.compile(r'    t\d+ \[label="((?:[^"\\]|\\["\\])*)", fillcolor="#\w+", [^"\]]*"[^\]]*\];')


def read_label(line: str) -> str:
    """Read a node's label as Graphviz does."""
    found = NODE.fullmatch(line)
    assert found, line
    return re.sub(r"\\(.)", r"\1", found[1]).replace("&amp;", "&")


def chain(*names: str) -> Workflow:
    workflow = Workflow("chain")
    for before, name in zip((None, *names), names, strict=False):
        workflow.add_task(Task(name, lambda **_: None), depends_on=[before] if before else [])
    return workflow


def test_a_graph_has_a_node_for_each_task_and_an_edge_for_each_dependency():
    lines = export_dot(chain("a", "b", "c")).splitlines()
    assert lines[0] == 'digraph "chain" {'
    assert lines[-1] == "}"
    assert [read_label(line) for line in lines if "label=" in line] == ["a", "b", "c"]
    assert [line.strip() for line in lines if "->" in line] == ["t0 -> t1;", "t1 -> t2;"]


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_is_a_label_and_nothing_else(name):
    lines = export_dot(chain(name)).splitlines()
    assert len(lines) == 4
    assert read_label(lines[2]) == name


def test_a_workflow_with_a_hostile_name_stays_one_string():
    first = export_dot(Workflow('"} evil {')).splitlines()[0]
    assert first == r'digraph "\"} evil {" {'


def test_a_run_changes_the_colours():
    workflow = chain("a")
    before = export_dot(workflow)
    SequentialExecutor().execute(workflow)
    assert export_dot(workflow) != before
