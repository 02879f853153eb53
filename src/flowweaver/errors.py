"""Every error FlowWeaver raises, in one small tree, and what it warns of."""

from __future__ import annotations

from collections.abc import Callable, Iterable


class FlowWeaverError(Exception):
    """Base of all errors raised by FlowWeaver itself."""


class DefinitionError(FlowWeaverError, ValueError):
    """A task or workflow can't be right as it is defined; found before any body runs."""


class ParameterError(FlowWeaverError, ValueError):
    """The parameters given to a run don't fit the workflow; found before any body runs.

    `missing` are the names of those that were not given.
    """

    def __init__(self, message: str, missing: Iterable[str] = ()) -> None:
        super().__init__(message)
        self.missing = tuple(missing)


class SecretError(FlowWeaverError, LookupError):
    """A secret is needed that was not given: secrets are used and never kept."""


class UnstorableError(FlowWeaverError, TypeError):
    """A value can't be stored so that it would come back equal in value and type.

    `path` is the place inside the value, such as ``result['x'][3]``.
    """

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"{path} can't be stored: {reason}")
        self.path = path
        self.reason = reason

    def __reduce__(self) -> tuple[type[UnstorableError], tuple[str, str]]:
        return type(self), (self.path, self.reason)


class MissingOutputError(FlowWeaverError, FileNotFoundError):
    """A task did not make a file that it says it makes."""


class FileConflictError(FlowWeaverError):
    """Two tasks of a run write the same file."""


class UndecodableError(FlowWeaverError, ValueError):
    """A stored value can't be decoded: its bytes, codec or signature are not as written."""


class NoResultError(FlowWeaverError, LookupError):
    """A task has no result: it did not complete, or its result was dropped."""


class TaskTimeoutError(FlowWeaverError, TimeoutError):
    """An attempt was over its limit."""


class TaskExitError(FlowWeaverError, RuntimeError):
    """A body tried to end the process (`sys.exit`, `os._exit`, a signal); only its task failed."""


class CommandError(FlowWeaverError, RuntimeError):
    """A command of the system could not be started, or ended with a code that it may not end with.

    `code` is what it ended with (negative: the signal), None if it never began; `lines` are the
    last that it printed.
    """

    def __init__(
        self, command: str, how: str, code: int | None = None, lines: tuple[str, ...] = ()
    ) -> None:
        said = "; its last lines:\n" + "\n".join(lines) if lines else ""
        super().__init__(f"`{command}` {how}{said}")
        self.command = command
        self.how = how
        self.code = code
        self.lines = lines

    def __reduce__(
        self,
    ) -> tuple[type[CommandError], tuple[str, str, int | None, tuple[str, ...]]]:
        return type(self), (self.command, self.how, self.code, self.lines)


class ClusterLostError(FlowWeaverError, ConnectionError):
    """The cluster that tasks ran on is gone; the run can be continued, on any executor."""


class StoreError(FlowWeaverError, RuntimeError):
    """A state store can't be used; nothing was run on its word and it is left as it was."""


class StoreCorruptError(StoreError):
    """What the store holds is damaged: torn, bit-flipped or cut."""


class StoreVersionError(StoreError):
    """The store belongs to another program or to a newer FlowWeaver."""


class StoreWriteError(StoreError):
    """A commit failed (disk full, read-only, I/O error); what it held is not done."""


class RunLockedError(StoreError):
    """Another process is working on this run; the message says which and since when."""


class SupersededError(StoreError):
    """This process lost its run to another one and must not commit to it any more."""


class UnknownNameError(FlowWeaverError, KeyError):
    """No run, task or parameter has the name asked for."""

    def __str__(self) -> str:
        # KeyError would show the repr of the message.
        return str(self.args[0])


class TypeClashWarning(UserWarning):
    """A task takes what another returns, and their annotations say that this can't be."""


def near_matches(name: str, known: Iterable[str], shown: Callable[[str], str] = str) -> str:
    """Return how a sentence about an unknown name ends: "; did you mean 'a' or 'b'?" or "."."""
    from difflib import get_close_matches  # half of what this module takes to import

    close = get_close_matches(name, list(known), n=3, cutoff=0.6)
    return f"; did you mean {' or '.join(repr(shown(each)) for each in close)}?" if close else "."
