"""A script on processes: found by name, heard, and shown in tracebacks, as without them."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

HEAD = """
import dataclasses, linecache, logging, multiprocessing, os, pickle, sys
from flowweaver import ProcessExecutor, SQLiteStateStore, Task, ThreadedExecutor, Workflow, task
"""
RUN = """
if __name__ == "__main__":
    run = ProcessExecutor(1).execute(Workflow("w", [{tasks}]), raise_on_failure=False)
"""


def executed(
    folder: Path, code: str, tasks: str, then: str, *options: str
) -> subprocess.CompletedProcess[str]:
    """Execute the tasks of a script on one process, and what it does then."""
    text = HEAD + textwrap.dedent(code) + RUN.format(tasks=tasks)
    (folder / "script.py").write_text(text + textwrap.indent(textwrap.dedent(then), "    "))
    return subprocess.run(
        [sys.executable, *(options or ["script.py"])],
        capture_output=True,
        text=True,
        timeout=120,
        cwd=folder,
        check=False,
    )


class TestNames:
    @pytest.mark.parametrize("method", ["fork", "forkserver", "spawn"])
    def test_pool_over_a_helper_and_a_class_of_the_script_works(
        self, tmp_path: Path, method: str
    ) -> None:
        code = f"""
            @dataclasses.dataclass
            class Point:
                x: int

            def square(point):
                return Point(point.x ** 2)

            @task
            def points():
                return [Point(1), Point(2)]

            @task
            def squared(points):
                with multiprocessing.get_context({method!r}).Pool(2) as pool:
                    return pool.map(square, points)
        """
        done = executed(tmp_path, code, "points, squared", "print(run['squared'])")
        assert (done.stdout, done.stderr) == ("[Point(x=1), Point(x=4)]\n", "")

    def test_what_came_as_an_argument_only_is_found_by_name(self, tmp_path: Path) -> None:
        code = """
            class Point:
                def __init__(self, x):
                    self.x = x

            @task
            def points():
                return Point(1)

            @task
            def copied(points):
                copy = pickle.loads(pickle.dumps(points))
                return type(copy) is type(points), copy.x
        """
        done = executed(tmp_path, code, "points, copied", "print(run['copied'])")
        assert (done.stdout, done.stderr) == ("(True, 1)\n", "")

    def test_functions_share_the_globals_of_their_script(self, tmp_path: Path) -> None:
        code = """
            SEEN = []

            def note(what):
                SEEN.append(what)

            @task
            def first():
                note("first")
                return globals()["SEEN"], getattr(sys.modules[__name__], "note") is note

            @task
            def second(first):
                SEEN.append("second")
                return SEEN is vars(sys.modules["__main__"])["SEEN"], __file__
        """
        done = executed(tmp_path, code, "first, second", "print(run['first'], run['second'])")
        expected = f"(['first'], True) (True, {str(tmp_path / 'script.py')!r})\n"
        assert (done.stdout, done.stderr) == (expected, "")

    def test_results_of_a_scripts_types_are_encoded_where_they_are_made(
        self, tmp_path: Path
    ) -> None:
        code = """
            @dataclasses.dataclass
            class Point:
                x: int
                made: list = dataclasses.field(default_factory=lambda: [os.getpid()])

                def __reduce__(self):
                    self.made.append(os.getpid())
                    return Point, (self.x, self.made)

            @task
            def make():
                return Point(1)
        """
        then = """
            run = ProcessExecutor(1, state_store=SQLiteStateStore("s.db")).execute(
                Workflow("stored", [make])
            )
            print(os.getpid() in run["make"].made)
        """
        done = executed(tmp_path, code, "make", then)
        assert (done.stdout, done.stderr) == ("False\n", "")


class TestTracebacks:
    CODE = """
        def divide(x):
            return 1 // x  # in the helper

        @task
        def broken():
            return [divide(x) for x in (1, 0)]  # in the task
    """

    def test_they_name_the_scripts_file_and_show_its_lines(self, tmp_path: Path) -> None:
        then = "print(run.tasks['broken'].error.trace)"
        done = executed(tmp_path, self.CODE, "broken", then)
        assert done.stdout.count(f'File "{tmp_path / "script.py"}", line ') == 2 + (
            sys.version_info < (3, 12)  # which calls a function for a comprehension
        )
        assert "return [divide(x) for x in (1, 0)]  # in the task" in done.stdout
        assert "return 1 // x  # in the helper" in done.stdout

    def test_they_show_lines_that_are_in_no_file(self, tmp_path: Path) -> None:
        """As a notebook's cells, whose source only the notebook's process has."""
        code = """
            def cell(number, text):
                name = f"<cell {number}>"
                lines = text.splitlines(keepends=True)
                linecache.cache[name] = len(text), None, lines, name
                exec(compile(text, name, "exec"), globals())

            cell(1, "def divide(x):\\n    return 1 // x  # in the first cell\\n")
            cell(2, "\\n@task\\ndef broken():\\n    return divide(0)  # in the second cell\\n")
        """
        done = executed(tmp_path, code, "broken", "print(run.tasks['broken'].error.trace)")
        assert 'File "<cell 2>", line 4, in broken' in done.stdout
        assert "return divide(0)  # in the second cell" in done.stdout
        assert "return 1 // x  # in the first cell" in done.stdout

    def test_they_name_a_module_that_is_taken_along(self, tmp_path: Path) -> None:
        hidden = tmp_path / "hidden"
        hidden.mkdir()
        (hidden / "helper.py").write_text("def divide(x):\n    return 1 // x  # hidden\n")
        code = """
            import importlib.util
            spec = importlib.util.spec_from_file_location("helper", "hidden/helper.py")
            helper = sys.modules["helper"] = importlib.util.module_from_spec(spec)
            spec.loader.exec_module(helper)
            divide = helper.divide

            @task
            def broken():
                return divide(0)
        """
        done = executed(tmp_path, code, "broken", "print(run.tasks['broken'].error.trace)")
        assert "hidden/helper.py" in done.stdout
        assert "return 1 // x  # hidden" in done.stdout


class TestLogs:
    def heard(self, folder: Path, code: str, tasks: str = "says") -> list[str]:
        """Return what a script's handlers print of what its tasks say on processes."""
        done = executed(folder, code, tasks, "print(run.status.value)")
        assert done.stdout == "completed\n", done.stderr
        return done.stderr.splitlines()

    def test_what_the_script_has_set_up_is_heard_once(self, tmp_path: Path) -> None:
        code = """
            logging.basicConfig(level=logging.INFO, format="%(name)s says %(message)s")

            @task
            def says():
                logging.getLogger("mine").info("one and %s", "two")
                logging.getLogger("mine").debug("nothing")
        """
        assert self.heard(tmp_path, code) == ["mine says one and two"]

    def test_levels_and_handlers_of_single_loggers_hold(self, tmp_path: Path) -> None:
        code = """
            logging.basicConfig(format="root %(message)s")
            loud = logging.getLogger("loud")
            loud.setLevel(logging.DEBUG)
            apart = logging.getLogger("apart")
            apart.addHandler(logging.StreamHandler())
            apart.propagate = False
            logging.getLogger("dull").setLevel(logging.ERROR)

            @task
            def says():
                logging.getLogger("loud.inner").debug("whispers")
                logging.getLogger("apart").warning("stands apart")
                logging.getLogger("dull").warning("nothing")
        """
        assert self.heard(tmp_path, code) == ["root whispers", "stands apart"]

    def test_nobody_set_up_anything(self, tmp_path: Path) -> None:
        code = """
            @task
            def says():
                logging.getLogger("mine").info("nothing")
                logging.getLogger("mine").warning("a warning")
        """
        assert self.heard(tmp_path, code) == ["a warning"]

    def test_tracebacks_extras_and_process_come_along(self, tmp_path: Path) -> None:
        code = """
            logging.basicConfig(format="%(message)s %(place)s %(other)s")

            @task
            def says():
                try:
                    1 // 0
                except ZeroDivisionError:
                    extra = {"place": "here", "other": [1, 2]}
                    logging.getLogger("mine").exception("failed", extra=extra)
        """
        first, *trace = self.heard(tmp_path, code)
        assert first == "failed here [1, 2]"
        assert trace[-1].startswith("ZeroDivisionError: ")

    def test_handlers_that_only_work_here_work(self, tmp_path: Path) -> None:
        code = """
            class Listing(logging.Handler):
                def __init__(self):
                    super().__init__()
                    self.records = []
                    self.lock_like = __import__("threading").Lock()
                def emit(self, record):
                    self.records.append(record.getMessage())
                    raise ValueError("handlers that raise fail no body")

            listing = Listing()
            logging.root.addHandler(listing)
            logging.root.setLevel(logging.INFO)

            @task
            def says():
                logging.info("to the list")

            def show(run):
                print(listing.records, file=sys.stderr)
        """
        done = executed(tmp_path, code, "says", "show(run); print(run.status.value)")
        assert (done.stdout, done.stderr) == ("completed\n", "['to the list']\n")

    def test_what_a_module_of_the_worker_handles_is_not_heard_twice(self, tmp_path: Path) -> None:
        (tmp_path / "shared.py").write_text(
            "import logging\nlogger = logging.getLogger('shared')\n"
            "logger.addHandler(logging.StreamHandler())\n"
        )
        code = """
            import shared

            @task
            def says():
                import shared
                shared.logger.warning("once")
        """
        assert self.heard(tmp_path, code) == ["once"]

    def test_processes_that_a_body_forks_are_heard(self, tmp_path: Path) -> None:
        code = """
            logging.basicConfig(level=logging.INFO)

            def work(x):
                logging.getLogger("child").info("works")

            @task
            def says():
                with multiprocessing.get_context("fork").Pool(1) as pool:
                    pool.map(work, [1])
                    pool.close()
                    pool.join()
        """
        assert self.heard(tmp_path, code) == ["INFO:child:works"]

    def test_what_is_left_behind_by_a_body_disturbs_no_other(self, tmp_path: Path) -> None:
        code = """
            import threading
            logging.basicConfig(level=logging.INFO)

            @task
            def says():
                go_on = threading.Event()
                def later():
                    go_on.wait(60)
                    for number in range(1000):
                        logging.getLogger("later").info("%d", number)
                threading.Thread(target=later, daemon=True).start()
                globals()["go_on"] = go_on

            @task
            def other(says):
                go_on.set()
                return "x" * 100_000

            @task
            def third(other):
                return len(other)
        """
        done = executed(tmp_path, code, "says, other, third", "print(run['third'])")
        assert done.stdout == "100000\n", done.stderr

    def test_they_are_kept_once_with_the_attempt(self, tmp_path: Path) -> None:
        code = """
            logging.basicConfig(level=logging.INFO)

            @task(isolate=True)
            def says():
                logging.getLogger("mine").info("kept")
        """
        then = """
            store = SQLiteStateStore("s.db")
            run = ThreadedExecutor(1, state_store=store).execute(Workflow("stored", [says]))
            print(repr(store.attempts(run.id)[0].log))
        """
        done = executed(tmp_path, code, "says", then)
        assert done.stdout == "'INFO mine: kept\\n'\n"
        assert done.stderr == "INFO:mine:kept\n" * 2
