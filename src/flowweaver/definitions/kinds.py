"""The kinds of tasks a workflow has: tasks by the thousand may share function and options."""

from __future__ import annotations

from array import array
from hashlib import blake2b
from typing import Any, NamedTuple

from flowweaver.definitions.task import Task
from flowweaver.definitions.wiring import Wiring

_KINDS, _SHAPE = "kinds", "shape"


class Kinds(NamedTuple):
    """Which tasks share function and options.

    Attributes:
        samples: The first task of each kind.
        firsts: By node, the first that is of its kind.
    """

    samples: tuple[Task[..., Any], ...]
    firsts: array[int]


def kinds_of(wiring: Wiring) -> Kinds:
    """Return the kinds of a compiled workflow's tasks, found once."""
    if _KINDS not in wiring.kept:
        known: dict[tuple[int, int], int] = {}
        kind_of, tasks = known.setdefault, wiring.tasks
        firsts = [kind_of((id(task.fn), id(task.options)), n) for n, task in enumerate(tasks)]
        samples = tuple(tasks[node] for node in known.values())
        wiring.kept[_KINDS] = Kinds(samples, array("L", firsts))
    kinds: Kinds = wiring.kept[_KINDS]
    return kinds


def shape_of(wiring: Wiring) -> bytes:
    """Return a digest of how a compiled workflow hangs together, worked out once.

    By `repr`, which writes names and numbers the same in every process and is the quickest.
    """
    if _SHAPE not in wiring.kept:
        preds, taken = wiring.preds, wiring.take_nodes
        told = (
            [task.name for task in wiring.tasks],
            preds,
            wiring.take_names,
            {node: taken[node] for node, own in enumerate(preds) if taken[node] != own},
            wiring.uses,
            wiring.conditions,
            wiring.mapped,
        )
        state = blake2b(digest_size=32)
        for part in told:
            state.update(repr(part).encode("utf-8", "surrogatepass"))
        wiring.kept[_SHAPE] = state.digest()
    shape: bytes = wiring.kept[_SHAPE]
    return shape
