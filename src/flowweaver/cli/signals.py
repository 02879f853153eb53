"""Ctrl-C and SIGTERM while the command runs a workflow.

The first signal lets running tasks finish within the grace period and cancels the rest; the
second gives up what still runs. Nothing but a queue is touched in the handler itself: what it
interrupts may hold any lock.
"""

from __future__ import annotations

import _thread
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from queue import Empty, SimpleQueue
from types import FrameType

from flowweaver.engine.execution import Stop

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Interruption:
    """Turns signals into calls of `Stop.set`.

    Args:
        stop: What the run was given.
        grace: Seconds that running tasks have after the first signal.
        blocking: Whether bodies run in the main thread, so that only an exception ends them.
        tell: Told in words what a signal led to.
    """

    def __init__(
        self, stop: Stop, *, grace: float, blocking: bool, tell: Callable[[str], None]
    ) -> None:
        self._stop = stop
        self._grace = grace
        self._blocking = blocking
        self._tell = tell
        self._queue: SimpleQueue[int | None] = SimpleQueue()
        self._received = 0
        self._ended = False
        self._lock = threading.Lock()
        self.happened = threading.Event()
        self.signum: int | None = None

    def receive(self, signum: int, _frame: FrameType | None) -> None:
        """Take a signal, in the main thread."""
        if self._ended:
            return
        self._received += 1
        if self.signum is None:
            self.signum = signum
        self._queue.put(signum)
        if self._received > 1 and self._blocking:
            raise KeyboardInterrupt

    def pass_on(self) -> None:
        """Pass signals on until `end`; what a thread does."""
        if self._queue.get() is None:
            return
        self.happened.set()
        self._tell(
            f"stopping: what runs gets {self._grace:g} s to finish, the rest is cancelled; "
            "another signal (Ctrl-C) ends it at once"
        )
        self._stop.set()
        if self._next() is not None:
            self._tell("giving up what still runs")
            self._stop.set()

    def end(self) -> None:
        """Take no more signals and let `pass_on` return."""
        with self._lock:
            self._ended = True
        self._queue.put(None)

    def _next(self) -> int | None:
        if not self._blocking:
            return self._queue.get()
        try:
            return self._queue.get(timeout=self._grace)
        except Empty:
            self._interrupt_body()
            return self._queue.get()

    def _interrupt_body(self) -> None:
        """A body in the main thread keeps the runner from its clock: the grace ends from here."""
        with self._lock:
            if not self._ended and self.signum is not None:
                _signal_main_thread(self.signum)


def _signal_main_thread(signum: int) -> None:
    main = threading.main_thread().ident
    if hasattr(signal, "pthread_kill") and main is not None:
        signal.pthread_kill(main, signum)  # wakes it from a system call too
    else:
        _thread.interrupt_main(signal.Signals(signum))


@contextmanager
def interruptible(interruption: Interruption) -> Iterator[None]:
    """Handle SIGINT and SIGTERM meanwhile; the handlers from before are put back at the end.

    A signal that is ignored (``nohup``, background jobs) stays so.
    """
    before = {
        signum: handler
        for signum in _SIGNALS
        if (handler := signal.getsignal(signum)) not in (signal.SIG_IGN, None)
    }
    thread = threading.Thread(target=interruption.pass_on, name="flowweaver-signals", daemon=True)
    thread.start()
    for signum in before:
        signal.signal(signum, interruption.receive)
    try:
        yield
    finally:
        interruption.end()
        for signum, handler in before.items():
            signal.signal(signum, handler)
