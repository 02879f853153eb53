"""A workflow as plain text, for any terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from flowweaver.definitions.wiring import Wiring
from flowweaver.definitions.workflow import Workflow
from flowweaver.observers.style import one_line

_WIDEST_NAME = 40
_MOST_NAMES = 8


def export_text(workflow: Workflow) -> str:
    """Return the workflow as a list of its tasks, each below those it waits for.

    A line names a task and, behind an arrow, what it waits for directly; tasks that wait for
    nothing stand first.
    """
    wiring = workflow.compile()
    return "\n".join([_title(workflow), *_lines(wiring), ""])


def _title(workflow: Workflow) -> str:
    count = len(workflow)
    title = f"{one_line(workflow.name)}: {count} task{'' if count == 1 else 's'}"
    parameters = [
        one_line(name) + ("" if required else " (optional)")
        for name, required in workflow.parameters.items()
    ]
    return f"{title}; parameters: {', '.join(parameters)}" if parameters else title


def _lines(wiring: Wiring) -> Iterator[str]:
    names = [one_line(task.name) for task in wiring.tasks]
    width = min(_WIDEST_NAME, max(map(len, names), default=0))
    for node in wiring.order:
        before = wiring.preds[node]
        arrow = f"{names[node]:<{width}}  <- {_listed(names, before)}" if before else names[node]
        yield f"  {arrow}"


def _listed(names: Sequence[str], nodes: Sequence[int]) -> str:
    shown = ", ".join(names[node] for node in nodes[:_MOST_NAMES])
    more = len(nodes) - _MOST_NAMES
    return f"{shown} and {more} more" if more > 0 else shown
