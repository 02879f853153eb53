"""What becomes final without an attempt of its own: lists of elements, and what can't start."""

from __future__ import annotations

from collections.abc import Iterator

from flowweaver.engine.elements import Elements, MappingError
from flowweaver.engine.inputs import Inputs
from flowweaver.engine.results import Results
from flowweaver.engine.scheduler import Scheduler
from flowweaver.errors import UndecodableError
from flowweaver.status import TaskStatus


class Settling:
    """Sees to the nodes of one run that the scheduler settles by itself.

    A run, a plan and a look back walk through a workflow alike in this: the results of elements
    are put together as soon as they all are there, and elements are added once their number can
    be told.
    """

    def __init__(
        self, scheduler: Scheduler, elements: Elements, results: Results, inputs: Inputs
    ) -> None:
        self._scheduler = scheduler
        self._elements = elements
        self._results = results
        self._inputs = inputs

    def settle(self) -> Iterator[tuple[int, Exception | None]]:
        """See to what is settled by now and yield it, each node once its result is there.

        A node that was to add elements, and can't tell how many, comes with the reason.
        """
        scheduler, elements = self._scheduler, self._elements
        while scheduler.news:
            news, scheduler.news = scheduler.news, []
            for node in news:
                if not scheduler.status[node].is_final:
                    try:
                        elements.grow(node, self._inputs.length_of)
                    except (MappingError, UndecodableError) as error:
                        scheduler.finish(node, TaskStatus.FAILED)
                        yield node, error
                    continue
                if scheduler.status[node] is TaskStatus.COMPLETED:
                    self._results.put_gathered(node, elements.tree(node))
                yield node, None
