"""One command of the system, run by a body: heard line by line, and ended when its time is up."""

from __future__ import annotations

import atexit
import os
import shlex
import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from contextvars import copy_context
from pathlib import Path
from time import monotonic
from typing import IO, TextIO

from flowweaver.engine.body.call import Call, call_here
from flowweaver.engine.body.link import LocalLink
from flowweaver.errors import CommandError

# How often to look whether the attempt still counts, and how long a command may take to end once it
# is asked to.
_POLL_SECONDS = 0.05
_GRACE_SECONDS = 2.0
_LAST_LINES = 20

# What runs in groups of their own, with the process that started it. Only what that is told to end
# ends with it.
_running: dict[subprocess.Popen[str], int] = {}


def perform_command(
    command: str | Sequence[str],
    *,
    cwd: str | None,
    env: Mapping[str, str],
    codes: Collection[int],
    keeps_output: bool,
) -> str:
    """Run a command, and return what it wrote to its standard output if that is to be kept.

    Raises:
        CommandError: It can't be started, or ended with a code that it may not end with.
    """
    told = command if isinstance(command, str) else shlex.join(command)
    call = call_here()
    grouped = _needs_group(call)
    try:
        process = subprocess.Popen(
            command,
            shell=isinstance(command, str),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=cwd,
            env={**os.environ, **env},
            text=True,
            errors="backslashreplace",
            start_new_session=grouped,
        )
    except OSError as error:
        where = f" in {cwd}" if cwd is not None and not Path(cwd).is_dir() else ""
        reason = f"can't be started{where}: {error.strerror or error}"
        raise CommandError(told, reason) from error
    if grouped:
        _running[process] = os.getpid()
    kept: list[str] = []
    last: deque[str] = deque(maxlen=_LAST_LINES)
    listeners = [
        _listen(process.stdout, sys.stdout, last, call, kept if keeps_output else None),
        _listen(process.stderr, sys.stderr, last, call, None),
    ]
    try:
        code = _wait(process, call, grouped=grouped)
    except BaseException:
        _end(process, grouped=grouped)
        raise
    finally:
        _running.pop(process, None)
    for listener in listeners:
        listener.join(_GRACE_SECONDS)  # what was started and left behind may hold the stream
    if code not in codes:
        raise CommandError(told, _how_it_ended(code), code, tuple(last))
    return "".join(kept)


def _needs_group(call: Call | None) -> bool:
    """Whether the command is to have a group of its own, to be ended with all that it starts.

    A worker process is killed with its group, to which the command then belongs.
    """
    if sys.platform == "win32":
        return False
    is_worker = call is not None and not isinstance(call.scope.link, LocalLink)
    return not (is_worker and os.getpgrp() == os.getpid())


def _listen(
    stream: IO[str] | None,
    to: TextIO | None,
    last: deque[str],
    call: Call | None,
    kept: list[str] | None,
) -> threading.Thread:
    """Pass lines on as they come; those of a body belong to its attempt's log."""
    assert stream is not None

    def work() -> None:
        with stream:
            for line in stream:
                last.append(line.rstrip("\n"))
                if kept is not None:
                    kept.append(line)
                if to is not None:
                    with suppress(Exception):  # whoever closed it does not want to hear more
                        to.write(line)
                if call is not None and not call.over:
                    with suppress(Exception):
                        call.scope.link.beat(call)

    thread = threading.Thread(
        target=_within(copy_context().run, work), name="flowweaver-command", daemon=True
    )
    thread.start()
    return thread


def _within(
    run: Callable[[Callable[[], None]], None], work: Callable[[], None]
) -> Callable[[], None]:
    return lambda: run(work)


def _wait(process: subprocess.Popen[str], call: Call | None, *, grouped: bool) -> int:
    """Return what the command ended with; end it once the attempt does not count any more."""
    while True:
        try:
            return process.wait(_POLL_SECONDS)
        except subprocess.TimeoutExpired:
            if call is not None and call.over:
                _end(process, grouped=grouped)


def _end(*processes: subprocess.Popen[str], grouped: bool) -> None:
    """Ask commands, and all that they started, to end; then make them."""
    for number in (signal.SIGTERM, getattr(signal, "SIGKILL", signal.SIGTERM)):
        for process in processes:
            with suppress(ProcessLookupError, PermissionError):
                if grouped and sys.platform != "win32":
                    os.killpg(process.pid, number)
                else:
                    process.send_signal(number)
        last_moment = monotonic() + _GRACE_SECONDS
        for process in processes:
            with suppress(subprocess.TimeoutExpired):
                process.wait(max(0.0, last_moment - monotonic()))
        if not grouped and all(process.returncode is not None for process in processes):
            return


@atexit.register
def _end_what_was_left() -> None:
    """End what bodies run that were left behind: their threads won't come to it any more."""
    here = os.getpid()
    _end(*(process for process, pid in list(_running.items()) if pid == here), grouped=True)


def _how_it_ended(code: int) -> str:
    if code >= 0:
        return f"ended with exit code {code}"
    try:
        return f"was ended by {signal.Signals(-code).name}"
    except ValueError:
        return f"was ended by signal {-code}"
