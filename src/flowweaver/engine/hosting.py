"""What surrounds the loop of one execution, whether it blocks or awaits."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from functools import partial

from flowweaver.engine.body.call import Call
from flowweaver.engine.body.capture import capturing
from flowweaver.engine.body.hearing import hear_bodies
from flowweaver.engine.execution import Execution
from flowweaver.engine.inbox import Inbox
from flowweaver.engine.protocols import LoopHost
from flowweaver.engine.runner import Runner
from flowweaver.engine.starts import StartWatch
from flowweaver.masking import masker


class RunnerHost:
    """What a backend is given of the runner."""

    def __init__(
        self, loop: LoopHost, inbox: Inbox, execution: Execution, *, blocking: bool
    ) -> None:
        wiring = execution.wiring
        self.loop = loop
        self.blocking = blocking
        self.coroutines = wiring.has_coroutines
        self.isolated = wiring.has_isolated
        self.done: Callable[[Call], None] = inbox.put
        self.waiting: Callable[[str], None] = execution.waiting
        self.lost: Callable[[Exception], None] = inbox.lose


@contextmanager
def noted(runner: Runner, execution: Execution, inbox: Inbox) -> Iterator[None]:
    """Note for the store, if there is one, what bodies print and that they began.

    Where there are secrets, they are taken out of what bodies print, whether there is one or not.
    """
    if not execution.is_stored:
        with capturing() if masker.is_used else nullcontext():
            yield
        return
    hear_bodies()
    commit = partial(execution.commit_starts, runner.starts)
    with capturing(), StartWatch(runner.starts, commit, inbox.lose):
        yield
