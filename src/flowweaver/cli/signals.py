"""Ctrl-C and SIGTERM while the command runs a workflow.

The first signal lets running tasks finish within the grace period and cancels the rest; the
second gives up what still runs. Nothing but a queue is touched in the handler itself: what it
interrupts may hold any lock.

Processes that a body forks have none of it: for them signals mean what they meant before.
"""

from __future__ import annotations

import _thread
import atexit
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from queue import Empty, SimpleQueue
from types import FrameType
from typing import Any

from flowweaver.cli.waking import main_thread_woken
from flowweaver.engine.options import GRACE_SECONDS
from flowweaver.engine.stop import Stop

_SIGNALS = (signal.SIGINT, signal.SIGTERM)
# A body in the main thread may catch what interrupts it: so many signals are an exception at most,
# and so long it has to clean up after that (a command's own end takes some seconds of it). All that
# is completed is in the store.
_MOST_TAKEN = 2
_PATIENCE_SECONDS = GRACE_SECONDS


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
        self._ended = self._is_late = False
        self._lock = threading.Lock()
        self._over = threading.Event()
        self.happened = threading.Event()
        self.signum: int | None = None

    def receive(self, signum: int, _frame: FrameType | None) -> None:
        """Take a signal, in the main thread."""
        if self._ended:
            self._receive_late(signum)
            return
        self._received += 1
        if self.signum is None:
            self.signum = signum
        self._queue.put(signum)
        if self._blocking and self._received > _MOST_TAKEN:
            _end_by(signum)
        if self._blocking and self._received > 1:
            raise KeyboardInterrupt

    def _receive_late(self, signum: int) -> None:
        """The run has come to what it came to: only who insists ends its telling of that."""
        if self._is_late:
            _end_by(signum)
        self._is_late = True

    def pass_on(self) -> None:
        """Pass signals on until `end`; what a thread does."""
        if self._queue.get() is None:
            return
        self.happened.set()
        self._say(
            f"stopping: what runs gets {self._grace:g} s to finish, the rest is cancelled; "
            "another signal (Ctrl-C) ends it at once"
        )
        self._stop.set()
        if self._next() is not None:
            self._say("giving up what still runs")
            self._stop.set()
            if self._blocking and not self._over.wait(_PATIENCE_SECONDS):
                self._say("a body takes no notice: this process ends")
                self._signal_again()

    def _say(self, text: str) -> None:
        """Tell, if anybody still reads: a signal counts anyway."""
        with suppress(OSError, ValueError):
            self._tell(text)

    def end(self) -> None:
        """Take no more signals and let `pass_on` return."""
        with self._lock:
            self._ended = True
        self._over.set()
        self._queue.put(None)

    def _next(self) -> int | None:
        if not self._blocking:
            return self._queue.get()
        try:
            return self._queue.get(timeout=self._grace)
        except Empty:
            # A body in the main thread keeps the runner from its clock: the grace ends from here.
            self._signal_again()
            return self._queue.get()

    def _signal_again(self) -> None:
        """Send the main thread, unless the run is over, the signal that it got."""
        with self._lock:
            if not self._ended and self.signum is not None:
                _signal_main_thread(self.signum)


def _end_by(signum: int) -> None:
    """End this process as the signal does where nobody handles it."""
    signal.signal(signum, signal.SIG_DFL)
    signal.raise_signal(signum)


def _signal_main_thread(signum: int) -> None:
    main = threading.main_thread().ident
    if hasattr(signal, "pthread_kill") and main is not None:
        signal.pthread_kill(main, signum)  # wakes it from a system call too
    else:
        _thread.interrupt_main(signal.Signals(signum))


@contextmanager
def interruptible(interruption: Interruption) -> Iterator[None]:
    """Handle SIGINT and SIGTERM from here to the end of the command; see `Interruption`.

    A signal that is ignored (``nohup``, background jobs) stays so.
    """
    thread = threading.Thread(target=interruption.pass_on, name="flowweaver-signals", daemon=True)
    thread.start()
    for signum in _SIGNALS:
        handler = signal.getsignal(signum)
        if handler not in (signal.SIG_IGN, None):
            _before.setdefault(signum, handler)
            signal.signal(signum, interruption.receive)
    try:
        with main_thread_woken(_SIGNALS):
            yield
    finally:
        interruption.end()
        atexit.register(_ignore_at_exit)


def _ignore_at_exit() -> None:
    """Let the process end as it would: what it has come to stands."""
    for signum in _before:
        signal.signal(signum, signal.SIG_IGN)


_before: dict[int, Any] = {}
"""What was done on signals before this module came into it."""


if sys.platform != "win32":  # which has no fork

    class _Fork(threading.local):
        """The signals that a thread which forks had blocked before."""

        blocked: set[int] | None = None

    _fork = _Fork()

    def _before_fork() -> None:
        # What reaches the child before it has its own handlers would be lost on ours.
        if _before:
            _fork.blocked = signal.pthread_sigmask(signal.SIG_BLOCK, _before.keys())

    def _after_fork_in_parent() -> None:
        if _fork.blocked is not None:
            signal.pthread_sigmask(signal.SIG_SETMASK, _fork.blocked)
            _fork.blocked = None

    def _after_fork_in_child() -> None:
        if _before:
            signal.set_wakeup_fd(-1)
        for signum, handler in _before.items():
            signal.signal(signum, handler)
        _before.clear()
        _after_fork_in_parent()

    os.register_at_fork(
        before=_before_fork,
        after_in_parent=_after_fork_in_parent,
        after_in_child=_after_fork_in_child,
    )
