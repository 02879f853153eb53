"""Show what bodies print above the display of progress, line by line."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, redirect_stderr, redirect_stdout
from typing import Any, TextIO


class LineSplitter:
    """A stand-in for a standard stream that hands on whole lines, those of each thread apart.

    Args:
        stream: The stream it stands for.
        take: Called with complete lines, without their line ends.
    """

    def __init__(self, stream: TextIO, take: Callable[[list[str]], None]) -> None:
        self._stream = stream
        self._take = take
        self._begun: dict[int, str] = {}

    def write(self, text: str) -> int:
        """Hand on the lines that `text` completes."""
        thread = threading.get_ident()
        *lines, begun = (self._begun.pop(thread, "") + text).split("\n")
        if begun:
            self._begun[thread] = begun
        if lines:
            self._take(lines)
        return len(text)

    def writelines(self, lines: Any) -> None:
        """Hand on the lines that the parts complete."""
        for line in lines:
            self.write(line)

    def flush(self) -> None:
        """Do nothing: a line that is begun is shown when it ends."""

    def finish(self) -> None:
        """Hand on lines that were begun and never ended."""
        begun, self._begun = self._begun, {}
        if begun:
            self._take(list(begun.values()))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


@contextmanager
def terminal_output_taken(take: Callable[[list[str]], None]) -> Iterator[None]:
    """Give `take` what is written to standard output and error, where these are a terminal."""
    with ExitStack() as stack:
        for stream, redirect in ((sys.stdout, redirect_stdout), (sys.stderr, redirect_stderr)):
            if stream is not None and stream.isatty():
                splitter: Any = LineSplitter(stream, take)
                stack.callback(splitter.finish)
                stack.enter_context(redirect(splitter))
        yield
