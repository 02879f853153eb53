"""The supervisor's end of the process that starts workers."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
import threading
from contextlib import ExitStack, closing

from flowweaver.errors import FlowWeaverError
from flowweaver.executors._workers.handle import WorkerHandle, is_ready
from flowweaver.executors._workers.server import STATUS, StartMethod, command
from flowweaver.executors._workers.wire import Wire

# How long a process that was started may take to say so.
_STARTING_SECONDS = 60.0
# How long the server may take to end once its work is over.
_ENDING_SECONDS = 2.0


class WorkerStartError(FlowWeaverError, RuntimeError):
    """No worker process could be started."""


class Nursery:
    """Starts workers by way of a server process, which is started when first needed.

    The server ends with this process, however it ends, and all workers end with the server.
    """

    def __init__(self, method: StartMethod) -> None:
        self._method = method
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None

    def start_worker(self) -> WorkerHandle:
        """Start a worker and wait until it is ready.

        Raises:
            WorkerStartError: There is none; the message says why.
        """
        try:
            worker = self._start_worker()
        except OSError as error:
            raise WorkerStartError(f"no worker process could be started: {error}") from error
        try:
            worker.receive(_STARTING_SECONDS)
        except (EOFError, OSError) as error:
            code = worker.end_by_force()
            worker.close()
            raise WorkerStartError(
                f"a worker process ended before it was ready (exit code {code}); what it printed "
                "says why"
            ) from error
        return worker

    def close(self) -> None:
        """End the server, and with it what is left of its workers."""
        with self._lock:
            process, control = self._process, self._control
            self._process = self._control = None
        if process is None or control is None:
            return
        control.close()
        try:
            process.wait(_ENDING_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def close_copy(self) -> None:
        """Let go of what a forked copy of this process has of the server."""
        if self._control is not None:
            self._control.close()

    def _start_worker(self) -> WorkerHandle:
        with ExitStack() as ours, ExitStack() as theirs:
            sock, their_sock = socket.socketpair()
            ours.callback(sock.close)
            theirs.callback(their_sock.close)
            status, their_status = os.pipe()
            ours.callback(os.close, status)
            theirs.callback(os.close, their_status)
            crash_fd = _crash_file()
            ours.callback(os.close, crash_fd)
            self._ask_for(their_sock.fileno(), crash_fd, their_status)
            theirs.close()  # or else the end of the server would not be seen
            worker = WorkerHandle(Wire(sock), _read_pid(status), status, crash_fd)
            ours.pop_all()
            return worker

    def _ask_for(self, *fds: int) -> None:
        with self._lock:
            try:
                socket.send_fds(self._serving(), [b"w"], fds)
            except OSError:  # the server was ended by somebody else
                self._forget()
                socket.send_fds(self._serving(), [b"w"], fds)

    def _serving(self) -> socket.socket:
        if self._control is None:
            control, theirs = socket.socketpair()
            with ExitStack() as ours, closing(theirs):
                ours.callback(control.close)
                self._process = _start_server(theirs.fileno(), self._method)
                ours.pop_all()
            self._control = control
        return self._control

    def _forget(self) -> None:
        if self._control is not None and self._process is not None:
            self._control.close()
            self._process.kill()
            self._process.wait()
        self._control = self._process = None


def _start_server(control_fd: int, method: StartMethod) -> subprocess.Popen[bytes]:
    flags: list[str] = subprocess._args_from_interpreter_flags()  # type: ignore[attr-defined]
    argv = command(flags, "main", control_fd, os.getpid(), method, flags)
    try:
        return subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            pass_fds=[control_fd],
            process_group=0,  # out of reach of the terminal's Ctrl-C
        )
    except OSError as error:
        raise WorkerStartError(f"{sys.executable} could not be started: {error}") from error


def _read_pid(status: int) -> int:
    if not is_ready(status, _STARTING_SECONDS):
        raise WorkerStartError(f"no worker process started within {_STARTING_SECONDS:g} s")
    data = os.read(status, STATUS.size)
    if len(data) < STATUS.size:
        raise WorkerStartError(
            "the process that starts workers ended before it started one; what it printed says why"
        )
    (pid,) = STATUS.unpack(data)
    if pid < 0:
        raise WorkerStartError(f"no worker process could be started: {os.strerror(-pid)}")
    return int(pid)


def _crash_file() -> int:
    try:
        with tempfile.TemporaryFile() as file:
            return os.dup(file.fileno())
    except OSError:
        return os.open(os.devnull, os.O_RDWR)
