"""What an attempt failed of, and whether another one may do better."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from flowweaver.definitions.options import TaskOptions
from flowweaver.definitions.retry import LONGEST_WAIT, AskedBackoff, Backoff, RetryOn
from flowweaver.engine.body.failures import failure_of, leaves_of
from flowweaver.errors import UnstorableError
from flowweaver.raised import Retry
from flowweaver.records import Failure

_log = logging.getLogger("flowweaver")


@dataclass(slots=True)
class Fault:
    """What an attempt failed of.

    Attributes:
        failure: What is told and kept of it.
        error: What was raised, where that is at hand.
        retryable: Whether another attempt may do better.
        wait: How many seconds later the next attempt is to come, where the body or the task's own
            function says so.
    """

    failure: Failure
    error: BaseException | None = None
    retryable: bool = False
    wait: float | None = None


def fault_of(error: BaseException, options: TaskOptions, attempt: int) -> Fault:
    """Return the fault of an attempt that raised `error`, by the options of its task."""
    return Fault(
        failure_of(error),
        error,
        is_retryable(error, options.retry_on),
        wait_after(error, options.backoff, attempt),
    )


def is_retryable(error: BaseException, retry_on: RetryOn) -> bool:
    """Return whether `retry_on` asks for another attempt after `error`.

    Types ask for it after a group, too, if it is made of nothing else.
    """
    if isinstance(error, UnstorableError):
        return False  # the body did its work; doing it again would not make the value storable
    if all(isinstance(leaf, Retry) for leaf in leaves_of(error)):
        return True
    if isinstance(retry_on, type | tuple):
        return isinstance(error, retry_on) or all(
            isinstance(leaf, retry_on) for leaf in leaves_of(error)
        )
    try:
        return bool(retry_on(error))
    except Exception:
        _log.exception("retry_on of a task raised; the task is not retried")
        return False


def wait_after(error: BaseException, backoff: Backoff, attempt: int) -> float | None:
    """Return the seconds that are asked for between `error` and the next attempt, if any are.

    What the body says goes before what the task's own function says.
    """
    asked = [leaf.after for leaf in leaves_of(error) if isinstance(leaf, Retry)]
    told = [after for after in asked if after is not None]
    if told:
        return min(max(told), LONGEST_WAIT)
    if not isinstance(backoff, AskedBackoff):
        return None
    try:
        return backoff.told(error, attempt)
    except Exception:
        _log.exception("backoff of a task raised; the next attempt comes at once")
        return None
