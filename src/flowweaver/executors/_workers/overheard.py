"""Output of processes that a body starts: into its log, and on to where the worker's own goes.

Such a process inherits the worker's descriptors 1 and 2. As a worker calls one body at a time,
whatever is written to them belongs to that body.
"""

from __future__ import annotations

import codecs
import os
import select
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from contextvars import Context
from io import TextIOWrapper
from typing import Any, TextIO

from flowweaver.plugins import LogBuffer, keep_free_in_copies, mask

Pipe = tuple[int, int]
"""The descriptors to read from and to write to."""

_CHUNK = 65_536
_MOST_LEFT = 1_000_000


class _Stream:
    """One of the two descriptors, which leads into a pipe while anybody listens."""

    def __init__(self, fd: int, name: str, pipe: Pipe) -> None:
        self.source, self._sink = pipe
        self._fd = fd
        self._name = name
        self._before = os.dup(fd)
        self._text = codecs.getincrementaldecoder("utf-8")("backslashreplace")
        os.set_blocking(self.source, False)
        stream = getattr(sys, name)
        if isinstance(stream, TextIOWrapper) or _leads_to(stream, fd):
            stream.flush()
            setattr(sys, name, _on(self._before, stream))

    def lead(self, *, through_pipe: bool) -> None:
        """Let the descriptor lead into the pipe, or to where it led before."""
        os.dup2(self._sink if through_pipe else self._before, self._fd)

    def join(self) -> None:
        """In a forked copy, send what it prints itself where other processes' output goes."""
        os.dup2(self._fd, self._before)

    def read(self) -> str:
        """Return what has come by now, without waiting."""
        found = b""
        with suppress(BlockingIOError):
            while chunk := os.read(self.source, _CHUNK):
                found += chunk
                if len(found) >= _CHUNK:
                    break
        return self._text.decode(found)

    @property
    def printed_to(self) -> TextIO | None:
        """The stream that text is passed on to; bodies print to it too, and it masks secrets."""
        stream: TextIO | None = getattr(sys, self._name)
        return stream


class Overheard:
    """Listens to what is written to the descriptors 1 and 2 of this worker.

    Args:
        out: The pipe for the first.
        err: The pipe for the second.

    Attributes:
        lock: Held while something is heard, or written to the same log.
    """

    def __init__(self, out: Pipe, err: Pipe) -> None:
        self._streams: tuple[_Stream, ...] = (_Stream(1, "stdout", out), _Stream(2, "stderr", err))
        self.lock = threading.RLock()
        keep_free_in_copies(self.lock)
        self._hear: Callable[[str], object] | None = None
        self._is_on = False
        self._listener: threading.Thread | None = None
        os.register_at_fork(after_in_child=self._join)

    def listen(self, *, wanted: bool) -> None:
        """Start listening, or stop."""
        if wanted is self._is_on:
            return
        self._is_on = wanted
        for stream in self._streams:
            stream.lead(through_pipe=wanted)
        if wanted and self._listener is None:
            self._listener = threading.Thread(
                target=self._work, name="flowweaver-overheard", daemon=True
            )
            self._listener.start()

    def begin(self, hear: Callable[[str], object] | None) -> None:
        """Pass what is written from now on to `hear`, too."""
        if self._is_on:
            with self.lock:
                self.catch_up()
                self._hear = hear

    def end(self) -> None:
        """Pass nothing on to the last `hear` any more."""
        self.begin(None)

    def catch_up(self) -> None:
        """Pass on what has been written by now, ahead of what is written next."""
        with self.lock:
            for stream in self._streams:
                while text := stream.read():
                    self._pass_on(text, stream)

    def _pass_on(self, text: str, stream: _Stream) -> None:
        if self._hear is not None:
            self._hear(text)
        if (to := stream.printed_to) is not None:
            with suppress(Exception):  # the stream may be closed
                Context().run(to.write, text)  # in no body's context: its log has it already
                to.flush()

    def _work(self) -> None:
        poll = select.poll()
        for stream in self._streams:
            poll.register(stream.source, select.POLLIN)
        while poll.poll():
            self.catch_up()

    def _join(self) -> None:
        streams, self._streams = self._streams, ()  # the original process goes on listening
        if self._is_on:
            self._is_on = False
            for stream in streams:
                stream.join()


class HeardLog(LogBuffer):
    """The log of one attempt, in which the output of its processes stands where it was written.

    Args:
        overheard: Listens to those processes.
    """

    __slots__ = ("_overheard",)

    def __init__(self, overheard: Overheard) -> None:
        super().__init__()
        self._overheard = overheard

    def write(self, text: str) -> None:
        """Add text of the body itself, behind what its processes have written by now."""
        with self._overheard.lock:
            self._overheard.catch_up()
            self.hear(text)

    def hear(self, text: str) -> None:
        """Add text."""
        super().write(text)


class Rest:
    """The supervisor's end of a worker's output pipes: what the worker ended too early to read.

    Args:
        out: The descriptor to read standard output from.
        err: That of standard error.
    """

    def __init__(self, out: int, err: int) -> None:
        self._sources = out, err

    def take(self) -> str:
        """Return the rest and pass it on; call it once the worker has ended."""
        found = ""
        for source, stream in zip(self._sources, (sys.stdout, sys.stderr), strict=True):
            os.set_blocking(source, False)
            data = b""
            with suppress(OSError):
                while len(data) < _MOST_LEFT and (chunk := os.read(source, _CHUNK)):
                    data += chunk
            text = data.decode("utf-8", "backslashreplace")
            if text and stream is not None:
                stream.write(mask(text))
            found += text
        return found

    def close(self) -> None:
        """Close the pipes."""
        for source in self._sources:
            os.close(source)


def _leads_to(stream: Any, fd: int) -> bool:
    """Whether a stream, such as one of Ray's, writes to a descriptor."""
    try:
        return bool(stream.fileno() == fd)
    except (AttributeError, OSError, ValueError):
        return False


def _on(fd: int, stream: Any) -> TextIO:
    """Return a stream to a descriptor with the encoding of another stream."""
    encoding = getattr(stream, "encoding", None)
    errors = getattr(stream, "errors", None)
    return open(fd, "w", encoding=encoding, errors=errors, buffering=1, closefd=False)
