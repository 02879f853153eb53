"""The last run of each workflow in this process: what `task.status` and its like speak of.

Definitions hold no run. Whoever executes a workflow notes here how to get at the run. That is known
as long as the workflow is held, or the run itself.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from typing import TYPE_CHECKING, Any, NamedTuple
from weakref import WeakKeyDictionary, ref

if TYPE_CHECKING:
    from flowweaver.run import Run


class _Noted(NamedTuple):
    """The run of a workflow, or the tasks of a run, with the number of its start."""

    number: int
    get: Callable[[], Any]


# Both in the order in which the runs were started. A run leads to its tasks, and they may lead to
# it: by the run there is only a weak reference to them.
_by_workflow: WeakKeyDictionary[Any, _Noted] = WeakKeyDictionary()
_by_run: WeakKeyDictionary[Run, _Noted] = WeakKeyDictionary()
_numbers = count()


def note(workflow: object, recall: Callable[[], Run], run: Run, wiring: Any) -> None:
    """Note that a run of the workflow was started, which `recall` gives whenever it is asked.

    What `recall` leads to stays as long as the workflow: if it leads to the workflow, for ever.
    """
    number = next(_numbers)
    _by_workflow.pop(workflow, None)
    _by_workflow[workflow] = _Noted(number, recall)
    _by_run[run] = _Noted(number, ref(wiring))


def last_run_of(workflow: object) -> Run | None:
    """Return the run of a workflow that was started last."""
    noted = _by_workflow.get(workflow)
    return None if noted is None else noted.get()


def last_run_with(task: Any) -> Run | None:
    """Return the run that was started last of all those with this very task."""
    found = [(number, run) for number, run in (_recalled(task), _held(task)) if run is not None]
    return max(found, key=lambda pair: pair[0])[1] if found else None


def _recalled(task: Any) -> tuple[int, Run | None]:
    """Return the last run of the workflows that are there."""
    for reference in reversed(_by_workflow.keyrefs()):
        workflow = reference()
        if workflow is not None and workflow.get_task(task.name) is task:
            noted = _by_workflow[workflow]
            return noted.number, noted.get()
    return -1, None


def _held(task: Any) -> tuple[int, Run | None]:
    """Return the last of the runs that somebody holds."""
    for reference in reversed(_by_run.keyrefs()):
        run = reference()
        if run is None:
            continue
        noted = _by_run[run]
        wiring = noted.get()
        node = None if wiring is None else wiring.index.get(task.name)
        if node is not None and wiring.tasks[node] is task:
            return noted.number, run
    return -1, None
