"""Bad definitions, large graphs, odd names, graphs that change under a run."""

import sys
from collections.abc import Callable

import pytest

from flowweaver import (
    RunStatus,
    SequentialExecutor,
    Task,
    TaskStatus,
    ThreadedExecutor,
    Workflow,
    export_mermaid,
)
from flowweaver.report.dot import export_dot
from flowweaver.report.text import export_text
from tests.faults.children import STORES
from tests.faults.definitions import BAD, refused
from tests.faults.names import HOSTILE, hostile_names

BOTH = pytest.mark.parametrize("store", ["sqlite", "json"])
MANY = 100_000


def test_bad_definitions_are_refused_by_name_before_any_body_runs():
    count, wrong = refused()
    assert wrong == []
    assert count == len(BAD)


def link(before: int = 0) -> int:
    return before + 1


def chain(length: int) -> Workflow:
    first = Task("t0", link)
    rest = [Task(f"t{n}", link, inputs={"before": f"t{n - 1}"}) for n in range(1, length)]
    return Workflow("chain", [first, *rest])


def fan(width: int) -> Workflow:
    legs = [Task(f"t{n}", link, inputs={"before": "hub"}) for n in range(width)]
    return Workflow("fan", [Task("hub", link), *legs])


def layers(depth: int, width: int) -> Workflow:
    tasks = [Task(f"t0.{n}", link) for n in range(width)]
    for layer in range(1, depth):
        tasks += [
            Task(f"t{layer}.{n}", link, inputs={"before": f"t{layer - 1}.{n}"})
            for n in range(width)
        ]
    return Workflow("layers", tasks)


@pytest.mark.parametrize(
    ("make", "last"),
    [(lambda: chain(MANY), MANY), (lambda: fan(MANY), 2), (lambda: layers(300, 300), 300)],
    ids=["chain", "fan", "layers"],
)
def test_hundred_thousand_tasks_are_checked_run_and_shown_without_recursion(
    make: Callable[[], Workflow], last: int
):
    limit = sys.getrecursionlimit()
    workflow = make()
    run = SequentialExecutor().execute(workflow)
    assert run.status is RunStatus.COMPLETED
    assert run[list(run.tasks)[-1]] == last
    assert len(export_mermaid(workflow)) > MANY
    assert len(export_dot(workflow)) > MANY
    assert len(export_text(workflow)) > MANY
    assert sys.getrecursionlimit() == limit


def test_hostile_names_are_refused_or_inert_everywhere(tmp_path):
    refused_names, inert, harmful = hostile_names(tmp_path)
    assert harmful == []
    assert refused_names + inert == len(HOSTILE)
    assert refused_names >= 10


class Changing:
    """A workflow that fails at its last task, and is then resumed in a changed form."""

    def __init__(self, store) -> None:
        self.store = store
        self.ran: list[str] = []

    def task(self, name: str, take: Callable[..., object], **options) -> Task:
        def body(**arguments: object) -> object:
            self.ran.append(name)
            return take(**arguments)

        body.__signature__ = __import__("inspect").signature(take)  # type: ignore[attr-defined]
        options.setdefault("version", "1")
        return Task(name, body, **options)

    def execute(self, tasks: list[Task], **params: object):
        self.ran.clear()
        executor = SequentialExecutor(state_store=self.store)
        return executor.execute(Workflow("w", tasks), params, raise_on_failure=False)

    def begin(self, **params: object):
        run = self.execute([self.a(), self.b(), self.fail()], **params)
        assert run.status is RunStatus.FAILED
        return run

    def a(self, **options) -> Task:
        return self.task("a", lambda p=1: [p], **options)

    def b(self, **options) -> Task:
        return self.task("b", lambda a: [*a, "b"], **options)

    def last(self, take: Callable[..., object] = lambda b: b, **options) -> Task:
        return self.task("last", take, **options)

    def fail(self) -> Task:
        def no(b: list[object]) -> None:
            raise ValueError("not yet")

        return self.task("last", no)


@pytest.fixture(params=["sqlite", "json"])
def changing(request, tmp_path):
    store = STORES[request.param](tmp_path)
    yield Changing(store)
    store.close()


class TestChangedGraph:
    """Whatever changes between two executions, no stale value is used."""

    def test_task_added(self, changing):
        first = changing.begin()
        more = changing.task("more", lambda a: len(a))
        run = changing.execute([changing.a(), changing.b(), more, changing.last()])
        assert run.id == first.id
        assert changing.ran == ["more", "last"]

    def test_task_removed(self, changing):
        changing.begin()
        run = changing.execute([changing.a(), changing.last(lambda a: a)])
        assert run["last"] == [1]
        assert changing.ran == ["last"]
        assert list(run.tasks) == ["a", "last"]

    def test_task_renamed(self, changing):
        changing.begin()
        renamed = changing.task("c", lambda a: [*a, "c"])
        run = changing.execute([changing.a(), renamed, changing.last(lambda c: c)])
        assert run["last"] == [1, "c"]
        assert changing.ran == ["c", "last"]

    def test_edge_changed(self, changing):
        changing.begin()
        other = changing.task("other", lambda: ["o"])
        b = changing.task("b", lambda a: [*a, "b"], inputs={"a": "other"})
        run = changing.execute([changing.a(), other, b, changing.last()])
        assert run["last"] == ["o", "b"]
        assert changing.ran == ["other", "b", "last"]

    def test_body_edited(self, changing):
        changing.begin()
        edited = changing.task("a", lambda p=1: [p, "edited"], version="2")
        run = changing.execute([edited, changing.b(), changing.last()])
        assert run["last"] == [1, "edited", "b"]
        assert changing.ran == ["a", "b", "last"]

    def test_body_edited_to_the_same_result(self, changing):
        changing.begin()
        run = changing.execute([changing.a(version="2"), changing.b(), changing.last()])
        assert run["last"] == [1, "b"]
        assert changing.ran == ["a", "last"]

    def test_parameter_changed(self, changing):
        first = changing.begin(p=1)
        run = changing.execute([changing.a(), changing.b(), changing.last()], p=2)
        assert run.id != first.id
        assert run["last"] == [2, "b"]
        assert changing.ran == ["a", "b", "last"]


@BOTH
def test_workflows_with_the_same_task_names_in_one_store_never_meet(tmp_path, store):
    kept = STORES[store](tmp_path)
    for value in (1, 2):
        made = Workflow(f"number {value}", [Task("t", lambda value=value: value, version="1")])
        run = ThreadedExecutor(2, state_store=kept).execute(made)
        assert run["t"] == value
        assert run.tasks["t"].status is TaskStatus.COMPLETED
    again = Workflow("number 1", [Task("t", lambda: 1, version="1")])
    assert SequentialExecutor(state_store=kept).execute(again)["t"] == 1
    kept.close()
