"""Every recipe is run as whoever follows it would run it."""

from __future__ import annotations

import gzip
import json
import os
import shutil
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.cli.command import Project

ROOT = Path(__file__).parents[2]
RECIPES = ROOT / "docs" / "recipes"
PAGE = (ROOT / "docs" / "recipes.md").read_text(encoding="utf-8")
SITE = {
    "/": '<a href="/a">a</a> <a href="/b#part">b</a> <a href="https://elsewhere.example/">x</a>',
    "/a": '<a href="/c">c</a> <a href="/missing">gone</a> one two',
    "/b": '<a href="/">home</a> one two three',
    "/c": "the end",
}


class Site(ThreadingHTTPServer):
    """A small site of this machine that is busy when a page is asked for the first time."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.asked: Counter[str] = Counter()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Answer(BaseHTTPRequestHandler):
    server: Site

    def do_GET(self) -> None:
        self.server.asked[self.path] += 1
        if self.path not in SITE:
            self.send_response(404)
            self.end_headers()
            return
        if self.server.asked[self.path] == 1:
            self.send_response(429)
            self.send_header("Retry-After", "0.01")
            self.end_headers()
            return
        self.send_response(200)
        self.end_headers()
        self.wfile.write(SITE[self.path].encode())

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def site() -> Iterator[Site]:
    server = Site()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    for recipe in RECIPES.iterdir():
        if recipe.is_file():
            shutil.copy(recipe, tmp_path)
    project = Project(tmp_path)
    yield project
    project.close()


def run(project: Project, target: str, *arguments: str) -> dict[str, Any]:
    """Run a recipe by the command, and return what it says as JSON."""
    done = project.run("run", target, *arguments, "--json")
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))


def result(project: Project, task: str) -> Any:
    """Return what a task of the last run returned."""
    return json.loads(project.run("result", "last", task, "--as", "json").stdout)


def script(project: Project, *words: str, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *words],
        cwd=project.folder,
        env={**os.environ, **env},
        capture_output=True,
        encoding="utf-8",
    )


def test_every_recipe_is_told_of_and_tried() -> None:
    tests = Path(__file__).read_text(encoding="utf-8")
    for recipe in RECIPES.iterdir():
        if recipe.is_file():
            assert f"recipes/{recipe.name}" in PAGE
            assert f'"{recipe.name}' in tests


def test_pages_are_fetched_as_the_site_asks_for(project: Project, site: Site) -> None:
    paths = 'paths=["/a", "/b", "/missing"]'
    arguments = ("http_pages.py", "-p", f"site={site.address}", "-p", paths)
    run(project, *arguments)
    assert result(project, "total") == len(f"{SITE['/a']} {SITE['/b']}".split())
    assert site.asked == {"/a": 2, "/b": 2, "/missing": 1}
    run(project, *arguments)
    assert site.asked == {"/a": 2, "/b": 2, "/missing": 2}


def test_a_folder_is_read_as_far_as_it_has_changed(project: Project) -> None:
    incoming = project.folder / "incoming"
    for number in range(3):
        project.write(f"incoming/{number}.csv", f"amount\n{number}\n")
    arguments = ("nightly_folder.py", "-p", "folder=incoming", "-p", "report=report.csv")
    run(project, *arguments)
    (incoming / "1.csv").write_text("amount\n10\n")
    again = run(project, *arguments)
    outcomes = {task["task"] + task["element"]: task["origin"] for task in again["tasks"]}
    assert [outcomes[name] for name in ("read0", "read1", "read2", "write")] == [
        "restored",
        "executed",
        "restored",
        "executed",
    ]
    assert "1.csv,10.0" in (project.folder / "report.csv").read_text()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("nightly_folder.py", "-p", "folder=none", "-p", "report=r"), "there is no folder none"),
        (("sweep.py", "-p", "rates=[]"), "there is nothing to try"),
        (("crawler.py:build", "-p", "start=example"), "'example' is no address"),
        (("shell_steps.py", "-p", "source=none.log"), "its last lines:\ngzip: none.log"),
    ],
)
def test_what_can_not_be_is_said_in_one_message(
    project: Project, arguments: tuple[str, ...], said: str
) -> None:
    done = project.run("run", *arguments, "-q")
    assert done.returncode == 1
    assert f": {said}" in done.stderr or f"; {said}" in done.stderr


def test_a_wider_sweep_runs_what_it_adds(project: Project) -> None:
    assert run(project, "sweep.py")["counts"]["executed"] == 202
    assert result(project, "best")["rate"] == 0.5
    wider = run(project, "sweep.py", "-p", "seeds=26")
    assert wider["counts"] == {**wider["counts"], "executed": 10, "restored": 200}


def test_a_crawler_follows_links_and_fetches_nothing_twice(project: Project, site: Site) -> None:
    start = ("crawler.py:build", "-p", f"start={site.address}/")
    run(project, *start)
    seen = [address.removeprefix(site.address) for address in result(project, "seen 3")]
    assert seen == ["/", "/a", "/b", "/c", "/missing"]
    assert site.asked["/c"] == 2
    run(project, *start)
    assert site.asked["/c"] == 2


def test_shell_steps_are_run_again_when_what_they_read_has_changed(project: Project) -> None:
    source = project.write("access.log", "GET /\nERROR /a\nERROR /b\n")
    arguments = ("shell_steps.py", "-p", "source=access.log")
    run(project, *arguments)
    assert result(project, "summary")["errors"] == 2
    assert run(project, *arguments)["counts"]["restored"] == 4
    source.write_text("all is well\n")
    run(project, *arguments)
    assert result(project, "summary")["errors"] == 0
    packed = (project.folder / "access.log.gz").read_bytes()
    assert gzip.decompress(packed) == b"all is well\n"


ASK = """
import sys
from fastapi.testclient import TestClient
from web_app import app

with TestClient(app) as client:
    asked = (("POST", "A1"), ("POST", "A1"), ("GET", "A1"), ("POST", "a b"), ("GET", "Z9"))
    for method, order in asked:
        answer = client.request(method, f"/orders/{order}")
        told = answer.json()
        said = (told[key] for key in ("receipt", "status", "detail") if key in told)
        print(answer.status_code, *said)
"""


FAILED = (
    "workflow 'orders' failed at task 'check': ValueError: 'a b' is no order; "
    "1 did not start because of it (run order-a b)"
)


def test_a_fastapi_application_runs_workflows(project: Project) -> None:
    pytest.importorskip("fastapi")
    project.write("ask.py", ASK)
    assert (project.folder / "web_app.py").exists()
    done = script(project, "ask.py")
    assert done.stdout.splitlines() == [
        "200 A1 paid (charge) completed",
        "200 A1 paid (charge) completed",
        "200 completed",
        f"422 {FAILED}",
        "404 There is no order Z9.",
    ], done.stderr


def test_the_cells_of_a_notebook_can_be_run_again(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(project.folder)
    notebook = json.loads((project.folder / "notebook.ipynb").read_text(encoding="utf-8"))
    cells = [cell["source"] for cell in notebook["cells"] if cell["cell_type"] == "code"]
    space: dict[str, Any] = {"__name__": "notebook"}
    for number, cell in enumerate((*cells, *cells[1:])):
        exec(compile("".join(cell), f"<cell {number}>", "exec"), space)
    assert space["run"]["change"] == pytest.approx(0.04)


def test_code_in_classes_is_restored_by_what_objects_hold(project: Project) -> None:
    run(project, "classes.py:build")
    assert result(project, "report") == "Sum of price: 8"
    assert run(project, "classes.py:build")["counts"]["restored"] == 3


def test_large_frames_are_stored_and_restored(project: Project) -> None:
    pytest.importorskip("pandas")
    first = script(project, "large_frames.py", "20000")
    assert "{'executed': 4}" in first.stdout, first.stderr
    assert "{'restored': 4}" in script(project, "large_frames.py", "20000").stdout


def test_a_job_for_cron_goes_on_with_its_day(project: Project) -> None:
    failed = script(project, "cron_job.py", "2024-05-01")
    assert failed.returncode == 1
    assert "No such file" in failed.stderr
    project.write("rows.txt", "b\na\n")
    assert script(project, "cron_job.py", "2024-05-01").returncode == 0
    assert (project.folder / "delivered-2024-05-01.txt").read_text() == "a\nb"
