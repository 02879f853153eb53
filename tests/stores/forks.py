"""Children that share this process's memory up to now, and then end or are killed."""

from __future__ import annotations

import os
import signal
import sys
import traceback
from collections.abc import Callable


def in_child(body: Callable[[], None]) -> int:
    """Run `body` in a forked child; return 0, 1 if it raised, or minus the signal that ended it."""
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            body()
            status = 0
        except BaseException:
            traceback.print_exc()
            sys.stderr.flush()
        finally:
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def in_unprivileged_child(body: Callable[[], None]) -> int:
    """Run `body` in a forked child that the rights on files apply to, whoever runs the tests."""

    def unprivileged() -> None:
        if os.geteuid() == 0:
            os.setgroups([])
            os.setgid(65534)
            os.setuid(65534)
        body()

    return in_child(unprivileged)


def kill_myself() -> None:
    """End this process as `kill -9` does."""
    os.kill(os.getpid(), signal.SIGKILL)
