"""Messages between a worker process and its supervisor, over a socket.

A message is a tuple of plain values whose first item says what it is:

    to the worker     ("calls", setup, functions, items)
                      ("answer", ok, value)
                      ("end",)
    from the worker   ("hello",)
                      ("refused", module, failure)      the call could not be taken up, nor the rest
                      ("over",)                         there is no permit to begin the rest
                      ("began", number, when)           the body is about to be called
                      ("beat",)                         a sign of life
                      ("log", record)                   a log record, as plain values
                      ("ask", verb, *details)           wants an answer
                      ("done", number, ("done", outcome, started, duration, log, seen, *details))

A number is the position of a call among those that were sent with it. "began" and "done" of all but
the last of several calls come by the worker's tray if they are small, so that either of the two
ways may be ahead of the other. Large buffers travel beside the message, not copied into it; very
large ones in a nameless file, whose descriptor is sent.
"""

from __future__ import annotations

import os
import pickle
import socket
import struct
from array import array
from contextlib import suppress
from typing import Any, NamedTuple

from flowweaver.executors._workers.freight import MOST_FILES, SPAN, Freight, mapped

# The length of the message and the number of buffers beside it; then where each of them is.
_HEAD = struct.Struct("!QI")
MARK = struct.Struct("!Q")
"""How many bodies a worker has called: kept in its crash file, which outlives the worker."""
MARK_AT = 1 << 20
LOG_HEAD = struct.Struct("!QQ")
"""Which body printed the text that follows, and how many bytes: kept behind the mark."""
LOG_AT = MARK_AT + 4096
# Smaller buffers are cheaper to copy than to send on their own.
_SMALL_BYTES = 16_384

_CLOSED_ON_EXEC = getattr(socket, "MSG_CMSG_CLOEXEC", 0)
_ROOM_FOR_FILES = socket.CMSG_SPACE(MOST_FILES * array("i").itemsize)

Message = tuple[Any, ...]
Packed = tuple[Any, list[Any]]


class Item(NamedTuple):
    """A call as it is sent to a worker, with its function by number."""

    function: int
    name: str
    element: str
    attempt: int
    is_limited: bool
    arguments: Packed


class Wire:
    """One end of the connection. In each direction only one thread may use it at a time."""

    __slots__ = ("_sock",)

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock

    def fileno(self) -> int:
        """Return the descriptor to wait on."""
        return self._sock.fileno()

    def send(self, message: Message) -> None:
        """Send a message whole; raises `OSError` if nobody can receive it any more."""
        beside: list[memoryview] = []

        def keep(buffer: pickle.PickleBuffer) -> bool:
            view = buffer.raw()
            if view.nbytes < _SMALL_BYTES:
                return True
            beside.append(view)
            return False

        data = pickle.dumps(message, 5, buffer_callback=keep)
        if not beside and len(data) < _SMALL_BYTES:
            self._sock.sendall(_HEAD.pack(len(data), 0) + data)
            return
        with Freight(beside) as freight:
            head = _HEAD.pack(len(data), len(beside)) + freight.table()
            if freight.files:
                sent = socket.send_fds(self._sock, [head], freight.files)
                head = head[sent:]
            self._sock.sendall(head)
            self._sock.sendall(data)
            for view in freight.inline:
                self._sock.sendall(view)

    def receive(self) -> Message:
        """Wait for the next message; raises `EOFError` if none will come."""
        head, fds = self._receive_head()
        try:
            size, count = _HEAD.unpack(head)
            message: Message
            if not count:
                message = pickle.loads(self._read(size))
                return message
            table = self._read(SPAN.size * count)
            spans = [SPAN.unpack_from(table, SPAN.size * each) for each in range(count)]
            data = self._read(size)
            buffers = [
                self._read(length) if file < 0 else mapped(fds[file], start, length)
                for file, start, length in spans
            ]
        finally:
            for fd in fds:
                os.close(fd)
        message = pickle.loads(data, buffers=buffers)
        return message

    def _receive_head(self) -> tuple[bytes, list[int]]:
        head, rights, _, _ = self._sock.recvmsg(_HEAD.size, _ROOM_FOR_FILES, _CLOSED_ON_EXEC)
        fds = array("i")
        for level, kind, content in rights:
            if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
                fds.frombytes(content[: len(content) - len(content) % fds.itemsize])
        if not head:
            raise EOFError
        if len(head) < _HEAD.size:
            head += self._read(_HEAD.size - len(head))
        return head, fds.tolist()

    def shut(self) -> None:
        """Shut the connection down; whoever waits for it, at either end, stops waiting."""
        with suppress(OSError):  # the other end may have been faster
            self._sock.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Let go of the socket."""
        self._sock.close()

    def _read(self, count: int) -> bytes | bytearray:
        if count <= _SMALL_BYTES:
            data = self._sock.recv(count, socket.MSG_WAITALL)
            if len(data) == count:
                return data
            if not data:
                raise EOFError
            return data + self._read(count - len(data))
        whole = bytearray(count)
        rest = memoryview(whole)
        while rest:
            got = self._sock.recv_into(rest)
            if not got:
                raise EOFError
            rest = rest[got:]
        return whole


def size_of(packed: Packed) -> int:
    """Return how many bytes a packed value has."""
    data, buffers = packed
    return sum(memoryview(part).nbytes for part in (data, *buffers))


def beside(data: bytes | memoryview) -> Any:
    """Mark bytes that are large, so that `Wire` sends them without a copy."""
    return pickle.PickleBuffer(data) if len(data) >= _SMALL_BYTES else bytes(data)
