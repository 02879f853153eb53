"""One TaskRun in full: why it ran, what it took and returned, its attempts and what it printed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from flowweaver.blueprint import Blueprint
from flowweaver.engine.files import digest_with
from flowweaver.engine.history.compare import changed_code
from flowweaver.facts import FactKind, Facts
from flowweaver.files.seen import read_in_words
from flowweaver.names import element_path, task_run_name
from flowweaver.records import AttemptRecord, TaskRecord
from flowweaver.report.counts import outcome
from flowweaver.report.view.failures import failure_json
from flowweaver.report.view.past import Past
from flowweaver.report.view.sources import ShownValue, Source

_LONGEST_RESULT = 2_000
_LONGEST_INPUT = 200
_LONGEST_LOG = 20_000
_MOST_INPUTS = 50
_MOST_READ = 20


class Detailer:
    """Tells TaskRuns of one run in full, each when it is asked for.

    Args:
        source: The run.
        past: The runs before it, to say what changed.
        record_of: Gives the record of a TaskRun by its name, if there is one.
    """

    def __init__(
        self, source: Source, past: Past, record_of: Callable[[str], TaskRecord | None]
    ) -> None:
        self._source = source
        self._record_of = record_of
        self._past = past
        self._attempts: dict[tuple[str, str], list[AttemptRecord]] | None = None
        self._diffs: dict[tuple[str | None, str | None], str] = {}
        self._places = {name: place for place, name in enumerate(source.blueprint.tasks)}

    def forget(self) -> None:
        """Read attempts anew: the run has gone on."""
        self._attempts = None

    def detail(self, record: TaskRecord) -> dict[str, Any]:
        """Return all that is told of one TaskRun; what there is none of is left out."""
        name = task_run_name(record.task, record.element)
        told: dict[str, Any] = {"name": name, "outcome": outcome(record)}
        told["label"] = record.label
        told |= _plain(record)
        told |= self._changes(record)
        told["inputs"] = self._inputs(record)
        told["read"] = read_in_words(record.seen, _MOST_READ)
        if record.digest is not None:
            told["result"] = self._value(record.digest, _LONGEST_RESULT)
        told["attempts"] = [_attempt(each) for each in self._attempts_of(record)]
        return {key: value for key, value in told.items() if value not in (None, [], "", {})}

    def parameters(self) -> list[dict[str, Any]]:
        """Return the run's parameters with their values as they can be shown."""
        return [
            {"name": name, **self._value(digest, _LONGEST_INPUT)}
            for name, digest in self._source.run.params.items()
        ]

    def _attempts_of(self, record: TaskRecord) -> Sequence[AttemptRecord]:
        if self._attempts is None:
            self._attempts = {}
            for each in self._source.attempts():
                self._attempts.setdefault((each.task, each.element), []).append(each)
        return self._attempts.get((record.task, record.element), ())

    def _changes(self, record: TaskRecord) -> dict[str, Any]:
        before = self._past.completed(record.task, record.element)
        if before is None or not before.facts or not record.facts:
            return {}
        told: dict[str, Any] = {"compared_with": before.run_id}
        codes = (Facts(before.facts).code, Facts(record.facts).code)
        if codes[0] != codes[1]:
            if codes not in self._diffs:
                self._diffs[codes] = changed_code(self._source, before, record)
            told["diff"] = self._diffs[codes]
        return told

    def _inputs(self, record: TaskRecord) -> list[dict[str, Any]]:
        facts = Facts(record.facts)
        sources = _sources(self._source.blueprint, self._places.get(record.task))
        told = []
        for kind, default in ((FactKind.PARAMETER, ":"), (FactKind.INPUT, "")):
            for name, digest in facts.of(kind).items():
                origin = sources.get(name, f"{default}{name}")
                if kind is FactKind.PARAMETER:
                    digest = self._whole(origin) or digest  # noqa: PLW2901
                told.append({"name": name, "from": origin, **self._given(digest, origin, record)})
        told += [{"name": path, "from": "file"} for path in facts.of(FactKind.FILE)]
        return told[:_MOST_INPUTS]

    def given(self, record: TaskRecord) -> list[dict[str, str]]:
        """Return what an element was given that others of its task were not, as far as shown."""
        if not record.element:
            return []
        mapped = {self._source.blueprint.tasks[place] for place in self._source.blueprint.mapped}
        return [
            {"name": each["name"], "preview": each["preview"]}
            for each in self._inputs(record)
            if "preview" in each and (each.get("item") or each["from"] in mapped)
        ]

    def _given(self, digest: object, origin: str, record: TaskRecord) -> dict[str, Any]:
        """Return what a TaskRun took from somewhere, which may be an item of a list."""
        if not isinstance(digest, str):
            return {}
        key, whole = element_path(record.element), self._whole(origin)
        if whole is not None and key:
            item = self._source.item(whole, digest, key, _LONGEST_INPUT)
            if item is not None:
                return {**_shown(item), "item": True}
        return self._value(self._stored_under(digest, origin, key), _LONGEST_INPUT)

    def _whole(self, origin: str) -> str | None:
        """Return what the result of a task, or a parameter, is stored under."""
        if origin.startswith(":"):
            return self._source.run.params.get(origin[1:])
        record = self._record_of(origin)
        return None if record is None else record.digest

    def _stored_under(self, digest: str, origin: str, key: Sequence[int]) -> str:
        """Return what a result is stored under that takers know by a digest."""
        keys = [".".join(map(str, key[start:])) for start in range(len(key))]
        keys += [".".join(map(str, key[:end])) for end in range(len(key))]
        for element in keys or [""]:
            record = self._record_of(task_run_name(origin, element))
            if record is None or record.digest is None:
                continue
            if digest_with(record.known_by or "", record.files) == digest:
                return record.digest
        return digest

    def _value(self, digest: object, limit: int) -> dict[str, Any]:
        shown = self._source.value(digest, limit) if isinstance(digest, str) else None
        return {} if shown is None else _shown(shown)


def _shown(shown: ShownValue) -> dict[str, Any]:
    told: dict[str, Any] = {"preview": shown.text}
    if shown.size is not None:
        told |= {"codec": shown.codec, "bytes": shown.size}
    return told


def _plain(record: TaskRecord) -> dict[str, Any]:
    return {
        "reason": record.reason,
        "source_run": record.source_run,
        "started_at": record.started_at,
        "finished_at": record.finished_at,
        "seconds": record.duration,
        "tries": record.attempts,
        "worker": record.worker,
        "retry_at": record.retry_at,
        "failure": None if record.failure is None else failure_json(record.failure),
    }


def _attempt(attempt: AttemptRecord) -> dict[str, Any]:
    told: dict[str, Any] = {
        "number": attempt.number,
        "started_at": attempt.started_at,
        "seconds": round(attempt.duration, 4),
    }
    if attempt.failure is not None:
        told["failure"] = failure_json(attempt.failure)
    if attempt.worker:
        told["worker"] = attempt.worker
    if attempt.log:
        told["log"] = _shortened(attempt.log)
    return told


def _shortened(log: str) -> str:
    """Return a log with its middle left out if it is long: how it begins and ends tells most."""
    if len(log) <= _LONGEST_LOG:
        return log
    head, tail = log[: _LONGEST_LOG // 4], log[-3 * _LONGEST_LOG // 4 :]
    left_out = len(log) - len(head) - len(tail)
    return f"{head}\n... {left_out} characters left out; `flowweaver logs` shows all ...\n{tail}"


def _sources(blueprint: Blueprint, place: int | None) -> Mapping[str, str]:
    return {} if place is None else blueprint.sources.get(place, {})
