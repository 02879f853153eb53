"""Which run is meant, by what was asked for and what there is."""

from __future__ import annotations

from dataclasses import replace

import pytest

from flowweaver.errors import StoreError
from flowweaver.records import TARGETS_KEY, ClaimRequest, RunRecord
from flowweaver.status import RunStatus
from flowweaver.which_run import info_of, run_to_continue


def run_of(run_id: str, status: RunStatus = RunStatus.FAILED, key: str = "k") -> RunRecord:
    return RunRecord(run_id, "sales", key, status, created_at=1.0, claimed_at=1.0)


NEWER, OLDER = run_of("newer"), run_of("older")


def test_newest_unfinished_run_is_continued() -> None:
    assert run_to_continue(ClaimRequest("sales", "k"), [NEWER, OLDER], None) is NEWER


def test_without_an_unfinished_run_one_is_made() -> None:
    assert run_to_continue(ClaimRequest("sales", "k"), [], None) is None


def test_unfinished_runs_are_given_up_for_a_new_one() -> None:
    request = ClaimRequest("sales", "k", new_run=True)
    assert run_to_continue(request, [NEWER, OLDER], None) is None


@pytest.mark.parametrize("status", list(RunStatus))
@pytest.mark.parametrize("new_run", [False, True])
def test_run_of_the_id_asked_for_is_continued_whatever_its_status(
    status: RunStatus, new_run: bool
) -> None:
    named = run_of("mine", status)
    request = ClaimRequest("sales", "k", run_id="mine", new_run=new_run)
    assert run_to_continue(request, [NEWER], named) is named


def test_id_that_there_is_not_asks_for_a_run_of_that_id() -> None:
    assert run_to_continue(ClaimRequest("sales", "k", run_id="mine"), [NEWER], None) is None


@pytest.mark.parametrize("request_", [ClaimRequest("other", "k"), ClaimRequest("sales", "l")])
def test_run_of_another_workflow_or_of_other_parameters_is_refused(request_: ClaimRequest) -> None:
    request = ClaimRequest(request_.workflow, request_.key, run_id="mine")
    with pytest.raises(StoreError, match="Run mine belongs to workflow 'sales'"):
        run_to_continue(request, [], run_of("mine"))


@pytest.mark.parametrize("targets", [[], ["report"]])
def test_it_does_not_matter_which_part_is_asked_for(targets: list[str]) -> None:
    request = ClaimRequest("sales", "k", info={TARGETS_KEY: targets})
    assert run_to_continue(request, [NEWER, OLDER], None) is NEWER


def test_run_keeps_what_a_claim_says_over_what_it_had() -> None:
    run = replace(NEWER, info={"python": "3.11", "host": "a"})
    request = ClaimRequest("sales", "k", info={"python": "3.12"})
    assert info_of(request, run) == {"python": "3.12", "host": "a"}


def test_run_of_the_whole_names_no_targets() -> None:
    request = ClaimRequest("sales", "k", info={TARGETS_KEY: []})
    assert info_of(request, None) == {}


@pytest.mark.parametrize(
    ("earlier", "now", "both"),
    [
        (["a"], ["b"], ["a", "b"]),
        (["a"], [], None),
        (None, ["a"], None),
        (["a"], None, ["a"]),
    ],
)
def test_what_was_asked_for_adds_up(
    earlier: list[str] | None, now: list[str] | None, both: list[str] | None
) -> None:
    run = replace(NEWER, info={} if earlier is None else {TARGETS_KEY: earlier})
    request = ClaimRequest("sales", "k", info={} if now is None else {TARGETS_KEY: now})
    assert info_of(request, run).get(TARGETS_KEY) == both
