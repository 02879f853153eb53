"""Which scope a name belongs to, as Python's own scoping rules have it."""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple


class Kind(Enum):
    """What a scope is made by; `OUTER` stands for all that is around the piece looked at."""

    OUTER = "outer"
    FUNCTION = "function"
    CLASS = "class"
    COMPREHENSION = "comprehension"


class Bound(Enum):
    """How a name came to be bound; all but a plain local keep their names."""

    LOCAL = "L"
    PARAMETER = "P"
    DEFINITION = "D"


class Import(NamedTuple):
    """What an import statement binds a name to: a module, or `attribute` of one."""

    module: str
    level: int = 0
    attribute: str | None = None


class Scope:
    """The names that one function, class or comprehension binds."""

    __slots__ = ("annotated", "bound", "elsewhere", "imports", "kind", "outside", "parent")

    def __init__(self, kind: Kind, parent: Scope | None, annotated: bool = False) -> None:
        self.kind = kind
        self.parent = parent
        self.annotated = annotated
        """Whether annotations of this class may mean something at run time."""
        self.bound: dict[str, Bound] = {}
        self.imports: dict[str, list[Import]] = {}
        """What import statements bind names to; several where one is tried before another."""
        self.outside: set[str] = set()
        """Names declared `global`."""
        self.elsewhere: set[str] = set()
        """Names declared `nonlocal`."""

    def bind(self, name: str, how: Bound = Bound.LOCAL) -> None:
        """Note that the name is bound here, unless it is declared to live elsewhere."""
        if self.kind is Kind.OUTER or name in self.outside or name in self.elsewhere:
            return
        if how is Bound.DEFINITION:
            self.bound[name] = how
        else:
            self.bound.setdefault(name, how)

    def bind_import(self, name: str, target: Import) -> None:
        """Note that an import statement binds the name here."""
        if self.kind is not Kind.OUTER:
            self.imports.setdefault(name, []).append(target)
        self.bind(name)

    def hands_out(self, name: str) -> bool:
        """Whether others than this function may see what it binds the name to."""
        if self.kind is Kind.OUTER:
            return False
        return self.kind is Kind.CLASS or name in self.outside or name in self.elsewhere

    def imported(self, name: str) -> list[Import]:
        """Return what import statements bind the name to as it is seen from here."""
        home = self.find(name)
        return home.imports.get(name, []) if home else []

    def binder_of_walrus(self) -> Scope:
        """Return the scope in which ``name := value`` binds its name."""
        scope = self
        while scope.kind is Kind.COMPREHENSION and scope.parent:
            scope = scope.parent
        return scope

    def find(self, name: str) -> Scope | None:
        """Return the scope that binds the name as seen from here; None if all is outside."""
        scope: Scope | None = self
        while scope is not None and scope.kind is not Kind.OUTER:
            if name in scope.outside:
                return None
            # A class's names are seen by its own statements only, not by its methods.
            if name in scope.bound and (scope is self or scope.kind is not Kind.CLASS):
                return scope
            scope = scope.parent
        return None
