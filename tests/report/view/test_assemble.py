"""The View of a run: what its schema says, and what it tells of failures, reasons and results."""

import json
from dataclasses import replace
from importlib.resources import files
from pathlib import Path

import jsonschema
import pytest

from flowweaver import (
    MemoryStateStore,
    Run,
    SequentialExecutor,
    SQLiteStateStore,
    Workflow,
    task,
)
from flowweaver.records import Changes, ClaimRequest
from flowweaver.report.view.assemble import View
from flowweaver.report.view.loose import source_of
from flowweaver.report.view.sources import StoredRun
from flowweaver.testing.store_parts.making import completed
from tests.report.viewing import executed, halves, on_threads, seen, viewed

SCHEMA = json.loads((files("flowweaver.report.view") / "view.schema.json").read_text())


def test_schema_in_the_guides_is_the_one_that_is_shipped():
    guide = Path(__file__).parents[3] / "docs" / "view.schema.json"
    assert json.loads(guide.read_text()) == SCHEMA


def names(view):
    tasks = [task["name"] for task in view["tasks"]]
    rows = view["rows"]
    return [
        f"{tasks[task]}[{element}]" if element else tasks[task]
        for task, element in zip(rows["task"], rows["element"], strict=True)
    ]


def outcomes(view):
    shown = (view["outcomes"][code] for code in view["rows"]["outcome"])
    return dict(zip(names(view), shown, strict=True))


@pytest.mark.parametrize("params", [{}, {"bad": 2}], ids=["completed", "failed"])
def test_view_is_as_its_schema_says(params):
    store = MemoryStateStore()
    executed(store, params={"bad": 1})
    run = executed(store, params=params)
    jsonschema.validate(viewed(store, run, details=100), SCHEMA)


def test_view_of_a_run_without_store_is_as_the_schema_says():
    view = View(source_of(executed(params={"bad": 2}))).as_json(details=100)
    jsonschema.validate(json.loads(json.dumps(view)), SCHEMA)
    assert view["details"]["numbers"]["result"]["preview"] == "[0, 1, 2, 3]"
    assert view["failures"][0]["name"] == "halve[2]"


def test_rows_are_tasks_and_elements_in_the_order_of_the_workflow():
    view = seen()
    assert names(view) == ["numbers", *(f"halve[{n}]" for n in range(4)), "total", "counted"]
    assert view["counts"]["total"] == view["counts"]["executed"] == 7


def test_many_elements_are_in_the_order_of_their_numbers():
    assert names(seen({"count": 12}))[10:13] == ["halve[9]", "halve[10]", "halve[11]"]


def test_first_failure_is_told_with_what_it_kept_from_starting():
    view = seen({"bad": 2})
    (failure,) = view["failures"]
    assert failure["name"] == "halve[2]"
    assert (failure["kind"], failure["message"]) == ("ValueError", "2 can't be halved")
    assert failure["blocked"] == 1
    assert "halve" in failure["trace"]
    assert outcomes(view)["total"] == "upstream_failed"


def test_failure_that_others_did_not_start_for_comes_first():
    @task
    def fails():
        raise ValueError("first")

    @task
    def breaks():
        raise ValueError("second")

    @task
    def after(breaks):
        return breaks

    view = seen(workflow=Workflow("two", [fails, breaks, after]))
    assert [(each["name"], each["blocked"]) for each in view["failures"]] == [
        ("breaks", 1),
        ("fails", 0),
    ]


def test_command_that_continues_or_repeats_a_run_gives_what_it_was_given(tmp_path):
    store = SQLiteStateStore(tmp_path / "s.db")

    def commands(params, **how):
        run = store.run(executed(store, params=params, **how).id)
        run = replace(run, info={**run.info, "target": "-odd.py:halves"})
        return run.id, View(StoredRun(store, run)).as_json()["run"]["commands"]

    id_, told = commands({"count": 2, "bad": 1})
    where = f"--store {store.url} -- -odd.py:halves"
    assert told["continue"] == f"flowweaver run -p count=2 -p bad=1 --run-id {id_} {where}"
    _, told = commands({"count": 2}, targets=["counted"])
    assert told["again"] == f"flowweaver run -p count=2 {where} counted"
    _, told = commands({"count": 2}, overrides={"numbers": [5]})
    assert told["again"] == f"flowweaver run -p count=2 --override 'numbers=[5]' {where}"
    _, told = commands({"count": 3}, overrides={"numbers": {5}})  # a set can't be typed
    assert not told.keys() & {"again", "continue"}


def test_mapped_task_is_one_task_with_counts():
    halve = seen({"bad": 2})["tasks"][1]
    assert halve["counts"] == {"executed": 3, "failed": 1}
    assert halve["elements"] == 4
    assert halve["outcome"] == "failed"


def test_purpose_of_a_task_is_the_first_line_of_its_docstring():
    assert seen()["tasks"][0]["purpose"] == "List what there is to work on."


def test_detail_has_why_inputs_result_and_log():
    detail = seen()["details"]["halve[3]"]
    assert detail["reason"] == "never ran"
    assert [value["name"] for value in detail["inputs"]] == ["number"]
    assert detail["inputs"][0]["from"] == "numbers"
    assert detail["result"]["preview"] == "1.5"
    assert detail["attempts"][0]["log"] == "halving 3\n"


def test_detail_has_the_first_of_what_its_body_was_seen_to_read(tmp_path):
    for number in range(30):
        (tmp_path / f"{number:02}.csv").write_text(str(number))

    def read(folder):
        return [(Path(folder) / f"{number:02}.csv").read_text() for number in range(30)]

    store = MemoryStateStore()
    run = executed(store, Workflow("reading", [task(read)]), {"folder": str(tmp_path)})
    view = viewed(store, run, details=10)
    jsonschema.validate(view, SCHEMA)
    read = view["details"]["read"]["read"]
    assert read[0] == str(tmp_path / "00.csv")
    assert (len(read), read[-1]) == (21, "10 more")


def test_changed_code_is_shown_as_a_diff():
    def price(rate=2):
        return rate * 2

    store = MemoryStateStore()
    executed(store, Workflow("prices", [task(price)]))

    def price(rate=2):
        return rate * 3

    run = executed(store, Workflow("prices", [task(price)]))
    detail = viewed(store, run, details=10)["details"]["price"]
    assert "-    return rate * 2" in detail["diff"]
    assert "+    return rate * 3" in detail["diff"]


def test_difference_to_the_run_before_is_told():
    store = MemoryStateStore()
    first = executed(store, params={"bad": 2}, new_run=True)
    second = executed(store, params={"count": 4})
    compared = viewed(store, second)["compared"]
    assert compared["first"]["id"] == first.id
    told = {each["name"]: each for each in compared["differences"]}
    assert told["halve[2]"]["statuses"] == ["failed", "completed"]


def test_history_has_the_seconds_of_each_run_before():
    store = MemoryStateStore()
    for count in (1, 2, 3):
        run = executed(store, params={"count": count})
    view = viewed(store, run)
    assert len(view["history"]["runs"]) == len(view["history"]["seconds"]["total"]) == 2
    assert view["tasks"][0]["expected"] >= 0


def test_lanes_are_those_of_the_workers():
    store = MemoryStateStore()
    view = viewed(store, executed(store), details=100)
    assert view["times"]["workers"] == ["worker 1"]
    assert view["details"]["total"]["worker"] == "worker 1"


def test_of_a_run_that_names_no_worker_lanes_are_nobodys():
    store = MemoryStateStore()
    lease = store.claim(ClaimRequest("flow", "k"))
    spans = [{"started_at": at, "finished_at": at + 2, "duration": 2.0} for at in (1.0, 2.0)]
    records = [
        completed(lease.run.id, name, **span) for name, span in zip("ab", spans, strict=True)
    ]
    store.commit(lease, Changes(tasks=records))
    view = View(StoredRun(store, lease.run)).as_json()
    assert view["times"]["workers"] == ["", ""]


def test_restored_rows_have_no_place_in_time():
    store = MemoryStateStore()
    executed(store)
    view = viewed(store, executed(store))
    assert set(outcomes(view).values()) == {"restored"}
    assert set(view["rows"]["start"]) == {None}
    assert view["times"]["lanes"] == 0


def test_of_many_rows_those_that_went_wrong_are_listed():
    store = MemoryStateStore()
    view = viewed(store, executed(store, params={"count": 30, "bad": 17}), rows=5)
    assert view["rows"]["total"] == 33
    assert len(view["rows"]["task"]) == 5
    assert {"halve[17]", "total"} <= set(names(view))


def test_task_that_has_not_begun_is_pending_and_a_dead_run_interrupted():
    store = MemoryStateStore()
    lease = store.claim(ClaimRequest("halves", "k"))
    store.commit(lease, Changes(tasks=[completed(lease.run.id, "numbers")]))
    running = View(StoredRun(store, store.run(lease.run.id))).as_json()
    assert running["run"]["status"] == "running"
    store.release(lease)
    assert View(StoredRun(store, lease.run)).as_json()["run"]["status"] == "interrupted"


def test_graph_is_drawn_for_runs_and_for_nested_workflows():
    outer = Workflow("outer", [halves])
    outer.add_task(lambda halves: halves, name="last")
    view = seen(workflow=outer)
    assert view["graph"][""]["boxes"] == ["halves", len(view["tasks"]) - 1]
    assert view["graph"][""]["lines"] == [[0, 1]]
    assert len(view["graph"]["halves"]["boxes"]) == 5


def test_secrets_of_live_objects_are_not_needed_to_show_them(tmp_path):
    class Guarded:
        def __repr__(self):
            raise AssertionError("nobody asked")

    @task
    def guarded():
        return Guarded()

    run = SequentialExecutor().execute(Workflow("w", [guarded]))
    assert isinstance(run, Run)
    run.save_report(tmp_path / "report.html")
    assert "Guarded" in (tmp_path / "report.html").read_text()


def test_differences_come_in_the_order_of_the_workflow_and_elements_by_their_keys():
    store = MemoryStateStore()
    on_threads(store, halves, {"count": 12})
    view = viewed(store, on_threads(store, halves, {"count": 12, "bad": 11}))
    names = [each["name"] for each in view["compared"]["differences"]]
    assert names == ["halve", *(f"halve[{number}]" for number in range(12)), "total"]


def test_of_what_did_not_start_no_code_is_shown_as_gone():
    store = MemoryStateStore()
    executed(store)
    view = viewed(store, executed(store, params={"bad": 2}))
    (total,) = [each for each in view["compared"]["differences"] if each["name"] == "total"]
    assert total["statuses"] == ["completed", "upstream_failed"]
    assert "diff" not in total
