"""A workflow in the DOT language, for Graphviz and its kin."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from flowweaver.definitions.part import part_of
from flowweaver.definitions.wiring import Wiring
from flowweaver.definitions.workflow import Workflow
from flowweaver.report.escape import for_dot
from flowweaver.report.palette import STATUS_COLOURS, last_statuses
from flowweaver.status import TaskStatus


def export_dot(workflow: Workflow, targets: Iterable[str] | None = None) -> str:
    """Return the workflow as a DOT graph, coloured by its last run in this process.

    With `targets` it is those tasks and what they need.
    """
    wiring = part_of(workflow.compile(), targets).wiring
    statuses = last_statuses(workflow, wiring.index)
    return "\n".join([f'digraph "{for_dot(workflow.name)}" {{', *_body(wiring, statuses), "}", ""])


def _body(wiring: Wiring, statuses: Sequence[TaskStatus]) -> Iterator[str]:
    yield '    node [shape=box, style="rounded,filled", fontname="sans-serif"];'
    for node, (task, status) in enumerate(zip(wiring.tasks, statuses, strict=True)):
        colours = STATUS_COLOURS[status]
        yield (
            f'    t{node} [label="{for_dot(task.name)}", fillcolor="{colours.fill}", '
            f'color="{colours.line}", fontcolor="{colours.ink}"];'
        )
    for node, before in enumerate(wiring.preds):
        for pred in before:
            yield f"    t{pred} -> t{node};"
