"""The command as a whole: its help, its version, its start, its way of failing."""

import re
import shlex
import subprocess
import sys

import pytest

import flowweaver
from tests.cli.command import COMMAND

COMMANDS = (
    *("accept", "diff", "doctor", "explain", "gc", "graph", "logs", "plan"),
    *("replay", "resolve", "run", "runs", "show", "store"),
)
NOT_AT_START = {"rich", "asyncio", "sqlite3", "cloudpickle", "flowweaver.engine.executor"}


def test_version_names_the_version(project):
    done = project.run("--version")
    assert (done.returncode, done.stdout) == (0, f"flowweaver {flowweaver.__version__}\n")


def test_help_lists_every_command(project):
    done = project.run("--help")
    assert done.returncode == 0
    for command in COMMANDS:
        assert f"\n  {command} " in done.stdout


def test_help_lists_every_exit_code(project):
    lines = project.run("--help").stdout.splitlines()
    start = lines.index("  Exit codes:") + 1
    codes = " ".join(line[:13] for line in lines[start : start + 5])
    assert re.findall(r"\d+", codes) == ["0", "1", "2", "3", "130", "143"]


def test_help_holds_no_marks_of_its_making(project):
    assert "\\b" not in project.run("--help").stdout


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(project, command):
    done = project.run(command, "--help")
    assert done.returncode == 0
    assert done.stdout.startswith(f"Usage: flowweaver {command} ")


@pytest.mark.parametrize("arguments", [["fly"], ["run"], ["run", "x.py", "--fast"]])
def test_a_command_line_that_makes_no_sense_is_a_usage_error(project, arguments):
    done = project.run(*arguments)
    assert done.returncode == 2
    assert "Error: " in done.stderr


def test_asking_for_help_loads_no_more_than_it_needs():
    code = (
        "import sys\n"
        "from flowweaver.cli import main\n"
        "try: main(['--help'])\n"
        "except SystemExit: pass\n"
        "print(*sys.modules, file=sys.stderr)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, encoding="utf-8")
    assert not NOT_AT_START & set(done.stderr.split())


def test_importing_the_library_imports_neither_rich_nor_click():
    code = (
        "import sys, flowweaver; flowweaver.Workflow; print({'rich', 'click'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, encoding="utf-8")
    assert done.stdout == "set()\n"


def test_what_a_command_imported_is_no_matter_to_garbage_collection(project):
    project.write("pipeline.py", f"import gc\nprint(gc.get_freeze_count() > 5000)\n{UNICODE_NAME}")
    assert project.run("graph", "pipeline.py").stderr == "True\n"


def test_a_command_within_another_program_leaves_its_garbage_collection_alone(project):
    project.write("pipeline.py", UNICODE_NAME)
    project.write(
        "program.py",
        """\
import gc
from flowweaver.cli import main

before = gc.get_freeze_count()  # Python 3.12 begins with some
try:
    main(["graph", "pipeline.py"])
finally:
    print(gc.get_freeze_count() - before)
""",
    )
    done = subprocess.run(
        [sys.executable, "program.py"], cwd=project.folder, capture_output=True, encoding="utf-8"
    )
    assert done.stdout.endswith("\n0\n")


HEAVY = ["asyncio", "cloudpickle", "ctypes", "multiprocessing", "rich", "shutil", "socket"]
HEAVY += ["statistics", "subprocess", "sysconfig", "tempfile"]


@pytest.mark.parametrize("executor", ["sequential", "threads"])
def test_a_run_of_plain_functions_imports_nothing_heavy(project, executor):
    said = f"print(sorted({{*{HEAVY}}} & sys.modules.keys()))"
    at_the_end = f"import atexit, sys\natexit.register(lambda: {said})\n"
    project.write("pipeline.py", at_the_end + UNICODE_NAME)
    done = project.run("run", "pipeline.py", "--executor", executor)
    assert (done.returncode, done.stdout.splitlines()[-1]) == (0, "[]")


def test_a_reader_that_has_seen_enough_causes_no_traceback(project):
    project.write("many.py", MANY_TASKS)
    command = subprocess.Popen(
        [*COMMAND, "graph", "many.py"],
        cwd=project.folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    )
    command.stdout.close()
    assert command.stderr.read() == ""
    command.stderr.close()
    assert command.wait() == 1


def test_output_that_can_not_be_encoded_is_escaped(project):
    project.write("pipeline.py", UNICODE_NAME)
    done = project.run("graph", "pipeline.py", env={"PYTHONIOENCODING": "ascii"})
    assert (done.returncode, done.stdout) == (0, "w: 1 task\n  \\u65e5\\u672c\n")


def test_a_fault_of_a_plug_in_is_one_message(project):
    project.write("pipeline.py", UNICODE_NAME)
    install_faulty_executor(project)
    done = project.run("run", "pipeline.py", "--executor", "faulty")
    assert done.returncode == 1
    assert done.stderr.startswith("Error: unexpected ZeroDivisionError: division by zero. ")
    assert "Traceback" not in done.stderr


def test_the_traceback_of_a_fault_can_be_asked_for(project):
    project.write("pipeline.py", UNICODE_NAME)
    install_faulty_executor(project)
    done = project.run(
        "run", "pipeline.py", "--executor", "faulty", env={"FLOWWEAVER_TRACEBACK": "1"}
    )
    assert "Traceback (most recent call last)" in done.stderr


def install_faulty_executor(project):
    """Lay out an installed package whose executor can't be made."""
    project.write("faulty.py", "def make(address, workers, **common): 1 / 0\n")
    project.write(
        "faulty-1.0.dist-info/entry_points.txt",
        """\
        [flowweaver.executors]
        faulty = faulty:make
        """,
    )
    project.write("faulty-1.0.dist-info/METADATA", "Name: faulty\nVersion: 1.0\n")


MANY_TASKS = """
from flowweaver import Task, Workflow

many = Workflow("many", [Task(f"a task with the number {n}", int) for n in range(20_000)])
"""
UNICODE_NAME = """
from flowweaver import Task, Workflow

w = Workflow("w", [Task("日本", lambda: 1)])
"""


LOUD = """
from flowweaver import Workflow, task

@task
def loud():
    for number in range(2_000):
        print("line", number, flush=True)

@task
def after(loud):
    return 1

workflow = Workflow("loud", [loud, after])
"""


def in_shell(project, line):
    """Run a line in a shell with `$FW` for the command."""
    words = shlex.join(COMMAND)
    return subprocess.run(
        ["bash", "-c", line.replace("$FW", words)],
        cwd=project.folder,
        capture_output=True,
        encoding="utf-8",
        timeout=120,
    )


def statuses(project):
    return {task["task"]: task["status"] for task in project.json("show", "last")["tasks"]}


@pytest.mark.parametrize("executor", ["sequential", "threads", "processes"])
@pytest.mark.parametrize("to", ["| head -1", "> /dev/full", ">&-"])
def test_where_output_goes_is_no_matter_of_the_tasks(project, executor, to):
    project.write("loud.py", LOUD)
    done = in_shell(project, f"$FW run loud.py --executor {executor} {to}")
    assert "fault of FlowWeaver" not in done.stderr
    assert "Traceback" not in done.stderr
    assert statuses(project) == {"loud": "completed", "after": "completed"}
    assert "line 1999" in project.run("logs", "last").stdout


@pytest.mark.parametrize("command", ["--help", "runs", "show last", "doctor", "graph loud.py"])
@pytest.mark.parametrize("stream", ["/dev/full", "&-"])
def test_output_that_cant_be_written_is_said_or_nobody_wants_it(project, command, stream):
    project.write("loud.py", LOUD)
    project.run("run", "loud.py")
    done = in_shell(project, f"$FW {command} >{stream}")
    if stream == "&-":
        assert (done.returncode, done.stderr) == (0, "")
    else:
        said = "Error: what this prints can't be written: No space left on device.\n"
        assert (done.returncode, done.stderr) == (1, said)


@pytest.mark.parametrize("number", ["0", "1000000000001", "9" * 30])
def test_numbers_that_no_store_has_so_many_of_are_refused(project, number):
    project.write("loud.py", LOUD)
    project.run("run", "loud.py")
    for command in (["runs", "--limit"], ["show", "last", "--page"], ["gc", "--keep-runs"]):
        done = project.run(*command, number)
        assert done.returncode == 2
        assert "is not in the range" in done.stderr
