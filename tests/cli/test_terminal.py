"""`flowweaver run` on a terminal."""

import signal

from tests.cli import pipelines
from tests.observers.terminal import Terminal

PLAIN = {"TERM": "xterm", "NO_COLOR": "1"}


def start(project, terminal, text, *options):
    import os

    project.write("pipeline.py", text)
    started = project.start(
        "run",
        "pipeline.py",
        *options,
        stdout=terminal.slave,
        stderr=terminal.slave,
        env={**os.environ, **PLAIN},
    )
    project.wait_for("running")
    return started


def test_progress_is_live_and_a_summary_stays(project):
    with Terminal() as terminal:
        command = start(project, terminal, pipelines.WAITING)
        terminal.wait_for("0/2")
        terminal.wait_for("running 1")
        terminal.wait_for("  first  ")
        project.touch("go")
        assert command.end() == 0
        terminal.wait_for("results: flowweaver show ")
    end = terminal.text.split("\x1b[?25h")[-1]
    assert "waiting: completed in " in end
    assert "2 tasks: 2 executed" in end


def test_ctrl_c_is_answered_above_the_display(project):
    with Terminal() as terminal:
        command = start(project, terminal, pipelines.WAITING)
        terminal.wait_for("running 1")
        command.send(signal.SIGINT)
        terminal.wait_for("stopping: what runs gets 10 s to finish")
        project.touch("go")
        assert command.end() == 130


def test_what_bodies_print_stands_above_the_display(project):
    text = pipelines.WAITING.replace(
        "    sit()", '    print("hello [red]from[/red] first")\n    sit()'
    )
    with Terminal() as terminal:
        command = start(project, terminal, text)
        terminal.wait_for("hello [red]from[/red] first")
        terminal.wait_for("running 1")
        project.touch("go")
        assert command.end() == 0


def test_quiet_leaves_the_terminal_alone(project):
    with Terminal() as terminal:
        project.touch("go")
        command = start(project, terminal, pipelines.WAITING, "--quiet")
        assert command.end() == 0
    assert terminal.text == ""
