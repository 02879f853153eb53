"""What each top-level name of a source file is bound to, without running the file."""

from __future__ import annotations

import ast
import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator

from flowweaver.fingerprint.acting import acts_in_body, bodies, target_of, targets_in
from flowweaver.fingerprint.outlines import Definition
from flowweaver.fingerprint.scopes import Import
from flowweaver.fingerprint.sources import Piece, Source
from flowweaver.fingerprint.spelling import chain_of
from flowweaver.fingerprint.tidy import statements

_DECORATOR = re.compile(r"@\s*(\w+)")


class TopLevel:
    """The top-level names of one source; most definitions are parsed only if asked for.

    Attributes:
        imports: The targets of the import statements that bind a name.
        stars: The modules that all names are imported from.
        acting: The statements that act on what may not be the module's own.
    """

    def __init__(self, source: Source) -> None:
        self._source = source
        self.imports: dict[str, list[Import]] = {}
        self.stars: list[Import] = []
        self.acting: list[Piece] = []
        self._definitions: dict[str, list[Piece | int]] = {}
        self._statements: dict[str, list[Piece]] = {}
        self._decorated: dict[str, list[Piece | int]] = {}
        for number, start in enumerate(source.starts):
            if self._is_definition_only(number):
                self._definitions.setdefault(source.names[start], []).append(number)
                if source.lines[start - 1].startswith("@"):
                    self._note_decorators(number)
                if self._may_act(number):
                    self._note_acting(self._first_of(number))
            else:
                self._note_segment(number)

    def definitions(self, name: str) -> list[Piece]:
        """Return the functions and classes of that name, in the order of the file."""
        return self._pieces(self._definitions.get(name, ()))

    def statements(self, name: str) -> list[Piece]:
        """Return the other statements that make the name's value what it is.

        They bind the name or change its value: ``LIMITS = {}``, ``LIMITS["a"] = 1``,
        ``LIMITS.update(b=2)``, or are blocks in which that is done.
        """
        return self._statements.get(name, [])

    def names(self) -> list[str]:
        """Return the names that definitions and other statements bind, but not the imported."""
        return sorted({*self._definitions, *self._statements} - {*self.imports})

    def decorators(self) -> Iterable[str]:
        """Return the names, without what is taken of them, that decorators start with."""
        return self._decorated

    def decorated(self, name: str) -> list[Piece]:
        """Return the functions and classes of which a decorator starts with that name."""
        return self._pieces(self._decorated.get(name, ()))

    def classes(self) -> list[str]:
        """Return the names of classes, in the order of the file."""
        return [name for name, found in self._definitions.items() if self._is_class(found[0])]

    def binds(self, name: str) -> bool:
        """Whether any statement binds the name, other than an import of all names."""
        return any(name in each for each in (self._definitions, self._statements, self.imports))

    def _is_class(self, found: Piece | int) -> bool:
        if not isinstance(found, int):
            return isinstance(found.node, ast.ClassDef)
        lines, number = self._source.lines, self._source.starts[found]
        while lines[number - 1].startswith("@"):
            number += 1
        return lines[number - 1].startswith("class ")

    def _pieces(self, found: Iterable[Piece | int]) -> list[Piece]:
        return [self._first_of(each) if isinstance(each, int) else each for each in found]

    def _first_of(self, number: int) -> Piece:
        segment = self._source.segment(number)
        return Piece(self._source, segment.statements[0], segment.offset)

    def _is_definition_only(self, number: int) -> bool:
        source = self._source
        start = source.starts[number]
        first = bisect_left(source.unindented, start)
        inside = source.unindented[
            first : bisect_right(source.unindented, source.last_line(number))
        ]
        *above, last = inside or [0]
        return start in source.names and (
            all(source.lines[line - 1].startswith("@") for line in above)
            and not source.lines[last - 1].startswith("@")
        )

    def _note_decorators(self, number: int) -> None:
        source, line = self._source, self._source.starts[number]
        while source.lines[line - 1].startswith("@"):
            name = _DECORATOR.match(source.lines[line - 1])
            if name:
                self._decorated.setdefault(name[1], []).append(number)
            line += 1

    def _note_segment(self, number: int) -> None:
        segment = self._source.segment(number)
        for statement in statements(segment.statements):
            piece = Piece(self._source, statement, segment.offset)
            if isinstance(statement, Definition):
                self._definitions.setdefault(statement.name, []).append(piece)
                self._note_decorated(statement, piece)
            else:
                self._note(statement, piece)
            self._note_acting(piece)

    def _note_acting(self, piece: Piece) -> None:
        if isinstance(piece.node, ast.stmt) and any(targets_in([piece.node])):
            self.acting.append(piece)

    def _may_act(self, number: int) -> bool:
        """Whether it is a class whose body may do more than define and bind, by its lines."""
        start, lines = self._source.starts[number], self._source.lines
        last = self._source.last_line(number)
        while start < last and lines[start - 1].startswith("@"):
            start += 1
        return lines[start - 1].startswith("class ") and acts_in_body(lines[start - 1 : last])

    def _note(self, statement: ast.stmt, whole: Piece) -> None:
        if isinstance(statement, ast.Import):
            self._note_import(statement)
        elif isinstance(statement, ast.ImportFrom):
            self._note_import_from(statement)
        else:
            if isinstance(statement, Definition):
                self._note_decorated(statement, whole)
            for name in dict.fromkeys(_bound_or_changed(statement)):
                known = self._statements.setdefault(name, [])
                if whole not in known:
                    known.append(whole)
            for body in bodies(statement):
                for inner in statements(body):
                    self._note(inner, whole)

    def _note_decorated(self, statement: Definition, whole: Piece) -> None:
        for target in filter(None, map(target_of, statement.decorator_list)):
            self._decorated.setdefault(target.chain[0], []).append(whole)

    def _note_import(self, statement: ast.Import) -> None:
        for alias in statement.names:
            bound = alias.asname or alias.name.partition(".")[0]
            target = Import(alias.name if alias.asname else bound)
            self.imports.setdefault(bound, []).append(target)

    def _note_import_from(self, statement: ast.ImportFrom) -> None:
        for alias in statement.names:
            target = Import(statement.module or "", statement.level, alias.name)
            if alias.name == "*":
                self.stars.append(target)
            else:
                self.imports.setdefault(alias.asname or alias.name, []).append(target)


def _bound_or_changed(statement: ast.stmt) -> Iterator[str]:
    if isinstance(statement, Definition):
        yield statement.name
    elif isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call):
        chain = chain_of(statement.value.func)
        if chain and chain[1]:
            yield chain[0]
    elif not any(bodies(statement)):
        yield from _stored(ast.walk(statement))
    elif isinstance(statement, ast.For | ast.AsyncFor):
        yield from _stored(ast.walk(statement.target))
    elif isinstance(statement, ast.With | ast.AsyncWith):
        targets = [item.optional_vars for item in statement.items if item.optional_vars]
        yield from _stored(node for target in targets for node in ast.walk(target))


def _stored(nodes: Iterable[ast.AST]) -> Iterator[str]:
    for node in nodes:
        if isinstance(getattr(node, "ctx", None), ast.Store | ast.Del):
            changed = node
            while isinstance(changed, ast.Attribute | ast.Subscript):
                changed = changed.value
            if isinstance(changed, ast.Name):
                yield changed.id
