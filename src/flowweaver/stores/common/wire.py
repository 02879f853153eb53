"""Records to readable JSON and back: what is a default is left out."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any

from flowweaver.plugins import content_digest
from flowweaver.records import (
    AttemptRecord,
    Failure,
    FileRecord,
    RunRecord,
    StateRecord,
    TaskRecord,
)
from flowweaver.serialize import Encoded
from flowweaver.status import Origin, RunStatus, TaskStatus
from flowweaver.stores.common.shape import check_attempt, check_run, check_task

_TASK_DEFAULTS = [
    (field.name, field.default) for field in fields(TaskRecord) if field.name != "run_id"
]


def packed(line: Mapping[str, Any]) -> bytes:
    """Return a line's JSON as bytes. Lone surrogates are escaped, like all that is not ASCII."""
    return json.dumps(line, separators=(",", ":")).encode()


def run_to_json(run: RunRecord) -> dict[str, Any]:
    """Return a run as JSON."""
    rare = {"seal": run.seal, "base": run.base}
    return {
        "id": run.id,
        "workflow": run.workflow,
        "key": run.key,
        "status": run.status.value,
        "created_at": run.created_at,
        "claimed_at": run.claimed_at,
        "finished_at": run.finished_at,
        "token": run.token,
        "runner": run.runner,
        "params": dict(run.params),
        "info": dict(run.info),
        **{name: value for name, value in rare.items() if value is not None},
    }


def run_from_json(data: dict[str, Any]) -> RunRecord:
    """Return the run that `run_to_json` gave."""
    return check_run(RunRecord(**{**data, "status": RunStatus(data["status"])}))


def task_to_json(record: TaskRecord) -> dict[str, Any]:
    """Return a TaskRun as JSON; whose run it is stands beside it."""
    data = {
        name: value
        for name, default in _TASK_DEFAULTS
        if (value := getattr(record, name)) != default
    }
    for name in ("status", "origin"):
        if name in data:
            data[name] = data[name].value
    if record.failure is not None:
        data["failure"] = asdict(record.failure)
    return data


def task_from_json(run_id: str, data: dict[str, Any]) -> TaskRecord:
    """Return the TaskRun that `task_to_json` gave."""
    if "status" in data:
        data["status"] = TaskStatus(data["status"])
    if "origin" in data:
        data["origin"] = Origin(data["origin"])
    if "failure" in data:
        data["failure"] = _failure(data["failure"])
    for name in ("files", "seen"):
        if name in data:
            data[name] = tuple(FileRecord(*file) for file in data[name])
    return check_task(TaskRecord(run_id, **data))


def attempt_to_json(record: AttemptRecord) -> dict[str, Any]:
    """Return an attempt as JSON; whose run it is stands beside it."""
    data = asdict(record)
    del data["run_id"]
    return data


def attempt_from_json(run_id: str, data: dict[str, Any]) -> AttemptRecord:
    """Return the attempt that `attempt_to_json` gave."""
    return check_attempt(AttemptRecord(run_id, **{**data, "failure": _failure(data["failure"])}))


def state_to_json(record: StateRecord) -> dict[str, Any]:
    """Return an item of a task's state as JSON; whose run it is stands beside it."""
    kept = record.value
    value = None if kept is None else value_to_json(kept.codec, bytes(kept.data))
    return {"task": record.task, "element": record.element, "name": record.name, "value": value}


def state_from_json(run_id: str, data: dict[str, Any]) -> StateRecord:
    """Return the item that `state_to_json` gave."""
    value = None if data["value"] is None else value_from_json(data["value"])
    return StateRecord(run_id, data["task"], data["element"], data["name"], value)


def value_to_json(codec: str, data: bytes) -> dict[str, Any]:
    """Return an encoded value as JSON: as text if it is some, else in base64."""
    try:
        return {"codec": codec, "text": data.decode()}
    except UnicodeDecodeError:
        return {"codec": codec, "base64": b64encode(data).decode()}


def value_from_json(data: dict[str, Any]) -> Encoded:
    """Return the value that `value_to_json` gave."""
    raw = data["text"].encode() if "text" in data else b64decode(data["base64"])
    return Encoded(data["codec"], raw, content_digest(data["codec"], raw))


def _failure(data: dict[str, Any] | None) -> Failure | None:
    return None if data is None else Failure(**{**data, "causes": tuple(data["causes"])})
