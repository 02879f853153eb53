"""Write syntax in a form of our own that changes with its meaning and with nothing else.

The form has no positions, comments, docstrings or annotations, calls local names by number, and
is the same under every Python version that can parse the source. It is prefix notation: a node's
class, then its fields; a list's length, then its elements. It is written with an explicit stack,
since long chains of operators or `elif` nest deeper than Python's own stack allows.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable
from typing import NamedTuple

from flowweaver.fingerprint.finding import Ask, Finds
from flowweaver.fingerprint.parts import hex_digest
from flowweaver.fingerprint.scopes import Bound, Import, Kind, Scope
from flowweaver.fingerprint.special import SPECIAL
from flowweaver.fingerprint.spelling import Chain, Item, Renames, item
from flowweaver.fingerprint.texts import READERS
from flowweaver.fingerprint.tidy import statements

_SKIPPED = frozenset({"annotation", "returns", "type_comment", "ctx", "kind", "type_params"})
_BODIES = frozenset({"body", "orelse", "finalbody"})
_LOOK_AT_LOCALS = frozenset({"locals", "vars", "dir", "eval", "exec", "_getframe", "currentframe"})

_FIELDS: dict[type[ast.AST], tuple[str, ...]] = {}


class Load(NamedTuple):
    """A name used but bound outside, with the attributes taken of it: ``helpers.parse``.

    `label` is how the canonical form spells it. `source` is set if the name is bound by an import
    statement inside the piece itself.
    """

    label: str
    name: str
    attributes: tuple[str, ...] = ()
    source: Import | None = None


class Form(NamedTuple):
    """The canonical form of a piece of syntax, as a digest, and what it refers to.

    `written` are the names outside that it binds (`global`, `nonlocal`), `changed` those whose
    objects it changes in place, `dynamic` what finds something by a name known only at run time,
    `asks` what it asks of definitions themselves, `long` the lines taken up by strings of several
    lines, `imports` what its own import statements load, `texts` the names outside of texts that
    it hands on to have names looked up, `named` the names outside in such texts, both with whether
    they are to be those of tables, `annotated` those of functions that are handed to
    what reads their annotations, `looked_through` those of which all members are asked for, and
    whether it is what calling them gives of which they are.
    """

    digest: str
    loads: tuple[Load, ...]
    written: frozenset[str]
    changed: frozenset[Chain]
    dynamic: tuple[str, ...]
    asks: frozenset[Ask]
    long: tuple[range, ...]
    imports: tuple[Import, ...]
    texts: frozenset[tuple[Chain, bool]]
    named: frozenset[tuple[Chain, bool]]
    annotated: frozenset[Chain]
    looked_through: frozenset[tuple[Chain, bool]]


class Writer:
    """Writes one piece; names are resolved at the end, when all bindings are known."""

    __slots__ = (
        "_out",
        "_stack",
        "_uses",
        "annotated",
        "changed",
        "finds",
        "handed_out",
        "imports",
        "long",
        "mentions",
        "put",
        "rebound",
        "strings",
        "written",
    )

    def __init__(self, renames: Renames = ()) -> None:
        self._out: list[str] = []
        self._uses: list[tuple[int, Scope, str, tuple[str, ...] | None]] = []
        self.put = self._out.append
        """Write literal text now."""
        self._stack: list[Item] = []
        self.mentions: set[str] = set()
        self.strings: list[str] = []
        self.long: list[range] = []
        self.imports: list[Import] = []
        self.handed_out: list[Import] = []
        """What import statements bind to names that others see, too."""
        self.finds = Finds(self.push, renames)
        self.written: set[str] = set()
        self.rebound: list[tuple[Scope, str]] = []
        """Names declared `nonlocal`, which may be bound by a function of the piece itself."""
        self.changed: list[tuple[Scope, Chain]] = []
        self.annotated: list[tuple[Scope, Chain]] = []

    def write(self, todo: Iterable[Item]) -> None:
        """Write nodes, each in its scope, and literal text, in order."""
        # All syntax goes through this loop.
        stack, put, special_for, fields_of = self._stack, self.put, SPECIAL.get, _FIELDS.get
        self.push(todo)
        while stack:
            entry = stack.pop()
            if isinstance(entry, str):
                put(entry)
                continue
            node, scope = entry
            kind = node.__class__
            special = special_for(kind)
            if special is not None and not special(self, node, scope):
                continue
            put(kind.__name__)
            for name in fields_of(kind) or _note_fields(kind):
                value = getattr(node, name, None)
                if isinstance(value, ast.AST):
                    stack.append((value, scope))
                elif isinstance(value, list):
                    inner = statements(value, scope.annotated) if name in _BODIES else value
                    stack.extend([item(each, scope) for each in reversed(inner)])
                    stack.append(f"[{len(inner)}")
                else:
                    stack.append("-" if value is None else ascii(value))

    def push(self, todo: Iterable[Item]) -> None:
        """Let the items be written next, the first of them first."""
        self._stack.extend(reversed(tuple(todo)))

    def use(self, scope: Scope, name: str, attributes: tuple[str, ...] = ()) -> None:
        """Write a name, to be resolved when all is written."""
        self._uses.append((len(self._out), scope, name, attributes))
        self.put("")
        self.mentions.add(name)
        if attributes:
            self.mentions.update(attributes)

    def bind(self, scope: Scope, name: str) -> None:
        """Write a name where it is bound, which is no use of what it was bound to before."""
        scope.bind(name)
        self._uses.append((len(self._out), scope, name, None))
        self.put("")

    def form(self, free: Iterable[str] = ()) -> Form:
        """Resolve all names and return what was written.

        Args:
            free: Names bound by a function around the piece; their spelling does not count.
        """
        names = _Names(frozenset(free), self._kept_names())
        for place, scope, name, attributes in self._uses:
            self._out[place] = names.token(scope, name, attributes)
        for target in self.handed_out:
            names.import_whole(target)
        text = " ".join(self._out)
        self.finds.text_handed_on(self.strings)
        for use in self.finds.found:
            names.token(*use)
        for scope, chain, _ in self.finds.named:
            if scope.imported(chain[0]):
                names.token(scope, *chain)
        if any(scope.find(chain[0]) for scope, chain in self.annotated):
            self.finds.asks.add(Ask.ANNOTATIONS)
        return Form(
            hex_digest(text),
            tuple(names.loads),
            frozenset(self.written)
            .union(n for s, n in self.rebound if s.find(n) is None)
            .union(self.finds.written),
            _outside(self.changed),
            tuple(self.finds.dynamic),
            frozenset(self.finds.asks),
            tuple(self.long),
            tuple(self.imports),
            _outside_of_texts(self.finds.texts),
            _outside_of_texts(self.finds.named),
            _outside(self.annotated),
            frozenset(self.finds.looked_through),
        )

    def _kept_names(self) -> frozenset[str] | None:
        # The spelling of a local name is no mere cosmetics where it can be read at run time.
        if not self.mentions.isdisjoint(_LOOK_AT_LOCALS):
            return None
        if not READERS.isdisjoint((*self.mentions, *self.finds.other_names.values())):
            return frozenset(re.findall(r"\w+", " ".join(self.strings)))
        return frozenset(self.finds.marked)


def _outside(chains: Iterable[tuple[Scope, Chain]]) -> frozenset[Chain]:
    return frozenset(chain for scope, chain in chains if scope.find(chain[0]) is None)


def _outside_of_texts(named: Iterable[tuple[Scope, Chain, bool]]) -> frozenset[tuple[Chain, bool]]:
    return frozenset((chain, table) for scope, chain, table in named if not scope.find(chain[0]))


def _note_fields(kind: type[ast.AST]) -> tuple[str, ...]:
    """Return the fields of a class of nodes that have a meaning, the last one first."""
    fields = tuple(field for field in reversed(kind._fields) if field not in _SKIPPED)
    _FIELDS[kind] = fields
    return fields


class _Names:
    """Gives each name its token, and collects those that are bound outside."""

    def __init__(self, free: frozenset[str], kept: frozenset[str] | None) -> None:
        self._free = free
        self._kept = kept
        self._numbers: dict[tuple[int, str], str] = {}
        self.loads: dict[Load, None] = {}

    def token(self, scope: Scope, name: str, attributes: tuple[str, ...] | None) -> str:
        home = scope.find(name)
        tail = "." + ".".join(attributes) if attributes else ""
        if home is None:
            return self._outside(name, attributes, tail)
        if name in home.imports:
            label = self._number(home, name) + tail
            for target in home.imports[name]:
                self._note(label, name, attributes, target)
            return label
        if home.kind is Kind.CLASS:
            # Until the class binds it, the name means whatever is bound outside.
            if home.parent is not None and home.parent.find(name) is None:
                self._outside(name, attributes, tail)
            return f"C:{name}{tail}"
        how = home.bound[name]
        if how is Bound.LOCAL and self._kept is not None and name not in self._kept:
            return self._number(home, name) + tail
        return f"{how.value}:{name}{tail}"

    def import_whole(self, target: Import) -> None:
        """Note that all of what is imported may be used, by nobody knows which name."""
        self._note(f"import {'.' * target.level}{target.module}", target.module, (), target)

    def _outside(self, name: str, attributes: tuple[str, ...] | None, tail: str) -> str:
        label = (self._number(None, name) if name in self._free else name) + tail
        self._note(label, name, attributes, None)
        return "G:" + label

    def _note(
        self, label: str, name: str, attributes: tuple[str, ...] | None, source: Import | None
    ) -> None:
        if attributes is not None:
            self.loads[Load(label, name, attributes, source)] = None

    def _number(self, home: Scope | None, name: str) -> str:
        key = (id(home), name)
        found = self._numbers.get(key)
        if found is None:
            found = self._numbers[key] = f"L{len(self._numbers)}"
        return found
