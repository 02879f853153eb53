"""What bodies raise to say what is to become of their attempt; neither is an error."""

from __future__ import annotations


class Retry(Exception):
    """Raised by a body to ask for another attempt: ``raise Retry(after=30)``.

    It takes one of the task's `retries`, whatever `retry_on` says, and comes after the seconds
    asked for instead of those of `backoff`. With none left the task has failed. ``raise Retry(...)
    from error`` keeps what it is about.

    Args:
        message: Why, for people.
        after: Seconds until then; if not given, `backoff` says.
    """

    def __init__(self, message: str = "", *, after: float | None = None) -> None:
        if isinstance(message, int | float):
            raise TypeError(f"Retry takes a message; for a wait, say Retry(after={message!r}).")
        if after is not None and (not isinstance(after, int | float) or not after >= 0):
            raise ValueError(f"Retry takes after= in seconds from 0, not {after!r}.")
        super().__init__(message)
        self.message = message
        self.after = after

    def __str__(self) -> str:
        wait = "" if self.after is None else f" in {self.after:g} s"
        return self.message or f"another attempt was asked for{wait}"

    def __reduce__(self) -> tuple[object, ...]:
        return _again, (type(self), self.message, self.after)


class Skip(Exception):
    """Raised by a body that has nothing to do: ``raise Skip("no data")``.

    Its TaskRun is skipped, as by a `when` that is not met, and the message is kept as the reason.
    """


def _again(kind: type[Retry], message: str, after: float | None) -> Retry:
    return kind(message, after=after)
