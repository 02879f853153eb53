"""`flowweaver watch`: a run of another process, followed until it ends."""

import json
import signal

from tests.cli.pipelines import BROKEN, GOOD, WAITING
from tests.observers.terminal import Terminal, wait_until


def begun(project, *options):
    project.write("waiting.py", WAITING)
    running = project.start("run", "waiting.py", *options)
    project.wait_for("running")
    return running


def test_run_of_another_process_is_followed_to_its_end(project):
    running = begun(project)
    watching = project.start("watch")
    wait_until(lambda: "of 2 done" in watching.stdout, "the first line")
    project.touch("go")
    assert watching.end() == 0
    assert watching.stdout.rstrip().endswith(": completed")
    assert running.end() == 0


def test_terminal_shows_a_display(project):
    running = begun(project)
    with Terminal() as terminal:
        watching = project.start("watch", stdout=terminal.slave)
        terminal.wait_for("0/2")
        project.touch("go")
        assert watching.end() == 0
    assert running.end() == 0


def test_failed_run_is_told_with_what_failed(project):
    project.write("broken.py", BROKEN)
    project.run("run", "broken.py")
    told = project.run("watch")
    assert told.returncode == 1
    assert "parse: ValueError: row 3 is" in told.stdout


def test_killed_run_is_interrupted_everywhere(project):
    running = begun(project)
    running.send(signal.SIGKILL)
    running.end()
    assert "interrupted" in project.run("runs").stdout
    assert "interrupted" in project.run("show", "last").stdout
    assert json.loads(project.run("runs", "--json").stdout)[0]["status"] == "interrupted"
    assert json.loads(project.run("show", "last", "--json").stdout)["status"] == "interrupted"
    told = project.run("watch")
    assert (told.returncode, "interrupted" in told.stdout) == (1, True)


def test_run_that_goes_on_is_running(project):
    running = begun(project)
    assert "running" in project.run("runs").stdout
    project.touch("go")
    running.end()


def test_trace_has_an_event_for_each_task_run(project):
    project.write("good.py", GOOD)
    project.run("run", "good.py")
    assert project.run("trace", "last").returncode == 0
    trace = json.loads((project.folder / "trace.json").read_text())
    spans = [event for event in trace["traceEvents"] if event["ph"] == "X"]
    assert [span["name"] for span in spans] == ["fetch", "join"]
    assert all(span["dur"] >= 0 and span["tid"] >= 1 for span in spans)
    threads = [
        each["args"]["name"] for each in trace["traceEvents"] if each["name"] == "thread_name"
    ]
    assert threads[0] == "worker 1"
    assert len(threads) == len({span["tid"] for span in spans})
    assert trace["otherData"]["workflow"] == "good"


def test_run_that_is_over_has_no_time_left(project):
    project.write("good.py", GOOD)
    for _ in range(3):
        assert project.run("run", "good.py", "--new-run").returncode == 0
    for run in project.json("runs"):
        assert "left" not in project.run("watch", run["id"]).stdout
