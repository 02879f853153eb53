"""The last run of each workflow in this process: what `task.status` and its like speak of.

Definitions hold no run. Who executes a workflow notes here how to come by the run; a workflow that
is let go of takes that along.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

if TYPE_CHECKING:
    from flowweaver.run import Run

# By workflow, in the order in which their last runs were started.
_recalls: WeakKeyDictionary[Any, Callable[[], Run]] = WeakKeyDictionary()


def note(workflow: object, recall: Callable[[], Run]) -> None:
    """Note that a run of the workflow was started, which `recall` gives whenever it is asked.

    What `recall` leads to stays as long as the workflow: if it leads to the workflow, for ever.
    """
    _recalls.pop(workflow, None)
    _recalls[workflow] = recall


def last_run_of(workflow: object) -> Run | None:
    """Return the run of a workflow that was started last."""
    recall = _recalls.get(workflow)
    return None if recall is None else recall()


def last_run_with(task: Any) -> Run | None:
    """Return the run that was started last of all those of workflows with this very task."""
    for reference in reversed(_recalls.keyrefs()):
        workflow = reference()
        if workflow is not None and workflow.get_task(task.name) is task:
            return last_run_of(workflow)
    return None
