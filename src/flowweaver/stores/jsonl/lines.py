"""What the lines of a JSON store say: results, runs, commits, source; and what they add up to."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from flowweaver.errors import StoreError
from flowweaver.records import Changes, ResultRecord, RunRecord
from flowweaver.stores.common import problems, wire
from flowweaver.stores.common.results import LARGE, ResultFiles, Unused, verified
from flowweaver.stores.common.shape import DAMAGE
from flowweaver.stores.common.tables import Tables
from flowweaver.stores.jsonl.frames import DamagedLineError, Line
from flowweaver.stores.jsonl.journal import Journal

_TASKS_A_LINE = 1000


class Stored(NamedTuple):
    """Where a result stands in the file, the bytes of its value, and what it is signed with."""

    start: int
    length: int
    size: int
    spilled: bool
    signature: str | None


class Content:
    """What the lines taken in add up to. Results stay on disk; only where they stand is kept."""

    def __init__(self, store: Path) -> None:
        self._store = store
        self.reset()

    def reset(self) -> None:
        """Forget everything."""
        self.tables = Tables()
        self.results: dict[str, Stored] = {}
        self._written = self._overwritten = 0

    def replay(self, line: Line) -> None:
        """Take in one line.

        Raises:
            DamagedLineError: It is whole, but makes no sense.
        """
        try:
            self._replay(line, json.loads(line.payload))
        except DAMAGE as error:
            raise DamagedLineError(f"the line at byte {line.start} makes no sense") from error

    def _replay(self, line: Line, data: dict[str, Any]) -> None:
        if "result" in data:
            spilled = "size" in data
            size = data["size"] if spilled else len(wire.value_from_json(data).data)
            stored = Stored(line.start, len(line.payload), size, spilled, data.get("signature"))
            self.results[data["result"]] = stored
            return
        for run in data.get("runs", ()):
            self.tables.put_run(wire.run_from_json(run))
        self.tables.put_code(data.get("code", {}))
        if "run" in data:
            changes = _changes(data["run"], data)
            self._written += len(changes.tasks)
            self._overwritten += self.tables.apply(data["run"], changes)

    @property
    def is_mostly_past(self) -> bool:
        """Whether most TaskRuns in the file were written again later on."""
        return 2 * self._overwritten > self._written

    def result(self, digest: str, journal: Journal, files: ResultFiles) -> ResultRecord:
        """Return a result, verified."""
        stored = self.results.get(digest)
        if stored is None:
            raise problems.result_lost(self._store, digest, "it is missing")
        try:
            data = json.loads(journal.read(stored.start, stored.length))
            codec = data["codec"]
            raw = None if stored.spilled else wire.value_from_json(data).data
        except DAMAGE as error:
            raise problems.result_lost(self._store, digest, "its line is damaged") from error
        if raw is None:
            return ResultRecord(files.encoded(digest, codec, stored.size), stored.signature)
        return ResultRecord(verified(self._store, digest, codec, raw), stored.signature)

    def forget_results(self, digests: Iterable[str]) -> None:
        """Leave results out of the next file."""
        for digest in digests:
            self.results.pop(digest, None)

    def orphans(self, files: ResultFiles) -> list[str]:
        """Return the digests of files that belong to no result."""
        return [digest for digest in files.sizes() if digest not in self.results]

    def unused(self, files: ResultFiles) -> Unused:
        """Return what nothing refers to."""
        referenced = self.tables.referenced()
        return Unused(
            {key: found.size for key, found in self.results.items() if key not in referenced},
            {key: size for key, size in files.sizes().items() if key not in self.results},
            {key: len(self.tables.code[key].encode()) for key in self.tables.unused_code()},
        )

    def faults(self, journal: Journal, files: ResultFiles, deep: bool) -> list[str]:
        """Return what is wrong beyond the lines themselves, in words."""
        referenced = sorted(self.tables.referenced())
        wrong = [f"result {key} is missing" for key in referenced if key not in self.results]
        for digest in sorted(self.results) if deep else ():
            try:
                self.result(digest, journal, files)
            except StoreError as error:
                wrong.append(str(error))
        return wrong


def commit_lines(
    content: Content, run_id: str | None, changes: Changes, runs: Sequence[RunRecord]
) -> list[bytes]:
    """Return the lines of a commit: first the results that are new, then the rest in one."""
    made = [
        _result_line(record)
        for record in changes.results
        if _is_new(record, content.results.get(record.encoded.digest))
    ]
    line: dict[str, Any] = {}
    if runs:
        line["runs"] = [wire.run_to_json(run) for run in runs]
    if changes.code:
        line["code"] = changes.code
    if changes.tasks or changes.attempts or changes.state:
        line["run"] = run_id
        line["tasks"] = [wire.task_to_json(record) for record in changes.tasks]
        line["attempts"] = [wire.attempt_to_json(record) for record in changes.attempts]
        line["state"] = [wire.state_to_json(record) for record in changes.state]
    return [*made, wire.packed(line)] if line else made


def live_lines(content: Content, journal: Journal) -> list[bytes]:
    """Return the lines of a file that holds what is live, and nothing else."""
    tables = content.tables
    made = [journal.read(found.start, found.length) for found in content.results.values()]
    runs = list(reversed(tables.runs(None, None)))
    heads = {"runs": [wire.run_to_json(run) for run in runs], "code": dict(tables.code)}
    made.append(wire.packed(heads))
    for run in runs:
        made.extend(commit for part in _parts(tables, run.id) for commit in part)
    return made


def _parts(tables: Tables, run_id: str) -> Iterator[list[bytes]]:
    nothing = Content(Path())
    tasks = tables.own_tasks(run_id)
    for start in range(0, len(tasks), _TASKS_A_LINE):
        chunk = tasks[start : start + _TASKS_A_LINE]
        yield commit_lines(nothing, run_id, Changes(tasks=chunk), [])
    rest = Changes(attempts=tables.attempts(run_id), state=tables.states(run_id))
    yield commit_lines(nothing, run_id, rest, [])


def _result_line(record: ResultRecord) -> bytes:
    encoded = record.encoded
    data: dict[str, Any] = {"result": encoded.digest}
    if len(encoded.data) > LARGE:
        data |= {"codec": encoded.codec, "size": len(encoded.data)}
    else:
        data |= wire.value_to_json(encoded.codec, bytes(encoded.data))
    if record.signature is not None:
        data["signature"] = record.signature
    return wire.packed(data)


def _is_new(record: ResultRecord, stored: Stored | None) -> bool:
    return stored is None or stored.signature != record.signature


def _changes(run_id: str, data: dict[str, Any]) -> Changes:
    return Changes(
        tasks=[wire.task_from_json(run_id, task) for task in data["tasks"]],
        attempts=[wire.attempt_from_json(run_id, attempt) for attempt in data["attempts"]],
        state=[wire.state_from_json(run_id, item) for item in data["state"]],
    )
