"""Runs with a store: what is done is never done again, on any executor."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from flowweaver.definitions.edges import each
from flowweaver.definitions.task import Task
from flowweaver.definitions.workflow import Workflow
from flowweaver.engine.stop import Stop
from flowweaver.errors import NoResultError
from flowweaver.events import Event, EventKind
from flowweaver.records import Failure
from flowweaver.run import Run
from flowweaver.state_store import StateStore
from flowweaver.status import Origin, RunStatus, TaskStatus
from flowweaver.stores.jsonl.store import JSONStateStore
from flowweaver.stores.memory import MemoryStateStore
from flowweaver.stores.sqlite.store import SQLiteStateStore
from flowweaver.testing import bodies, failing_bodies
from flowweaver.testing.executor_parts.base import ExecutorKit, RunIt, task_of

OpenStore = Callable[[], StateStore]
_STORES: dict[str, Callable[[Path], StateStore]] = {
    "json": lambda folder: JSONStateStore(folder / "state.json"),
    "sqlite": lambda folder: SQLiteStateStore(folder / "state.db"),
}


def _summary(run: Run) -> dict[str, tuple[str, int, str | None, str]]:
    return {
        name: (
            task.status.value,
            task.attempts,
            task.origin and task.origin.value,
            repr(run[name]) if task.status is TaskStatus.COMPLETED else _kind_of(task.error),
        )
        for name, task in run.tasks.items()
    }


def _kind_of(error: Failure | None) -> str:
    return "" if error is None else error.kind


def _mixed(folder: str) -> Workflow:
    """Something of everything: kinds of functions, retries, a failure and what depends on it."""
    return Workflow(
        "mixed",
        [
            Task("one", bodies.one),
            Task("async", bodies.one_async),
            task_of("sum", bodies.add_later, inputs={"left": "one", "right": "async"}),
            task_of("flaky", failing_bodies.fail_until, folder, 2, "flaky", options={"retries": 1}),
            task_of("away", failing_bodies.fail_while_away, folder, "away"),
            task_of("needs it", bodies.give, inputs={"value": "away"}),
            task_of("all", bodies.collect, after=("sum", "flaky")),
        ],
    )


FIRST_TIME = {
    "one": ("completed", 1, "executed", "1"),
    "async": ("completed", 1, "executed", "1"),
    "sum": ("completed", 1, "executed", "2"),
    "flaky": ("completed", 2, "executed", "2"),
    "away": ("failed", 1, None, "ConnectionError"),
    "needs it": ("upstream_failed", 0, None, "UpstreamFailed"),
    "all": ("completed", 1, "executed", "{'sum': 2, 'flaky': 2}"),
}
CONTINUED = {
    "one": ("completed", 1, "restored", "1"),
    "async": ("completed", 1, "restored", "1"),
    "sum": ("completed", 1, "restored", "2"),
    "flaky": ("completed", 2, "restored", "2"),
    "away": ("completed", 2, "executed", "'away'"),
    "needs it": ("completed", 1, "executed", "'away'"),
    "all": ("completed", 1, "restored", "{'sum': 2, 'flaky': 2}"),
}


class Resuming(ExecutorKit):
    """The same runs whatever the store, and none of them twice."""

    @pytest.fixture(params=_STORES)
    def open_store(self, request: pytest.FixtureRequest, tmp_path: Path) -> OpenStore:
        """Open the same store anew, as another process would."""
        return lambda: _STORES[request.param](tmp_path)

    def test_run_is_the_same_without_a_store(self, run: RunIt, folder: str) -> None:
        assert _summary(run(_mixed(folder), raise_on_failure=False)) == FIRST_TIME

    def test_run_is_the_same_in_memory(self, run: RunIt, folder: str) -> None:
        executor = self.make_executor(MemoryStateStore())
        first = run(_mixed(folder), executor=executor, raise_on_failure=False)
        assert _summary(first) == FIRST_TIME

    def test_failed_run_is_continued_and_nothing_done_is_done_again(
        self, run: RunIt, folder: str, open_store: OpenStore
    ) -> None:
        first = run(
            _mixed(folder), executor=self.make_executor(open_store()), raise_on_failure=False
        )
        assert (first.status, _summary(first)) == (RunStatus.FAILED, FIRST_TIME)
        bodies.raise_flag(folder, "away")
        second = run(_mixed(folder), executor=self.make_executor(open_store()))
        assert second.id == first.id
        assert (second.status, _summary(second)) == (RunStatus.COMPLETED, CONTINUED)
        assert sorted(bodies.notes(folder)) == ["away", "away", "flaky 1", "flaky 2"]

    def test_completed_run_is_followed_by_one_that_restores_all(
        self, run: RunIt, folder: str, open_store: OpenStore
    ) -> None:
        bodies.raise_flag(folder, "away")
        first = run(_mixed(folder), executor=self.make_executor(open_store()))
        done = bodies.notes(folder)
        second = run(_mixed(folder), executor=self.make_executor(open_store()))
        assert second.id != first.id
        assert {task.origin for task in second.tasks.values()} == {Origin.RESTORED}
        assert [second[name] for name in second.tasks] == [first[name] for name in first.tasks]
        assert bodies.notes(folder) == done

    def test_what_a_body_was_seen_to_read_counts(
        self, run: RunIt, folder: str, open_store: OpenStore
    ) -> None:
        workflow = Workflow("w", [task_of("t", bodies.names_of_tables, folder)])
        path = Path(folder, "first.csv")
        path.touch()
        run(workflow, executor=self.make_executor(open_store()))
        unchanged = run(workflow, executor=self.make_executor(open_store()))
        assert unchanged.tasks["t"].origin is Origin.RESTORED
        path.with_name("second.csv").touch()
        changed = run(workflow, executor=self.make_executor(open_store()))
        assert changed["t"] == ["first.csv", "second.csv"]

    def test_failed_task_has_a_fresh_retry_budget(
        self, run: RunIt, folder: str, open_store: OpenStore
    ) -> None:
        flaky = task_of("t", failing_bodies.fail_until, folder, 4, options={"retries": 1})
        workflow = Workflow("budget", [flaky])
        first = run(workflow, executor=self.make_executor(open_store()), raise_on_failure=False)
        assert first.tasks["t"].attempts == 2
        second = run(workflow, executor=self.make_executor(open_store()))
        assert (second["t"], second.tasks["t"].attempts) == (4, 4)

    def test_new_run_gives_the_unfinished_one_up(
        self, run: RunIt, folder: str, open_store: OpenStore
    ) -> None:
        workflow = Workflow("w", [task_of("t", failing_bodies.fail_while_away, folder, "away")])
        first = run(workflow, executor=self.make_executor(open_store()), raise_on_failure=False)
        bodies.raise_flag(folder, "away")
        second = run(workflow, executor=self.make_executor(open_store()), new_run=True)
        assert second.id != first.id
        statuses = {record.id: record.status for record in open_store().runs()}
        assert statuses == {first.id: RunStatus.ABANDONED, second.id: RunStatus.COMPLETED}

    def test_run_id_can_be_given_and_is_continued(
        self, run: RunIt, folder: str, open_store: OpenStore
    ) -> None:
        workflow = Workflow("w", [task_of("t", failing_bodies.fail_while_away, folder, "away")])
        for _ in range(2):
            made = run(
                workflow,
                executor=self.make_executor(open_store()),
                run_id="2024-01-31",
                raise_on_failure=False,
            )
            assert made.id == "2024-01-31"
            bodies.raise_flag(folder, "away")
        assert made.status is RunStatus.COMPLETED
        assert [record.id for record in open_store().runs()] == ["2024-01-31"]

    def test_other_parameters_make_another_run(
        self, run: RunIt, folder: str, open_store: OpenStore
    ) -> None:
        workflow = Workflow("w", [task_of("t", failing_bodies.fail_noting, folder)])
        ids = [
            run(
                workflow,
                {"name": name},
                executor=self.make_executor(open_store()),
                raise_on_failure=False,
            ).id
            for name in ("a", "b", "a")
        ]
        assert ids[0] == ids[2] != ids[1]

    def test_workflows_have_results_in_common_unless_told_otherwise_and_nothing_else(
        self, run: RunIt, folder: str, open_store: OpenStore
    ) -> None:
        made = {}
        for name, scope in (("one", "store"), ("other", "store"), ("apart", "workflow")):
            workflow = Workflow(name, [task_of("same", bodies.told, folder)])
            executor = self.make_executor(open_store())
            made[name] = run(workflow, {"name": "x"}, executor=executor, cache_scope=scope)
        assert len({each.id for each in made.values()}) == 3
        origins = [each.tasks["same"].origin for each in made.values()]
        assert origins == [Origin.EXECUTED, Origin.RESTORED, Origin.EXECUTED]
        assert bodies.notes(folder) == ["x", "x"]

    def test_other_version_runs_a_task_again_and_what_its_result_changes(
        self, run: RunIt, folder: str, open_store: OpenStore
    ) -> None:
        def workflow(version: str, value: int) -> Workflow:
            return Workflow(
                "w",
                [
                    task_of("t", bodies.give, value, options={"version": version}),
                    task_of("after", bodies.give, inputs={"value": "t"}),
                    task_of("beside", bodies.told, folder, "beside"),
                ],
            )

        run(workflow("1", 10), executor=self.make_executor(open_store()))
        made = run(workflow("2", 20), executor=self.make_executor(open_store()))
        assert [made[name] for name in ("t", "after")] == [20, 20]
        assert made.tasks["beside"].origin is Origin.RESTORED

    def test_reuse_can_be_turned_off(self, run: RunIt, folder: str, open_store: OpenStore) -> None:
        workflow = Workflow("w", [task_of("t", bodies.told, folder, "t")])
        for _ in range(2):
            made = run(workflow, executor=self.make_executor(open_store()), reuse="never")
            assert made.tasks["t"].origin is Origin.EXECUTED
        assert bodies.notes(folder) == ["t", "t"]

    def test_stopped_run_is_continued(self, run: RunIt, folder: str, open_store: OpenStore) -> None:
        stop = Stop()

        def seen(event: Event) -> None:
            if event.kind is EventKind.TASK_STARTED:
                stop.set()
                bodies.raise_flag(folder, "go")

        workflow = Workflow(
            "stopped",
            [
                task_of("first", bodies.wait_for_flag, folder, "go", "first"),
                task_of("second", bodies.told, folder, "second", after=("first",)),
            ],
        )
        executor = self.make_executor(open_store(), observers=(seen,))
        first = run(workflow, executor=executor, stop=stop)
        assert first.status is RunStatus.CANCELLED
        second = run(workflow, executor=self.make_executor(open_store()))
        assert (second.id, second.status) == (first.id, RunStatus.COMPLETED)
        assert bodies.notes(folder) == ["first begins", "first ends", "second"]

    def test_completion_is_in_the_store_before_anyone_is_told(
        self, run: RunIt, open_store: OpenStore
    ) -> None:
        store, there = open_store(), []

        def seen(event: Event) -> None:
            if event.kind is EventKind.TASK_FINISHED:
                records = {record.task: record for record in store.tasks(event.run.id)}
                there.append((event.task, records[event.task].status))

        tasks = [Task("t", bodies.one), task_of("after", bodies.give, inputs={"value": "t"})]
        run(Workflow("w", tasks), executor=self.make_executor(store, observers=(seen,)))
        assert there == [("t", TaskStatus.COMPLETED), ("after", TaskStatus.COMPLETED)]

    @pytest.mark.parametrize(
        "value",
        [0, 0.0, -0.0, False, None, "", b"\x00x", [], (), {1: (1, 2)}, {"a": {1, 2}}, 2**200, 1j],
        ids=repr,
    )
    def test_value_comes_back_as_it_was_returned(
        self, run: RunIt, open_store: OpenStore, value: Any
    ) -> None:
        workflow = Workflow(
            "values", [task_of("value", bodies.give, value), Task("seen", bodies.describe)]
        )
        for _ in range(2):
            made = run(workflow, executor=self.make_executor(open_store()))
            assert made["seen"] == f"{type(value).__name__} {value!r}"
            assert repr(made["value"]) == repr(value)

    def test_result_that_cant_be_stored_fails_its_task_at_once(
        self, run: RunIt, folder: str, open_store: OpenStore
    ) -> None:
        tasks = [
            task_of("bad", failing_bodies.unstorable, folder, "bad", options={"retries": 3}),
            task_of("after", bodies.told, folder, "after", after=("bad",)),
            task_of("beside", bodies.told, folder, "beside"),
        ]
        executor = self.make_executor(open_store())
        made = run(Workflow("w", tasks), executor=executor, raise_on_failure=False)
        assert (made.tasks["bad"].status, made.tasks["bad"].attempts) == (TaskStatus.FAILED, 1)
        assert made.tasks["bad"].error is not None
        assert "['x'][1]" in made.tasks["bad"].error.message
        assert made["beside"] == "beside"
        assert sorted(bodies.notes(folder)) == ["bad", "beside"]

    def test_changing_an_input_changes_it_for_nobody_else(
        self, run: RunIt, open_store: OpenStore
    ) -> None:
        workflow = Workflow(
            "changes",
            [
                task_of("numbers", bodies.give, [1]),
                task_of("a", bodies.append_to, number=2, inputs={"numbers": "numbers"}),
                task_of(
                    "b", bodies.append_to, number=3, inputs={"numbers": "numbers"}, after=("a",)
                ),
            ],
        )
        for _ in range(2):
            made = run(workflow, executor=self.make_executor(open_store()))
            assert [made[name] for name in ("numbers", "a", "b")] == [[1], [1, 2], [1, 3]]

    def test_changing_a_parameter_changes_it_for_nobody_else(
        self, run: RunIt, open_store: OpenStore
    ) -> None:
        workflow = Workflow(
            "changes",
            [
                task_of("a", bodies.append_to, number=2),
                task_of("b", bodies.append_to, number=3, after=("a",)),
                task_of("c", bodies.append_to, inputs={"number": each("more")}, after=("b",)),
            ],
        )
        params = {"numbers": [1], "more": [4, 5]}
        made = run(workflow, params, executor=self.make_executor(open_store()))
        assert [made[name] for name in "abc"] == [[1, 2], [1, 3], [[1, 4], [1, 5]]]
        assert params == {"numbers": [1], "more": [4, 5]}

    def test_file_that_a_task_says_it_makes_is_part_of_its_result(
        self, run: RunIt, folder: str, open_store: OpenStore
    ) -> None:
        made = str(Path(folder, "made.flag"))
        task = task_of("t", bodies.raise_flag, folder, "made", options={"outputs": (made,)})
        origins = []
        for _ in range(3):
            done = run(Workflow("w", [task]), executor=self.make_executor(open_store()))
            origins.append(done.tasks["t"].origin)
            if len(origins) == 2:
                Path(made).write_text("changed")
        assert origins == [Origin.EXECUTED, Origin.RESTORED, Origin.EXECUTED]

    def test_file_that_a_task_says_it_makes_must_be_there(
        self, run: RunIt, folder: str, open_store: OpenStore
    ) -> None:
        missing = str(Path(folder, "missing"))
        task = task_of("t", bodies.raise_flag, folder, "made", options={"outputs": (missing,)})
        executor = self.make_executor(open_store())
        done = run(Workflow("w", [task]), executor=executor, raise_on_failure=False)
        assert _kind_of(done.tasks["t"].error) == "flowweaver.MissingOutputError"

    def test_dropped_results_are_gone_once_used_and_kept_where_nobody_takes_them(
        self, run: RunIt
    ) -> None:
        workflow = Workflow(
            "dropped",
            [
                task_of("big", bodies.give, [1, 2, 3]),
                task_of("size", bodies.describe, inputs={"value": "big"}),
                task_of("both", bodies.collect, after=("big", "size")),
            ],
        )
        made = run(workflow, drop_results=True)
        assert made["both"] == {"big": [1, 2, 3], "size": "list [1, 2, 3]"}
        for gone in ("big", "size"):
            with pytest.raises(NoResultError, match="dropped"):
                made[gone]

    @pytest.mark.parametrize("size", [100, 20_000, 300_000])
    def test_value_of_any_size_is_taken_restored_and_read_whatever_keeps_it(
        self, open_store: OpenStore, size: int
    ) -> None:
        kinds = [kind for kind, needed in bodies.KINDS.items() if not needed or find_spec(needed)]
        for version in ("1", "2"):
            tasks = []
            for kind in kinds:
                check = task_of(
                    f"check_{kind}", bodies.is_sized, kind=kind, size=size, inputs={"value": kind}
                )
                tasks += [
                    task_of(kind, bodies.sized, kind, size),
                    check.with_options(version=version),
                ]
            made = self.make_executor(open_store()).execute(Workflow("sized", tasks))
            for kind in kinds:
                assert made[f"check_{kind}"], kind
                assert bodies.is_sized(made[kind], kind, size), kind

    def test_dropped_results_can_be_read_back_from_a_store(
        self, run: RunIt, open_store: OpenStore
    ) -> None:
        tasks = [
            task_of("big", bodies.give, [1, 2, 3]),
            task_of("size", bodies.describe, inputs={"value": "big"}),
        ]
        executor = self.make_executor(open_store())
        made = run(Workflow("dropped", tasks), executor=executor, drop_results=True)
        assert (made["big"], made["size"]) == ([1, 2, 3], "list [1, 2, 3]")

    def test_many_stored_tasks_run_once_each(self, folder: str, open_store: OpenStore) -> None:
        names = [f"t{n}" for n in range(self.many)]
        workflow = Workflow("many", [task_of(name, bodies.told, folder, name) for name in names])
        self.make_executor(open_store()).execute(workflow)
        asyncio.run(self.make_executor(open_store()).execute_async(workflow))
        assert sorted(bodies.notes(folder)) == sorted(names)
