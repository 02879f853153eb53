"""What a store is told of a run: records gathered for the next commit; observers hear after it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from flowweaver.engine.body.call import Call
from flowweaver.engine.kept_files import content_of
from flowweaver.engine.live import LiveRun
from flowweaver.engine.run_graph import RunGraph
from flowweaver.engine.telling import Teller
from flowweaver.facts import Facts
from flowweaver.records import (
    AttemptRecord,
    Changes,
    FileRecord,
    ResultRecord,
    TaskRecord,
)
from flowweaver.status import Origin, RunStatus, TaskStatus


class Recorder:
    """Gathers the records and events of one run.

    Args:
        live: What is known of the run.
        graph: Its graph.
        teller: Who tells observers, if there are any.
        storing: Whether records are wanted at all.

    Attributes:
        changes: What the next commit is to write; None when there is nothing.
        tells: Whether there are observers.
        is_silent: Whether nobody wants to know anything.
    """

    def __init__(
        self, live: LiveRun, graph: RunGraph, teller: Teller | None, *, storing: bool
    ) -> None:
        self._live = live
        self._run_id = live.record.id
        self._ledger = live.ledger
        self._graph = graph
        self._teller = teller
        self._storing = storing
        # How many elements of each mapped task have been recorded.
        self._elements: dict[int, int] = {}
        self.changes: Changes | None = None
        self.tells = teller is not None
        self.is_silent = not storing and not self.tells

    def committed(self) -> None:
        """The changes are on disk: tell observers what they were about."""
        self.changes = None
        if self._teller is not None:
            self._teller.committed()

    def forget(self) -> None:
        """Drop what was gathered: an interrupt may have torn it."""
        self.changes = None
        if self._teller is not None:
            self._teller.forget()

    def started(self, node: int) -> None:
        """An attempt starts. Told at once; recorded only by `running`."""
        if self._teller is not None:
            self._teller.started(node)

    def running(self, call: Call) -> None:
        """Record that an attempt is under way."""
        if self._storing:
            self._pending().tasks.append(self.begun(call))
            self._grown(call.node)

    def begun(self, call: Call) -> TaskRecord:
        """Return the record of an attempt under way. From any thread."""
        record = self._record(call.node, TaskStatus.RUNNING)
        started = call.started
        record.attempts = call.attempt
        record.started_at = None if started is None else self._ledger.wall(started)
        record.duration = None
        record.worker = call.worker
        return record

    def completed(self, node: int, result: ResultRecord | None, call: Call | None = None) -> None:
        """Record a completion; `result` is None where the result is that of other nodes.

        The log of the `call` that came to it is kept, if there is one.
        """
        if self._storing:
            changes, live, log = self._pending(), self._live, ""
            if call is None:
                record = self._record(node, TaskStatus.COMPLETED)
            else:
                identity = call.task.name, call.element
                record = live.record_at(node, identity, TaskStatus.COMPLETED)
                record.files, record.seen = call.files, call.seen
                record.signature = call.signature
                log = "" if call.log is None else call.log.text()
            record.origin = live.origin_to_be(node)
            if result is not None:
                encoded = result.encoded
                record.digest, record.likeness = encoded.digest, encoded.likeness
                changes.results.append(result)
            changes.tasks.append(record)
            if node >= self._graph.size:
                self._grown(node)
            if call is not None and log:
                changes.attempts.append(self._attempt(call, log))
            if record.label and not self._graph.is_named(node):
                record.label = ""
        if self.tells:
            self._tell_finished(node, TaskStatus.COMPLETED)
        labels = self._graph.labels
        if node in labels and not self._graph.is_named(node):
            del labels[node]

    def keep(self, files: Iterable[FileRecord]) -> tuple[FileRecord, ...]:
        """Keep the content of files in the store; return them with what it is kept under.

        Raises:
            UnstorableError: Something that is no file, folder or link is among them.
        """
        contents = [(file, content_of(file.path)) for file in files]
        self._pending().results.extend([ResultRecord(content) for _, content in contents])
        return tuple(file._replace(kept=content.digest) for file, content in contents)

    def code(self, digest: str, text: str) -> None:
        """Keep the code that made a result, so that a later plan can show what changed."""
        self._pending().code[digest] = text

    def restored(self, node: int, record: TaskRecord, facts: Facts) -> None:
        """Record that a node took its result from `record`, of this run or another."""
        # It may be another element's, also one of this run, whose inputs are the same.
        identity = task, element = self._graph.identity(node)
        if record.run_id != self._run_id or (record.task, record.element) != identity:
            # By position, which is half as long as by name: this is done for a run's every task.
            copy = TaskRecord(
                self._run_id,
                task,
                element,
                TaskStatus.COMPLETED,
                0,
                0,
                None,
                Origin.RESTORED,
                facts.fingerprint,
                record.digest,
                record.source_run or record.run_id,
                record.started_at,
                record.finished_at,
                record.duration,
                None,
                facts.text,
                self._ledger.words(node),
                record.files,
                record.signature,
                likeness=record.likeness,
                worker=record.worker,
                label=self._graph.labels.get(node, record.label),
                seen=record.seen,
            )
            self._pending().tasks.append(copy)
        self._tell_finished(node, TaskStatus.COMPLETED)

    def failed(self, call: Call, delay: float | None) -> None:
        """Record a failed attempt; `delay` is the seconds until the next, None if there is none."""
        node = call.node
        status, failure = self._live.status[node], self._ledger.failures[node]
        if self._storing:
            record = self._record(node, status)
            record.failure = failure
            record.retry_at = None if delay is None else self._ledger.clock.wall() + delay
            self._pending().tasks.append(record)
            self._grown(node)
            text = "" if call.log is None else call.log.text()
            self._pending().attempts.append(self._attempt(call, text))
        if delay is None:
            self._tell_finished(node, status)
        elif self._teller is not None:
            self._teller.retrying(node, failure, delay)

    def skipped(self, call: Call) -> None:
        """Record an attempt whose body had nothing to do."""
        text = "" if call.log is None else call.log.text()
        if self._storing and text:
            self._pending().attempts.append(self._attempt(call, text))
        self.settled(call.node)

    def settled(self, node: int, *, written: bool = True) -> None:
        """Record what became final without an attempt: skipped, upstream failed, cancelled."""
        status = self._live.status[node]
        if self._storing and (written or node in self._elements):
            record = self._record(node, status)
            record.failure = self._ledger.failures.get(node)
            self._pending().tasks.append(record)
        self._tell_finished(node, status)

    def taken_over(self, node: int) -> None:
        """Tell that a node is as it was in the run before; there is nothing to record of it."""
        self._tell_finished(node, TaskStatus.COMPLETED)

    def carried(self, records: Iterable[TaskRecord]) -> None:
        """Record TaskRuns that the run has of its own, as they were in the run before."""
        self._pending().tasks += records

    def finished(
        self,
        status: RunStatus,
        seal: str | None = None,
        base: str | None = None,
        info: Mapping[str, object] | None = None,
    ) -> None:
        """Record that this execution of the run is over; its `seal` if nothing can change of it.

        `base` and `info` are as in `LiveRun.finish`.
        """
        self._live.finish(status, seal, base, info)
        self._pending().run = self._live.record
        if self._teller is not None:
            self._teller.run_finished()

    def _pending(self) -> Changes:
        if self.changes is None:
            self.changes = Changes()
        return self.changes

    def _grown(self, node: int) -> None:
        """Record how many elements the task of an executed one has, if that is news.

        Nothing is written of what is only restored, so that a run costs by what changed.
        """
        if node < self._graph.size:
            return
        task = self._graph.owner(node)
        if self._elements.get(task) != (count := self._graph.counts[task]):
            self._elements[task] = count
            self._pending().tasks.append(self._record(task, TaskStatus.PENDING))

    def _record(self, node: int, status: TaskStatus) -> TaskRecord:
        return self._live.record_at(node, self._graph.identity(node), status)

    def _attempt(self, call: Call, log: str) -> AttemptRecord:
        started = self._ledger.began if call.started is None else call.started
        return AttemptRecord(
            self._run_id,
            call.task.name,
            call.element,
            call.attempt,
            self._ledger.wall(started),
            call.duration,
            None if call.fault is None else call.fault.failure,
            log,
            call.worker,
        )

    def _tell_finished(self, node: int, status: TaskStatus) -> None:
        if self._teller is not None:
            if self._storing:
                self._pending()  # told after a commit, even if that has nothing to write
            self._teller.finished(node, status)
