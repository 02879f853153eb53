"""`flowweaver ui`: its options, and how it starts and ends."""

import re
import signal
import sys
import urllib.request

from click.testing import CliRunner

from flowweaver.cli.ui import ui_command
from tests.observers.terminal import wait_until


def test_ui_serves_the_runs_of_a_store_until_it_is_stopped(project):
    started = project.start("ui", "--port", "0", "--no-open")
    wait_until(lambda: "Ctrl-C" in started.stdout, "the address")
    (url,) = re.findall(r"http://127\.0\.0\.1:\d+/\?token=\S+", started.stdout)
    opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
    with opener.open(url, timeout=120) as answer:
        assert b"/app.js" in answer.read()
    with opener.open(url.split("?")[0] + "api/runs", timeout=120) as answer:
        assert b'"runs":[]' in answer.read()
    started.send(signal.SIGINT)
    assert started.end() in (0, 130)
    assert "Traceback" not in started.stderr


def test_missing_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    monkeypatch.delitem(sys.modules, "flowweaver.ui.serving", raising=False)
    told = CliRunner().invoke(ui_command, ["--no-open"])
    assert told.exit_code == 2
    assert "pip install 'flowweaver[ui]'" in told.output


def test_port_that_is_taken_is_named(project):
    first = project.start("ui", "--port", "0", "--no-open")
    wait_until(lambda: "Ctrl-C" in first.stdout, "the address")
    port = re.findall(r"127\.0\.0\.1:(\d+)", first.stdout)[0]
    second = project.run("ui", "--port", port, "--no-open")
    assert second.returncode == 2
    assert f"Port {port}" in second.stderr
    first.send(signal.SIGINT)
    first.end()


def test_target_that_is_not_there_is_refused_and_none_of_its_code_is_run(project):
    project.write("loud.py", "raise SystemExit('was loaded')")
    for target, said in (
        ("nope.py", "There is no file nope.py."),
        ("nope.module:w", "there is no module 'nope'"),
        ("./", "./ is a folder"),
    ):
        refused = project.run("ui", "loud.py", target, "--port", "0", "--no-open")
        assert refused.returncode == 2
        assert said in refused.stderr
