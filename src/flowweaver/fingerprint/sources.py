"""Source files cut at their top-level definitions, and the syntax that code was compiled from.

A file is never parsed as a whole: its compiled form, which Python keeps beside it, tells where
each definition starts, and only what is asked for is parsed. Ten thousand functions in one file
so take a third of the time and next to no memory.
"""

from __future__ import annotations

import ast
import linecache
import re
import warnings
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cached_property
from importlib.machinery import SourceFileLoader
from importlib.util import cache_from_source
from inspect import CO_OPTIMIZED
from pathlib import Path
from types import CodeType
from typing import Any, NamedTuple

from flowweaver.fingerprint.bytecode import codes_within, same_code
from flowweaver.fingerprint.outlines import Definition, Outline, lines_of, outline
from flowweaver.fingerprint.shown import shown
from flowweaver.fingerprint.spelling import Renames
from flowweaver.parsing import parsed

# All that is made of text goes by these names; from Python 3.13 on, what `python -c` was given is
# kept under one of them.
_NAMES_OF_MANY = frozenset({"<string>", "<stdin>"})
_KEPT_SEGMENTS = 16
_KEPT_OUTLINES = 512
_STARTS_OF_DEFINITIONS = ("def ", "async ", "class ", "@")
# Lambdas, generators and the like; and from Python 3.14 on what evaluates annotations, whose line
# is that of the `def`, below its decorators.
_PARTS_OF_DEFINITIONS = ("<", "__annotate__")
# What Python may warn of while it parses; to suppress that costs as much as the parsing.
_ODD_SPELLING = re.compile(r"\\|\d[a-z]")
_INSIDE_OF_SOMETHING = frozenset(" \t\r\n\f#)]}")

Node = Definition | ast.Lambda


class Excerpt(NamedTuple):
    """Lines of a source. Unlike a piece it keeps no syntax alive."""

    source: Source
    lines: range

    @property
    def text(self) -> str:
        """The lines as they are."""
        return "".join(self.source.lines[self.lines.start - 1 : self.lines.stop - 1])


class Piece(NamedTuple):
    """A definition or statement, and how far its lines are from those of its file."""

    source: Source
    node: ast.AST
    offset: int

    @property
    def key(self) -> tuple[str, int, int]:
        """What tells this piece from any other: file, line and column."""
        line = getattr(self.node, "lineno", 0) + self.offset
        return self.source.filename, line, getattr(self.node, "col_offset", 0)

    @property
    def excerpt(self) -> Excerpt:
        """The lines that it stands in."""
        lines = lines_of(self.node)
        return Excerpt(self.source, range(lines.start + self.offset, lines.stop + self.offset))

    def outline(self, free: Iterable[str] = (), renames: Renames = ()) -> Outline:
        """Return its outline; only the last few hundred are kept."""
        names = tuple(free)
        known = self.source.outlines
        place = self.key, names, renames
        found = known.get(place)
        if found is None:
            while len(known) >= _KEPT_OUTLINES:
                del known[next(iter(known))]
            found = known[place] = outline(self.node, names, renames)
        return found

    def child(self, node: ast.AST) -> Piece:
        """Return a piece of this piece."""
        return Piece(self.source, node, self.offset)

    def shown(self, hidden: Iterable[range], literal: Iterable[range]) -> str:
        """Return its source as a person reads it, without the hidden lines."""
        return shown(self._lines(), lines_of(self.node).start, hidden, literal)

    def _lines(self) -> list[str]:
        lines = lines_of(self.node)
        return self.source.lines[lines.start + self.offset - 1 : lines.stop + self.offset - 1]


class Segment(NamedTuple):
    """The lines from the start of one top-level definition to that of the next."""

    statements: list[ast.stmt]
    offset: int
    definitions: dict[tuple[str, int], list[Node]]


class Source:
    """One version of a source file, or of a notebook's cell."""

    def __init__(self, filename: str, lines: list[str], code: CodeType) -> None:
        self.filename = filename
        self.lines = lines
        self.code = code
        self.outlines: dict[tuple[tuple[str, int, int], tuple[str, ...], Renames], Outline] = {}
        self._segments: dict[int, Segment] = {}

    @cached_property
    def names(self) -> dict[int, str]:
        """The top-level definitions that start a segment, by their first lines."""
        found = {}
        for constant in self.code.co_consts:
            if isinstance(constant, CodeType) and not constant.co_name.startswith(
                _PARTS_OF_DEFINITIONS
            ):
                line = constant.co_firstlineno
                if self.lines[line - 1].startswith(_STARTS_OF_DEFINITIONS):
                    found[line] = constant.co_name
        return found

    @cached_property
    def starts(self) -> list[int]:
        """The lines at which segments start."""
        return sorted({1, *self.names})

    @cached_property
    def codes(self) -> dict[str, list[CodeType]]:
        """The code objects of the file by their qualified names."""
        found: dict[str, list[CodeType]] = {}
        for code in codes_within(self.code):
            found.setdefault(code.co_qualname, []).append(code)
        return found

    @cached_property
    def unindented(self) -> list[int]:
        """Lines that may start a top-level statement; some may be inside of a string."""
        return [
            number
            for number, line in enumerate(self.lines, 1)
            if line[0] not in _INSIDE_OF_SOMETHING
        ]

    def segment(self, number: int) -> Segment:
        """Return a segment, parsed; only the last few are kept."""
        found = self._segments.get(number)
        if found is None:
            found = self._parsed(number)
            while len(self._segments) >= _KEPT_SEGMENTS:
                del self._segments[next(iter(self._segments))]
            self._segments[number] = found
        return found

    def last_line(self, number: int) -> int:
        """Return the last line of a segment."""
        return self.starts[number + 1] - 1 if number + 1 < len(self.starts) else len(self.lines)

    def _parsed(self, number: int) -> Segment:
        start = self.starts[number]
        text = "".join(self.lines[start - 1 : self.last_line(number)])
        if not _ODD_SPELLING.search(text):
            return Segment(parsed(text).body, start - 1, {})
        with _no_warnings():
            return Segment(parsed(text).body, start - 1, {})

    def segment_of_line(self, line: int) -> Segment:
        """Return the segment that a line is in."""
        return self.segment(bisect_right(self.starts, line) - 1)

    def locate(self, code: CodeType) -> Piece | None:
        """Return the function that was compiled to `code`; None if the file says otherwise."""
        same = [each for each in self.codes.get(code.co_qualname, ()) if same_code(each, code)]
        here = [each for each in same if each.co_firstlineno == code.co_firstlineno]
        for each in here or same:
            piece = self.piece_of(each)
            if piece is not None:
                return piece
        return None

    def locate_class(self, qualname: str, methods: list[CodeType]) -> Piece | None:
        """Return the class of that name whose body defines all these methods, the last if several.

        None if there is no such class.
        """
        for code in reversed(self.codes.get(qualname, [])):
            if code.co_flags & CO_OPTIMIZED:
                continue
            inside: dict[str, list[CodeType]] = {}
            for each in codes_within(code):
                inside.setdefault(each.co_qualname, []).append(each)
            if all(
                any(same_code(method, each) for each in inside.get(method.co_qualname, ()))
                for method in methods
            ):
                return self.piece_of(code)
        return None

    def piece_of(self, code: CodeType) -> Piece | None:
        """Return the definition that a code object of `codes` was compiled from."""
        segment = self.segment_of_line(code.co_firstlineno)
        place = code.co_name, code.co_firstlineno - segment.offset
        first = segment.statements[0] if segment.statements else None
        if isinstance(first, Definition) and _name_and_line(first) == place:
            return Piece(self, first, segment.offset)
        found = _definitions(segment).get(place, [])
        if len(found) > 1:
            found = _narrowed(found, code, segment.offset) or _compiling_to(found, code)
        return Piece(self, found[0], segment.offset) if len(found) == 1 else None


def _definitions(segment: Segment) -> dict[tuple[str, int], list[Node]]:
    if not segment.definitions:
        for statement in segment.statements:
            for node in _definitions_within(statement):
                segment.definitions.setdefault(_name_and_line(node), []).append(node)
    return segment.definitions


def _definitions_within(statement: ast.stmt) -> Iterator[Node]:
    for node in ast.walk(statement):
        if isinstance(node, Node):
            yield node


def _name_and_line(node: Node) -> tuple[str, int]:
    if isinstance(node, ast.Lambda):
        return "<lambda>", node.lineno
    # Code starts at its first decorator, syntax at its `def`.
    return node.name, lines_of(node).start


def _narrowed(nodes: list[Node], code: CodeType, offset: int) -> list[Node]:
    """Return of several lambdas on a line the one that has all of the code's columns."""
    places = {
        (line - offset, column, end_line - offset, end_column)
        for line, end_line, column, end_column in code.co_positions()
        if line is not None and end_line is not None
        if column is not None
        and end_column is not None
        and (line, column) != (end_line, end_column)
    }
    fitting = [node for node in nodes if places and all(_within(node, each) for each in places)]
    # Where they are nested, the code of the inner lies within all, and belongs to the smallest.
    return sorted(fitting, key=_size)[:1]


def _compiling_to(nodes: list[Node], code: CodeType) -> list[Node]:
    """Return the smallest of several lambdas on a line that by itself compiles to the code.

    Python 3.12 gives ``lambda: 1`` no columns.
    """
    for node in sorted(nodes, key=_size):
        if isinstance(node, ast.Lambda):
            alone = compile(ast.Expression(node), "", "eval", dont_inherit=True)
            if any(same_code(each, code) for each in codes_within(alone)):
                return [node]
    return []


def _extent(node: Node) -> tuple[tuple[int, int], tuple[int, int]]:
    body: Any = node.body if isinstance(node, ast.Lambda) else node
    return (body.lineno, body.col_offset), (body.end_lineno, body.end_col_offset)


def _within(node: Node, place: tuple[int, int, int, int]) -> bool:
    start, end = _extent(node)
    return start <= place[:2] and place[2:] <= end


def _size(node: Node) -> tuple[int, int]:
    end_line, end_column = node.end_lineno or 0, node.end_col_offset or 0
    return end_line - node.lineno, end_column - node.col_offset


_known: dict[str, tuple[object, Source | None]] = {}


def source_of(filename: str, module_globals: dict[str, Any] | None = None) -> Source | None:
    """Return a file's present source, read and compiled once per version; None if there is none."""
    if filename in _NAMES_OF_MANY:
        return None
    linecache.checkcache(filename)
    known = _known.get(filename)
    if known is None or known[0] is not linecache.cache.get(filename, known):
        lines = linecache.getlines(filename, module_globals)
        source = _read(filename, lines) if lines else None
        known = _known[filename] = linecache.cache.get(filename), source
    return known[1]


def _read(filename: str, lines: list[str]) -> Source | None:
    try:
        with _no_warnings():
            code = _kept_code(filename) or _compiled("".join(lines), filename)
    except (SyntaxError, ValueError):
        return None
    return Source(filename, lines, code)


def _compiled(text: str, filename: str) -> CodeType:
    flags = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
    code: CodeType = compile(text, filename, "exec", flags, dont_inherit=True)
    return code


class _Reader(SourceFileLoader):
    def set_data(self, path: str, data: Any, *, _mode: int = 0o666) -> None:
        """Write nothing: to look is not to import."""


def _kept_code(filename: str) -> CodeType | None:
    """Return what Python keeps compiled of this very version of the file, if it does."""
    try:
        kept = Path(cache_from_source(filename)).stat()
        # Python itself takes two edits within a second for one.
        if kept.st_mtime_ns <= Path(filename).stat().st_mtime_ns:
            return None
        return _Reader("", filename).get_code("")
    except (OSError, NotImplementedError, ImportError):
        return None


@contextmanager
def _no_warnings() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
