"""Code that goes to another process, with the lines it was made from, for tracebacks."""

from __future__ import annotations

import linecache
from collections.abc import Callable, Iterator
from pathlib import Path
from types import CodeType
from typing import Any

import cloudpickle


class CodeReducer:
    """Reduces the code objects of one pickle; lines sent with a function are not sent again."""

    def __init__(self) -> None:
        self._sent: tuple[str, range] = "", range(0)

    def reduced(self, code: CodeType) -> tuple[Any, ...]:
        """Return how a code object is pickled, in the form of `__reduce__`."""
        make, arguments = cloudpickle.Pickler.dispatch_table[CodeType](code)
        name, first = code.co_filename, code.co_firstlineno
        if name == self._sent[0] and first in self._sent[1]:
            return _make, (make, arguments, name, first, [])
        last = max(_line_numbers(code), default=first)
        self._sent = name, range(first, last + 1)
        return _make, (make, arguments, name, first, linecache.getlines(name)[first - 1 : last])


def _line_numbers(code: CodeType) -> Iterator[int]:
    yield from (line for _, _, line in code.co_lines() if line is not None)
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _line_numbers(constant)


def _make(
    make: Callable[..., CodeType],
    arguments: tuple[Any, ...],
    name: str,
    first: int,
    lines: list[str],
) -> CodeType:
    if lines and not Path(name).is_file():
        _remember(name, first, lines)
    return make(*arguments).replace(co_filename=name)


def _remember(name: str, first: int, lines: list[str]) -> None:
    """Let tracebacks show lines of a file that is not on this disk, such as a notebook's cell."""
    known = linecache.getlines(name)
    end = first - 1 + len(lines)
    whole = known + ["\n"] * (end - len(known))
    whole[first - 1 : end] = lines
    linecache.cache[name] = sum(map(len, whole)), None, whole, name
