"""How a target names a workflow, and what is said where it does not."""

import sys

import pytest

ONE = """
from flowweaver import Workflow, task

@task
def fetch():
    return 1

one = Workflow("one", [fetch])
"""
TWO = ONE + 'two = Workflow("two", [fetch])\n'
BUILD = """
from flowweaver import Task, Workflow

def build():
    return Workflow("built", [Task("fetch", lambda: 1)])
"""


def title(done) -> str:
    """Return the first line of `graph`, which names the workflow."""
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()[0]


def error(done) -> str:
    """Return the message of a command that could not do its work."""
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("Error: ")
    return done.stderr.removeprefix("Error: ")


def test_a_file_with_one_workflow_needs_no_name(project):
    project.write("pipeline.py", ONE)
    assert title(project.run("graph", "pipeline.py")) == "one: 1 task"


def test_a_name_picks_one_of_several(project):
    project.write("pipeline.py", TWO)
    assert title(project.run("graph", "pipeline.py:two")) == "two: 1 task"


def test_one_workflow_under_two_names_is_one(project):
    project.write("pipeline.py", ONE + "same = one\n")
    assert title(project.run("graph", "pipeline.py")) == "one: 1 task"


def test_a_function_that_returns_a_workflow_is_called(project):
    project.write("pipeline.py", BUILD)
    assert title(project.run("graph", "pipeline.py:build")) == "built: 1 task"


def test_a_module_is_found_from_the_present_folder(project):
    project.write("package/__init__.py", "")
    project.write("package/module.py", ONE)
    assert title(project.run("graph", "package.module:one")) == "one: 1 task"


def test_a_file_in_another_folder_can_import_its_neighbours(project):
    project.write("else/where/helper.py", "NAME = 'helped'")
    project.write(
        "else/where/pipeline.py",
        "import helper\nfrom flowweaver import Workflow\nw = Workflow(helper.NAME)\n",
    )
    assert title(project.run("graph", "else/where/pipeline.py")) == "helped: 0 tasks"


def test_a_file_of_a_package_is_imported_as_part_of_it(project):
    project.write("package/__init__.py", "")
    project.write("package/helper.py", "NAME = 'helped'")
    project.write(
        "package/pipeline.py",
        "from .helper import NAME\nfrom flowweaver import Workflow\nw = Workflow(NAME)\n",
    )
    assert title(project.run("graph", "package/pipeline.py")) == "helped: 0 tasks"


def test_a_class_of_the_file_can_be_stored_and_restored(project):
    project.write(
        "pipeline.py",
        """
        from flowweaver import Workflow, task

        class Point:
            def __init__(self, x):
                self.x = x

        @task
        def make():
            return Point(3)

        @task
        def take(make):
            return make.x

        w = Workflow("w", [make, take])
        """,
    )
    assert project.run("run", "pipeline.py", "--executor", "threads").returncode == 0
    again = project.run("run", "pipeline.py", "--reuse", "never", "--executor", "sequential")
    assert again.returncode == 0


def test_what_a_module_prints_stays_out_of_the_graph(project):
    project.write("pipeline.py", 'print("hello")\n' + ONE)
    done = project.run("graph", "pipeline.py")
    assert title(done) == "one: 1 task"
    assert done.stderr == "hello\n"


def test_several_workflows_without_a_name_are_listed(project):
    project.write("pipeline.py", TWO)
    assert error(project.run("graph", "pipeline.py")) == (
        "pipeline.py has 2 workflows; say which: pipeline.py:one, pipeline.py:two.\n"
    )


def test_a_file_without_a_workflow_says_what_to_do(project):
    project.write("pipeline.py", BUILD)
    assert "has no Workflow at module level" in error(project.run("graph", "pipeline.py"))


def test_a_misspelt_file_brings_the_like(project):
    project.write("pipeline.py", ONE)
    assert error(project.run("graph", "pipelin.py")) == (
        "There is no file pipelin.py; did you mean 'pipeline.py'?\n"
    )


def test_a_misspelt_file_in_a_folder_brings_what_is_like_it_there(project):
    project.write("flows/pipeline.py", ONE)
    project.write("flows/x.py", ONE)
    assert error(project.run("graph", "flows/pipelin.py")) == (
        "There is no file flows/pipelin.py; did you mean 'flows/pipeline.py'?\n"
    )
    assert error(project.run("graph", "flows/nope.py")) == "There is no file flows/nope.py.\n"


def test_a_misspelt_name_brings_the_like(project):
    project.write("pipeline.py", TWO)
    assert "did you mean 'two'?" in error(project.run("graph", "pipeline.py:twoo"))


def test_a_file_named_as_a_module_brings_the_file(project):
    project.write("pipeline.py", ONE)
    assert title(project.run("graph", "pipeline")) == "one: 1 task"


def test_a_missing_module_is_named(project):
    assert error(project.run("graph", "no.such.module")).startswith("there is no module 'no'")


@pytest.mark.parametrize("target", ["pipeline.py:", "pipeline.py:a b", ":etl"])
def test_a_target_that_is_none_says_how_one_looks(project, target):
    project.write("pipeline.py", ONE)
    assert "as in pipeline.py:etl" in error(project.run("graph", target))


def test_a_task_is_no_workflow(project):
    project.write("pipeline.py", ONE)
    assert "is a Task, neither a Workflow" in error(project.run("graph", "pipeline.py:fetch"))


def test_a_function_that_returns_something_else_is_named(project):
    project.write("pipeline.py", "def build():\n    return 3\n")
    assert error(project.run("graph", "pipeline.py:build")) == (
        "pipeline.py:build() returned a int, not a Workflow.\n"
    )


def test_a_file_whose_name_is_taken_is_to_be_renamed(project):
    project.write("folder/json.py", ONE)
    message = error(project.run("graph", "folder/json.py"))
    assert "the name 'json' is taken by" in message
    assert "rename the file" in message


def test_an_error_of_the_file_comes_with_its_own_traceback_only(project):
    project.write("helper.py", "def divide():\n    return 1 / 0\n")
    project.write("pipeline.py", "import helper\nhelper.divide()\n")
    lines = error(project.run("graph", "pipeline.py")).splitlines()
    assert lines[0] == "pipeline.py can't be loaded"
    assert lines[1] == "Traceback (most recent call last):"
    places = [line.split('"')[1] for line in lines if line.startswith("  File ")]
    assert [place.rpartition("/")[2] for place in places] == ["pipeline.py", "helper.py"]
    assert lines[-1] == "ZeroDivisionError: division by zero"


def test_a_syntax_error_shows_its_place(project):
    path = project.write("pipeline.py", "x = (\n")
    lines = error(project.run("graph", "pipeline.py")).splitlines()
    assert lines[1] == f'  File "{path}", line 1'
    assert lines[-1].startswith("SyntaxError: ")


def test_a_missing_import_of_the_file_is_its_own_error_and_says_which_python_lacks_it(project):
    project.write("pipeline.py", "import no_such_package\n")
    message = error(project.run("graph", "pipeline.py"))
    assert message.startswith(
        "pipeline.py can't be loaded: it needs 'no_such_package', which is not installed for "
        f"{sys.executable}\n"
    )
    assert "ModuleNotFoundError: No module named 'no_such_package'" in message


def test_a_definition_error_names_the_line_without_a_traceback(project):
    path = project.write(
        "pipeline.py",
        """\
        from flowweaver import Workflow

        def fetch(fetch):
            return 1

        w = Workflow("w", [fetch])
        """,
    )
    message = error(project.run("graph", "pipeline.py"))
    assert message.startswith("Task 'fetch' depends on itself. ")
    assert message.endswith(f" ({path}, line 6)\n")


def test_a_script_that_exits_when_imported_is_told_of(project):
    project.write("pipeline.py", "import sys\nsys.exit(3)\n")
    assert "called exit(3) while it was imported" in error(project.run("graph", "pipeline.py"))
