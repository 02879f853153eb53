"""Records as a commit takes them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from flowweaver.records import (
    Changes,
    Failure,
    FileRecord,
    Lease,
    ResultRecord,
    RunRecord,
    TaskRecord,
)
from flowweaver.serialize.encoded import seal
from flowweaver.state_store import StateStore
from flowweaver.status import Origin, RunStatus, TaskStatus

LIMIT_SECONDS = 30.0
"""How long a test waits for another thread before it fails."""

FINGERPRINT = "0123456789abcdef" * 2

HOSTILE_NAMES = [
    "../../etc/passwd",
    "a b\tc",
    "Robert'); DROP TABLE task;--",
    '"quoted" \\ back',
    "%s {} ${x}",
    "<img src=x onerror=alert(1)>",
    "naïve café 日本語 🦊",
    "e\u0301",
    "\u00e9",
    "x" * 255,
    "__proto__",
    "NULL",
    "0",
]


def result_of(data: bytes, codec: str = "json", signature: str | None = None) -> ResultRecord:
    """Return a result as a commit takes it."""
    return ResultRecord(seal(codec, data), signature)


def completed(
    run_id: str, task: str, result: ResultRecord | None = None, **more: Any
) -> TaskRecord:
    """Return the record of a completed TaskRun."""
    return TaskRecord(
        run_id,
        task,
        status=TaskStatus.COMPLETED,
        attempts=1,
        origin=Origin.EXECUTED,
        digest=None if result is None else result.encoded.digest,
        **more,
    )


def full_record(run_id: str) -> TaskRecord:
    """Return a TaskRun none of whose fields has its default."""
    return TaskRecord(
        run_id=run_id,
        task="fetch",
        element="3.1",
        status=TaskStatus.RETRYING,
        attempts=7,
        failures=3,
        retry_at=1795443309.25,
        origin=Origin.RESTORED,
        fingerprint="ab" * 16,
        digest="cd" * 20,
        source_run="20261122-000000-abcdef",
        started_at=1795443302.125,
        finished_at=1795443303.375,
        duration=1.0625,
        failure=Failure("builtins.ValueError", "no", "Traceback ...", -9, ("a", "b"), True),
        facts='{"code": "ff00"}',
        reason="code changed",
        cause='["accepted", "ann@host"]',
        likeness="ab" * 20,
        elements=3,
        worker="node-7:4711",
        files=(FileRecord("out/a.csv", "ef" * 16, "cd" * 20), FileRecord("out/b", "01" * 16)),
        seen=(FileRecord("in/*.csv", "found 45"), FileRecord("rates.csv", "")),
        signature="23" * 32,
    )


def finish(store: StateStore, lease: Lease, status: RunStatus) -> RunRecord:
    """End a run with a status, release it, and return it as it now is."""
    store.commit(lease, Changes(run=replace(lease.run, status=status, finished_at=99.5)))
    store.release(lease)
    return store.run(lease.run.id)
