"""What a plan says is what the following run does; where nobody can know, it says so."""

from __future__ import annotations

import random
from typing import Any

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from flowweaver import (
    MemoryStateStore,
    Origin,
    SequentialExecutor,
    Skip,
    Task,
    TaskStatus,
    Workflow,
    each,
)
from flowweaver.engine.parameters import key_of
from flowweaver.planned import Plan, PlannedTask
from flowweaver.records import Changes, ClaimRequest, TaskRecord
from flowweaver.run import Run

NOT_COME_TO = (TaskStatus.SKIPPED, TaskStatus.UPSTREAM_FAILED)
TRIGGERS = ("all_success", "all_success", "all_done", "any_success", "any_failed")


def execute(
    workflow: Workflow, store: MemoryStateStore, params: dict[str, Any] | None = None, **wish: Any
) -> Run:
    executor = SequentialExecutor(state_store=store)
    return executor.execute(workflow, params, raise_on_failure=False, **wish)


def actions(plan: Plan) -> dict[str, str]:
    return {planned.name: planned.action for planned in plan}


def fails(**_: Any) -> None:
    raise ValueError("no")


def skips_twos(x: Any) -> Any:
    if x == 2:
        raise Skip("no data")
    return x


def fails_at_twos(x: Any) -> Any:
    return fails() if x == 2 else x


def one(**_: Any) -> int:
    return 1


def never() -> bool:
    return False


class TestFanOut:
    def paired(self, version: str = "1", more: Any = None) -> Workflow:
        inputs: dict[str, Any] = {"x": each("v")} | ({"a": "a"} if more else {})
        first = Task("m", lambda x, a=0: x + a, inputs=inputs, version=version)
        tasks = [first, Task("m2", lambda y: y, inputs={"y": each("m")})]
        return Workflow("w", [*tasks, more] if more else tasks)

    def test_elements_paired_with_what_would_run_are_planned_each(self) -> None:
        plan = self.paired().plan({"v": [1, 2]}, state_store=MemoryStateStore())
        assert actions(plan) == dict.fromkeys(["m", "m[0]", "m[1]", "m2", "m2[0]", "m2[1]"], "run")
        assert plan["m2"].reason == "all of its 2 elements are"

    def test_an_element_added_to_the_list_runs_alone(self) -> None:
        store, workflow = MemoryStateStore(), self.paired()
        execute(workflow, store, {"v": [1, 2]})
        plan = workflow.plan({"v": [1, 2, 3]}, state_store=store)
        assert [planned.action for planned in plan if planned.element] == [
            *("restore", "restore", "run"),
            *("restore", "restore", "unknown"),
        ]
        assert plan["m"].reason == "1 of its 3 elements are"
        assert plan["m2[2]"].reason == "depends on what `m[2]` gives"

    def test_reuse_switched_off_runs_every_element(self) -> None:
        store, workflow = MemoryStateStore(), self.paired()
        execute(workflow, store, {"v": [1, 2]})
        plan = workflow.plan({"v": [1, 2]}, state_store=store, reuse="never")
        assert {planned.action for planned in plan} == {"run"}

    def test_behind_a_forced_mapped_task_it_depends_on_each_element(self) -> None:
        store, workflow = MemoryStateStore(), self.paired()
        execute(workflow, store, {"v": [1, 2]})
        plan = workflow.plan({"v": [1, 2]}, state_store=store, force=["m"])
        assert actions(plan) == {
            **dict.fromkeys(["m", "m[0]", "m[1]"], "run"),
            **dict.fromkeys(["m2", "m2[0]", "m2[1]"], "unknown"),
        }

    def test_element_may_equal_another_whose_inputs_are_not_there_either(self) -> None:
        def made(halve: Any, keep: Any) -> Workflow:
            tasks = [Task("m", halve, inputs={"x": each("v")}), Task("m2", keep, inputs=of_m)]
            return Workflow("w", tasks)

        store, params, of_m = MemoryStateStore(), {"v": [2, 3]}, {"y": each("m")}
        execute(made(lambda x: x // 2, lambda y: y), store, params)
        plan = made(lambda x: x >> 1, lambda y: y + 0).plan(params, state_store=store)
        assert (plan["m2"].action, plan["m2[1]"].action) == ("run", "unknown")
        assert plan["m2[1]"].reason.endswith(
            ", unless another of its elements, which takes the same, is done first"
        )

    def test_elements_that_wait_for_a_changed_task_are_unknown(self) -> None:
        store = MemoryStateStore()
        execute(self.paired(more=Task("a", lambda: 1, version="1")), store, {"v": [1, 2]})
        changed = self.paired(more=Task("a", lambda: 1, version="2"))
        plan = changed.plan({"v": [1, 2]}, state_store=store)
        assert plan["a"].action == "run"
        assert {planned.action for planned in plan if planned.task != "a"} == {"unknown"}
        assert plan["m[0]"].reason == "depends on what `a` gives"

    def test_what_can_not_be_mapped_over_would_fail_and_take_its_successors_along(self) -> None:
        workflow = Workflow(
            "w",
            [
                Task("m", lambda x: x, inputs={"x": each("v")}),
                Task("total", lambda m: m),
                Task("alarm", one, depends_on=["m"], trigger="any_failed"),
            ],
        )
        plan = workflow.plan({"v": 3}, state_store=MemoryStateStore())
        assert actions(plan) == {"m": "run", "total": "skip", "alarm": "run"}
        assert plan["m"].reason.startswith("it would fail: each('v') needs a list")
        assert plan["total"].reason == "nothing comes of `m`"


class TestTriggersAndConditions:
    def test_an_alarm_whose_dependencies_are_restored_is_skipped_with_all_behind_it(self) -> None:
        alarm = Task("alarm", one, depends_on=["a"], trigger="any_failed")
        child = Task("child", one, depends_on=["alarm"])
        workflow, store = Workflow("w", [Task("a", one), alarm, child]), MemoryStateStore()
        execute(workflow, store)
        plan = workflow.plan(state_store=store)
        assert actions(plan) == {"a": "restore", "alarm": "skip", "child": "skip"}
        assert plan["alarm"].reason == "nothing that it depends on fails"
        assert plan["child"].reason == "nothing comes of `alarm`"
        assert not plan.would_run

    def test_an_alarm_behind_what_would_run_is_unknown(self) -> None:
        alarm = Task("alarm", one, depends_on=["a"], trigger="any_failed")
        plan = Workflow("w", [Task("a", one), alarm]).plan(state_store=MemoryStateStore())
        assert actions(plan) == {"a": "run", "alarm": "unknown"}
        assert plan["alarm"].reason == "depends on whether `a` fails"

    def test_a_condition_decides_itself_and_so_does_what_needs_its_task(self) -> None:
        tasks = [
            Task("c", lambda: 1, when=never),
            Task("needs", lambda c: c),
            Task("without", lambda c=0: c),
        ]
        plan = Workflow("w", tasks).plan(state_store=MemoryStateStore())
        assert actions(plan) == {"c": "unknown", "needs": "unknown", "without": "run"}
        assert plan["c"].reason == "never ran; its condition never decides"
        assert plan["needs"].reason == "depends on what becomes of `c`"

    def test_a_result_from_before_the_last_run_may_still_be_restored(self) -> None:
        tasks = [
            Task("c", lambda x: x, when=lambda x: x > 5),
            Task("b", one, depends_on=["c"], trigger="any_success"),
        ]
        workflow, store = Workflow("w", tasks), MemoryStateStore()
        execute(workflow, store, {"x": 6})
        execute(workflow, store, {"x": 1})
        plan = workflow.plan({"x": 6}, state_store=store, force=["c"])
        assert plan["b"].action == "unknown"


def test_what_takes_a_list_with_failures_in_it_is_left_open() -> None:
    unlisted = Task("unlisted", one, inputs={"x": each(each("v"))})
    marked = Task(
        "marked", one, inputs={"x": each("v")}, depends_on=["unlisted"], allow_failures=True
    )
    workflow = Workflow("w", [unlisted, marked, Task("after", lambda marked: len(marked))])
    store, params = MemoryStateStore(), {"v": [1, 2]}
    first = execute(workflow, store, params)
    plan = workflow.plan(params, state_store=store)
    again = execute(workflow, store, params)
    assert first.tasks["marked"].elements[0].status is TaskStatus.UPSTREAM_FAILED
    assert (plan["after"].action, again.tasks["after"].origin) == ("unknown", Origin.RESTORED)


class TestSkippedLastTime:
    """What was skipped is tried again, and the plan says so in the words of the run."""

    def over(self, items: list[Any], body: Any = None, **options: Any) -> Workflow:
        one = Task("m", body or skips_twos, inputs={"x": each("v")}, **options)
        after = Task("n", lambda y: y, inputs={"y": each("m")})
        return Workflow("w", [Task("v", lambda: items, version=str(items)), one, after])

    def test_element_whose_body_skipped_it_runs_and_may_skip_itself_again(self) -> None:
        store = MemoryStateStore()
        execute(self.over([1, 2, 3]), store)
        plan = self.over([1, 2, 3]).plan(state_store=store)
        why = "was skipped last time (its body skipped it: no data)"
        assert (plan["m[1]"].action, plan["m[1]"].reason) == ("run", why)
        unknown = ("unknown", "depends on what becomes of `m[1]`")
        assert (plan["n[1]"].action, plan["n[1]"].reason) == unknown
        assert plan["m[2]"].action == plan["n[2]"].action == "restore"

    def test_what_was_not_met_decides_again(self) -> None:
        store, workflow = MemoryStateStore(), Workflow("w", [Task("c", one, when=never)])
        execute(workflow, store)
        planned = workflow.plan(state_store=store)["c"]
        assert planned.action == "unknown"
        assert planned.reason == "was skipped last time; its condition never decides"

    def test_run_gives_the_reason_that_was_planned(self) -> None:
        store, is_there = MemoryStateStore(), False

        def asks() -> int:
            if not is_there:
                raise Skip("not there yet")
            return 1

        workflow = Workflow("w", [Task("a", asks, version="1"), Task("b", lambda a: a)])
        execute(workflow, store)
        plan, is_there = workflow.plan(state_store=store), True
        run = execute(workflow, store)
        assert plan["a"].reason == run.tasks["a"].reason
        assert (plan["b"].action, plan["b"].reason) == ("unknown", "depends on what becomes of `a`")
        assert run.tasks["b"].reason == "was skipped last time"

    def test_run_that_goes_on_was_not_cut_short_where_it_skipped(self) -> None:
        store = MemoryStateStore()
        workflow = Workflow("w", [Task("a", skips_twos), Task("f", fails)])
        execute(workflow, store, {"x": 2})
        reason = workflow.plan({"x": 2}, state_store=store)["a"].reason
        assert reason == "was skipped last time (its body skipped it: no data)"

    def test_another_element_in_its_place_has_neither_its_past_nor_its_name(self) -> None:
        store = MemoryStateStore()
        execute(self.over([1, 2, "x"]), store)
        execute(self.over([1, "new", 2, "x"]), store, targets=["v"])
        plan = self.over([1, "new", 2, "x"]).plan(state_store=store)
        assert (plan["m[1]"].reason, plan["m[1]"].label) == ("never ran", "new")
        assert plan["m[2]"].label == "2"
        assert (plan["n[1]"].label, plan["n[2]"].label) == ("", "")

    def test_element_that_failed_says_nothing_of_another_in_its_place(self) -> None:
        store = MemoryStateStore()
        execute(self.over([1, 2], fails_at_twos), store)
        changed = self.over([1, 3, 2], fails_at_twos)
        execute(changed, store, targets=["v"])
        assert changed.plan(state_store=store)["m[1]"].reason == "input `x` changed"


class TestUnfinishedRuns:
    def test_a_task_that_was_not_come_to_never_ran(self) -> None:
        workflow = Workflow("w", [Task("up", fails), Task("b", lambda up: up)])
        store = MemoryStateStore()
        execute(workflow, store)
        plan = workflow.plan(state_store=store)
        assert plan["up"].reason == "failed last time"
        assert (plan["b"].action, plan["b"].reason) == ("run", "never ran")

    def test_it_is_continued_although_another_has_completed_since(self) -> None:
        store = MemoryStateStore()
        failing = Workflow("w", [Task("a", one, version="1"), Task("b", fails, version="1")])
        sound = Workflow("w", [Task("a", one, version="1"), Task("b", one, version="1")])
        failed = execute(failing, store)
        execute(sound, store, run_id="other", reuse="never")
        plan = sound.plan(state_store=store)
        assert plan.run_id == failed.id
        run = execute(sound, store)
        assert run.id == failed.id
        assert actions(plan) == {"a": "restore", "b": "restore"}
        assert {task.origin for task in run.tasks.values()} == {Origin.RESTORED}

    def test_an_effect_nobody_knows_the_end_of_waits_for_a_person(self) -> None:
        pay = Task("pay", lambda: 1, effect="once")
        workflow, store = Workflow("w", [pay, Task("then", lambda pay: pay)]), MemoryStateStore()
        self.kill_during(store, "w", "pay")
        plan = workflow.plan(state_store=store)
        assert actions(plan) == {"pay": "unknown", "then": "unknown"}
        assert plan["pay"].reason.startswith("attempt 1 was cut short; it may have acted")
        assert "flowweaver resolve RUN TASK --done" in plan["pay"].reason

    def kill_during(self, store: MemoryStateStore, workflow: str, task: str) -> None:
        """Leave the store as a kill does in the middle of a task."""
        lease = store.claim(ClaimRequest(workflow, key_of({})))
        begun = TaskRecord(lease.run.id, task, status=TaskStatus.RUNNING, attempts=1)
        store.commit(lease, Changes(tasks=[begun]))
        store.release(lease)


class TestModes:
    def test_by_name_a_result_is_restored_whatever_its_inputs_come_to(self) -> None:
        def made(version: str) -> Workflow:
            tasks = [Task("a", one, cache=False), Task("b", lambda a: a, version=version)]
            return Workflow("w", tasks)

        store = MemoryStateStore()
        execute(made("1"), store)
        plan = made("2").plan(state_store=store, reuse="completed")
        assert actions(plan) == {"a": "run", "b": "restore"}

    def test_what_no_other_run_may_stand_in_for_runs_whatever_its_inputs_come_to(self) -> None:
        workflow = Workflow("w", [Task("a", one), Task("b", lambda a: a, cache=False)])
        store = MemoryStateStore()
        execute(workflow, store)
        plan = workflow.plan(state_store=store, force=["a"])
        assert (plan["b"].action, plan["b"].reason) == ("run", "it is not cached")


# Any workflow against the run that follows ---------------------------------------------------


def made(seed: int, edits: list[int], *, failing: bool) -> Workflow:
    """Return a workflow made by `seed`, with some of its tasks edited."""
    rng = random.Random(seed)
    workflow = Workflow("random")
    mapped: list[str] = []
    plain: list[str] = []
    for number in range(rng.randint(2, 8)):
        name, edit = f"t{number}", edits.count(number)
        options: dict[str, Any] = {
            "trigger": rng.choice(TRIGGERS),
            "cache": rng.random() < 0.9,
            "effect": rng.choice(["pure"] * 8 + ["idempotent", "once"]),
            "version": f"{edit}" if rng.random() < 0.7 else None,
        }
        bad = failing and rng.random() < 0.3
        # An edit changes what is returned, or only the version.
        constant = rng.randint(0, 2) + (edit if rng.random() < 0.5 else 0)
        before = rng.sample(plain + mapped, min(number, rng.randint(0, 3)))
        if rng.random() < 0.4:
            source = rng.choice(["v", *plain, *mapped, *mapped])
            depth = rng.choice([1, 1, 1, 2])
            marked = each(source) if depth == 1 else each(each(source))
            options["allow_failures"] = rng.random() < 0.3
            if rng.random() < 0.3:
                options["when"] = rng.choice([odd, even, never])
            body = element(constant, bad=bad)
            inputs: dict[str, Any] = {"x": marked}
            mapped.append(name)
        else:
            if rng.random() < 0.3:
                options["when"] = rng.choice([always, never])
            body = plain_body(constant, bad=bad, hard=rng.random() < 0.6)
            inputs = dict(zip(("a", "b"), before, strict=False))
            before = before[2:]
            plain.append(name)
        workflow.add_task(
            Task(name, body, inputs=inputs, **options), depends_on=[b for b in before if b != name]
        )
    return workflow


def odd(x: Any) -> bool:
    return len(str(x)) % 2 == 1


def even(x: Any) -> bool:
    return len(str(x)) % 2 == 0


def always() -> bool:
    return True


def element(constant: int, *, bad: bool) -> Any:
    def compute(x: Any) -> Any:
        if bad and len(str(x)) % 3 == 0:
            raise ValueError(str(x))
        return [constant] * 2 if constant else x

    return compute


def plain_body(constant: int, *, bad: bool, hard: bool) -> Any:
    def soft(a: Any = 0, b: Any = 0) -> Any:
        if bad:
            raise ValueError("bad")
        return [constant, [1, constant]][: constant + 1] if constant < 4 else constant

    def strict(a: Any, b: Any) -> Any:
        return soft(a, b)

    return strict if hard else soft


def belies(planned: PlannedTask, run: Run, lists: set[str]) -> bool:
    """Whether a run did otherwise than planned; a list did what its elements did."""
    item = run.tasks[planned.name]
    parts = item.elements if planned.name in lists else [item]
    ran = item.status is TaskStatus.FAILED or any(
        part.status is TaskStatus.FAILED or part.origin is Origin.EXECUTED for part in parts
    )
    if planned.action == "run":
        # What was to run may have been kept from it by a failure that nobody could foresee.
        prevented = any(part.status is TaskStatus.UPSTREAM_FAILED for part in (item, *parts))
        # Where failures are allowed an element fails alone, and the whole task completes.
        parts_of_all = [p for one in run.tasks.values() for p in (one, *one.elements)]
        failed = any(part.status is TaskStatus.FAILED for part in parts_of_all)
        return not ran and not (prevented and failed)
    if planned.action == "restore":
        return ran or item.status is not TaskStatus.COMPLETED
    return planned.action == "skip" and (ran or item.status not in NOT_COME_TO)


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@example(seed=56687, failing=True, rounds=[("completed", 0)])
@given(
    seed=st.integers(0, 1_000_000),
    failing=st.booleans(),
    rounds=st.lists(
        st.tuples(
            st.sampled_from(["again", "edit", "force", "downstream", "never", "completed", "list"]),
            st.integers(0, 7),
        ),
        min_size=1,
        max_size=3,
    ),
)
def test_a_plan_agrees_with_the_run_that_follows(
    seed: int, failing: bool, rounds: list[tuple[str, int]]
) -> None:
    store, edits, values = MemoryStateStore(), [], [1, 22]
    for kind, number in [("again", 0), *rounds]:
        edits += [number] * (kind == "edit")
        values = [*values, 3] if kind == "list" else values
        workflow = made(seed, edits, failing=failing)
        wish: dict[str, Any] = {"reuse": kind} if kind in ("never", "completed") else {}
        if kind in ("force", "downstream"):
            names = list(workflow.compile().index)
            wish = {"force": [names[number % len(names)]], "force_downstream": kind == "downstream"}
        params = {name: values if name == "v" else 7 for name in workflow.parameters}
        plan = workflow.plan(params, state_store=store, **wish)
        run = execute(workflow, store, params, **wish)
        wiring = workflow.compile()
        lists = {wiring.tasks[node].name for node in wiring.mapped}
        assert [planned for planned in plan if belies(planned, run, lists)] == []
        for name in lists:
            elements = {element.name for element in run.tasks[name].elements}
            assert elements <= {*actions(plan)} or plan[name].action in ("unknown", "run")
