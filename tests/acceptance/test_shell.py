"""Shell steps: commands as tasks, heard line by line, ended with all that they started."""

from __future__ import annotations

import gzip
import os
import pickle
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from flowweaver import (
    CommandError,
    DefinitionError,
    Executor,
    Origin,
    ProcessExecutor,
    Run,
    Secret,
    SequentialExecutor,
    SQLiteStateStore,
    ThreadedExecutor,
    Workflow,
    WorkflowFailed,
    each,
    shell,
    task,
)
from tests.acceptance.test_flow import EXECUTORS
from tests.cli.command import Project
from tests.observers.terminal import wait_until

PYTHON = sys.executable


@task
def table(folder: str) -> Path:
    path = Path(folder, "a table.csv")
    path.write_text("1,2\n")
    return path


def log_of(store: SQLiteStateStore, run: Run, name: str) -> str:
    (attempt,) = store.attempts(run.id, name)
    return attempt.log


@pytest.mark.parametrize("executor", EXECUTORS.values(), ids=EXECUTORS)
def test_a_command_makes_a_file_of_a_file(
    executor: Callable[..., Executor], tmp_path: Path
) -> None:
    zipped = shell("gzip -kf {table}", outputs=["{table}.gz"], name="zipped")
    workflow = Workflow("w", [table, zipped])
    store = SQLiteStateStore(tmp_path / "state.db")
    params = {"folder": str(tmp_path)}
    run = executor(state_store=store).execute(workflow, params)
    made = run["zipped"]
    assert made == tmp_path / "a table.csv.gz"
    assert gzip.decompress(made.read_bytes()) == b"1,2\n"
    again = executor(state_store=store).execute(workflow, params)
    assert again.outcomes() == {"restored": 2}
    made.unlink()  # gone, it is not unchanged
    assert executor(state_store=store).execute(workflow, params).outcomes() == {
        "executed": 1,
        "restored": 1,
    }
    assert made.exists()


@pytest.mark.parametrize("executor", EXECUTORS.values(), ids=EXECUTORS)
def test_what_a_command_prints_goes_to_the_log_and_what_it_writes_is_its_result(
    executor: Callable[..., Executor], tmp_path: Path
) -> None:
    code = "import sys; print('out'); print('err', file=sys.stderr)"
    store = SQLiteStateStore(tmp_path / "state.db")
    said = shell([PYTHON, "-c", code], name="said")
    run = executor(state_store=store).execute(Workflow("w", [said]))
    assert run["said"] == "out\n"
    assert sorted(log_of(store, run, "said").split()) == ["err", "out"]


@pytest.mark.parametrize("executor", EXECUTORS.values(), ids=EXECUTORS)
def test_a_command_that_fails_says_how_and_shows_its_last_lines(
    executor: Callable[..., Executor],
) -> None:
    broken = shell([PYTHON, "-c", "print('row 7 is bad'); raise SystemExit(3)"], name="broken")
    with pytest.raises(WorkflowFailed, match="exit code 3") as raised:
        executor().execute(Workflow("w", [broken]))
    error = raised.value.run.tasks["broken"].error
    assert error is not None
    assert "row 7 is bad" in error.message


def test_an_argument_is_one_word_whatever_it_contains(tmp_path: Path) -> None:
    code = "import sys; print(sys.argv[1:])"
    listed = shell(f"'{PYTHON}' -c '{code}' {{name}} --of={{name}}", name="listed")
    run = SequentialExecutor().execute(Workflow("w", [listed]), {"name": "a b; rm -rf '$HOME'"})
    assert run["listed"] == str(["a b; rm -rf '$HOME'", "--of=a b; rm -rf '$HOME'"]) + "\n"


def test_the_systems_shell_is_asked_only_where_that_is_said(tmp_path: Path) -> None:
    counted = shell("printf %s {text} | wc -c", use_shell=True, name="counted")
    run = SequentialExecutor().execute(Workflow("w", [counted]), {"text": "it's $5"})
    assert run["counted"].strip() == "7"


def test_commands_are_mapped_retried_and_given_folders_and_variables(tmp_path: Path) -> None:
    said = shell(
        [PYTHON, "-c", "import os; print(os.getcwd(), os.environ['NAME'])"],
        name="said",
        cwd="{folder}",
        env={"NAME": "{city}"},
        inputs={"city": each("cities")},
    )
    params = {"folder": str(tmp_path), "cities": ["Oslo", "Rome"]}
    run = ThreadedExecutor(2).execute(Workflow("w", [said]), params)
    here = os.path.realpath(tmp_path)
    assert run["said"] == [f"{here} Oslo\n", f"{here} Rome\n"]


def test_the_content_of_what_a_command_reads_counts(tmp_path: Path) -> None:
    source = tmp_path / "source.txt"
    counted = shell("wc -c {source}", reads=["source"], name="counted")
    executor = SequentialExecutor(state_store=SQLiteStateStore(tmp_path / "state.db"))
    lengths = []
    for text in ("one", "three", "three"):
        source.write_text(text)
        run = executor.execute(Workflow("w", [counted]), {"source": str(source)})
        lengths.append((run["counted"].split()[0], *run.outcomes()))
    assert lengths == [("3", "executed"), ("5", "executed"), ("5", "restored")]


def test_another_command_is_another_task(tmp_path: Path) -> None:
    executor = SequentialExecutor(state_store=SQLiteStateStore(tmp_path / "state.db"))
    for word, outcome in (("one", "executed"), ("one", "restored"), ("two", "executed")):
        said = shell(["echo", word], name="said")
        assert list(executor.execute(Workflow("w", [said])).outcomes()) == [outcome]


# Being ended ------------------------------------------------------------------------------------

# It starts another process, says who both are, and would go on for an hour.
LONG = """
import os, subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(3600)"])
with open(sys.argv[1], "w") as file:
    file.write("%d %d" % (os.getpid(), child.pid))
print("begun", flush=True)
time.sleep(3600)
"""


def lives(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):  # it ended before, or just now
        return False
    return state != "Z"


@pytest.mark.parametrize(
    "executor",
    [SequentialExecutor, lambda **options: ThreadedExecutor(2, **options),
     lambda **options: ProcessExecutor(2, **options)],
    ids=["sequential", "threads", "processes"],
)  # fmt: skip
def test_a_command_is_ended_at_its_limit_with_all_that_it_started(
    executor: Callable[..., Executor], tmp_path: Path
) -> None:
    pids = tmp_path / "pids"
    long = shell([PYTHON, "-c", LONG, "{pids}"], name="long", timeout=2)
    store = SQLiteStateStore(tmp_path / "state.db")
    workflow = Workflow("w", [long])
    run = executor(state_store=store).execute(workflow, {"pids": str(pids)}, raise_on_failure=False)
    error = run.tasks["long"].error
    assert error is not None
    assert error.kind.endswith("TaskTimeoutError")
    assert "goes on" not in error.message
    for pid in map(int, pids.read_text().split()):
        wait_until(lambda pid=pid: not lives(pid), f"the end of {pid}")
    if not isinstance(executor(), ProcessExecutor):
        assert log_of(store, run, "long") == "begun\n"
    assert SequentialExecutor().unenforced_limits(workflow) == []


STUBBORN = """
import sys
from flowweaver import Workflow, shell

long = shell([sys.executable, "-c", {long!r}, "{{pids}}"], name="long")
workflow = Workflow("w", [long])
"""


@pytest.mark.parametrize("executor", ["sequential", "threads", "async", "processes"])
def test_ctrl_c_ends_a_command_with_all_that_it_started(executor: str, tmp_path: Path) -> None:
    project, pids = Project(tmp_path), tmp_path / "pids"
    # They heed neither Ctrl-C nor a request to end, as what installs packages or serves may not.
    deaf = "import signal; [signal.signal(each, signal.SIG_IGN) for each in (2, 15)]\n"
    long = deaf + LONG.replace('"import time;', f'{deaf!r} "import time;')
    project.write("steps.py", STUBBORN.format(long=long))
    command = project.start(
        "run", "steps.py", "-p", "pids=pids", "-e", executor, "--grace", "0.2",
        start_new_session=True,
    )  # fmt: skip
    try:
        wait_until(lambda: pids.exists() and " " in pids.read_text(), "the command's begin")
        os.killpg(command.process.pid, signal.SIGINT)  # as a terminal does
        assert command.end() == 130
        for pid in map(int, pids.read_text().split()):
            wait_until(lambda pid=pid: not lives(pid), f"the end of {pid}")
    finally:
        project.close()
        for pid in map(int, pids.read_text().split()):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
    assert [task["status"] for task in project.json("show", "last")["tasks"]] == ["cancelled"]


# Making them ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("command", "options", "said"),
    [
        ("", {}, "is empty"),
        ("echo 'one", {}, "can't be split into words"),
        ("awk '{print $1}'", {}, "no name of a parameter"),
        ("echo {", {}, "braces that can't be read"),
        (["echo"], {"use_shell": True}, "as one text"),
        ("echo {a}", {"reads": ["b"]}, "which it is said to read"),
    ],
)
def test_a_command_that_can_not_be_read_is_refused(
    command: str, options: dict[str, bool], said: str
) -> None:
    with pytest.raises(DefinitionError, match=said):
        shell(command, **options)  # type: ignore[arg-type]


def test_a_program_that_is_not_there_is_named_without_frames_of_flowweaver() -> None:
    workflow = Workflow("w", [shell("nowhere-to-be-found", name="step")])
    with pytest.raises(WorkflowFailed, match="`nowhere-to-be-found` can't be started") as caught:
        SequentialExecutor().execute(workflow)
    failure = caught.value.run.tasks["step"].error
    assert failure is not None
    assert failure.trace == ""


def test_a_step_is_called_like_a_function(tmp_path: Path) -> None:
    (tmp_path / "a").touch()
    copied = shell("cp {source} {source}.copy", outputs=["{source}.copy"])
    assert copied.name == "cp"
    assert copied(source=tmp_path / "a") == tmp_path / "a.copy"


def test_its_error_can_be_pickled() -> None:
    error = pickle.loads(pickle.dumps(CommandError("ls", "ended with exit code 2", 2, ("no",))))
    assert (error.code, error.lines, "its last lines:\nno" in str(error)) == (2, ("no",), True)


def test_secret_goes_to_a_command_by_a_variable_alone(tmp_path: Path) -> None:
    sizes = "import os; print(len(os.environ['TOKEN']), len(os.environ['FIXED']))"
    told = shell(
        [PYTHON, "-c", sizes],
        name="told",
        env={"TOKEN": "{token}", "FIXED": Secret("planted-fixed-value")},
    )
    prints = "import os; print(os.environ['T'])"
    printing = shell([PYTHON, "-c", prints], env={"T": "{token}"}, name="printing")
    shown = shell(["echo", "{token}"], name="shown")
    workflow = Workflow("secret", [told, printing, shown])
    store = SQLiteStateStore(tmp_path / "state.db")
    run = SequentialExecutor(state_store=store).execute(
        workflow, {"token": Secret("planted-in-a-command")}, raise_on_failure=False
    )
    assert run["told"].split() == ["20", "19"]
    assert "there is a secret in it" in str(run.tasks["printing"].error)
    assert "everybody can read a command line" in str(run.tasks["shown"].error)
    kept = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert b"planted-in-a-command" not in kept
    assert b"planted-fixed-value" not in kept
    assert b"***" in kept
    other = SequentialExecutor(state_store=store).execute(
        workflow, {"token": Secret("planted-another-one")}, raise_on_failure=False
    )
    assert other.tasks["told"].origin is Origin.RESTORED
