"""`flowweaver run` beside another runner of the run, and bodies that close the streams."""

import json

import pytest

from tests.cli import pipelines


def test_a_second_runner_is_told_who_has_the_run(project):
    project.write("waiting.py", pipelines.WAITING)
    holder = project.start("run", "waiting.py")
    project.wait_for("running")
    second = project.run("run", "waiting.py")
    project.touch("go")
    assert holder.end() == 0
    assert second.returncode == 2
    assert str(holder.process.pid) in second.stderr


def test_a_second_runner_can_wait(project):
    project.write("waiting.py", pipelines.WAITING)
    holder = project.start("run", "waiting.py")
    project.wait_for("running")
    second = project.start("run", "waiting.py", "--wait", "60")
    second.wait_for("waiting up to 60 s: ")
    project.touch("go")
    assert holder.end() == 0
    assert second.end() == 0
    assert "all 2 tasks restored" in second.stdout


def test_a_second_runner_waits_no_longer_than_it_was_told(project):
    project.write("waiting.py", pipelines.WAITING)
    holder = project.start("run", "waiting.py")
    project.wait_for("running")
    assert project.run("run", "waiting.py", "--wait", "0.3").returncode == 2
    project.touch("go")
    assert holder.end() == 0


def test_a_second_runner_can_take_over(project):
    project.write("waiting.py", pipelines.WAITING)
    holder = project.start("run", "waiting.py", "--grace", "0")
    project.wait_for("running")
    project.touch("go2")
    project.write("waiting.py", pipelines.WAITING.replace('"go"', '"go2"'))
    assert project.run("run", "waiting.py", "--take-over").returncode == 0
    project.touch("go")
    assert holder.end() == 1
    assert "taken over" in holder.stderr


@pytest.mark.parametrize("options", [(), ("--json",), ("--quiet",), ("--store", "memory:")])
@pytest.mark.parametrize("executor", ["sequential", "threads", "processes"])
def test_bodies_that_close_the_standard_streams_silence_nobody(project, executor, options):
    project.write(
        "closing.py",
        """
        import sys
        from flowweaver import Workflow, task

        @task
        def close():
            for stream in (sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__):
                stream.close()

        @task(depends_on=["close"])
        def replace():
            sys.stdout = sys.stderr = None

        @task(depends_on=["replace"])
        def fail():
            raise ValueError("as told")

        closing = Workflow("closing", [close, replace, fail])
        """,
    )
    done = project.run("run", "closing.py", "--executor", executor, *options)
    assert done.returncode == 1
    assert "task 'fail' failed: ValueError: as told" in done.stderr
    assert "fault of FlowWeaver" not in done.stderr
    if "--json" in options:
        assert json.loads(done.stdout)["status"] == "failed"
    elif "--quiet" not in options:
        assert "closing: failed in" in done.stdout
