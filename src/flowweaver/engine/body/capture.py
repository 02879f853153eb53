"""What bodies print and log, kept per attempt, and passed on as if nobody listened."""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TextIO

from flowweaver.engine.body.call import call_here
from flowweaver.engine.body.logs import LogBuffer
from flowweaver.forks import keep_free_in_copies


class _Tee:
    """A standard stream that also writes to the log of the attempt it is used in."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        log = _log_here()
        if log is not None:
            log.write(text)
        return self._stream.write(text)

    def writelines(self, lines: Any) -> None:
        for line in lines:
            self.write(line)

    def close(self) -> None:
        """Close nothing: the stream is also that of other bodies, and of who executes them."""
        self._stream.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def __iter__(self) -> Iterator[str]:
        return iter(self._stream)


class _Handler(logging.Handler):
    """Writes log records to the log of the attempt they come from."""

    def emit(self, record: logging.LogRecord) -> None:
        log = _log_here()
        if log is not None:
            log.write(self.format(record) + "\n")
        # Where nobody else listens, Python prints warnings; but with this handler, somebody does.
        last = logging.lastResort
        if last is not None and record.levelno >= last.level and self._is_alone(record.name):
            stream = sys.stderr
            stream = stream._stream if isinstance(stream, _Tee) else stream
            if stream is not None:
                stream.write(f"{last.format(record)}\n")

    def _is_alone(self, name: str) -> bool:
        logger: logging.Logger | None = logging.getLogger(name)
        while logger is not None:
            if any(handler is not self for handler in logger.handlers):
                return False
            logger = logger.parent if logger.propagate else None
        return True


def _log_here() -> LogBuffer | None:
    call = call_here()
    return None if call is None else call.log


class _Installation:
    """The one set of hooks in this process, shared by all runs that want it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        keep_free_in_copies(self._lock)
        self._users = 0
        self._tees: dict[str, _Tee] = {}
        self._handler = _Handler()
        self._handler.setFormatter(logging.Formatter("%(levelname)s %(name)s: %(message)s"))

    def acquire(self) -> None:
        with self._lock:
            self._users += 1
            if self._users > 1:
                return
            for name in ("stdout", "stderr"):
                stream = getattr(sys, name)
                if stream is not None:
                    self._tees[name] = _Tee(stream)
                    setattr(sys, name, self._tees[name])
            logging.getLogger().addHandler(self._handler)

    def release(self) -> None:
        with self._lock:
            self._users -= 1
            if self._users:
                return
            for name, tee in self._tees.items():
                if getattr(sys, name) is tee:  # else somebody put another in front of it
                    setattr(sys, name, tee._stream)
            self._tees.clear()
            logging.getLogger().removeHandler(self._handler)


_installation = _Installation()


@contextmanager
def capturing() -> Iterator[None]:
    """Keep what bodies print and log while this is entered; contexts may overlap freely."""
    _installation.acquire()
    try:
        yield
    finally:
        _installation.release()
