"""What can be a body, what it is given, and what it can know of itself."""

from __future__ import annotations

import asyncio
from contextvars import ContextVar
from typing import Any

import pytest

from flowweaver.definitions.task import Task
from flowweaver.definitions.workflow import Workflow
from flowweaver.engine.body.current import current_task
from flowweaver.errors import FlowWeaverError
from flowweaver.status import Origin, RunStatus, TaskStatus
from flowweaver.testing import bodies
from flowweaver.testing.executor_parts.base import ExecutorKit, RunIt, needs, task_of

_colour = ContextVar("colour", default="none")


def _read_colour() -> str:
    return _colour.get()


async def _read_colour_async() -> str:
    await asyncio.sleep(0)
    return _colour.get()


def _paint(colour: str) -> str:
    _colour.set(colour)
    return _colour.get()


class Calling(ExecutorKit):
    """Functions of every kind, their arguments and results."""

    def test_empty_workflow_completes(self, run: RunIt) -> None:
        made = run(Workflow("empty"))
        assert (made.status, list(made.tasks)) == (RunStatus.COMPLETED, [])

    def test_results_flow_by_the_names_of_parameters(self, run: RunIt) -> None:
        pair = [Task("left", bodies.one), Task("right", bodies.one)]
        made = run(Workflow("sums", [*pair, Task("sum", bodies.add)]))
        assert [made[name] for name in ("left", "right", "sum")] == [1, 1, 2]

    def test_executor_is_closed_by_its_block_and_works_again(self) -> None:
        workflow = Workflow("one", [Task("one", bodies.one)])
        with self.make_executor() as executor:
            assert executor.execute(workflow)["one"] == 1
        assert executor.execute(workflow)["one"] == 1
        executor.close()

    def test_results_flow_by_inputs_to_names_that_are_no_identifiers(self, run: RunIt) -> None:
        made = run(
            Workflow(
                "sums",
                [
                    Task("the 1st", bodies.one),
                    Task("<sum>", bodies.add, inputs={"left": "the 1st", "right": "the 1st"}),
                ],
            )
        )
        assert made["<sum>"] == 2

    def test_async_functions_are_awaited(self, run: RunIt) -> None:
        pair = [Task("left", bodies.one_async), Task("right", bodies.one_async)]
        made = run(Workflow("sums", [*pair, Task("sum", bodies.add_async)]))
        assert made["sum"] == 2

    def test_sync_and_async_functions_feed_each_other(self, run: RunIt) -> None:
        made = run(
            Workflow(
                "sums",
                [
                    Task("left", bodies.one_async),
                    Task("right", bodies.one),
                    Task("sum", bodies.add),
                    Task("more", bodies.add_async, inputs={"left": "sum", "right": "left"}),
                ],
            )
        )
        assert made["more"] == 3

    def test_awaitables_that_plain_functions_return_are_awaited(self, run: RunIt) -> None:
        made = run(
            Workflow(
                "sums",
                [
                    Task("left", bodies.promise),
                    Task("right", bodies.promise),
                    Task("sum", bodies.add_later),
                ],
            )
        )
        assert (made["left"], made["sum"]) == (1, 2)

    def test_callables_that_are_no_functions_are_called(self, run: RunIt) -> None:
        made = run(
            Workflow(
                "scaled",
                [
                    Task("number", bodies.one),
                    Task("object", bodies.Scale(3)),
                    Task("method", bodies.Scale(4).method),
                    task_of("partial", bodies.add, right=5, inputs={"left": "number"}),
                    Task("class", dict),
                ],
            )
        )
        assert [made[name] for name in ("object", "method", "partial", "class")] == [3, 4, 6, {}]

    def test_function_that_takes_any_keyword_gets_all_direct_dependencies(self, run: RunIt) -> None:
        made = run(
            Workflow(
                "all",
                [
                    Task("first", bodies.one),
                    Task("2nd", bodies.add, inputs={"left": "first", "right": "first"}),
                    Task("all", bodies.collect, depends_on=["first", "2nd"]),
                ],
            )
        )
        assert made["all"] == {"first": 1, "2nd": 2}

    def test_defaults_hold_for_parameters_that_are_not_given(self, run: RunIt) -> None:
        workflow = Workflow("sizes", [Task("shown", bodies.with_defaults)])
        assert run(workflow)["shown"] == "3 m"
        assert run(workflow, {"unit": "cm"})["shown"] == "3 cm"
        assert run(workflow, {"size": 0, "unit": ""})["shown"] == "0 "

    @pytest.mark.parametrize(
        "value", [0, 0.0, False, None, "", b"", [], (), {}, {1: (1, 2)}, b"\x00x"], ids=repr
    )
    def test_value_arrives_as_it_was_returned(self, run: RunIt, value: Any) -> None:
        made = run(
            Workflow(
                "through", [task_of("value", bodies.give, value), Task("seen", bodies.describe)]
            )
        )
        assert made["seen"] == f"{type(value).__name__} {value!r}"
        assert (type(made["value"]), made["value"]) == (type(value), value)

    @needs("shares_memory")
    def test_contextvars_of_the_caller_reach_the_bodies(self, run: RunIt) -> None:
        token = _colour.set("green")
        try:
            made = run(
                Workflow("colours", [Task("sync", _read_colour), Task("async", _read_colour_async)])
            )
        finally:
            _colour.reset(token)
        assert (made["sync"], made["async"]) == ("green", "green")

    @needs("shares_memory")
    def test_contextvars_set_in_a_body_stay_in_it(self, run: RunIt) -> None:
        made = run(
            Workflow(
                "colours",
                [task_of("paint", _paint, "red"), Task("sync", _read_colour, depends_on=["paint"])],
            )
        )
        assert (made["paint"], made["sync"], _colour.get()) == ("red", "none", "none")

    @pytest.mark.parametrize(
        "body",
        [bodies.tell_of_the_attempt, bodies.tell_of_the_attempt_async],
        ids=["sync", "async"],
    )
    def test_body_can_know_what_attempt_it_is(self, run: RunIt, folder: str, body: Any) -> None:
        made = run(Workflow("known", [Task("the task", body, retries=1)]), {"folder": folder})
        assert made["the task"] == {
            "run_id": made.id,
            "workflow": "known",
            "name": "the task",
            "element": "",
            "attempt": 2,
            "idempotency_key": f"{made.id}/the task",
            "logger": "flowweaver.task.the task",
        }

    def test_idempotency_key_is_the_same_for_each_attempt(self, run: RunIt, folder: str) -> None:
        workflow = Workflow("known", [Task("t", bodies.tell_of_the_attempt, retries=1)])
        made = run(workflow, {"folder": folder})
        assert bodies.notes(folder) == [f"1 {made.id}/t", f"2 {made.id}/t"]

    def test_outside_of_a_body_there_is_no_current_task(self, run: RunIt) -> None:
        run(Workflow("sums", [Task("left", bodies.one)]))
        with pytest.raises(FlowWeaverError, match=r"current_task\(\).*outside"):
            current_task()

    def test_many_short_tasks_run_once_each(self, run: RunIt, folder: str) -> None:
        names = [f"t{n}" for n in range(self.many)]
        tasks = [
            task_of(name, bodies.told, name=name, after=(names[n // 2 - 1],) if n > 1 else ())
            for n, name in enumerate(names)
        ]
        made = run(Workflow("many", tasks), {"folder": folder})
        assert sorted(bodies.notes(folder)) == sorted(names)
        assert {task.attempts for task in made.tasks.values()} == {1}
        assert all(made[name] == name for name in names)

    def test_run_tells_how_each_task_went(self, run: RunIt) -> None:
        made = run(
            Workflow("sums", [Task("left", bodies.one), Task("sum", bodies.add)]), {"right": 2}
        )
        assert made.status is RunStatus.COMPLETED
        for task in made.tasks.values():
            assert (task.status, task.attempts) == (TaskStatus.COMPLETED, 1)
            assert (task.origin, task.error) == (Origin.EXECUTED, None)
            assert task.started_at is not None
            assert task.finished_at is not None
            assert made.started_at <= task.started_at <= task.finished_at
            assert task.duration is not None
            assert 0 <= task.duration <= made.duration
        assert made.finished_at is not None
        assert made.started_at <= made.finished_at
        assert made.params == {"right": 2}
