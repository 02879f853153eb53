"""How FlowWeaver's own objects are written that a body reaches.

A task, and a workflow with all of its tasks, count as what was said of them: nobody knows what a
body asks of one that it holds. Where work is done and kept, and who is told of it, plays no part in
a result, and what a run left is not looked into. All others count by what they hold, as any
library's objects do.
"""

from __future__ import annotations

import dataclasses
from typing import Any

from flowweaver.fingerprint.kinds import is_task, is_workflow, module_of
from flowweaver.fingerprint.owners import is_workplace
from flowweaver.fingerprint.walk import Walk, Writer

_OF_RUNS = "flowweaver.run"


def writer_of_ours(value: object) -> Writer | None:
    """Return what writes a value, if it is one of FlowWeaver's own that is not like others."""
    if is_task(value):
        return _task
    if is_workflow(value):
        return _workflow
    module = module_of(type(value))
    if is_workplace(module):
        return _named
    return _hidden if module == _OF_RUNS else None


def _task(walk: Walk, value: Any, depth: int) -> None:
    walk.text(f"task {value.name} {_edges(value.depends_on, value.sources)}")
    walk.named("of", (type(value), value.fn), depth)
    for option in dataclasses.fields(value.options):
        said = getattr(value.options, option.name)
        if said not in (option.default, {}):
            walk.named(option.name, (said,), depth)


def _workflow(walk: Walk, value: Any, depth: int) -> None:
    edges = {name: _edges(*each) for name, each in value.edges.items()}
    walk.text(f"workflow {value.name} {sorted(edges.items())}")
    walk.named("of", (type(value), *value.get_all_tasks().values()), depth)


def _edges(depends_on: tuple[str, ...], sources: tuple[tuple[str, object], ...]) -> str:
    return f"{depends_on} {sources}" if depends_on or sources else ""


def _named(walk: Walk, value: object, _depth: int) -> None:
    walk.text(_name(value))


def _hidden(walk: Walk, value: object, _depth: int) -> None:
    walk.hide(value, f"the state of {_name(value)}")


def _name(value: object) -> str:
    return f"{module_of(type(value))}.{type(value).__qualname__}"
