"""One line of the log for each attempt that failed: which, why, and when the next comes."""

from __future__ import annotations

import logging

from flowweaver.engine.body.call import Call
from flowweaver.records import Failure
from flowweaver.serialize.describe import clean, shorten

LOGGER = "flowweaver.attempts"
"""The logger that failed attempts are told to; the command tells of them itself."""

_log = logging.getLogger(LOGGER)
_LONGEST_MESSAGE = 500


def log_failed(call: Call, failure: Failure, name: str, delay: float | None) -> None:
    """Log a failed attempt of what is called `name`.

    `delay` is the seconds until the next, None if there is none.
    """
    if not _log.isEnabledFor(logging.WARNING):
        return
    rest = "no attempt is left" if delay is None else f"the next comes {_when(delay)}"
    scope = call.scope
    fields = {
        "run_id": scope.run_id,
        "workflow": scope.workflow,
        "task": call.task.name,
        "element": call.element,
        "attempt": call.attempt,
        "delay": delay,
    }
    told = shorten(clean(str(failure)), _LONGEST_MESSAGE)
    _log.warning("%s failed, attempt %d, %s: %s", name, call.attempt, rest, told, extra=fields)


def _when(delay: float) -> str:
    return f"in {delay:.3g} s" if delay else "at once"
