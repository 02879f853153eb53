"""Mermaid diagrams: their text, colours and files, and names that must stay names."""

import html
import re
import webbrowser
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowweaver import (
    SequentialExecutor,
    Task,
    Workflow,
    export_mermaid,
    save_mermaid,
    task,
    view_mermaid,
)

HOSTILE = [
    '"]; click A "javascript:alert(1)"',
    "<img onerror=alert(1) src=x>",
    "`**bold**`",
    "a#35;b",
    "#quot;",
    "]",
    "end",
    "classDef x:y",
    "%%{init: {}}%%",
    "back\\slash",
    "a;b",
    "日本語",
]
NODE = re.compile(r'    t\d+\["((?:\w|[ \-.,()/]|#\d+;)*)"\]')


@task
def fetch() -> int:
    return 1


@task
def clean(fetch: int) -> int:
    return fetch


def label_as_shown(line: str) -> str:
    """Read a node's label as Mermaid does: entity codes are characters."""
    found = NODE.fullmatch(line)
    assert found, line
    return re.sub(r"#(\d+);", lambda code: chr(int(code[1])), found[1])


def test_nodes_are_numbered_and_edges_join_them():
    text = export_mermaid(Workflow("w", [fetch, clean]))
    assert text.splitlines()[:4] == [
        "graph TD",
        '    t0["fetch"]',
        '    t1["clean"]',
        "    t0 --> t1",
    ]


@pytest.mark.parametrize("orientation", ["TD", "TB", "BT", "LR", "RL", "lr"])
def test_the_orientation_is_that_asked_for(orientation):
    text = export_mermaid(Workflow("w", [fetch]), orientation)
    assert text.startswith(f"graph {orientation.upper()}\n")


def test_an_unknown_orientation_is_a_value_error():
    with pytest.raises(ValueError, match="TD, TB, BT, LR, RL"):
        export_mermaid(Workflow("w", [fetch]), orientation="up")


def test_an_empty_workflow_is_a_graph_without_nodes():
    assert export_mermaid(Workflow("w")) == "graph TD\n"


def test_tasks_are_pending_before_any_run():
    assert "class t0,t1 pending" in export_mermaid(Workflow("w", [fetch, clean]))


def test_tasks_are_coloured_by_the_last_run():
    def broken(fetch: int) -> int:
        raise ValueError(fetch)

    def after(broken: int) -> int:
        return broken

    workflow = Workflow("w", [fetch, broken, after])
    SequentialExecutor().execute(workflow, raise_on_failure=False)
    lines = export_mermaid(workflow).splitlines()
    assert [line.strip() for line in lines if line.startswith("    class ")] == [
        "class t0 completed",
        "class t1 failed",
        "class t2 upstream_failed",
    ]


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_is_a_label_and_nothing_else(name):
    lines = export_mermaid(Workflow("w", [Task(name, lambda: None)])).splitlines()
    assert label_as_shown(lines[1]) == name
    assert all(re.fullmatch(r"    (classDef|class) [\w ,:#]+", line) for line in lines[2:])


@given(st.text(min_size=1, max_size=40).filter(lambda name: name.strip() and name.isprintable()))
def test_any_name_is_shown_as_it_is(name):
    workflow = Workflow("w", [Task(name, lambda: None)])
    lines = export_mermaid(workflow).splitlines()
    assert label_as_shown(lines[1]) == next(iter(workflow.get_all_tasks()))


def test_a_saved_diagram_is_what_export_returns(tmp_path):
    workflow = Workflow("w", [fetch, clean])
    assert save_mermaid(workflow, filepath=str(tmp_path / "w.mmd"), orientation="LR") is None
    assert (tmp_path / "w.mmd").read_text(encoding="utf-8") == export_mermaid(workflow, "LR")


def test_a_diagram_that_cannot_be_saved_is_an_os_error(tmp_path):
    with pytest.raises(OSError, match="nowhere"):
        save_mermaid(Workflow("w", [fetch]), tmp_path / "nowhere" / "w.mmd")


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[str]:
    """Stand in for the browser, which a machine that runs tests may lack; note what it opens."""
    urls: list[str] = []
    monkeypatch.setattr(webbrowser, "open", urls.append)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    return urls


def test_the_page_that_is_viewed_holds_the_diagram(opened):
    workflow = Workflow("w", [fetch, clean])
    page = view_mermaid(workflow, orientation="LR")
    assert opened == [page.as_uri()]
    assert html.escape(export_mermaid(workflow, "LR")) in page.read_text(encoding="utf-8")


def test_a_workflow_with_a_hostile_name_adds_no_markup_to_the_page(opened):
    harmless = view_mermaid(Workflow("w", [Task("x", fetch.fn)])).read_text(encoding="utf-8")
    name = "</title><script>alert(1)</script>"
    hostile = view_mermaid(Workflow(name, [Task(name, fetch.fn)])).read_text(encoding="utf-8")
    assert hostile.count("<") == harmless.count("<")
