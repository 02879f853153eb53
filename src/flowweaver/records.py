"""What a state store keeps: plain values, readable without running any code from the data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from flowweaver.serialize import Encoded
from flowweaver.status import Origin, RunStatus, TaskStatus

OVERRIDES_KEY = "overrides"
"""Where a run's `info` has, by task, the digests of the values given in place of tasks."""
FORK_KEY = "fork_of"
"""Where a run's `info` says what run it was made of, if it is a fork."""
TARGETS_KEY = "targets"
"""Where a run's `info` names the tasks that were asked for, if it is a part of its workflow."""

OUTLINE_KEY = "outline"
"""Where a run's `info` names the outline that the store keeps as code, under the run's seal."""
DIFFERS_KEY = "differs"
"""Where the `info` of a run with a base names the list of tasks that it has records of its own for,
kept as code likewise."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Why an attempt, a task or a run failed, as text that survives any process.

    `kind` is the exception's qualified class name, `trace` the formatted traceback with its
    chain of causes, `exit_code` what a worker process ended with (negative: the signal), and
    `causes` names the tasks at the root of an upstream failure. `unresolved` says that nobody
    knows whether the attempt acted.
    """

    kind: str
    message: str
    trace: str = ""
    exit_code: int | None = None
    causes: tuple[str, ...] = ()
    unresolved: bool = False

    def __str__(self) -> str:
        return f"{self.kind}: {self.message}" if self.message else self.kind


@dataclass(slots=True)
class RunRecord:
    """One run. `key` is the digest of its parameters; times are seconds since the epoch.

    `token` grows with every claim and fences off superseded runners; `runner` says who claimed
    it last (``host:pid``); `params` maps parameter names to the digests of their stored values.
    `info` is small JSON for people: versions, executor, what was asked for. `seal` is a digest of
    all that its results depend on, where all of it is done and nothing has to be looked at anew.
    `base` is the run it was restored from: what that has and this has no record of is this run's
    too, restored. As read, it is a run that names no base itself.
    """

    id: str
    workflow: str
    key: str
    status: RunStatus
    created_at: float
    claimed_at: float
    finished_at: float | None = None
    token: int = 0
    runner: str = ""
    params: Mapping[str, str] = field(default_factory=dict)
    info: Mapping[str, object] = field(default_factory=dict)
    seal: str | None = None
    base: str | None = None

    @property
    def targets(self) -> tuple[str, ...]:
        """The tasks that were asked for; none where that is all of the workflow."""
        found = self.info.get(TARGETS_KEY)
        return tuple(map(str, found)) if isinstance(found, list) else ()

    @property
    def overrides(self) -> Mapping[str, str]:
        """By task, the digests of the values given in its place."""
        found = self.info.get(OVERRIDES_KEY)
        return found if isinstance(found, dict) else {}


@dataclass(slots=True)
class TaskRecord:
    """One TaskRun: one task, or one element of a mapped task, in one run.

    `element` is "" for a whole task and "3" or "3.1" for an element of a fan-out. `digest` is
    that of the stored result. `facts` is JSON text: what went into the fingerprint (code,
    version, parameters, inputs), so that a later plan can say what changed. `reason` says in words
    why it was run, restored or skipped, and `cause` the same for programs, where one has to know.
    `source_run` is the run that executed a restored result.
    `attempts` counts starts, those a kill cut short included; `failures` is how much of the
    retry budget they used, and `retry_at` when the next attempt of a retrying one is due.
    `started_at`, `finished_at` and `retry_at` are seconds since the epoch; `duration` is seconds
    by a clock that never goes back, of the attempt that counted. `files` are
    those that the result names; `signature` is set where the bytes of the result could run code.
    `likeness` is set where the digest is not what equal results have in common (see `Encoded`).
    `label` is what an element is called for people: "Oslo".
    `elements` says of a mapped task as a whole how many elements it has, as far as known.
    `seen` are files and lists of files that the body was seen to read, and files that it left
    (see `flowweaver.files.seen`).
    `worker` is who performed the attempt that counted, by a short name; "" where nobody said.
    """

    run_id: str
    task: str
    element: str = ""
    status: TaskStatus = TaskStatus.PENDING
    attempts: int = 0
    failures: int = 0
    retry_at: float | None = None
    origin: Origin | None = None
    fingerprint: str | None = None
    digest: str | None = None
    source_run: str | None = None
    started_at: float | None = None
    finished_at: float | None = None
    duration: float | None = None
    failure: Failure | None = None
    facts: str = ""
    reason: str = ""
    files: tuple[FileRecord, ...] = ()
    signature: str | None = None
    cause: str = ""
    likeness: str = ""
    elements: int = 0
    label: str = ""
    seen: tuple[FileRecord, ...] = ()
    worker: str = ""

    @property
    def known_by(self) -> str | None:
        """What those who take the result know it by, its files aside: the same for equal ones."""
        return self.likeness or self.digest

    @property
    def results(self) -> tuple[str, ...]:
        """The digests of the stored results that it refers to: its own, and what files hold."""
        own = () if self.digest is None else (self.digest,)
        return own + tuple(file.kept for file in self.files if file.kept) if self.files else own


class FileRecord(NamedTuple):
    """A file or folder that is part of a result.

    `digest` is that of its content when the result was committed; `kept` is the digest of the
    stored result that holds the content, "" where none is kept.
    """

    path: str
    digest: str
    kept: str = ""


Standing = tuple[TaskStatus, Origin | None]
"""Where a TaskRun stands, and how a completed one came by its result."""


@dataclass(frozen=True, slots=True)
class Tally:
    """How many TaskRuns of a run stand where, as a store counts them without reading each.

    `tasks` counts whole tasks. Those of them that have elements are in `mapped`, by name, as well,
    and `elements` counts their elements. `last_sign` is when any TaskRun was last heard of.
    """

    tasks: Mapping[Standing, int] = field(default_factory=dict)
    mapped: Mapping[str, Standing] = field(default_factory=dict)
    elements: Mapping[str, Mapping[Standing, int]] = field(default_factory=dict)
    last_sign: float = 0.0


@dataclass(frozen=True, slots=True)
class AttemptRecord:
    """One call of a task's function, kept when it failed or left a log.

    `worker` is who performed it, as with a `TaskRecord`.
    """

    run_id: str
    task: str
    element: str
    number: int
    started_at: float
    duration: float
    failure: Failure | None = None
    log: str = ""
    worker: str = ""


class StateRecord(NamedTuple):
    """One item of `current_task().state`: durable from its assignment, gone with the run.

    `value` is None where the item was deleted.
    """

    run_id: str
    task: str
    element: str
    name: str
    value: Encoded | None


class ResultRecord(NamedTuple):
    """A stored value under its digest; `signature` is set for codecs that can run code."""

    encoded: Encoded
    signature: str | None = None


@dataclass(slots=True)
class Changes:
    """What one commit writes, all of it or nothing."""

    run: RunRecord | None = None
    tasks: list[TaskRecord] = field(default_factory=list)
    results: list[ResultRecord] = field(default_factory=list)
    attempts: list[AttemptRecord] = field(default_factory=list)
    state: list[StateRecord] = field(default_factory=list)
    code: dict[str, str] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(
            self.run or self.tasks or self.results or self.attempts or self.state or self.code
        )


@dataclass(frozen=True, slots=True)
class ClaimRequest:
    """Who wants to work on which run.

    `key` is the digest of the parameters. `run_id` asks for one run by id (made if there is
    none). `new_run` gives up an unfinished one. `wait` is how many seconds to wait for another
    holder (None: for ever). `take_over` supersedes a holder instead of waiting.
    """

    workflow: str
    key: str
    run_id: str | None = None
    new_run: bool = False
    wait: float | None = 0.0
    take_over: bool = False
    params: Mapping[str, str] = field(default_factory=dict)
    results: tuple[ResultRecord, ...] = ()
    info: Mapping[str, object] = field(default_factory=dict)


class Lease(NamedTuple):
    """The right to commit to a run, until released or superseded.

    `run` is the run as claimed and `continued` whether it was begun before. `tasks` are the
    records it already has.
    """

    run: RunRecord
    continued: bool
    tasks: tuple[TaskRecord, ...] = ()

    @property
    def token(self) -> int:
        """The fencing token every commit under this lease is checked against."""
        return self.run.token
