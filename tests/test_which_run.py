"""Which run is meant, by what was asked for and what there is."""

from __future__ import annotations

import pytest

from flowweaver.errors import StoreError
from flowweaver.records import ClaimRequest, RunRecord
from flowweaver.status import RunStatus
from flowweaver.which_run import run_to_continue


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
