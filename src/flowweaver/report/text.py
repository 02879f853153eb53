"""A workflow as plain text, for any terminal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from flowweaver.definitions.part import part_of
from flowweaver.definitions.wiring import Wiring
from flowweaver.definitions.workflow import Workflow
from flowweaver.observers.style import one_line

_WIDEST_NAME = 40
_MOST_NAMES = 8


def export_text(workflow: Workflow, targets: Iterable[str] | None = None) -> str:
    """Return the workflow as a list of its tasks, each below those it waits for.

    A line names a task and, behind an arrow, what it waits for directly; tasks that wait for
    nothing stand first. With `targets` it is those tasks and what they need.
    """
    whole = workflow.compile()
    wiring = part_of(whole, targets).wiring
    return "\n".join([_title(wiring, len(whole.tasks)), *_lines(wiring), ""])


def _title(wiring: Wiring, whole: int) -> str:
    count = len(wiring.tasks)
    counted = (
        f"{count} task{'' if count == 1 else 's'}"
        if count == whole
        else f"{count} of {whole} tasks"
    )
    title = f"{one_line(wiring.name)}: {counted}"
    parameters = [
        one_line(use.name) + ("" if use.required else " (optional)")
        for use in wiring.parameters.values()
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
