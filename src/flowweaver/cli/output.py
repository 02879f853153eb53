"""What the command says: errors, tables, JSON, and the code it exits with."""

from __future__ import annotations

import errno
import json
import os
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from enum import IntEnum
from typing import IO, Any, TextIO

import click

from flowweaver.masking import MaskedStream, mask

# Tables that nobody looks at are not folded to a screen's width.
_WIDTH_ELSEWHERE = 10_000
_STREAMS = (("stdout", 1), ("stderr", 2))


class ExitCode(IntEnum):
    """What the command exits with."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    INTERRUPTED = 130


class Problem(click.ClickException):
    """What keeps a command from doing its work, in one message.

    Args:
        message: Names the culprit, the place and the way out.
        detail: Lines to print below, such as the user's own traceback.
        code: What the command exits with.
    """

    def __init__(self, message: str, *, detail: str = "", code: int = ExitCode.USAGE) -> None:
        super().__init__(message)
        self.detail = detail
        self.exit_code = code  # type: ignore[misc]  # click's is a constant of the class

    def show(self, file: IO[Any] | None = None) -> None:  # noqa: ARG002
        """Print the message to standard error."""
        print_error(self.message, self.detail)


def say(line: str, *, err: bool = False) -> None:
    """Print one line, whatever is in it: neither a terminal nor a reader takes it for more.

    All that the command prints goes through here, `say_lines`, `print_json` or `print_table`.
    """
    from flowweaver.observers.style import one_line

    print(one_line(line), file=sys.stderr if err else sys.stdout, flush=True)


def say_lines(text: str, *, err: bool = False) -> None:
    """Print lines, with nothing in them that a terminal would obey."""
    from flowweaver.observers.style import block

    print(block(text), file=sys.stderr if err else sys.stdout, flush=True)


def print_bytes(data: bytes) -> None:
    """Write bytes as they are, to what is no terminal."""
    sys.stdout.flush()
    sys.stdout.buffer.write(data)


def print_error(message: str, detail: str = "") -> None:
    """Print an error to standard error."""
    say_lines(f"Error: {message}" + (f"\n{detail.rstrip()}" if detail else ""), err=True)


def print_unexpected(error: Exception) -> None:
    """Print an error that should not have come this far; the traceback only when asked for."""
    if os.environ.get("FLOWWEAVER_TRACEBACK"):
        traceback.print_exc()
    print_error(
        f"unexpected {type(error).__name__}: {error}. This is a fault of FlowWeaver or of a "
        "plug-in; set FLOWWEAVER_TRACEBACK=1 to see where it comes from."
    )


def print_json(value: object, stream: TextIO | None = None) -> None:
    """Print a value as JSON, by default to standard output."""
    print(json.dumps(_masked(value), indent=2, ensure_ascii=True), file=stream or sys.stdout)


def _masked(value: Any) -> Any:
    """Return what JSON has without secrets in its texts."""
    if isinstance(value, str):
        return mask(value)
    if isinstance(value, dict):
        return {_masked(key): _masked(item) for key, item in value.items()}
    return [*map(_masked, value)] if isinstance(value, list | tuple) else value


def open_closed_streams() -> None:
    """Have what is printed go nowhere where the process was started with a stream closed."""
    for name, number in _STREAMS:
        if getattr(sys, name) is None:
            opened = os.open(os.devnull, os.O_WRONLY)
            if opened != number:
                os.dup2(opened, number)
                os.close(opened)
            os.set_inheritable(number, True)  # by worker processes
            setattr(sys, name, open(number, "w", closefd=False))  # noqa: SIM115


def is_of_output(error: OSError) -> bool:
    """Whether an error is that of a stream that takes no more, as on a full disk."""
    return error.filename is None and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EIO)


def drop_output() -> None:
    """Have what is still buffered for standard output go nowhere."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


@contextmanager
def secrets_masked() -> Iterator[None]:
    """Take secrets out of all that is written to standard output and error meanwhile."""
    streams = {name: MaskedStream(stream) for name, _ in _STREAMS if (stream := getattr(sys, name))}
    for name, stream in streams.items():
        setattr(sys, name, stream)
    try:
        yield
    finally:
        for name, stream in streams.items():
            stream.end()
            if getattr(sys, name) is stream:
                setattr(sys, name, stream.stream)


def print_table(table: Any) -> None:
    """Print a table of rich to standard output, no wider than the terminal or COLUMNS says."""
    from rich.console import Console

    said = os.environ.get("COLUMNS", "")
    wanted = int(said) if said.isascii() and said.isdigit() and int(said) else _WIDTH_ELSEWHERE
    console = Console(file=sys.stdout, width=None if sys.stdout.isatty() else wanted)
    console.print(table)


@contextmanager
def streams_kept() -> Iterator[None]:
    """Have standard output and error afterwards, whatever bodies do to them."""
    kept = [(name, fd, getattr(sys, name)) for name, fd in _STREAMS]
    try:
        yield
    finally:
        for name, fd, stream in kept:
            is_closed = stream is not None and stream.closed
            setattr(sys, name, _opened_again(fd) if is_closed else stream)


def _opened_again(fd: int) -> TextIO:
    return os.fdopen(fd, "w", errors="backslashreplace", buffering=1, closefd=False)


@contextmanager
def stdout_kept_clean() -> Iterator[TextIO]:
    """Send what others print to standard error meanwhile; yield the true standard output.

    The file descriptor itself is moved, so that child processes of a task don't write into the
    JSON either.
    """
    sys.stdout.flush()
    true_output = os.fdopen(os.dup(1), "w", encoding=sys.stdout.encoding)
    try:
        os.dup2(2, 1)
        with redirect_stdout(sys.stderr):
            yield true_output
    finally:
        true_output.flush()
        os.dup2(true_output.fileno(), 1)
        true_output.close()
