"""What a claim does to runs, and what is said to those who get none. The same for every store."""

from __future__ import annotations

import json
import os
import platform
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from flowweaver.plugins import info_of, run_to_continue
from flowweaver.records import ClaimRequest, Lease, RunRecord
from flowweaver.status import RunStatus


class Holder(NamedTuple):
    """Who works on a run, and since when (seconds since the epoch)."""

    host: str
    pid: int
    since: float

    @classmethod
    def here(cls) -> Holder:
        """Return this process, from now on."""
        return cls(platform.node(), os.getpid(), time.time())

    def __str__(self) -> str:
        since = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(self.since))
        ours = self.pid == os.getpid() and self.host == platform.node()
        return f"{'this process' if ours else 'process'} {self.pid} on {self.host} since {since}"


class Settlement(NamedTuple):
    """What a claim changes: the run it got and the runs it gave up, as they are to be stored."""

    run: RunRecord
    continued: bool
    abandoned: tuple[RunRecord, ...] = ()


def settle(
    request: ClaimRequest,
    unfinished: Sequence[RunRecord],
    named: RunRecord | None,
    taken: Callable[[str], bool],
) -> Settlement:
    """Return what a claim changes: the run it gets, by `run_to_continue`, and those it gives up.

    `unfinished` are the unfinished runs of its workflow and key, newest first; `named` is the run
    of the id asked for, if there is one; `taken` says whether an id is in use.
    """
    chosen = run_to_continue(request, unfinished, named)
    run = _begun(request, taken) if chosen is None else _continued(request, chosen)
    given_up = [old for old in unfinished if request.new_run and old.id != run.id]
    return Settlement(run, chosen is not None, tuple(map(_abandoned, given_up)))


def _begun(request: ClaimRequest, taken: Callable[[str], bool]) -> RunRecord:
    now = time.time()
    run_id = request.run_id or new_run_id(now)
    while request.run_id is None and taken(run_id):
        run_id = new_run_id(now)
    return RunRecord(
        id=run_id,
        workflow=request.workflow,
        key=request.key,
        status=RunStatus.RUNNING,
        created_at=now,
        claimed_at=now,
        token=1,
        runner=_runner(),
        params=dict(request.params),
        info=plain(info_of(request, None)),
    )


def _continued(request: ClaimRequest, run: RunRecord) -> RunRecord:
    return replace(
        run,
        status=RunStatus.RUNNING,
        claimed_at=time.time(),
        finished_at=None,
        token=run.token + 1,
        runner=_runner(),
        info=plain(info_of(request, run)),
        # Who goes on has records of its own, and what they come to is not known yet.
        seal=None,
        base=None,
    )


def _abandoned(run: RunRecord) -> RunRecord:
    # The token grows, so that whoever still works on the run is fenced off.
    finished_at = time.time() if run.finished_at is None else run.finished_at
    return replace(run, status=RunStatus.ABANDONED, finished_at=finished_at, token=run.token + 1)


def new_run_id(now: float) -> str:
    """Return an id that sorts by time (UTC, to the second), such as 20261123-141502-3fa9c1."""
    return f"{time.strftime('%Y%m%d-%H%M%S', time.gmtime(now))}-{os.urandom(3).hex()}"


def plain(info: Mapping[str, object]) -> dict[str, object]:
    """Return a run's `info` as it comes back from JSON, sharing nothing with the original."""
    answer: dict[str, object] = json.loads(json.dumps(dict(info)))
    return answer


def lease_key(lease: Lease) -> tuple[str, int]:
    """Return what tells one lease from another: the run and its token."""
    return lease.run.id, lease.run.token


def locked_by(workflow: str, holder: Holder | None) -> str:
    """Say that a run is being worked on, by whom, and what one can do."""
    return (
        f"This run of workflow {workflow!r} is being worked on by {holder or 'another process'}. "
        "Wait for it with --wait (wait=...), or supersede it with --take-over (take_over=True)."
    )


def _runner() -> str:
    return f"{platform.node()}:{os.getpid()}"
