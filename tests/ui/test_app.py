"""What the page answers, address by address."""

import json
import subprocess
import time

import pytest

from flowweaver import MemoryStateStore, SQLiteStateStore
from flowweaver.report.view.assemble import View
from flowweaver.report.view.sources import StoredRun
from tests.cli.command import COMMAND
from tests.observers.terminal import wait_until
from tests.report.viewing import executed
from tests.ui.serving import serving

PIPELINE = """
import pathlib, time
from flowweaver import Workflow, task

@task
def greeting(name: str, times: int = 2):
    return name * times

@task
def waits(greeting):
    pathlib.Path("running").touch()
    while not pathlib.Path("go").exists():
        time.sleep(0.01)
    if pathlib.Path("bad").exists():
        raise ValueError("not today")

hello = Workflow("hello", [greeting, waits])
"""
TARGET = "pipeline.py:hello"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pipeline.py").write_text(PIPELINE)
    return tmp_path


def test_runs_come_with_a_strip_of_their_workflow():
    store = MemoryStateStore()
    runs = [executed(store, params={"count": n}).id for n in (1, 2)]
    with serving(store) as page:
        told = page.get("/api/runs")
    assert [run["id"] for run in told["runs"]] == runs[::-1]
    assert [mark["id"] for mark in told["strips"]["halves"]] == runs


def test_run_detail_and_comparison_are_answered():
    store = MemoryStateStore()
    first, second = (executed(store, params={"bad": bad}, new_run=True).id for bad in (2, -1))
    with serving(store) as page:
        assert page.get(f"/api/run?run={first}")["failures"][0]["name"] == "halve[2]"
        detail = page.get(f"/api/detail?run={first}&name=halve%5B2%5D")
        assert detail["failure"]["message"] == "2 can't be halved"
        assert page.get(f"/api/compare?first={first}&second={second}")["total"] > 0
        assert page.ask("GET", "/api/run?run=nowhere")[0] == 404
        assert page.ask("GET", "/api/run")[0] == 400


def test_changes_are_sent_as_they_happen():
    store = MemoryStateStore()
    with serving(store) as page:
        import http.client

        connection = http.client.HTTPConnection("127.0.0.1", page.port, timeout=120)
        connection.request("GET", "/api/follow", headers=page.headers())
        answer = connection.getresponse()
        assert answer.getheader("content-type").startswith("text/event-stream")
        seen = []
        run = executed(store)
        while not seen or not seen[-1]["runs"]:
            line = answer.readline()
            if line.startswith(b"data: "):
                seen.append(json.loads(line[6:]))
        assert seen[-1]["runs"][0]["id"] == run.id
        connection.close()


def test_page_that_only_shows_does_nothing(folder):
    with serving(MemoryStateStore(), TARGET) as page:
        for path in ("start", "retry", "stop", "resolve"):
            status, told = page.post(f"/api/{path}", {"target": TARGET, "run": "x", "task": "y"})
            assert status == 403
            assert "--allow-actions" in told["error"]


def test_target_is_described_and_planned_in_a_process_of_its_own(folder):
    store = SQLiteStateStore(folder / "state.db")
    with serving(store, TARGET) as page:
        signature = page.get(f"/api/signature?target={TARGET}")
        assert signature["parameters"] == [
            {"name": "name", "required": True, "annotation": "str"},
            {"name": "times", "required": False, "annotation": "int", "default": "2"},
        ]
        status, plan = page.post("/api/plan", {"target": TARGET, "params": {"name": "@x"}})
        assert (status, plan["counts"]["run"]) == (200, 2)
        status, told = page.post("/api/plan", {"target": TARGET, "params": {}})
        assert status == 409
        assert "name" in told["error"]
        assert page.ask("GET", "/api/signature?target=/etc/passwd")[0] == 404
    assert "pipeline" not in __import__("sys").modules


def test_run_is_started_stopped_retried_each_by_its_command(folder):
    store = SQLiteStateStore(folder / "state.db")
    with serving(store, TARGET, allow_actions=True) as page:
        params = {"name": "Ann", "times": "3"}
        status, done = page.post("/api/start", {"target": TARGET, "params": params})
        assert status == 200
        assert done["command"].endswith("-p name=Ann -p times=3 pipeline.py:hello")
        wait_until(lambda: (folder / "running").exists(), "the body")
        run = page.get("/api/runs")["runs"][0]
        assert run["status"] == "running"

        status, done = page.post("/api/stop", {"run": run["id"]})
        assert (status, done["command"]) == (200, f"kill -INT {run['by'].split(':')[1]}")
        (folder / "bad").touch()
        (folder / "go").touch()
        wait_until(lambda: not store.is_held(store.run(run["id"])), "the end")
        assert store.run(run["id"]).status.value in ("cancelled", "failed")

        (folder / "bad").unlink()
        assert page.post("/api/retry", {"run": run["id"]})[0] == 200
        wait_until(lambda: store.run(run["id"]).status.value == "completed", "completion")
        assert page.post("/api/retry", {"run": run["id"]})[0] == 409
        assert page.post("/api/stop", {"run": run["id"]})[0] == 409


def test_only_what_the_page_was_started_with_is_started(folder):
    store = SQLiteStateStore(folder / "state.db")
    with serving(store, TARGET, allow_actions=True) as page:
        status, told = page.post("/api/start", {"target": "other.py:flow", "params": {}})
        assert status == 409
        assert "other.py:flow" in told["error"]
    assert not (folder / "state.db").exists()


def test_what_failed_to_begin_says_why(folder):
    store = SQLiteStateStore(folder / "state.db")
    with serving(store, TARGET, allow_actions=True) as page:
        deadline = time.monotonic() + 60
        status, told = page.post("/api/start", {"target": TARGET, "params": {"times": "many"}})
        assert time.monotonic() < deadline
    # On a busy machine it is still being loaded when the answer is given.
    assert status == 409 or told["story"] == "Started."


def test_secret_is_given_by_the_name_of_a_variable(folder, monkeypatch):
    (folder / "secret.py").write_text(
        "from flowweaver import Secret, Workflow, task\n"
        "@task\ndef size(token: Secret[str], fails: int = 1):\n"
        "    return len(token.reveal()) // fails\n"
        "w = Workflow('w', [size])\n"
    )
    monkeypatch.setenv("PLANTED_TOKEN", "planted-for-the-page")
    store, target = SQLiteStateStore(folder / "state.db"), "secret.py:w"
    with serving(store, target, allow_actions=True) as page:
        asked = {"target": target, "secrets": {"token": "PLANTED_TOKEN"}}
        status, done = page.post("/api/start", asked)
        assert status == 200
        assert done["command"].endswith("--secret token=PLANTED_TOKEN secret.py:w")
        wait_until(lambda: [run.status.value for run in store.runs()] == ["completed"], "the end")
        assert page.post("/api/start", {**asked, "secrets": {"token": 1}})[0] == 400


def test_run_is_retried_with_what_was_given_and_asked_for(folder):
    (folder / "given.py").write_text(
        "import pathlib\n"
        "from flowweaver import Workflow, task\n"
        "@task\ndef first(): return 1\n"
        "@task\ndef second(first, times=1):\n"
        "    return first * times // int(pathlib.Path('good').exists())\n"
        "@task\ndef third(second): return second\n"
        "w = Workflow('w', [first, second, third])\n"
    )
    store, target = SQLiteStateStore(folder / "state.db"), "given.py:w"
    words = ["run", target, "second", "-p", "times=2", "--override", "first=20"]
    assert subprocess.run([*COMMAND, *words, "--store", store.url], check=False).returncode == 1
    run = store.runs()[0]
    typed = View(StoredRun(store, run)).as_json()["run"]["commands"]["continue"]
    assert typed == (
        f"flowweaver run -p times=2 --override first=20 --run-id {run.id} --store {store.url} "
        f"{target} second"
    )
    with serving(store, target, allow_actions=True) as page:
        (folder / "good").touch()
        status, done = page.post("/api/retry", {"run": run.id})
        assert status == 200
        assert done["command"].endswith(f"--override first=20 {target} second")
        wait_until(lambda: store.run(run.id).status.value == "completed", "the end")
    assert {each.task for each in store.tasks(run.id)} == {"first", "second"}


def test_run_is_retried_with_the_secrets_of_the_environment(folder, monkeypatch):
    (folder / "secret.py").write_text(
        "import pathlib\n"
        "from flowweaver import Secret, Workflow, secret_env, task\n"
        "@task\ndef size(token: Secret[str] = secret_env('PLANTED_TOKEN'), times: int = 1):\n"
        "    return len(token.reveal()) * times // int(pathlib.Path('good').exists())\n"
        "w = Workflow('w', [size])\n"
    )
    monkeypatch.setenv("PLANTED_TOKEN", "planted-for-the-page")
    store, target = SQLiteStateStore(folder / "state.db"), "secret.py:w"
    with serving(store, target, allow_actions=True) as page:
        assert page.post("/api/start", {"target": target, "params": {"times": "2"}})[0] == 200
        wait_until(lambda: [run.status.value for run in store.runs()] == ["failed"], "the failure")
        (folder / "good").touch()
        assert page.post("/api/retry", {"run": store.runs()[0].id})[0] == 200
        wait_until(lambda: [run.status.value for run in store.runs()] == ["completed"], "the end")
