"""What the engine asks of executors, and they of it: the smallest verbs that keep the promises."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from flowweaver.engine.body.call import Call


class Host(Protocol):
    """What a running backend may ask of the runner that opened it."""

    @property
    def loop(self) -> LoopHost:
        """Where coroutines run."""
        ...

    @property
    def blocking(self) -> bool:
        """Whether the runner's thread may be blocked by a body (no event loop runs in it)."""
        ...

    @property
    def coroutines(self) -> bool:
        """Whether any task of the workflow is a coroutine function."""
        ...

    @property
    def isolated(self) -> bool:
        """Whether any task of the workflow asks for a process of its own."""
        ...

    def done(self, call: Call) -> None:
        """Hand in a call whose outcome is set. From any thread; once a call."""
        ...

    def waiting(self, words: str) -> None:
        """Tell observers, and the log, what calls wait for that may never come. From any thread.

        `words` are a sentence that says what is missing, where, and what to do.
        """
        ...

    def lost(self, error: Exception) -> None:
        """End the run with `error`: nothing can run any more. From any thread.

        What was handed in before counts; what is in flight is left as it is, for a later
        execution to take up.
        """
        ...


class LoopHost(Protocol):
    """An event loop that outlives the bodies of a run."""

    def start(self, call: Call, done: Callable[[Call], None]) -> None:
        """Perform the call as a coroutine in the loop, then tell `done`."""
        ...

    def cancel(self, call: Call) -> None:
        """Cancel the coroutine of a call, if it still runs. Returns at once."""
        ...

    def wait_for(self, awaitable: Awaitable[Any]) -> Any:
        """Await something in the loop from a thread that is not the loop's own."""
        ...


class Backend(Protocol):
    """An executor at work for one run: where calls run. Nothing is decided here."""

    @property
    def capacity(self) -> int:
        """How many calls run at once."""
        ...

    @property
    def prefetch(self) -> bool:
        """Whether calls may be submitted beyond `capacity`, to wait here for a free slot."""
        ...

    @property
    def inline(self) -> bool:
        """Whether `submit` may perform a call itself, so that nothing else goes on meanwhile."""
        ...

    def submit(self, call: Call) -> bool:
        """Have the call performed and handed to `Host.done`; True if it is over already.

        A call that is over on return is not handed in. Its `worker` is set to who performs it.
        """
        ...

    def cancel(self, call: Call) -> None:
        """Set `call.over` and do what can be done to stop the body; its slot is free at once."""
        ...

    def close(self) -> None:
        """Let go of everything; bodies that can't be stopped are left behind, not waited for."""
        ...
