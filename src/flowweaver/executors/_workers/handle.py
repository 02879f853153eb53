"""The supervisor's end of one worker process."""

from __future__ import annotations

import os
import select
import signal
import subprocess
from contextlib import suppress
from pathlib import Path

from flowweaver.executors._workers.overheard import Rest
from flowweaver.executors._workers.server import STATUS, kill_group
from flowweaver.executors._workers.sidelines import Permits, TrayReader
from flowweaver.executors._workers.wire import LOG_AT, LOG_HEAD, MARK, MARK_AT, Message, Wire

# How long a worker may take to end after it was asked to (by a message or SIGTERM).
_ENDING_SECONDS = 1.0
_MOST_CRASH_BYTES = 16_384
_OWN_FOLDER = str(Path(__file__).parents[2])


class WorkerHandle:
    """A worker process: its wire, how it ended, and how to end it.

    All methods but `kill` are for one thread at a time.

    Attributes:
        permits: It takes one before it begins a call. They may be given from any thread.
        tray: Where it leaves the outcomes of calls.
        server: The process that started it, with which it ends.
        calls: How many calls it has performed.
        setup: The number of the setup it has taken over.
        functions: The numbers of the functions it has.
    """

    def __init__(
        self,
        wire: Wire,
        permits: Permits,
        tray: TrayReader,
        pid: int,
        status: int,
        crash_fd: int,
        rest: Rest,
        server: subprocess.Popen[bytes],
    ) -> None:
        self.wire = wire
        self.permits = permits
        self.tray = tray
        self.pid = pid
        self.server = server
        self.calls = 0
        self.setup: int | None = None
        self.functions: set[int] = set()
        self._status = status
        self._crash_fd = crash_fd
        self._rest = rest
        self._exit_code: int | None = None
        self._poll = select.poll()
        self._poll.register(wire.fileno(), select.POLLIN)
        self._poll.register(status, select.POLLIN)

    def forget(self) -> None:
        """Assume that the worker is set up for no run and has no function."""
        self.setup = None
        self.functions.clear()

    def receive(self, seconds: float | None = None) -> Message:
        """Wait for the worker's next message.

        Raises:
            EOFError: It has ended, or is ending.
            TimeoutError: It sent nothing for `seconds`.
        """
        ready = self._poll.poll(None if seconds is None else seconds * 1000)
        if not ready:
            raise TimeoutError(f"nothing came from the worker process for {seconds:g} s")
        # A process that the body forked may hold the wire open, so its end is not waited for alone.
        if any(fd == self.wire.fileno() for fd, _ in ready):
            return self.wire.receive()
        raise EOFError

    def has_ended(self) -> bool:
        """Return whether a worker that performs no call is gone or going."""
        return bool(self._poll.poll(0))

    def kill(self) -> None:
        """Ask it by SIGTERM to end at once, and stop listening to it. From any thread."""
        if not is_ready(self._status, 0.0):  # or else the number may be another's by now
            kill_group(self.pid, signal.SIGTERM)
        self.wire.shut()

    def end(self) -> None:
        """Ask it to end, and kill it if it does not do so soon."""
        with suppress(OSError):  # it may have ended already
            self.wire.send(("end",))
        self.end_by_force()
        self._rest.take()

    def end_by_force(self) -> int | None:
        """Give it a moment to end, then kill it; return its exit code if that is known."""
        code = self._wait(_ENDING_SECONDS)
        if code is None:
            kill_group(self.pid, signal.SIGKILL)
            code = self._wait(_ENDING_SECONDS)
        return code

    def has_begun(self) -> bool:
        """Return whether it has called the body of its present call; True if that is not known."""
        mark = self._mark()
        return mark is None or mark > self.calls

    def log_so_far(self) -> str:
        """Return what the body that it began last has printed and logged, from its beginning."""
        return self._kept_log() + self._rest.take()

    def _kept_log(self) -> str:
        head = os.pread(self._crash_fd, LOG_HEAD.size, LOG_AT)
        if len(head) < LOG_HEAD.size:
            return ""
        body, size = LOG_HEAD.unpack(head)
        if body != self._mark():
            return ""
        return os.pread(self._crash_fd, size, LOG_AT + LOG_HEAD.size).decode("utf-8", "replace")

    def _mark(self) -> int | None:
        mark = os.pread(self._crash_fd, MARK.size, MARK_AT)
        return int(MARK.unpack(mark)[0]) if len(mark) == MARK.size else None

    def crash_trace(self) -> str:
        """Return what the interpreter wrote when it crashed, without FlowWeaver's own frames."""
        written = os.pread(self._crash_fd, _MOST_CRASH_BYTES, 0).partition(b"\0")[0]
        lines = written.decode("utf-8", "replace").splitlines(keepends=True)
        own = next((n for n, line in enumerate(lines) if _OWN_FOLDER in line), len(lines))
        return "".join(lines[:own])

    def close(self) -> None:
        """Close all descriptors of it in this process, once it has ended."""
        self.wire.close()
        self.permits.close()
        self.tray.close()
        self._rest.close()
        os.close(self._status)
        os.close(self._crash_fd)

    def _wait(self, seconds: float) -> int | None:
        """Wait until the process has ended and return its exit code; None if it has not."""
        if self._exit_code is None and is_ready(self._status, seconds):
            data = os.read(self._status, STATUS.size)
            if len(data) == STATUS.size:
                self._exit_code = int(STATUS.unpack(data)[0])
        return self._exit_code


def is_ready(fd: int, seconds: float) -> bool:
    """Wait until a descriptor can be read or has ended; False if that took too long."""
    poll = select.poll()
    poll.register(fd, select.POLLIN)
    return bool(poll.poll(seconds * 1000))
