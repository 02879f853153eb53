"""Log records of bodies, on their way from a worker to the handlers in the runner's process.

A worker takes over the runner's levels and forwards the records that pass them. A record that a
handler installed in the worker takes is not forwarded.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from flowweaver.plugins import mask

_PLAIN = (str, int, float, bool, type(None))


class Levels:
    """The levels of all loggers, as they are in one process."""

    __slots__ = ("_disabled", "_levels")

    def __init__(self) -> None:
        manager = logging.root.manager
        loggers = {
            name: logger
            for name, logger in manager.loggerDict.copy().items()
            if isinstance(logger, logging.Logger)
        }
        self._levels = {name: each.level for name, each in loggers.items()}
        self._levels[""] = logging.root.level
        self._disabled = manager.disable

    def take_over(self) -> None:
        """Set these levels in this process."""
        logging.disable(self._disabled)
        for name, level in self._levels.items():
            logging.getLogger(name).setLevel(level)


class Forwarding(logging.Handler):
    """Hands records over to the runner's process while a call is performed (`is_open`).

    Args:
        send: Sends a record as `hear` takes it.
    """

    def __init__(self, send: Callable[[Mapping[str, Any]], None]) -> None:
        super().__init__()
        self._send = send
        self._pid = os.getpid()
        self._ours: tuple[logging.Handler, ...] = ()
        self._alone = logging.StreamHandler()
        self._alone.setFormatter(logging.Formatter(logging.BASIC_FORMAT))
        self.is_open = False

    def install(self) -> None:
        """Take the records of all loggers."""
        logging.root.addHandler(self)
        self._ours = tuple(logging.root.handlers)

    def emit(self, record: logging.LogRecord) -> None:
        """Forward a record that no other handler takes here."""
        if self._is_taken(record.name):
            return
        if not self.is_open or os.getpid() != self._pid:
            self._alone.handle(record)  # from a thread or process that its body has left behind
            return
        try:
            self._send(_portable(record))
        except Exception:
            self.handleError(record)

    def _is_taken(self, name: str) -> bool:
        logger: logging.Logger | None = logging.getLogger(name)
        while logger is not None:
            if any(handler not in self._ours for handler in logger.handlers):
                return True
            logger = logger.parent if logger.propagate else None
        return False


def hear(record: Mapping[str, Any]) -> None:
    """Have a record handled as if it had been made here."""
    logger = logging.getLogger(record["name"])
    if logger.isEnabledFor(record["levelno"]):
        with suppress(Exception):  # a handler that raises fails no body
            logger.handle(logging.makeLogRecord(dict(record)))


def _portable(record: logging.LogRecord) -> dict[str, Any]:
    """Return a record as plain values, its text formatted here, where its arguments are."""
    made = dict(vars(record), msg=record.getMessage(), args=None, exc_info=None)
    if record.exc_info and not record.exc_text:
        made["exc_text"] = logging.Formatter().formatException(record.exc_info)
    plain = {
        name: value if isinstance(value, _PLAIN) else repr(value) for name, value in made.items()
    }
    return {name: mask(value) if isinstance(value, str) else value for name, value in plain.items()}
