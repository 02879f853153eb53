"""What the processes write that a body starts: for its log, and on to where the worker's own goes.

Such a process inherits the worker's descriptors 1 and 2. As a worker calls one body at a time, what
comes by them belongs to that body.
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
"""Where it is read, and where it is written."""

_CHUNK = 65_536
_MOST_LEFT = 1_000_000


class _Stream:
    """One of the two descriptors, behind which there is a pipe now."""

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
        """Have the descriptor lead into the pipe, or to where it led before."""
        os.dup2(self._sink if through_pipe else self._before, self._fd)

    def join(self) -> None:
        """In a forked copy, have what it prints itself go the same way as what others write."""
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
        """What passes text on: what bodies print to as well, so that secrets are taken out."""
        stream: TextIO | None = getattr(sys, self._name)
        return stream


class Overheard:
    """Listens to what comes by the descriptors 1 and 2 of this worker.

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
        """Listen from now on, or no longer."""
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
        """Let somebody hear what comes from now on."""
        if self._is_on:
            with self.lock:
                self.catch_up()
                self._hear = hear

    def end(self) -> None:
        """Let nobody hear what comes later."""
        self.begin(None)

    def catch_up(self) -> None:
        """See to what has come by now: it was written before what is written next."""
        with self.lock:
            for stream in self._streams:
                while text := stream.read():
                    self._pass_on(text, stream)

    def _pass_on(self, text: str, stream: _Stream) -> None:
        if self._hear is not None:
            self._hear(text)
        if (to := stream.printed_to) is not None:
            with suppress(Exception):  # whoever closed it wants to hear no more
                Context().run(to.write, text)  # as nobody's: it has been heard
                to.flush()

    def _work(self) -> None:
        poll = select.poll()
        for stream in self._streams:
            poll.register(stream.source, select.POLLIN)
        while poll.poll():
            self.catch_up()

    def _join(self) -> None:
        streams, self._streams = self._streams, ()  # it is the original that listens
        if self._is_on:
            self._is_on = False
            for stream in streams:
                stream.join()


class HeardLog(LogBuffer):
    """The log of one attempt, with what others write for it where it was written.

    Args:
        overheard: What others write.
    """

    __slots__ = ("_overheard",)

    def __init__(self, overheard: Overheard) -> None:
        super().__init__()
        self._overheard = overheard

    def write(self, text: str) -> None:
        """Add what the body itself writes, behind what others have written by now."""
        with self._overheard.lock:
            self._overheard.catch_up()
            self.hear(text)

    def hear(self, text: str) -> None:
        """Add text."""
        super().write(text)


class Rest:
    """What a worker did not come to hear any more, because it has ended, at its supervisor's end.

    Args:
        out: Where it is read, as of the first descriptor.
        err: That of the second.
    """

    def __init__(self, out: int, err: int) -> None:
        self._sources = out, err

    def take(self) -> str:
        """Return it, and pass it on; to be asked once the worker has ended."""
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
        """Let go of the pipes."""
        for source in self._sources:
            os.close(source)


def _leads_to(stream: Any, fd: int) -> bool:
    """Whether a stream, such as one of Ray's, writes to a descriptor."""
    try:
        return bool(stream.fileno() == fd)
    except (AttributeError, OSError, ValueError):
        return False


def _on(fd: int, stream: Any) -> TextIO:
    """Return a stream like another one on a descriptor of its own."""
    encoding = getattr(stream, "encoding", None)
    errors = getattr(stream, "errors", None)
    return open(fd, "w", encoding=encoding, errors=errors, buffering=1, closefd=False)
