"""No signal is left lying while the main thread waits.

Python calls a handler between two steps of the main thread. A signal that comes as that thread goes
into a wait, or that another thread gets, ends no wait: it would be handled when the wait is over,
which may be in an hour. On a busy machine that happens.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Collection
from contextlib import AbstractContextManager, nullcontext
from types import FrameType

# How long the main thread is left to itself between two nudges.
_SHORTEST_SECONDS, _LONGEST_SECONDS = 0.05, 1.0


def main_thread_woken(signums: Collection[int]) -> AbstractContextManager[None]:
    """Have the main thread, which calls this, come out of any wait when one of the signals comes.

    On Windows, and where somebody uses SIGURG, nothing is done.
    """
    if sys.platform != "win32" and signal.getsignal(signal.SIGURG) is signal.SIG_DFL:
        return _Woken(signums)
    return nullcontext()


if sys.platform != "win32":

    class _Woken:
        """A thread that is told of each signal and nudges the main thread.

        Python writes each signal to a descriptor at once, whatever the main thread does. The nudge
        is a signal that means nothing, sent until it is handled: with it, whatever else was left.
        """

        def __init__(self, signums: Collection[int]) -> None:
            self._signums = signums
            self._nudged = 0
            self._is_over = False

        def __enter__(self) -> None:
            self._source, self._sink = os.pipe()
            os.set_blocking(self._sink, False)
            self._nudge_before = signal.signal(signal.SIGURG, self._take_nudge)
            self._fd_before = signal.set_wakeup_fd(self._sink, warn_on_full_buffer=False)
            threading.Thread(target=self._wake, name="flowweaver-waker", daemon=True).start()

        def __exit__(self, *error: object) -> None:
            self._is_over = True
            signal.set_wakeup_fd(self._fd_before)
            signal.signal(signal.SIGURG, self._nudge_before)
            os.close(self._sink)

        def _take_nudge(self, _signum: int, _frame: FrameType | None) -> None:
            self._nudged += 1

        def _wake(self) -> None:
            while signum := os.read(self._source, 1):
                if signum[0] in self._signums:
                    self._nudge()
            os.close(self._source)

        def _nudge(self) -> None:
            main = threading.main_thread().ident
            assert main is not None
            nudged, wait = self._nudged, _SHORTEST_SECONDS
            while self._nudged == nudged and not self._is_over:
                time.sleep(wait)
                signal.pthread_kill(main, signal.SIGURG)
                wait = min(2 * wait, _LONGEST_SECONDS)
