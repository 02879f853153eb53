"""A fault of Python before 3.11.9 that stops a whole process, kept from Dask's workers.

Dask's profiler calls `sys._current_frames` every 10 ms. Before 3.11.9 that holds the lock on the
list of threads while it makes objects; if making one collects garbage, and a finalizer lets another
thread go on that just ends, each of the two waits for what the other one holds, for ever
(https://github.com/python/cpython/issues/106883). Bodies run in threads of their own, so that
threads end all the time.
"""

from __future__ import annotations

import gc
import sys
import threading
from types import FrameType

_FIRST_SOUND = (3, 11, 9)


def keep_garbage_out_of_frames() -> None:
    """Have `sys._current_frames` collect no garbage, as it does from Python 3.11.9 on."""
    if sys.version_info < _FIRST_SOUND and not isinstance(sys._current_frames, _CurrentFrames):
        sys._current_frames = _CurrentFrames()


class _CurrentFrames:
    """`sys._current_frames` with the collection of garbage off meanwhile."""

    def __init__(self) -> None:
        self._current_frames = sys._current_frames
        self._lock = threading.Lock()  # whoever came second would find it off, and leave it so

    def __call__(self) -> dict[int, FrameType]:
        with self._lock:
            was_enabled = gc.isenabled()
            gc.disable()
            try:
                return self._current_frames()
            finally:
                if was_enabled:
                    gc.enable()
