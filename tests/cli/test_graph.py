"""`flowweaver graph`: the tasks of a workflow in several forms."""

import pytest

from flowweaver import Workflow, export_mermaid
from flowweaver.report.dot import export_dot
from flowweaver.report.text import export_text
from tests.cli import pipelines


def fetch(city="Oslo", count=2):
    return city, count


def join(fetch):
    return fetch


@pytest.fixture
def good(project):
    project.write("good.py", pipelines.GOOD)
    return project


@pytest.mark.parametrize(
    ("form", "export"), [("text", export_text), ("mermaid", export_mermaid), ("dot", export_dot)]
)
def test_every_form_is_what_its_export_returns(good, form, export):
    done = good.run("graph", "good.py", "--format", form)
    assert done.returncode == 0
    assert done.stdout == export(Workflow("good", [fetch, join]))


def test_text_is_the_form_if_none_is_asked_for(good):
    assert good.run("graph", "good.py").stdout == export_text(Workflow("good", [fetch, join]))


def test_json_has_the_documented_keys(good):
    assert good.json("graph", "good.py") == {
        "workflow": "good",
        "parameters": [
            {"name": "city", "required": False, "annotation": "str", "default": "Oslo"},
            {"name": "count", "required": False, "annotation": "int", "default": "2"},
        ],
        "tasks": [
            {"task": "fetch", "depends_on": []},
            {"task": "join", "depends_on": ["fetch"]},
        ],
    }


def test_a_graph_can_be_written_to_a_file(good):
    done = good.run("graph", "good.py", "--format", "dot", "--output", "good.dot")
    assert (done.returncode, done.stdout) == (0, "")
    written = (good.folder / "good.dot").read_text(encoding="utf-8")
    assert written == export_dot(Workflow("good", [fetch, join]))


def test_a_file_that_can_not_be_written_is_named(good):
    done = good.run("graph", "good.py", "--output", "no/such/folder.txt")
    assert done.returncode == 2
    assert "no/such/folder.txt can't be written: No such file" in done.stderr


def test_nothing_is_run(good):
    good.run("graph", "good.py")
    assert not (good.folder / ".flowweaver").exists()


def test_a_default_is_shown_if_it_is_in_the_source_and_a_secret_is_called_so(project):
    project.write(
        "defaults.py",
        """
        import os
        from flowweaver import Secret, Workflow, secret_env, task

        LIVE = os.sep.join(["made", "here"])

        @task
        def shown(written: int = -3, *, also: str = "x", live: str = LIVE) -> None: ...

        @task
        def secret(token: Secret[str], other: Secret[str] = secret_env("OTHER")) -> None: ...

        w = Workflow("w", [shown, secret])
        """,
    )
    parameters = {each["name"]: each for each in project.json("graph", "defaults.py")["parameters"]}
    assert parameters["written"]["default"] == "-3"
    assert parameters["also"]["default"] == "x"
    assert "default" not in parameters["live"]
    assert parameters["token"] == {
        "name": "token",
        "required": True,
        "annotation": "Secret[str]",
        "secret": True,
    }
    assert parameters["other"]["secret"] is True
