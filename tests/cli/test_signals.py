"""Ctrl-C and SIGTERM while a workflow runs."""

import os
import signal

import pytest

from flowweaver import Stop
from flowweaver.cli.signals import Interruption
from tests.cli import pipelines

CATCHING = """
    import pathlib, time
    from flowweaver import Workflow, task
    from flowweaver.cli import signals

    signals._PATIENCE_SECONDS = 0.5  # instead of ten

    @task
    def first():
        pathlib.Path("running").touch()
        while True:
            try:
                while not pathlib.Path("go").exists():
                    time.sleep(0.01)
                return
            except BaseException:
                pass

    catching = Workflow("catching", [first])
"""
BACKOFF = """
    from flowweaver import Workflow, task

    def raising(error, attempt):
        raise ValueError("no wait")

    @task(retries=2, backoff=raising)
    def fails():
        raise ValueError("no good")

    w = Workflow("w", [fails])
"""
SIGNALS = pytest.mark.parametrize(
    ("signum", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=["int", "term"]
)
WAITING = pytest.mark.parametrize(
    ("executor", "text"),
    [
        ("sequential", pipelines.WAITING),
        ("sequential", pipelines.WAITING_ASYNC),
        ("threads", pipelines.WAITING),
        ("threads", pipelines.WAITING_ASYNC),
        ("async", pipelines.WAITING),
        ("async", pipelines.WAITING_ASYNC),
    ],
    ids=["sequential", "sequential-async", "threads", "threads-async", "async-sync", "async"],
)
HANGING = pytest.mark.parametrize(
    ("executor", "text"),
    [
        ("sequential", pipelines.HANGING),
        ("sequential", pipelines.HANGING_ASYNC),
        ("threads", pipelines.HANGING),
        ("threads", pipelines.HANGING_ASYNC),
        ("async", pipelines.HANGING),
        ("async", pipelines.HANGING_ASYNC),
    ],
    ids=["sequential", "sequential-async", "threads", "threads-async", "async-sync", "async"],
)


def start(project, text, executor, *options):
    """Start a workflow and wait until its first body runs."""
    project.write("pipeline.py", text)
    started = project.start("run", "pipeline.py", "--executor", executor, *options)
    project.wait_for("running")
    return started


def outcomes(project) -> dict[str, str]:
    return {task["task"]: task["status"] for task in project.json("show", "last")["tasks"]}


@SIGNALS
@WAITING
def test_a_first_signal_lets_what_runs_finish_and_cancels_the_rest(
    project, executor, text, signum, code
):
    command = start(project, text, executor, "--grace", "60")
    command.send(signum)
    command.wait_for("stopping: what runs gets 60 s to finish")
    project.touch("go")
    assert command.end() == code
    assert outcomes(project) == {"first": "completed", "second": "cancelled"}


@SIGNALS
@HANGING
def test_a_second_signal_gives_up_what_still_runs(project, executor, text, signum, code):
    command = start(project, text, executor, "--grace", "600")
    command.send(signum)
    command.wait_for("stopping")
    command.send(signum)
    assert command.end() == code
    assert outcomes(project) == {"first": "cancelled", "second": "cancelled"}


@pytest.fixture
def unread(project):
    """Give what starts a command whose standard error nobody reads once the run has started."""

    def started(text, *options):
        project.write("pipeline.py", text)
        source, sink = os.pipe()
        command = project.start("run", "pipeline.py", *options, stderr=sink)
        os.close(sink)
        with os.fdopen(source) as lines:
            # Others may have come before: observers are told in a thread of their own.
            assert any("started" in line for line in lines)
        return command

    return started


@SIGNALS
def test_signals_count_where_nobody_reads_what_is_said_of_them(project, unread, signum, code):
    command = unread(pipelines.HANGING, "--grace", "0.1")
    project.wait_for("running")
    command.send(signum)
    assert command.end() == code
    assert outcomes(project) == {"first": "cancelled", "second": "cancelled"}


@pytest.mark.parametrize("signals", [1, 2])
@SIGNALS
def test_body_that_catches_all_that_interrupts_it_ends_with_its_process(
    project, signum, code, signals
):
    grace = "0.1" if signals == 1 else "600"
    command = start(project, CATCHING, "sequential", "--grace", grace)
    for _ in range(signals):
        command.send(signum)
        command.wait_for("stopping")
    command.wait_for("giving up what still runs")
    assert command.end() == -signum
    assert project.run("doctor").returncode == 0
    project.touch("go")
    assert project.run("run", "pipeline.py").returncode == 0


def test_run_goes_on_where_nobody_reads_that_its_backoff_raises(project, unread):
    assert unread(BACKOFF).end() == 1
    assert project.json("show", "last")["tasks"][0]["attempts"] == 3


@pytest.mark.parametrize("executor", ["threads", "async"])
@SIGNALS
def test_a_signal_that_finds_the_main_thread_on_its_way_into_a_wait_is_not_left_lying(
    project, executor, signum, code
):
    # One that another thread gets ends no wait of the main thread's, just as one that comes a step
    # before it.
    sends = f"signal.pthread_kill(threading.get_ident(), {int(signum)})"
    text = pipelines.WAITING.replace("import time", "import signal\nimport threading\nimport time")
    text = text.replace("    while not", f"    {sends}\n    while not")
    assert "pthread_kill" in text
    command = start(project, text, executor, "--grace", "60")
    command.wait_for("stopping")
    project.touch("go")
    assert command.end() == code
    assert outcomes(project) == {"first": "completed", "second": "cancelled"}


@HANGING
def test_when_the_grace_is_over_what_runs_is_given_up(project, executor, text):
    command = start(project, text, executor, "--grace", "0.2")
    command.send(signal.SIGTERM)
    assert command.end() == 143
    assert outcomes(project) == {"first": "cancelled", "second": "cancelled"}


@pytest.mark.parametrize("executor", ["sequential", "threads", "async"])
def test_an_interrupted_run_is_continued(project, executor):
    command = start(project, pipelines.WAITING, executor, "--grace", "60")
    command.send(signal.SIGINT)
    command.wait_for("stopping")
    project.touch("go")
    command.end()
    again = project.json("run", "pipeline.py")
    assert again["status"] == "completed"
    assert len(project.json("runs")) == 1
    assert {task["task"]: task["attempts"] for task in again["tasks"]} == {"first": 1, "second": 1}


def test_an_interrupted_run_says_what_was_done_and_how_to_go_on(project):
    command = start(project, pipelines.WAITING, "threads")
    command.send(signal.SIGINT)
    command.wait_for("stopping")
    project.touch("go")
    command.end()
    assert "waiting: cancelled in " in command.stdout
    assert "2 tasks: 1 executed, 1 cancelled" in command.stdout
    assert "the same command again continues it" in command.stdout
    assert "Traceback" not in command.stderr


def test_the_exit_code_is_that_of_the_first_signal(project):
    command = start(project, pipelines.HANGING, "threads", "--grace", "600")
    command.send(signal.SIGTERM)
    command.wait_for("stopping")
    command.send(signal.SIGINT)
    assert command.end() == 143


def test_a_run_that_a_signal_came_too_late_for_is_done(project):
    only_first = pipelines.WAITING.replace("[first, second]", "[first]")
    command = start(project, only_first, "threads", "--grace", "60")
    command.send(signal.SIGINT)
    command.wait_for("stopping")
    project.touch("go")
    assert command.end() == 0


def test_a_quiet_run_says_that_it_is_stopping(project):
    command = start(project, pipelines.HANGING, "threads", "--quiet", "--grace", "600")
    command.send(signal.SIGINT)
    command.wait_for("stopping: ")
    command.send(signal.SIGINT)
    assert command.end() == 130


def test_a_body_that_is_interrupted_by_itself_interrupts_the_run(project):
    project.write(
        "own.py",
        """
        from flowweaver import Workflow

        def first():
            raise KeyboardInterrupt

        own = Workflow("own", [first])
        """,
    )
    assert project.run("run", "own.py").returncode == 130


@SIGNALS
def test_waiting_for_another_runner_can_be_interrupted(project, signum, code):
    holder = start(project, pipelines.WAITING, "threads")
    second = project.start("run", "pipeline.py", "--wait", "3600")
    second.wait_for("waiting up to 3600 s")
    second.send(signum)
    assert second.end() == code
    project.touch("go")
    assert holder.end() == 0


def test_ctrl_c_while_the_file_is_loaded_is_one_line(project):
    project.write(
        "slow.py",
        "import pathlib, time\npathlib.Path('running').touch()\ntime.sleep(3600)\n",
    )
    command = project.start("run", "slow.py")
    project.wait_for("running")
    command.send(signal.SIGINT)
    assert command.end() == 130
    assert command.stderr.split() == ["Error:", "interrupted"]


def test_an_ignored_signal_stays_ignored(project):
    project.write("ignoring.py", "import signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\n")
    project.write("pipeline.py", "import ignoring\n" + pipelines.WAITING)
    command = project.start("run", "pipeline.py")
    project.wait_for("running")
    command.send(signal.SIGINT)
    project.touch("go")
    assert command.end() == 0
    assert "stopping" not in command.stderr


LEAVING = """
import atexit, pathlib, time

@atexit.register
def leave():
    pathlib.Path("leaving").touch()
    while not pathlib.Path("go").exists():
        time.sleep(0.01)
"""


@SIGNALS
def test_a_signal_after_the_summary_changes_nothing(project, signum, code):
    project.write("pipeline.py", LEAVING + pipelines.GOOD)
    command = project.start("run", "pipeline.py")
    project.wait_for("leaving")
    for _ in range(3):
        command.send(signum)
    project.touch("go")
    assert command.end() == 0
    assert "good: completed" in command.stdout
    assert "Traceback" not in command.stderr


def test_the_summary_is_ended_by_who_insists():
    interruption = Interruption(Stop(), grace=1.0, blocking=False, tell=print)
    interruption.end()
    heard = []
    before = signal.signal(signal.SIGTERM, lambda *_: heard.append("insists"))
    try:
        interruption.receive(signal.SIGTERM, None)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(signal, "signal", lambda *given: heard.append(given))
            interruption.receive(signal.SIGTERM, None)
    finally:
        signal.signal(signal.SIGTERM, before)
    assert heard == [(signal.SIGTERM, signal.SIG_DFL), "insists"]


FORKING = """
import multiprocessing, os, pathlib, signal
from flowweaver import Workflow, task

def f(x):
    return x + 1

@task
def pooled():
    with multiprocessing.get_context("fork").Pool(4) as pool:
        return next(pool.imap_unordered(f, range(2000))) * 0

@task
def handlers():
    reading, writing = os.pipe()
    if os.fork() == 0:
        found = [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)]
        blocked = signal.pthread_sigmask(signal.SIG_BLOCK, ())
        expected = [signal.SIG_DFL, signal.default_int_handler]
        os.write(writing, b"as before" if found == expected and not blocked else b"ours")
        os._exit(0)
    os.wait()
    return os.read(reading, 100).decode()

forking = Workflow("forking", [pooled, handlers])
"""


@pytest.mark.parametrize("executor", ["sequential", "threads", "async"])
def test_what_a_body_forks_has_the_signals_from_before(project, executor):
    project.write("forking.py", FORKING)
    for _ in range(3):
        command = project.start("run", "forking.py", "--executor", executor, "--reuse", "never")
        assert command.end() == 0
    assert "'as before'" in project.run("show", "last", "handlers").stdout
