"""What elements of a fan-out are called, wherever people meet them."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

import attrs
import pydantic
import pytest

from flowweaver import (
    DefinitionError,
    Event,
    Failure,
    MemoryStateStore,
    Run,
    Secret,
    SequentialExecutor,
    SQLiteStateStore,
    Task,
    ThreadedExecutor,
    Workflow,
    WorkflowFailed,
    each,
    load_run,
    task,
)
from tests.cli.command import Project

CITIES = ["Oslo", "Rome", "Oslo"]


def weather(city: str) -> int:
    if city == "Rome":
        raise ValueError("no such station")
    return len(city)


def flow(items: list[Any] | None = None, fn: Any = weather, **options: Any) -> Workflow:
    given = CITIES if items is None else items
    mapped = Task("weather", fn, inputs={"city": each("cities")}, **options)
    return Workflow("flow", [Task("cities", lambda: given), mapped])


def names(run: Run) -> list[str]:
    return [element.shown_name for element in run.tasks["weather"].elements]


def as_is(city: Any) -> None:
    pass


def test_element_is_called_as_its_task_says_and_by_its_number() -> None:
    executor = SequentialExecutor(state_store=MemoryStateStore())
    run = executor.execute(flow(element_name="at {city:>6}"), raise_on_failure=False)
    assert names(run) == [
        "weather[0] (at   Oslo)",
        "weather[1] (at   Rome)",
        "weather[2] (at   Oslo)",
    ]


@dataclass
class Row:
    city: str
    size: int


class Pair(NamedTuple):
    city: str
    size: int


@dataclass(slots=True)
class Slotted:
    city: str


@attrs.define
class Attrs:
    city: str


class Model(pydantic.BaseModel):
    city: str


@pytest.mark.parametrize(
    ("item", "label"),
    [
        ("Oslo", "Oslo"),
        (7, "7"),
        (Path("a/b.csv"), "a/b.csv"),
        (date(2026, 1, 2), "2026-01-02"),
        ({"city": "Oslo"}, "{'city': 'Oslo'}"),
        (("a", 1), "('a', 1)"),
        (Row("Oslo", 3), "Row(city='Oslo', size=3)"),
        (Pair("Oslo", 3), "Pair(city='Oslo', size=3)"),
        (Slotted("Oslo"), "Slotted(city='Oslo')"),
        (Attrs("Oslo"), "Attrs(city='Oslo')"),
        (Model(city="Oslo"), "Model(city='Oslo')"),
        (Failure("OSError", "down"), "failed: OSError: down"),
        (object, "<type>"),
        ("x" * 100_000, "x" * 59 + "…"),
        (list(range(100_000)), "[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, …"),
        ("a\x1b[31m\nb\u202e", "a\\x1b[31m\\nb\\u202e"),
    ],
)
def test_element_without_a_name_is_called_by_what_it_was_given(item: Any, label: str) -> None:
    heard: list[Event] = []
    SequentialExecutor(observers=[heard.append]).execute(flow([item], as_is))
    assert {event.label for event in heard if event.element} == {label}


def test_failure_says_which_element_in_error_and_log(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING), pytest.raises(WorkflowFailed) as raised:
        SequentialExecutor().execute(flow())
    assert "because of weather[1] (Rome): ValueError: no such station" in str(raised.value)
    assert caplog.messages == [
        "weather[1] (Rome) failed, attempt 1, no attempt is left: ValueError: no such station"
    ]


def test_names_are_kept_with_the_run_and_survive_restoring(tmp_path: Path) -> None:
    store = SQLiteStateStore(tmp_path / "state.db")
    executor = ThreadedExecutor(state_store=store)
    workflow = flow(element_name="{city}", fn=as_is)
    expected = ["weather[0] (Oslo)", "weather[1] (Rome)", "weather[2] (Oslo)"]
    first = executor.execute(workflow)
    assert names(load_run(workflow, store, first.id)) == expected
    again = executor.execute(workflow)
    assert names(load_run(workflow, store, again.id)) == expected


def test_a_name_given_later_names_what_was_made_before(tmp_path: Path) -> None:
    executor = SequentialExecutor(state_store=SQLiteStateStore(tmp_path / "state.db"))
    many = [f"place {number}" for number in range(1_001)]
    unnamed = executor.execute(flow(many, as_is))
    assert names(unnamed)[7] == "weather[7]"  # of so many, those that went well keep none
    named = executor.execute(flow(many, as_is, element_name="{city}"))
    assert names(named)[7] == "weather[7] (place 7)"
    assert named.counts() == unnamed.counts()
    assert named.tasks["weather[7]"].origin is not None
    assert named.tasks["weather[7]"].origin.value == "restored"


def test_of_many_those_that_fail_keep_what_they_were_given(tmp_path: Path) -> None:
    executor = SequentialExecutor(state_store=SQLiteStateStore(tmp_path / "state.db"))
    many = [f"place {number}" for number in range(1_001)] + ["Rome"]
    run = executor.execute(flow(many), raise_on_failure=False)
    assert names(run)[-1] == "weather[1001] (Rome)"


def test_no_secret_is_in_a_name() -> None:
    heard: list[Event] = []
    key = "hunter2-hunter2"

    @task(inputs={"city": each("cities")}, element_name="{city} {key} {city}")
    def weather(city: str, key: Secret[str]) -> None:
        pass

    workflow = Workflow("flow", [Task("cities", lambda: [f"at {key}"]), weather])
    SequentialExecutor(observers=[heard.append]).execute(workflow, {"key": Secret(key)})
    labels = {event.label for event in heard if event.element}
    assert len(labels) == 1
    assert key not in labels.pop()


def test_name_that_cant_be_made_of_an_element_gives_way_to_what_it_was_given() -> None:
    run = SequentialExecutor(state_store=MemoryStateStore()).execute(
        flow(["Oslo"], as_is, element_name="{city.name}")
    )
    assert names(run) == ["weather[0] (Oslo)"]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("{town}", r"Task 'w': element_name '{town}': {town} is no parameter of its function\."),
        ("{citi}", r"{citi} is no parameter of its function; did you mean 'city'\?"),
        ("{city.x} {row[0]}", r"{row\[0\]} is no parameter"),
        ("{}", r"\{\} names no parameter"),
        ("{0}", r"\{0\} names no parameter"),
        ("{city", r"can't be read"),
        ("city}", r"can't be read"),
        ("", r"element_name must be text"),
        (7, r"element_name must be text"),
    ],
)
def test_bad_name_is_refused_when_the_task_is_made(name: Any, words: str) -> None:
    with pytest.raises(DefinitionError, match=words):
        Task("w", weather, element_name=name)


def test_plan_names_what_it_would_run_and_what_it_would_restore(tmp_path: Path) -> None:
    store = SQLiteStateStore(tmp_path / "state.db")
    mapped = Task("size", as_is, inputs={"city": each("cities")}, element_name="at {city}")
    workflow = Workflow("flow", [mapped])
    first = workflow.plan({"cities": ["Oslo", "Bergen"]}, state_store=store)
    assert [task.label for task in first if task.element] == ["at Oslo", "at Bergen"]
    SequentialExecutor(state_store=store).execute(workflow, {"cities": ["Oslo", "Bergen"]})
    plan = workflow.plan({"cities": ["Oslo", "Bergen", "Paris"]}, state_store=store)
    told = {task.label: task.action for task in plan if task.element}
    assert told == {"at Oslo": "restore", "at Bergen": "restore", "at Paris": "run"}
    assert plan["size[2]"].shown_name == "size[2] (at Paris)"
    assert "size[2] (at Paris)" in str(plan)
    store.close()


def test_command_names_elements_and_lists_them_in_their_order(tmp_path: Path) -> None:
    project = Project(tmp_path)
    project.write(
        "flow.py",
        """
        from flowweaver import Workflow, each, task

        @task
        def cities() -> list[str]:
            return [f"city {number}" for number in range(12)]

        @task(inputs={"city": each("cities")}, element_name="<{city}>")
        def fetch(city: str) -> str:
            print("in", city)
            if city == "city 4":
                raise ValueError("down")
            return city

        flow = Workflow("flow", [cities, fetch])
        """,
    )
    ran = project.run("run", "flow.py")
    assert "fetch[11] (<city 11>) completed" in ran.stderr
    assert "Error: task 'fetch[4]' (<city 4>) failed: ValueError: down" in ran.stderr
    shown = [
        line.split("  ")[0] for line in project.run("show", "last", "fetch").stdout.split("\n")
    ]
    listed = [line for line in shown if line.startswith("fetch[")]
    assert listed[:12] == [f"fetch[{number}] (<city {number}>)" for number in range(12)]
    assert "--- fetch[10] (<city 10>), attempt 1" in project.run("logs", "last").stdout
    labels = [each["label"] for each in project.json("show", "last")["tasks"] if each["element"]]
    assert sorted(labels) == sorted(f"<city {number}>" for number in range(12))


def test_element_is_called_by_what_is_in_a_parameter() -> None:
    workflow = Workflow(
        "flow",
        [
            Task(
                "named",
                lambda city, units: (city, units.pop("rain")),
                inputs={"city": each("cities")},
                element_name="{city} in {units[rain]}",
            )
        ],
    )
    executor = SequentialExecutor(state_store=MemoryStateStore())
    run = executor.execute(workflow, {"cities": ["Oslo", "Rome"], "units": {"rain": "mm"}})
    labels = [element.shown_name for element in run.tasks["named"].elements]
    assert labels == ["named[0] (Oslo in mm)", "named[1] (Rome in mm)"]
