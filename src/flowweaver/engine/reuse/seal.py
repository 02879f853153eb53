"""The seal of a run: one digest of all that its results depend on.

Where it is that of the run before, nothing has changed, and no task has to be looked at. Not every
run can have one: what is to be looked at anew each time (files, effects, what expires, code that
can't be seen) is looked at task by task.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

from flowweaver.definitions.file_uses import file_uses
from flowweaver.definitions.kinds import kinds_of, shape_of
from flowweaver.definitions.options import TaskOptions
from flowweaver.definitions.task import Task
from flowweaver.definitions.wiring import Wiring
from flowweaver.engine.reuse.code import CodeBook

_KEY = "outline"


@dataclass(frozen=True, slots=True)
class _Outline:
    """What of a seal hangs on the definition alone: its graph, and one task of each kind."""

    digest: bytes
    samples: tuple[Task[..., Any], ...]


def seal_of(wiring: Wiring, params: Mapping[str, str], code: CodeBook) -> str | None:
    """Return the seal of a run, or None if it can't have one; `params` are digests by name."""
    if _KEY not in wiring.kept:
        wiring.kept[_KEY] = _outline(wiring)
    outline: _Outline | None = wiring.kept[_KEY]
    if outline is None or any(map(code.is_doubtful, outline.samples)):
        return None
    versions = [sample.options.version for sample in outline.samples]
    seen = [
        code.digest_of(sample) if version is None else [version]
        for sample, version in zip(outline.samples, versions, strict=True)
    ]
    told = json.dumps([seen, sorted(params.items())]).encode()
    return blake2b(outline.digest + told, digest_size=16).hexdigest()


def _outline(wiring: Wiring) -> _Outline | None:
    """Return the outline of a workflow; None if a task has to be looked at each time."""
    kinds = kinds_of(wiring)
    if not all(map(_stays, kinds.samples)):
        return None
    state = blake2b(shape_of(wiring), digest_size=32)
    state.update(repr([_counting(task.options) for task in kinds.samples]).encode())
    state.update(kinds.firsts.tobytes())
    return _Outline(state.digest(), kinds.samples)


def _stays(task: Task[..., Any]) -> bool:
    """Whether a result of a task is good for ever."""
    options = task.options
    moves = options.fresh_for is not None or options.files or options.outputs or file_uses(task.fn)
    reads = options.when is not None and file_uses(options.when)
    return options.cache and options.effect == "pure" and not moves and not reads


def _counting(options: TaskOptions) -> tuple[str, str | None, bool]:
    """Return what of a task's options decides what becomes of it, besides its code."""
    return options.trigger, options.combine, options.allow_failures
