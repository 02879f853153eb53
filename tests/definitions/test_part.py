"""A part of a workflow: what was asked for, and what that needs."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from flowweaver import ParameterError, Workflow, each, task
from flowweaver.definitions.part import part_again, part_of


def fetch(url: str) -> list[int]:
    return [len(url)]


def clean(fetch: list[int]) -> list[int]:
    return fetch


@task(inputs={"row": each("clean")})
def parse(row: int, sep: str) -> int:
    return row


def report(parse: list[int], title: str) -> str:
    return title


def audit(fetch: list[int]) -> int:
    return len(fetch)


sales = Workflow("sales", [fetch, report, clean, parse, audit])
whole = sales.compile()


def test_all_is_asked_for_by_default() -> None:
    part = part_of(whole)
    assert part.wiring is whole
    assert (part.targets, part.afresh) == ((), frozenset())


def test_target_comes_with_what_it_needs_in_the_order_of_the_workflow() -> None:
    part = part_of(whole, ["clean"])
    assert [task.name for task in part.wiring.tasks] == ["fetch", "clean"]
    assert part.wiring.preds == [(), (0,)]
    assert part.targets == ("clean",)


def test_names_are_resolved_as_in_the_whole() -> None:
    wiring = part_of(whole, "parse").wiring
    assert [(item.name, item.node) for item in wiring.mapped[2].inputs] == [("row", 1)]
    assert set(wiring.parameters) == {"url", "sep"}


def test_targets_that_need_all_are_the_whole() -> None:
    part = part_of(whole, ["audit", "report"])
    assert part.wiring is whole
    assert part.targets == ()


def test_edges_given_as_tasks_were_added_hold_in_a_part() -> None:
    workflow = Workflow("later")
    workflow.add_task(fetch)
    workflow.add_task(audit, name="first", inputs={"fetch": "fetch"})
    workflow.add_task(clean, depends_on=["first"])
    workflow.add_task(audit)
    wiring = part_of(workflow.compile(), ["clean"]).wiring
    assert [task.name for task in wiring.tasks] == ["fetch", "first", "clean"]
    assert wiring.preds == [(), (0,), (0, 1)]


def test_from_a_task_are_it_and_all_behind_it_with_what_they_need() -> None:
    part = part_of(whole, from_=["clean"])
    assert set(part.wiring.index) == {"fetch", "clean", "parse", "report"}
    assert part.targets == ("report",)
    assert part.afresh == {"clean", "parse", "report"}


def test_from_a_task_to_a_target_is_what_lies_between() -> None:
    part = part_of(whole, ["parse"], from_="clean")
    assert set(part.wiring.index) == {"fetch", "clean", "parse"}
    assert part.afresh == {"clean", "parse"}


def test_forced_tasks_are_executed_with_all_behind_them_if_wanted() -> None:
    assert part_of(whole, force=["clean"]).afresh == {"clean"}
    assert part_of(whole, force=["clean"], downstream=True).afresh == {"clean", "parse", "report"}
    assert part_of(whole, ["clean"], force=["fetch"], downstream=True).afresh == {"fetch", "clean"}


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda: part_of(whole, ["reprot"]), "has no task 'reprot'; did you mean 'report'"),
        (lambda: part_of(whole, ["parse[3]"]), "no task 'parse\\[3\\]', only 'parse' as a whole"),
        (lambda: part_of(whole, from_=["cleen"]), "has no task 'cleen'; did you mean 'clean'"),
        (lambda: part_of(whole, force=["cleen"]), "has no task 'cleen'; did you mean 'clean'"),
        (lambda: part_of(whole, ["audit"], from_="clean"), "'clean' is not needed for 'audit'"),
        (lambda: part_of(whole, ["audit"], force=["clean"]), "'clean' is not needed for 'audit'"),
        (lambda: part_of(whole, []), "targets names no task"),
    ],
)
def test_what_can_not_be_asked_for_is_refused(ask: Callable[[], object], message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        ask()


def test_part_of_an_earlier_run_is_without_tasks_that_there_are_no_more() -> None:
    assert set(part_again(whole, ["clean", "gone"]).index) == {"fetch", "clean"}
    assert part_again(whole, ["gone"]) is whole
    assert part_again(whole, []) is whole
