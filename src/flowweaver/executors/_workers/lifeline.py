"""Ends a process when the one that started it has died, however it died."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import threading
import time

_PR_SET_PDEATHSIG = 1
_LOOK_EVERY_SECONDS = 1.0


def end_with(parent: int) -> None:
    """Have this process killed at the death of `parent`, which started it.

    On Linux the kernel does it, at once and whatever the process is doing. The signal comes at
    the end of the *thread* that started this process, so that must be its parent's main one.
    Elsewhere a thread looks every second, which code that never lets go of the interpreter's
    lock can put off.
    """
    if not _kill_at_death_of_parent():
        threading.Thread(target=_watch, args=(parent,), daemon=True).start()
    if os.getppid() != parent:
        os._exit(1)  # it died before it could be watched


def _kill_at_death_of_parent() -> bool:
    if sys.platform != "linux":
        return False
    answer: int = ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    return answer == 0


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(_LOOK_EVERY_SECONDS)
    os.killpg(0, signal.SIGKILL)
