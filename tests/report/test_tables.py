"""Tables of runs and tasks, as a terminal shows them."""

from io import StringIO

import pytest
from rich.console import Console

from flowweaver import Failure, Origin, RunStatus, TaskStatus
from flowweaver.records import RunRecord, TaskRecord
from flowweaver.report.tables import RunsTable, TasksTable

ESCAPE = "\x1b[2J\x07"


def shown(table: TasksTable | RunsTable, width: int = 500) -> list[list[str]]:
    """Return the cells of a table, row by row, as wide as they want to be."""
    output = StringIO()
    Console(file=output, width=width, color_system=None).print(table)
    return [line.split("  ") for line in output.getvalue().splitlines()]


def text(table: TasksTable | RunsTable) -> str:
    return "\n".join("  ".join(cells) for cells in shown(table))


def run_record(**changes) -> RunRecord:
    values = {"id": "r1", "workflow": "sales", "key": "", "status": RunStatus.COMPLETED}
    times = {"created_at": 1000.0, "claimed_at": 2000.0, "finished_at": 2090.0}
    return RunRecord(**{**values, **times, **changes})


def test_a_run_is_a_row_with_how_long_its_last_execution_took():
    row = text(RunsTable([run_record(runner="host:7", info={"tasks": 3})])).splitlines()[1]
    assert row.split()[:3] == ["r1", "sales", "completed"]
    assert row.split()[5:] == ["1", "min", "30", "s", "3", "host:7"]


@pytest.mark.parametrize(("width", "last"), [(40, "status"), (80, "took"), (200, "by")])
def test_ids_of_runs_are_whole_however_narrow_the_terminal_is(width, last):
    run = run_record(id="20261129-023525-307c3f", workflow="a long name", runner="host:18052")
    lines = ["  ".join(cells).rstrip() for cells in shown(RunsTable([run]), width)]
    assert [line.split()[0] for line in lines].count("20261129-023525-307c3f") == 1
    assert next(line for line in lines if line.startswith("run")).endswith(last)
    assert all(len(line) <= width for line in lines)


@pytest.mark.parametrize("name", ["q", "sales of the north and the south"])
def test_no_heading_of_runs_is_broken_and_nothing_is_lost(name):
    run = run_record(id="20261129-023525-307c3f", workflow=name, runner="host:18052")
    for width in range(16, 120):
        lines = ["  ".join(cells).rstrip() for cells in shown(RunsTable([run]), width)]
        assert set(lines[0].split()) <= set(RunsTable._HEADINGS)
        assert "status" in lines[0]
        told = "".join(lines[1:]).replace(" ", "")
        assert all(each in told for each in ("completed", *name.split()))
        assert all(len(line) <= width for line in lines)


def test_a_run_that_goes_on_has_taken_no_time_yet():
    row = text(RunsTable([run_record(status=RunStatus.RUNNING, finished_at=None)]))
    assert " min" not in row


def test_a_restored_task_says_so_instead_of_completed():
    record = TaskRecord(
        "r1", "clean", status=TaskStatus.COMPLETED, origin=Origin.RESTORED, reason="unchanged"
    )
    row = text(TasksTable([record])).splitlines()[1]
    assert row.split() == ["clean", "restored", "unchanged"]


def test_a_failed_task_shows_its_failure():
    failure = Failure("ValueError", "no such row")
    record = TaskRecord("r1", "clean", status=TaskStatus.FAILED, attempts=3, failure=failure)
    row = text(TasksTable([record])).splitlines()[1]
    assert row.split(maxsplit=3) == ["clean", "failed", "3", "ValueError: no such row"]


def test_a_task_that_others_failed_names_them_alone():
    failure = Failure("UpstreamFailed", "because of clean", causes=("clean",))
    record = TaskRecord("r1", "load", status=TaskStatus.UPSTREAM_FAILED, failure=failure)
    assert "UpstreamFailed" not in text(TasksTable([record]))


def test_escapes_in_a_run_reach_no_terminal():
    record = run_record(id=f"r{ESCAPE}", workflow=f"w{ESCAPE}\nx", runner=ESCAPE)
    table = text(RunsTable([record]))
    assert "\x1b" not in table
    assert "\x07" not in table
    assert len(table.splitlines()) == 2


def test_escapes_in_a_task_reach_no_terminal():
    failure = Failure(f"E{ESCAPE}", f"m{ESCAPE}\nfaked  completed")
    record = TaskRecord("r1", f"t{ESCAPE}", status=TaskStatus.FAILED, failure=failure)
    table = text(TasksTable([record]))
    assert "\x1b" not in table
    assert "\x07" not in table
    assert len(table.splitlines()) == 2


def test_a_name_is_no_markup():
    record = TaskRecord("r1", "[bold]x[/bold] :smile:")
    assert "[bold]x[/bold] :smile:" in text(TasksTable([record]))


LONG_REASON = "taken from `fetch` of workflow nightly in run 20261129-023525-307c3f: the same code"


def lines_of(width: int) -> list[str]:
    tasks = [
        TaskRecord("r1", "fetch", reason=LONG_REASON, started_at=1000.0, attempts=1, duration=2.0),
        TaskRecord("r1", "a_task_with_a_name_that_is_rather_long_for_this", reason="never ran"),
    ]
    output = StringIO()
    Console(file=output, width=width, color_system=None).print(TasksTable(tasks))
    return output.getvalue().splitlines()


@pytest.mark.parametrize("width", [40, 80, 120])
def test_reason_that_has_no_room_beside_its_task_goes_below_it(width):
    lines = lines_of(width)
    assert all(len(line) <= width for line in lines)
    assert len(lines) <= 10
    told = " ".join(line.strip() for line in lines if line.startswith("    "))
    assert LONG_REASON in told
    assert any("a_task_with_a_name_that_is_rather_long" in line for line in lines)


def test_each_task_is_one_line_without_padding_where_there_is_room():
    lines = lines_of(10_000)
    assert len(lines) == 3
    assert lines[1].endswith(LONG_REASON)
    assert lines[2].endswith("never ran")
