"""A workflow in the DOT language, for Graphviz and its kin."""

from __future__ import annotations

from collections.abc import Iterator

from flowweaver.definitions.workflow import Workflow
from flowweaver.report.escape import for_dot
from flowweaver.report.palette import STATUS_COLOURS, last_statuses


def export_dot(workflow: Workflow) -> str:
    """Return the workflow as a DOT graph, coloured by its last run in this process."""
    return "\n".join([f'digraph "{for_dot(workflow.name)}" {{', *_body(workflow), "}", ""])


def _body(workflow: Workflow) -> Iterator[str]:
    wiring = workflow.compile()
    yield '    node [shape=box, style="rounded,filled", fontname="sans-serif"];'
    for node, (task, status) in enumerate(zip(wiring.tasks, last_statuses(workflow), strict=True)):
        colours = STATUS_COLOURS[status]
        yield (
            f'    t{node} [label="{for_dot(task.name)}", fillcolor="{colours.fill}", '
            f'color="{colours.line}", fontcolor="{colours.ink}"];'
        )
    for node, before in enumerate(wiring.preds):
        for pred in before:
            yield f"    t{pred} -> t{node};"
