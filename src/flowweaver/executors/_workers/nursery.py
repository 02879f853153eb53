"""The supervisor's end of the process that starts workers."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
import threading
from contextlib import ExitStack, closing
from dataclasses import dataclass, field

from flowweaver.errors import FlowWeaverError
from flowweaver.executors._workers.handle import WorkerHandle, is_ready
from flowweaver.executors._workers.overheard import Rest
from flowweaver.executors._workers.server import STATUS, StartMethod, command
from flowweaver.executors._workers.sidelines import Permits, TrayReader
from flowweaver.executors._workers.wire import MARK, MARK_AT, Wire

# How long a process that was started may take to say so.
_STARTING_SECONDS = 60.0
# How long the server may take to end once its work is over.
_ENDING_SECONDS = 2.0
# How long a process that has let go of its descriptors may take to be gone.
_MOMENT_SECONDS = 0.5
# How many servers are tried for one worker.
_MOST_SERVERS = 3


class WorkerStartError(FlowWeaverError, RuntimeError):
    """No worker process could be started."""


@dataclass(slots=True)
class _Server:
    """The process that starts workers, the socket it is asked by, and whose turn it is to ask."""

    process: subprocess.Popen[bytes]
    control: socket.socket
    asking: threading.Lock = field(default_factory=threading.Lock)


class Nursery:
    """Starts workers by way of a server process, which is started when first needed.

    The server ends with this process, however it ends, and all workers end with the server.
    """

    def __init__(self, method: StartMethod) -> None:
        self._method = method
        self._lock = threading.Lock()
        self._server: _Server | None = None

    def start_worker(self) -> WorkerHandle:
        """Start a worker and wait until it is ready; if the server ends meanwhile, by another.

        Raises:
            WorkerStartError: There is none; the message says why.
        """
        for _ in range(_MOST_SERVERS - 1):
            server = self._current()
            try:
                return _start_worker(server)
            except WorkerStartError:
                if not has_ended(server.process):
                    raise
        return _start_worker(self._current())

    def close(self) -> None:
        """End the server, and with it what is left of its workers."""
        with self._lock:
            server, self._server = self._server, None
        if server is None:
            return
        server.control.close()
        try:
            server.process.wait(_ENDING_SECONDS)
        except subprocess.TimeoutExpired:
            server.process.kill()
            server.process.wait()

    def close_copy(self) -> None:
        """Let go of what a forked copy of this process has of the server."""
        if self._server is not None:
            self._server.control.close()

    def _current(self) -> _Server:
        with self._lock:
            if self._server is not None and self._server.process.poll() is not None:
                self._server.control.close()  # it was ended by somebody else
                self._server = None
            if self._server is None:
                self._server = _start_server(self._method)
            return self._server


def has_ended(process: subprocess.Popen[bytes]) -> bool:
    """Return whether a process that seems to have ended has, given a moment."""
    try:
        process.wait(_MOMENT_SECONDS)
    except subprocess.TimeoutExpired:
        return False
    return True


def _start_worker(server: _Server) -> WorkerHandle:
    try:
        worker = _started(server)
    except OSError as error:
        raise WorkerStartError(f"No worker process could be started: {error}.") from error
    try:
        worker.receive(_STARTING_SECONDS)
    except (EOFError, OSError) as error:
        code = worker.end_by_force()
        worker.close()
        raise WorkerStartError(
            f"A worker process ended before it was ready (exit code {code}); what it printed "
            "says why."
        ) from error
    return worker


def _started(server: _Server) -> WorkerHandle:
    with ExitStack() as ours, ExitStack() as theirs:
        sock, their_sock = socket.socketpair()
        ours.callback(sock.close)
        theirs.callback(their_sock.close)
        permits = _pipe(ours, ours)
        tray, their_tray = _pipe(ours, theirs)
        status, their_status = _pipe(ours, theirs)
        crash_fd = _crash_file()
        ours.callback(os.close, crash_fd)
        heard = [_pipe(ours, theirs) for _ in range(2)]
        with server.asking:
            fds = their_sock.fileno(), permits[0], their_tray, crash_fd
            ends = (end for pipe in heard for end in pipe)
            socket.send_fds(server.control, [b"w"], (*fds, *ends, their_status))
        theirs.close()  # or else the end of the server would not be seen
        pid, sides = _read_pid(status), (Permits(*permits), TrayReader(tray))
        rest = Rest(*(source for source, _ in heard))
        worker = WorkerHandle(Wire(sock), *sides, pid, status, crash_fd, rest, server.process)
        ours.pop_all()
        return worker


def _start_server(method: StartMethod) -> _Server:
    flags: list[str] = subprocess._args_from_interpreter_flags()  # type: ignore[attr-defined]
    control, theirs = socket.socketpair()
    with closing(theirs):
        argv = command(flags, "main", theirs.fileno(), os.getpid(), method, flags)
        try:
            process = subprocess.Popen(
                argv,
                stdin=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                process_group=0,  # out of reach of the terminal's Ctrl-C
            )
        except OSError as error:
            control.close()
            raise WorkerStartError(f"{sys.executable} could not be started: {error}.") from error
    return _Server(process, control)


def _pipe(source: ExitStack, sink: ExitStack) -> tuple[int, int]:
    """Return the ends of a pipe, to be closed by who has them."""
    ends = os.pipe()
    source.callback(os.close, ends[0])
    sink.callback(os.close, ends[1])
    return ends


def _read_pid(status: int) -> int:
    if not is_ready(status, _STARTING_SECONDS):
        raise WorkerStartError(f"No worker process started within {_STARTING_SECONDS:g} s.")
    data = os.read(status, STATUS.size)
    if len(data) < STATUS.size:
        raise WorkerStartError(
            "The process that starts workers ended before it started one; what it printed says why."
        )
    (pid,) = STATUS.unpack(data)
    if pid < 0:
        raise WorkerStartError(f"No worker process could be started: {os.strerror(-pid)}.")
    return int(pid)


def _crash_file() -> int:
    try:
        with tempfile.TemporaryFile() as file:
            file.truncate(MARK_AT + MARK.size)
            return os.dup(file.fileno())
    except OSError:
        return os.open(os.devnull, os.O_RDWR)
