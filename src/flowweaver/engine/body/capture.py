"""What bodies print and log, kept per attempt, and passed on as if nobody listened.

Secrets are taken out of either.
"""

from __future__ import annotations

import logging
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from flowweaver.engine.body.call import call_here
from flowweaver.engine.body.logs import LogBuffer
from flowweaver.forks import keep_free_in_copies
from flowweaver.masking import MaskedStream, mask, masker


class _Tee(MaskedStream):
    """A standard stream that also writes to the log of the attempt it is used in."""

    def write(self, text: str) -> int:
        log = _log_here()
        if log is not None:
            log.write(text)
        with _unless_a_body_writes():
            super().write(text)
        return len(text)

    def flush(self) -> None:
        with _unless_a_body_writes():
            self.stream.flush()

    def _writer(self) -> object:
        # Many bodies share the thread of an event loop, and one may have threads of its own.
        return threading.get_ident(), _log_here()

    def close(self) -> None:
        """Close nothing: the stream is also that of other bodies, and of who executes them."""
        self.stream.flush()


@contextmanager
def _unless_a_body_writes() -> Iterator[None]:
    """Keep from a body that nobody reads on where the stream leads to, or that a disk is full."""
    try:
        yield
    except OSError:
        if call_here() is None:
            raise


class _Handler(logging.Handler):
    """Writes log records to the log of the attempt they come from."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record; a mistake in it, or that nobody reads on, is no error of who logs."""
        try:
            self._write(record)
        except RecursionError:
            raise  # as logging has it
        except Exception:
            if self._is_alone(record.name):  # else it has been told
                self.handleError(record)

    def _write(self, record: logging.LogRecord) -> None:
        log = _log_here()
        if log is not None:
            log.write(self.format(record) + "\n")
        # Where nobody else listens, Python prints warnings; but with this handler, somebody does.
        last = logging.lastResort
        if last is not None and record.levelno >= last.level and self._is_alone(record.name):
            stream = sys.stderr
            stream = stream.stream if isinstance(stream, _Tee) else stream
            if stream is not None:
                stream.write(f"{mask(last.format(record))}\n")

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


def _without_secrets(record: logging.LogRecord) -> logging.LogRecord:
    """Take secrets out of what a record says, for whichever handler there is."""
    try:
        said = record.getMessage()
    except Exception:  # each handler says so
        return record
    if (masked := mask(said)) != said:
        record.msg, record.args = masked, None
    if record.exc_info and record.exc_info[1] is not None:
        trace = "".join(traceback.format_exception(record.exc_info[1])).rstrip("\n")
        if (masked := mask(trace)) != trace:
            record.exc_text, record.exc_info = masked, None
    if record.stack_info:
        record.stack_info = mask(record.stack_info)
    return record


class _Installation:
    """The one set of hooks in this process, shared by all runs that want it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        keep_free_in_copies(self._lock)
        self._users = 0
        self._tees: dict[str, _Tee] = {}
        self._make_record: Callable[..., logging.LogRecord] = logging.LogRecord
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
            self._make_record = logging.getLogRecordFactory()
            logging.setLogRecordFactory(self._made)

    def _made(self, *details: Any, **more: Any) -> logging.LogRecord:
        record = self._make_record(*details, **more)
        return _without_secrets(record) if masker.knows_any else record

    def release(self) -> None:
        with self._lock:
            self._users -= 1
            if self._users:
                return
            for name, tee in self._tees.items():
                tee.end()
                if getattr(sys, name) is tee:  # else somebody put another in front of it
                    setattr(sys, name, tee.stream)
            self._tees.clear()
            if logging.getLogRecordFactory() == self._made:
                logging.setLogRecordFactory(self._make_record)
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
