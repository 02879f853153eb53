"""Records to the columns of tables and back: one mapping for every store that speaks SQL.

A database differs from others in how it spells what is in a column, which is its `Spelling`, and
in what finds a row again: numbers of runs and places, which stand before these columns. Behind
them stands a checksum over the whole row.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any, NamedTuple
from zlib import crc32

from flowweaver.records import (
    AttemptRecord,
    Failure,
    FileRecord,
    ResultRecord,
    RunRecord,
    Standing,
    TaskRecord,
)
from flowweaver.status import Origin, RunStatus, TaskStatus
from flowweaver.stores.common.shape import DAMAGE, check_attempt, check_run, check_task

Row = tuple[Any, ...]

RUN = (
    "id", "workflow", "key", "status", "created_at", "claimed_at", "finished_at", "token",
    "runner", "params", "info", "seal", "base",
)  # fmt: skip
TASK = (
    "task", "element", "status", "attempts", "failures", "retry_at", "origin", "fingerprint",
    "digest", "source_run", "started_at", "finished_at", "duration", "failure", "facts", "reason",
    "more", "worker",
)  # fmt: skip
ATTEMPT = ("task", "element", "number", "started_at", "duration", "failure", "log", "worker")
RESULT = ("digest", "codec", "data", "signature")
CODE = ("digest", "source")

# Last fields of a TaskRun, in their order, that stand in "more" only where they are set.
_RARER: Mapping[str, Any] = {"cause": "", "likeness": "", "elements": 0, "label": "", "seen": ()}


class DamagedRowError(Exception):
    """A row is not as it was written; the message says which."""


class Spelling(NamedTuple):
    """How a database writes what is in a column.

    Attributes:
        runs: What stands for the status of a run, by its name.
        tasks: What stands for the status of a TaskRun, by its name.
        origins: What stands for an origin, by its name.
        key: Returns what a digest is kept as: texts of hex may be kept as bytes.
        put: Returns what a value is kept as, where the database takes not every text.
        get: The inverse of `put`.
    """

    runs: Mapping[str, Any]
    tasks: Mapping[str, Any]
    origins: Mapping[str, Any]
    key: Callable[[str], Any]
    put: Callable[[Any], Any]
    get: Callable[[Any], Any]


class Columns:
    """The mapping for one database."""

    def __init__(self, spelling: Spelling) -> None:
        self._key, self._put, self._get = spelling.key, spelling.put, spelling.get
        self._run_codes, self._task_codes = spelling.runs, spelling.tasks
        self._origin_codes = spelling.origins
        self._runs = {code: RunStatus(name) for name, code in spelling.runs.items()}
        self._tasks = {code: TaskStatus(name) for name, code in spelling.tasks.items()}
        self._origins: dict[Any, Origin | None] = {None: None}
        self._origins.update((code, Origin(name)) for name, code in spelling.origins.items())

    def standing(self, status: Any, origin: Any) -> Standing:
        """Return where a TaskRun stands by what its columns say."""
        return self._tasks[status], self._origins[origin]

    # Rows with their checksum.

    def sealed(self, *values: Any) -> Row:
        """Return a row with its checksum, ready to be stored."""
        return (*map(self._put, values), _checksum(values))

    def opened(self, row: Row, what: str) -> Row:
        """Return a row without its checksum, verified; `what` names it if it is damaged."""
        values = self._read(row, what)
        if _checksum(values) != row[-1]:
            raise DamagedRowError(f"{what} fails its checksum")
        return values

    def sealed_task(self, *values: Any) -> Row:
        """Return the row of a TaskRun with its checksum."""
        return (*map(self._put, values), _checksum(_counted(values, 2)))

    def opened_task(self, row: Row, what: str) -> Row:
        """Return the row of a TaskRun without its checksum, verified."""
        values = self._read(row, what)
        if _checksum(_counted(values, 2)) != row[-1]:
            raise DamagedRowError(f"{what} fails its checksum")
        return values

    def sealed_attempt(self, *values: Any) -> Row:
        """Return the row of an attempt with its checksum."""
        return (*map(self._put, values), _checksum(_counted(values, 1)))

    def opened_attempt(self, row: Row, what: str) -> Row:
        """Return the row of an attempt without its checksum, verified."""
        values = self._read(row, what)
        if _checksum(_counted(values, 1)) != row[-1]:
            raise DamagedRowError(f"{what} fails its checksum")
        return values

    def _read(self, row: Row, what: str) -> Row:
        try:
            return tuple(map(self._get, row[:-1]))
        except ValueError as error:
            raise DamagedRowError(f"{what} is not text") from error

    def sealed_run(self, *values: Any, later: slice) -> Row:
        """Return the row of a run with its checksum; `later` are columns added to older tables."""
        return (*map(self._put, values), _checksum(_given(values, later)))

    def opened_run(self, row: Row, what: str, later: slice) -> Row:
        """Return the row of a run without its checksum, verified."""
        values = self._read(row, what)
        if _checksum(_given(values, later)) != row[-1]:
            raise DamagedRowError(f"{what} fails its checksum")
        return values

    # Runs.

    def of_run(self, run: RunRecord) -> Row:
        """Return the columns `RUN` of a run."""
        return (
            run.id,
            run.workflow,
            run.key,
            self._run_codes[run.status.value],
            run.created_at + 0.0,
            run.claimed_at + 0.0,
            None if run.finished_at is None else run.finished_at + 0.0,
            run.token,
            run.runner,
            json.dumps(dict(run.params)),
            json.dumps(dict(run.info)),
            run.seal,
            run.base,
        )

    def run(self, values: Sequence[Any]) -> RunRecord:
        """Return the run of such columns.

        Raises:
            DamagedRowError: They are not of the shape that is written.
        """
        try:
            return check_run(self._run(values))
        except DAMAGE as error:
            raise DamagedRowError(f"run {values[0]} is not as it is written") from error

    def _run(self, values: Sequence[Any]) -> RunRecord:
        id_, workflow, key, status, created, claimed, finished, token, runner, *rest = values
        params, info, seal, base = rest
        return RunRecord(
            id=id_,
            workflow=workflow,
            key=key,
            status=self._runs[status],
            created_at=created,
            claimed_at=claimed,
            finished_at=finished,
            token=token,
            runner=runner,
            params=json.loads(params),
            info=json.loads(info),
            seal=seal,
            base=base,
        )

    # TaskRuns: written and read by the ten thousand, hence with few calls.

    def of_task(self, record: TaskRecord) -> Row:
        """Return the columns `TASK` of a TaskRun."""
        origin, failure = record.origin, record.failure
        fingerprint, digest = record.fingerprint, record.digest
        retry_at, started_at = record.retry_at, record.started_at
        finished_at, duration = record.finished_at, record.duration
        return (
            record.task,
            record.element,
            # By names, whose hashes are cached; that of a member is computed in Python.
            self._task_codes[record.status._value_],
            record.attempts,
            record.failures,
            None if retry_at is None else retry_at + 0.0,
            None if origin is None else self._origin_codes[origin._value_],
            None if fingerprint is None else self._key(fingerprint),
            None if digest is None else self._key(digest),
            record.source_run,
            # A column of floats may keep neither an int nor the sign of a zero.
            None if started_at is None else started_at + 0.0,
            None if finished_at is None else finished_at + 0.0,
            None if duration is None else duration + 0.0,
            None if failure is None else failure_text(failure),
            record.facts,
            record.reason,
            _more_of(record)
            if record.files
            or record.signature is not None
            or record.cause
            or record.likeness
            or record.elements
            or record.label
            or record.seen
            else None,
            record.worker or None,
        )

    def task(self, run_id: str, values: Sequence[Any]) -> TaskRecord:
        """Return the TaskRun of such columns.

        Raises:
            DamagedRowError: They are not of the shape that is written.
        """
        try:
            return check_task(self._task(run_id, values))
        except DAMAGE as error:
            raise DamagedRowError(f"a TaskRun of run {run_id} is not as it is written") from error

    def _task(self, run_id: str, values: Sequence[Any]) -> TaskRecord:
        (
            task, element, status, attempts, failures, retry_at, origin, fingerprint, digest,
            source_run, started_at, finished_at, duration, failure, facts, reason, more, worker,
        ) = values  # fmt: skip
        # By position, which is half as long as by name.
        record = TaskRecord(
            run_id,
            task,
            element,
            self._tasks[status],
            attempts,
            failures,
            retry_at,
            self._origins[origin],
            fingerprint.hex() if fingerprint.__class__ is bytes else fingerprint,
            digest.hex() if digest.__class__ is bytes else digest,
            source_run,
            started_at,
            finished_at,
            duration,
            None if failure is None else failure_from(failure),
            facts,
            reason,
            *(() if more is None else read_more(more)),
        )
        if worker is not None:
            record.worker = sys.intern(worker)  # few workers, and rows by the thousand
        return record

    # The rest.

    def of_attempt(self, record: AttemptRecord) -> Row:
        """Return the columns `ATTEMPT` of an attempt."""
        return (
            record.task,
            record.element,
            record.number,
            record.started_at + 0.0,
            record.duration + 0.0,
            None if record.failure is None else failure_text(record.failure),
            record.log,
            record.worker or None,
        )

    def attempt(self, run_id: str, values: Sequence[Any]) -> AttemptRecord:
        """Return the attempt of such columns.

        Raises:
            DamagedRowError: They are not of the shape that is written.
        """
        try:
            return check_attempt(self._attempt(run_id, values))
        except DAMAGE as error:
            raise DamagedRowError(f"an attempt of run {run_id} is not as it is written") from error

    def _attempt(self, run_id: str, values: Sequence[Any]) -> AttemptRecord:
        task, element, number, started_at, duration, failure, log, worker = values
        read = None if failure is None else failure_from(failure)
        return AttemptRecord(
            run_id, task, element, number, started_at, duration, read, log, worker or ""
        )

    def of_result(self, record: ResultRecord) -> Row:
        """Return the columns `RESULT` of a result; its digest is its checksum."""
        encoded = record.encoded
        return (
            self._key(encoded.digest),
            self._put(encoded.codec),
            encoded.data,
            self._put(record.signature),
        )


def key_of(digest: str) -> bytes | str:
    """Return a digest as its bytes if it is hex, else the text itself."""
    try:
        raw = bytes.fromhex(digest)
    except ValueError:
        return digest
    return raw if raw.hex() == digest else digest


def digest_of(key: bytes | str) -> str:
    """Return the digest that `key_of` was given."""
    return key.hex() if isinstance(key, bytes) else key


def _checksum(values: Sequence[Any]) -> int:
    return crc32(ascii(tuple(values)).encode())


def _counted(values: Sequence[Any], later: int) -> Sequence[Any]:
    """Return what a checksum covers: of so many last columns, those up to the last with a value.

    So the rows of versions that did not have the columns are read as they are.
    """
    end = len(values)
    while later and values[end - 1] is None:
        end, later = end - 1, later - 1
    return values[:end]


def _given(values: Sequence[Any], later: slice) -> Sequence[Any]:
    """Return what the checksum of a run covers: of later columns, those that have a value."""
    added = values[later]
    if added.count(None) == len(added):
        return (*values[: later.start], *values[later.stop :])
    return values


def _more_of(record: TaskRecord) -> str:
    """Return what only few TaskRuns have, as JSON."""
    more: dict[str, Any] = {"files": record.files, "signature": record.signature}
    for name in _RARER:
        if value := getattr(record, name):
            more[name] = value
    return json.dumps(more)


def read_more(text: str) -> tuple[Any, ...]:
    """Return the last fields of a TaskRun from the column "more": from its files onwards."""
    more = json.loads(text)
    files = tuple(FileRecord(*file) for file in more["files"])
    if "seen" in more:
        more["seen"] = tuple(FileRecord(*file) for file in more["seen"])
    return files, more["signature"], *(more.get(name, absent) for name, absent in _RARER.items())


def failure_text(failure: Failure) -> str:
    """Return a failure as JSON."""
    return json.dumps(asdict(failure))


def failure_from(text: str) -> Failure:
    """Return the failure that was written as `text`."""
    values = json.loads(text)
    return Failure(**{**values, "causes": tuple(values["causes"])})
