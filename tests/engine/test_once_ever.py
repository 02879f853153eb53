"""Effects that happen once per run, and once for ever: by their names, and by what they do."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from flowweaver import (
    DefinitionError,
    Executor,
    MemoryStateStore,
    Origin,
    Run,
    SequentialExecutor,
    SQLiteStateStore,
    StateStore,
    Task,
    TaskStatus,
    ThreadedExecutor,
    Workflow,
    each,
)
from flowweaver.engine.history.prune import Retain, prune
from flowweaver.engine.resolution import resolve
from flowweaver.records import TaskRecord
from flowweaver.testing.bodies import LIMIT_SECONDS
from tests.observers.terminal import wait_until

ROOT = Path(__file__).parents[2]


class Sender:
    """A body that notes what it has sent."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, str]] = []

    def task(self, **options: Any) -> Task[..., str]:
        def send(order: str, note: str = "") -> str:
            self.sent.append((order, note))
            return f"sent {order}"

        return Task("send", send, **{"effect": "once_ever", **options})

    def workflow(self, **options: Any) -> Workflow:
        return Workflow("shop", [self.task(**options)])


@pytest.fixture
def sender() -> Sender:
    return Sender()


@pytest.fixture(params=[MemoryStateStore, SQLiteStateStore])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> StateStore:
    made: StateStore = request.param(*[tmp_path / "s.db"][: request.param is SQLiteStateStore])
    return made


def executed(store: StateStore, workflow: Workflow, **params: Any) -> Run:
    return SequentialExecutor(state_store=store).execute(workflow, params, raise_on_failure=False)


def test_once_is_short_for_once_per_run(sender: Sender) -> None:
    for effect in ("once", "once_per_run"):
        (task,) = sender.workflow(effect=effect).compile().tasks
        assert (task.options.effect, task.options.acts_once) == ("once", True)


def test_each_run_has_what_happens_once_per_run(store: StateStore, sender: Sender) -> None:
    for _ in range(2):
        executed(store, sender.workflow(effect="once_per_run"), order="7")
    assert len(sender.sent) == 2


@pytest.mark.parametrize(
    "arguments",
    [{}, {"reuse": "never"}, {"reuse": "completed"}, {"new_run": True}, {"run_id": "other"}],
)
def test_no_run_does_it_again_whatever_is_asked_for(
    store: StateStore, sender: Sender, arguments: Any
) -> None:
    first = executed(store, sender.workflow(), order="7")
    executor = SequentialExecutor(state_store=store)
    for _ in range(2):
        run = executor.execute(sender.workflow(), {"order": "7"}, **arguments)
        assert run["send"] == "sent 7"
        task = run.tasks["send"]
        assert task.origin is Origin.RESTORED
    assert sender.sent == [("7", "")]
    assert (
        f"run {first.id} has done it"
        in executed(store, sender.workflow(), order="7").tasks["send"].reason
    )


def test_other_inputs_are_another_effect(store: StateStore, sender: Sender) -> None:
    for order in ("7", "8", "7", "8"):
        assert executed(store, sender.workflow(), order=order)["send"] == f"sent {order}"
    assert [order for order, _ in sender.sent] == ["7", "8"]


def test_edit_of_the_code_is_no_reason_but_another_version_is(store: StateStore) -> None:
    sent = []
    bodies = (lambda order: sent.append(1), lambda order: sent.append(2))
    for body in bodies:
        executed(store, Workflow("shop", [Task("send", body, effect="once_ever")]), order="7")
    assert sent == [1]
    for version in ("1", "1", "2"):
        task = Task("send", bodies[1], effect="once_ever", version=version)
        executed(store, Workflow("shop", [task]), order="7")
    assert sent == [1, 2, 2]


def test_key_says_which_arguments_an_effect_is_known_by(store: StateStore, sender: Sender) -> None:
    for order, note in (("7", "a"), ("7", "b"), ("8", "b")):
        run = executed(store, sender.workflow(effect_key="order"), order=order, note=note)
        assert run["send"] == f"sent {order}"
    assert sender.sent == [("7", "a"), ("8", "b")]


def test_what_a_task_gives_counts_by_its_value(store: StateStore, sender: Sender) -> None:
    def workflow(version: str) -> Workflow:
        made = Task("made", lambda: "7", version=version)
        return Workflow("shop", [made, sender.task(inputs={"order": "made"})])

    for version in ("1", "2"):
        executed(store, workflow(version))
    assert sender.sent == [("7", "")]


@pytest.mark.parametrize("kind", [SequentialExecutor, ThreadedExecutor])
def test_equal_elements_of_one_run_act_once(
    kind: Callable[..., Executor], store: StateStore, sender: Sender
) -> None:
    workflow = sender.workflow(inputs={"order": each("orders")})
    given = {"orders": ["7", "8", "7", "7", "8"]}
    plan = workflow.plan(given, state_store=store)
    assert {task.action for task in plan if task.element in ("0", "1")} == {"run"}
    assert {task.action for task in plan if task.element in ("2", "3", "4")} == {"unknown"}
    run = kind(state_store=store).execute(workflow, given)
    assert run["send"] == [f"sent {order}" for order in given["orders"]]
    assert sorted(sender.sent) == [("7", ""), ("8", "")]


def test_run_that_goes_on_with_other_inputs_takes_what_another_run_did(
    store: StateStore, sender: Sender
) -> None:
    executed(store, sender.workflow(), order="8")
    orders = iter(("7", "8"))

    def after(send: str) -> str:
        if send == "sent 7":
            raise OSError("away")
        return send

    made = Task("made", lambda: next(orders), cache=False, version="1")
    send = sender.task(inputs={"order": "made"})
    workflow = Workflow("shop", [made, send, Task("after", after, version="1")])
    first = executed(store, workflow)
    second = executed(store, workflow)
    assert (second.id, second["after"]) == (first.id, "sent 8")
    assert [order for order, _ in sender.sent] == ["8", "7"]


def test_plan_decides_as_the_run_does(store: StateStore, sender: Sender) -> None:
    workflow = sender.workflow()
    assert workflow.plan({"order": "7"}, state_store=store)["send"].action == "run"
    executed(store, workflow, order="7")
    planned = workflow.plan({"order": "7"}, state_store=store, reuse="never")["send"]
    assert planned.action == "restore"
    assert "once for ever" in planned.reason
    assert workflow.plan({"order": "8"}, state_store=store)["send"].action == "run"


def test_who_insists_has_it_done_again(store: StateStore, sender: Sender) -> None:
    executed(store, sender.workflow(), order="7")
    executor = SequentialExecutor(state_store=store)
    executor.execute(sender.workflow(), {"order": "7"}, force=["send"])
    assert len(sender.sent) == 2


def test_body_that_raised_has_not_acted(store: StateStore) -> None:
    tried: list[str] = []

    def send(order: str) -> None:
        tried.append(order)
        if len(tried) == 1:
            raise OSError("away")

    workflow = Workflow("shop", [Task("send", send, effect="once_ever")])
    assert executed(store, workflow, order="7").tasks["send"].status is TaskStatus.FAILED
    executor = SequentialExecutor(state_store=store)
    assert executor.execute(workflow, {"order": "7"}, new_run=True).status.value == "completed"
    assert tried == ["7", "7"]


def test_it_is_known_after_the_upkeep_of_the_store(store: StateStore, sender: Sender) -> None:
    first = executed(store, sender.workflow(), order="7")
    for number in range(3):
        executed(store, sender.workflow(), order=f"other {number}", note="x")
    executed(store, sender.workflow(effect="pure"), order="later")
    assert prune(store, Retain(count=1)).runs == ()
    assert store.run(first.id)
    executed(store, sender.workflow(), order="7")
    assert [order for order, _ in sender.sent].count("7") == 1


# Where it is not known whether it happened ---------------------------------------------------


CUT_SHORT = """
import os, sys
from flowweaver import SequentialExecutor, SQLiteStateStore, Task, Workflow

def send(order, note=""):
    open(sys.argv[2], "a").write(note)
    if note == "dies":
        os._exit(9)
    return note

task = Task("send", send, effect="once_ever", effect_key="order")
executor = SequentialExecutor(state_store=SQLiteStateStore(sys.argv[1]))
run = executor.execute(
    Workflow("shop", [task]), {"order": "7", "note": sys.argv[3]}, raise_on_failure=False
)
print(run.tasks["send"].status.value, run.tasks["send"].error)
"""


def in_process(folder: Path, note: str) -> subprocess.CompletedProcess[str]:
    arguments = [str(folder / "s.db"), str(folder / "sent"), note]
    return subprocess.run(
        [sys.executable, "-c", CUT_SHORT, *arguments], cwd=ROOT, capture_output=True, text=True
    )


@pytest.mark.parametrize(("done", "sent"), [(True, "dies"), (False, "dieslater")])
def test_run_with_the_same_effect_stops_for_a_person(tmp_path: Path, done: bool, sent: str) -> None:
    assert in_process(tmp_path, "dies").returncode == 9
    store = SQLiteStateStore(tmp_path / "s.db")
    (first,) = store.runs()
    for _ in range(2):
        stopped = in_process(tmp_path, "later")
        assert stopped.stdout.startswith("failed "), stopped.stderr
        assert f"flowweaver resolve {first.id} send --done" in stopped.stdout
    assert (tmp_path / "sent").read_text() == "dies"
    resolve(store, first.id, "send", done=done, result="said so")
    assert in_process(tmp_path, "later").stdout.startswith("completed ")
    assert (tmp_path / "sent").read_text() == sent
    (run,) = (run for run in store.runs() if run.id != first.id)
    (record,) = store.tasks(run.id)
    assert record.origin is (Origin.RESTORED if done else Origin.EXECUTED)


def test_run_waits_for_nobody_who_is_at_it_and_takes_what_came_of_it(store: StateStore) -> None:
    sent: list[str] = []
    go_on = threading.Event()

    def send(order: str, note: str) -> str:
        sent.append(note)
        assert go_on.wait(LIMIT_SECONDS)
        return note

    workflow = Workflow("shop", [Task("send", send, effect="once_ever", effect_key="order")])
    first = threading.Thread(target=executed, args=(store, workflow), kwargs=both("first"))
    first.start()
    wait_until(lambda: sent, "the first to begin")
    second = executed(store, workflow, **both("second"))
    assert second.tasks["send"].error is not None
    assert "is doing this now" in second.tasks["send"].error.message
    go_on.set()
    first.join()
    assert executed(store, workflow, **both("second"))["send"] == "first"
    assert sent == ["first"]


def test_that_is_done_while_another_run_looks_is_not_done_by_that(tmp_path: Path) -> None:
    sent: list[str] = []
    go_on = threading.Event()

    def send(order: str, note: str) -> str:
        sent.append(note)
        assert note == "second" or go_on.wait(LIMIT_SECONDS)
        return note

    class Slow(MemoryStateStore):
        """Has the first run completed between what a second one asks and the answer to it."""

        asked = 0

        def find(self, workflow: str, task: str, fingerprint: str) -> TaskRecord | None:
            answer = super().find(workflow, task, fingerprint)
            if sent:
                self.asked += 1
            if self.asked == 2:
                go_on.set()
                first.join()
            return answer

    store = Slow()
    workflow = Workflow("shop", [Task("send", send, effect="once_ever", effect_key="order")])
    first = threading.Thread(target=executed, args=(store, workflow), kwargs=both("first"))
    first.start()
    wait_until(lambda: sent, "the first to begin")
    second = executed(store, workflow, **both("second"))
    assert store.asked >= 2
    assert second.tasks["send"].error is not None
    assert sent == ["first"]


def both(note: str) -> dict[str, str]:
    return {"order": "7", "note": note}


def test_of_many_runs_at_once_at_most_one_acts(store: StateStore) -> None:
    sent: list[str] = []

    def send(order: str, note: str) -> str:
        sent.append(note)
        return order

    workflow = Workflow("shop", [Task("send", send, effect="once_ever", effect_key="order")])
    for order in ("a", "b", "c"):
        ready = threading.Barrier(6)
        before = len(sent)

        def start(note: str, order: str = order, ready: threading.Barrier = ready) -> None:
            ready.wait(LIMIT_SECONDS)
            executed(store, workflow, order=order, note=note)

        threads = [threading.Thread(target=start, args=(str(n),)) for n in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(sent) - before <= 1
        for number in range(6):
            assert executed(store, workflow, order=order, note=str(number))["send"] == order
        assert len(sent) - before == 1


# Definitions ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"effect": "once", "effect_key": "order"}, "say effect='once_ever', too"),
        ({"effect_key": ("ordr",)}, "no parameter 'ordr' .* 'order'"),
        (
            {"effect": "twice"},
            "must be one of 'pure', 'idempotent', 'once', 'once_per_run', 'once_",
        ),
    ],
)
def test_what_makes_no_sense_is_refused(sender: Sender, options: Any, words: str) -> None:
    with pytest.raises(DefinitionError, match=words):
        sender.workflow(**options).compile()
