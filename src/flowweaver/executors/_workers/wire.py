"""Messages between a worker process and its supervisor, over a socket.

A message is a tuple of plain values whose first item says what it is:

    to the worker     ("calls", setup, functions, items)
                      ("answer", ok, value)
                      ("end",)
    from the worker   ("hello",)
                      ("refused", module, failure)      the call could not be taken up, nor the rest
                      ("over",)                         there is no leave to begin the rest
                      ("began", when)                   the body is about to be called
                      ("beat",)                         a sign of life
                      ("log", record)                   a log record, as plain values
                      ("ask", verb, *details)           wants an answer
                      ("done", outcome, started, duration, log, *details)

What "began" and was "done" of others than the last of several calls comes by the worker's tray, if
it is small. Large bytes travel beside the message, not copied into it.
"""

from __future__ import annotations

import pickle
import socket
import struct
from contextlib import suppress
from typing import Any, NamedTuple

# The length of the message, then the number of buffers and their lengths beside it.
_HEAD = struct.Struct("!QI")
_LENGTH = struct.Struct("!Q")
MARK = struct.Struct("!Q")
"""How many bodies a worker has called, in the file that a crash is told in: it outlives both."""
MARK_AT = 1 << 20
# Smaller buffers are cheaper to copy than to send on their own.
_SMALL_BYTES = 16_384

Message = tuple[Any, ...]
Packed = tuple[Any, list[Any]]


class Item(NamedTuple):
    """A call as a worker is told of it; its function by number."""

    function: int
    name: str
    element: str
    attempt: int
    is_limited: bool
    arguments: Packed


class Wire:
    """One end of the connection. Not for use by several threads at once in one direction."""

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
        head = _HEAD.pack(len(data), len(beside))
        if not beside and len(data) < _SMALL_BYTES:
            self._sock.sendall(head + data)
            return
        lengths = b"".join([_LENGTH.pack(view.nbytes) for view in beside])
        self._sock.sendall(head + lengths)
        self._sock.sendall(data)
        for view in beside:
            self._sock.sendall(view)

    def receive(self) -> Message:
        """Wait for the next message; raises `EOFError` if none will come."""
        size, count = _HEAD.unpack(self._read(_HEAD.size))
        message: Message
        if not count:
            message = pickle.loads(self._read(size))
            return message
        lengths = [_LENGTH.unpack(self._read(_LENGTH.size))[0] for _ in range(count)]
        data = self._read(size)
        buffers = [self._read(length) for length in lengths]
        message = pickle.loads(data, buffers=buffers)
        return message

    def shut(self) -> None:
        """End the conversation; whoever waits for the other end, here or there, stops waiting."""
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
    """Return how many bytes something has that was packed."""
    data, buffers = packed
    return sum(memoryview(part).nbytes for part in (data, *buffers))


def beside(data: bytes | memoryview) -> Any:
    """Mark bytes that are large, so that `Wire` sends them without a copy."""
    return data if len(data) < _SMALL_BYTES else pickle.PickleBuffer(data)
