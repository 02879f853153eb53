"""Progress where there is no terminal: plain lines."""

import re
from io import StringIO

from flowweaver import SequentialExecutor, SQLiteStateStore, Task, Workflow, each, task
from flowweaver.observers.lines import in_words
from flowweaver.observers.progress import progress
from flowweaver.observers.tally import Share, Standing
from tests.observers.awaiting import LongAwaited


def watch(workflow: Workflow, **options) -> list[str]:
    """Execute a workflow and return the lines of its progress without the time of day."""
    stream = StringIO()
    shown = progress(stream)
    SequentialExecutor(observers=(shown,), **options).execute(workflow, raise_on_failure=False)
    shown.close()
    lines = stream.getvalue().splitlines()
    assert all(re.match(r"\d\d:\d\d:\d\d ", line) for line in lines)
    return [line[9:] for line in lines]


def chain(count: int) -> Workflow:
    workflow = Workflow("chain")
    for n in range(count):
        workflow.add_task(task(f"t{n}")(lambda **_: 1), depends_on=[f"t{n - 1}"] if n else [])
    return workflow


def test_a_task_has_a_line_for_its_start_and_one_for_its_end():
    lines = watch(chain(1))
    assert lines[1] == "t0 started"
    assert re.fullmatch(r"t0 completed in (<1|\d+) ms", lines[2])


def test_a_run_has_a_line_for_its_start_and_one_for_its_end():
    lines = watch(chain(2))
    assert re.fullmatch(r"run \S+ of chain started: 2 tasks", lines[0])
    assert re.fullmatch(r"run \S+ completed in (<1|\d+) ms", lines[-1])


def test_a_failed_attempt_says_that_there_will_be_another():
    @task(retries=1, backoff=0.01)
    def flaky():
        raise ValueError("no row")

    lines = watch(Workflow("w", [flaky]))
    assert "flaky failed, attempt 1, again in 10 ms: ValueError: no row" in lines
    assert "flaky failed, attempt 2: ValueError: no row" in lines


def test_what_a_run_waits_for_is_told_once_and_counts_as_no_task():
    stream = StringIO()
    with progress(stream) as shown:
        LongAwaited(observers=(shown,)).execute(chain(1))
    lines = [line[9:] for line in stream.getvalue().splitlines()]
    assert lines[1:3] == ["waiting: The pool is empty: start a worker.", "t0 started"]
    assert len(lines) == 5


def test_a_task_that_did_not_start_says_because_of_whom():
    def broken():
        raise ValueError

    def after(broken):
        return broken

    lines = watch(Workflow("w", [broken, after]))
    assert any(line.startswith("after upstream failed: because of broken") for line in lines)


def test_a_message_can_not_fake_a_line():
    def broken():
        raise ValueError("\n12:00:00 broken completed\x1b[2J")

    lines = watch(Workflow("w", [broken]))
    assert len(lines) == 4
    assert "\x1b" not in "".join(lines)


def test_an_element_of_a_fan_out_has_its_own_lines():
    @task(inputs={"page": each("pages")})
    def load(page: int) -> int:
        return page

    workflow = Workflow("w", [Task("pages", lambda: [7, 8]), load])
    lines = watch(workflow)
    assert "load[1] (8) started" in lines
    assert any(line.startswith("load[1] (8) completed in ") for line in lines)


def test_a_few_restored_tasks_are_named(tmp_path):
    store = SQLiteStateStore(tmp_path / "state.db")
    watch(chain(3), state_store=store)
    assert watch(chain(3), state_store=store)[1:-1] == ["t0 restored", "t1 restored", "t2 restored"]


def test_many_restored_tasks_are_counted(tmp_path):
    store = SQLiteStateStore(tmp_path / "state.db")
    watch(chain(50), state_store=store)
    assert watch(chain(50), state_store=store)[1:-1] == ["50 tasks restored"]


def test_a_note_is_a_line():
    stream = StringIO()
    progress(stream).note("stopping")
    assert stream.getvalue().endswith(" stopping\n")


def test_a_terminal_that_can_not_move_its_cursor_gets_lines(monkeypatch, tmp_path):
    from flowweaver.observers.lines import LineProgress
    from tests.observers.terminal import Terminal

    monkeypatch.setenv("TERM", "dumb")
    with Terminal() as terminal, open(terminal.slave, "w", closefd=False) as stream:
        assert isinstance(progress(stream), LineProgress)


def crawl(count: int) -> Workflow:
    @task(inputs={"page": each("pages")})
    def load(page: int) -> int:
        if page % 50 == 7:
            raise ValueError(f"no page {page}")
        return page

    return Workflow("crawl", [Task("pages", lambda: list(range(count))), load])


def test_of_many_task_runs_the_first_are_told_and_the_rest_is_counted():
    lines = watch(crawl(1000))
    assert len(lines) < 150
    assert any("from here on counts" in line for line in lines)
    assert sum(" failed: ValueError: no page" in line for line in lines) == 20


def test_of_few_task_runs_all_is_told():
    lines = watch(crawl(3))
    assert not any("from here on" in line for line in lines)
    assert any(line.startswith("load completed") for line in lines)


def test_every_start_and_end_is_told_when_asked_for():
    stream = StringIO()
    shown = progress(stream, verbose=True)
    SequentialExecutor(observers=(shown,)).execute(crawl(200), raise_on_failure=False)
    shown.close()
    text = stream.getvalue()
    assert text.count(" started") == 202
    assert "from here on" not in text


def test_where_a_run_stands_is_said_in_one_line():
    standing = Standing(
        "", 827, 2004, 9.0, {"executed": 824, "failed": 3}, [Share("load", 1, 9, 3)], [], 75.0
    )
    assert in_words(standing) == (
        "827 of 2,004 done: 824 executed, 3 failed (load 3 failed), about 1 min 15 s left"
    )
