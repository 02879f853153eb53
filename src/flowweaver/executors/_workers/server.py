"""The process that starts workers and tells of their end: the only one that has children.

It imports what workers need once and runs none of the user's code, so that a worker is a quick
fork of it (or, if asked, a fresh interpreter), and so that workers share no lock, connection or
thread with the supervisor. It ends with the supervisor, and its workers end with it.

A request is one byte with five descriptors: the worker's ends of its wire, of its permits and of
its tray, the file that a crash of the interpreter is told in, and the status pipe. Into that go the
worker's process id (or the negated error number), and at its end its exit code.
"""

from __future__ import annotations

import errno
import gc
import os
import select
import signal
import socket
import struct
import sys
from contextlib import ExitStack, closing, suppress
from typing import Literal

from flowweaver.executors._workers.lifeline import end_with
from flowweaver.executors._workers.overheard import Overheard
from flowweaver.executors._workers.script import stand_in
from flowweaver.executors._workers.sidelines import Permits, Tray
from flowweaver.executors._workers.wire import Wire
from flowweaver.executors._workers.worker import serve

StartMethod = Literal["forkserver", "spawn"]
START_METHODS: tuple[StartMethod, ...] = ("forkserver", "spawn")
DEFAULT_START_METHOD: StartMethod = "forkserver"

STATUS = struct.Struct("!q")
Ends = tuple[int, ...]
"""The descriptors of a worker, in the order of the parameters of `work`."""
# The supervisor's end closes the control socket at once, unless a process that the supervisor
# forked holds that open too; so the server also looks who its parent is.
_LOOK_EVERY_MS = 1000
_MOST_FDS = 9


def command(flags: list[str], function: str, *args: object) -> list[str]:
    """Return the command of an interpreter that finds what this one finds, and calls `function`."""
    shown = ", ".join(map(repr, args))
    path = list(map(str, sys.path))
    code = f"import sys; sys.path[:] = {path!r}; import {__name__} as s; s.{function}({shown})"
    return [sys.executable, *flags, "-c", code]


def main(control_fd: int, parent: int, method: StartMethod, flags: list[str]) -> None:
    """Start workers until the supervisor is gone; a forked worker goes on as a worker."""
    _reset_signals()
    server = os.getpid()
    worker = Server(socket.socket(fileno=control_fd), parent, method, flags).serve()
    if worker is not None:
        work(*worker, server)


def work(
    wire_fd: int, permits_fd: int, tray_fd: int, crash_fd: int, *heard_and_server: int
) -> None:
    """Be a worker.

    After its own descriptors come the four ends of two pipes for its output, and the process id of
    the server that started it.
    """
    *heard, server = heard_and_server
    _reset_signals()
    stand_in()
    end_with(server)
    with closing(Wire(socket.socket(fileno=wire_fd))) as wire:
        overheard = Overheard((heard[0], heard[1]), (heard[2], heard[3]))
        serve(wire, Permits(permits_fd), Tray(tray_fd), crash_fd, overheard)


class Server:
    """Starts workers on request, reaps them, and reports how they ended."""

    def __init__(
        self, control: socket.socket, parent: int, method: StartMethod, flags: list[str]
    ) -> None:
        self._control = control
        self._parent = parent
        self._method = method
        self._flags = flags
        self._status: dict[int, int] = {}

    def serve(self) -> Ends | None:
        """Serve until the supervisor is gone; in a forked worker return its descriptors."""
        with ExitStack() as closed, self._control:
            awake, wake = map(closed.enter_context, socket.socketpair())
            wake.setblocking(False)
            signal.signal(signal.SIGCHLD, lambda *_: None)
            signal.set_wakeup_fd(wake.fileno(), warn_on_full_buffer=False)
            closed.callback(signal.set_wakeup_fd, -1)
            gc.collect()
            gc.freeze()  # so that collections in workers don't touch the pages they share
            return self._loop(awake)

    def _loop(self, awake: socket.socket) -> Ends | None:
        poll = select.poll()
        for sock in (self._control, awake):
            poll.register(sock, select.POLLIN)
        while os.getppid() == self._parent:
            ready = {fd for fd, _ in poll.poll(_LOOK_EVERY_MS)}
            if awake.fileno() in ready:
                awake.recv(4096)
                self._reap()
            if self._control.fileno() in ready:
                fds = self._receive()
                if not fds:
                    break
                worker = self._start(tuple(fds[:-1]), fds[-1])
                if worker is not None:
                    return worker
        self._end_all()
        return None

    def _receive(self) -> list[int]:
        """Return the descriptors of a request, none if there will be no more requests."""
        try:
            return socket.recv_fds(self._control, 1, _MOST_FDS)[1]
        except ConnectionError:
            return []

    def _start(self, ends: Ends, status_fd: int) -> Ends | None:
        try:
            pid = os.fork() if self._method == "forkserver" else self._spawn(ends)
        except OSError as error:
            _report(status_fd, -(error.errno or errno.EAGAIN))
            os.close(status_fd)
        else:
            if pid == 0:
                os.setpgid(0, 0)
                for fd in (status_fd, *self._status.values()):
                    os.close(fd)
                return ends
            _lead_own_group(pid)
            self._status[pid] = status_fd
            _report(status_fd, pid)
        for fd in ends:
            os.close(fd)
        return None

    def _spawn(self, ends: Ends) -> int:
        for fd in ends:
            os.set_inheritable(fd, True)
        argv = command(self._flags, "work", *ends, os.getpid())
        return os.posix_spawn(argv[0], argv, os.environ, setpgroup=0)

    def _reap(self) -> None:
        while self._status:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                return
            kill_group(pid, signal.SIGKILL)  # what it started and left behind
            status_fd = self._status.pop(pid)
            _report(status_fd, os.waitstatus_to_exitcode(status))
            os.close(status_fd)

    def _end_all(self) -> None:
        for pid in self._status:
            kill_group(pid, signal.SIGKILL)


def _report(status_fd: int, number: int) -> None:
    with suppress(BrokenPipeError):  # the supervisor may be gone
        os.write(status_fd, STATUS.pack(number))


def _reset_signals() -> None:
    """Undo what was inherited from the supervisor, but ignore Ctrl-C, which it answers itself."""
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for number in (signal.SIGTERM, signal.SIGCHLD):
        signal.signal(number, signal.SIG_DFL)


def _lead_own_group(pid: int) -> None:
    with suppress(OSError):  # the worker may have done so itself
        os.setpgid(pid, pid)


def kill_group(pid: int, number: signal.Signals) -> None:
    """Send a signal to a worker and to what it started, if they are still there."""
    # All may have ended; and some systems refuse to signal a process that awaits being reaped.
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, number)
