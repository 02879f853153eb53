"""What a TaskRun was given: values, and elements of lists, as far as they can be shown."""

from __future__ import annotations

from typing import Any

import pytest

from flowweaver import MemoryStateStore, Task, Workflow, each
from flowweaver.report.view.sources import items_at
from tests.report.viewing import executed, viewed


class Opaque:
    """A value that only pickle keeps."""

    def __init__(self, part: Any) -> None:
        self.part = part


def fails(**_: Any) -> None:
    raise ValueError("no")


def given(task: Task[..., Any], *others: Task[..., Any], **params: Any) -> dict[str, Any]:
    """Return what the first TaskRun of the last task was given, by name."""
    store = MemoryStateStore()
    view = viewed(store, executed(store, Workflow("w", [*others, task]), params), details=20)
    name = next(name for name in view["details"] if name.partition("[")[0] == task.name)
    return {each["name"]: each for each in view["details"][name]["inputs"]}


def test_element_of_a_result_is_shown() -> None:
    rows = Task("rows", lambda: ["a", "b"])
    shown = given(Task("use", lambda row: row, inputs={"row": each("rows")}), rows)
    assert (shown["row"]["preview"], shown["row"]["item"]) == ("'a'", True)


def test_element_of_a_parameter_is_shown() -> None:
    shown = given(Task("use", lambda row: row, inputs={"row": each("rows")}), rows=[{"x": 1}])
    assert shown["row"]["preview"] == "{'x': 1}"


def test_each_of_crossed_inputs_is_shown() -> None:
    task = Task(
        "use", fails, inputs={"left": each("lefts"), "right": each("rights")}, combine="cross"
    )
    store = MemoryStateStore()
    workflow = Workflow("w", [Task("lefts", lambda: [1, 2]), Task("rights", lambda: [7, 8]), task])
    view = viewed(store, executed(store, workflow))
    told = {failure["name"]: failure["given"] for failure in view["failures"]}
    assert told["use[1.0]"] == [
        {"name": "left", "preview": "2"},
        {"name": "right", "preview": "7"},
    ]


def test_failure_says_what_the_element_was_given_and_not_what_all_were() -> None:
    task = Task("use", lambda row, all_of_them: fails(), inputs={"row": each("rows")})
    rest = [Task("rows", lambda: ["a"]), Task("all_of_them", lambda: 5)]
    store = MemoryStateStore()
    view = viewed(store, executed(store, Workflow("w", [*rest, task])))
    assert view["failures"][0]["given"] == [{"name": "row", "preview": "'a'"}]


@pytest.mark.parametrize("make", [lambda: Opaque(1), lambda: [[1]] * 2])
def test_value_that_pickle_keeps_is_told_by_what_it_is(make: Any) -> None:
    shown = given(Task("use", lambda made: 1), Task("made", make))
    assert shown["made"]["codec"] == "pickle"
    shown = given(Task("use", lambda made: 1), made=make())
    assert shown["made"]["codec"] == "pickle"


def test_element_in_a_pickle_is_not_looked_for() -> None:
    rows = Task("rows", lambda: [Opaque(1), Opaque(2)])
    shown = given(Task("use", lambda row: 1, inputs={"row": each("rows")}), rows)
    assert "preview" not in shown["row"]


def test_items_are_found_at_all_paths_that_a_key_has() -> None:
    value = [[1, 2], [3, 4]]
    assert list(items_at(value, (1, 0))) == [[3, 4], 3, [1, 2]]
    assert list(items_at(value, (5,))) == list(items_at("text", (0,))) == []
