"""What code finds by a name in a text, and what it asks of definitions themselves.

``getattr(helpers, "parse")`` and ``sys.modules[__name__].parse`` are names like others. Where the
text is known only at run time, all that could be found counts, or it is said not to be seen.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable
from enum import Enum
from types import BuiltinFunctionType, FunctionType

from flowweaver.fingerprint.kinds import full_name, is_any_of
from flowweaver.fingerprint.scopes import Import, Kind, Scope
from flowweaver.fingerprint.spelling import Chain, Item, chain_of, last_name
from flowweaver.fingerprint.texts import (
    READERS,
    marked_in,
    names_in,
    strings_in,
    text_handed_to,
)


class Ask(Enum):
    """What else counts because code asks for it."""

    MODULE = "all that its own module holds"
    TEXT = "the text of definitions: docstrings, annotations, lines"
    SUBCLASSES = "the subclasses of classes"
    OUTSIDE = "files, or the environment of the process"


_RUNS_TEXT = frozenset({"eval", "exec"})
_IMPORTS = frozenset({"import_module", "__import__"})
_ASKS = {
    "__doc__": Ask.TEXT,
    "__annotations__": Ask.TEXT,
    "get_type_hints": Ask.TEXT,
    "getdoc": Ask.TEXT,
    "getsource": Ask.TEXT,
    "getsourcelines": Ask.TEXT,
    "get_annotations": Ask.TEXT,
    "signature": Ask.TEXT,
    "getfullargspec": Ask.TEXT,
    "__subclasses__": Ask.SUBCLASSES,
    "argv": Ask.OUTSIDE,
    "environ": Ask.OUTSIDE,
    "getenv": Ask.OUTSIDE,
    "open": Ask.OUTSIDE,
    "read_bytes": Ask.OUTSIDE,
    "read_text": Ask.OUTSIDE,
}
_OF_FRAMES = frozenset({"f_globals", "f_builtins", "__globals__", "__builtins__"})
# Common names, which mean something here only as what they are in the standard library.
_ONLY_AS = {
    "modules": ("sys", ("modules",)),
    "signature": ("inspect", ("signature",)),
    "open": ("io", ("open",)),
}
_OF_MODULES = frozenset({"__doc__", "__annotations__"})
ASKING = frozenset({"globals", "getattr", "modules", *_RUNS_TEXT, *_IMPORTS, *_ASKS, *_OF_FRAMES})
"""The last names of all that is looked at here wherever it is mentioned."""
CALLED = ASKING | READERS
"""The last names of all of which a call is looked at here."""


_FINDERS = frozenset(
    {
        "_frozen_importlib_external.SourceFileLoader",
        "_frozen_importlib_external.spec_from_file_location",
        "builtins.__import__",
        "builtins.eval",
        "builtins.exec",
        "builtins.globals",
        "importlib.import_module",
        "pkgutil.resolve_name",
        "pydoc.locate",
        "runpy.run_module",
        "runpy.run_path",
    }
)


def finds_by_name(value: object, name: str = "") -> bool:
    """Whether a function finds what a text names, and code that uses it by `name` does not tell."""
    if not is_any_of(value, (BuiltinFunctionType, FunctionType, type)):
        return False
    found = full_name(value)
    own = found.rpartition(".")[2]
    return found in _FINDERS and not (own in ASKING and name.rpartition(".")[2] == own)


class Finds:
    """Gathers what one piece of code finds by name.

    Attributes:
        found: Names in texts, with the scopes that they are looked up in.
        dynamic: What can't be told: how it is spelled.
        asks: What else counts.
        marked: Names that texts of the code itself are marked to mean.
        reads_text: Whether it hands a text on, to have names looked up, that is not all in place.
        texts: Names outside that such a text is made of.
        written: Names outside that are bound by way of ``globals()``.
    """

    __slots__ = ("_push", "_understood", "asks", "dynamic", "found", "marked", "reads_text", "texts", "written")

    def __init__(self, push: Callable[[Iterable[Item]], None]) -> None:
        self._push = push
        self._understood: set[int] = set()
        self.found: list[tuple[Scope, str, tuple[str, ...]]] = []
        self.dynamic: dict[str, None] = {}
        self.asks: set[Ask] = set()
        self.marked: set[str] = set()
        self.reads_text = False
        self.texts: list[tuple[Scope, Chain]] = []
        self.written: set[str] = set()

    def name(self, node: ast.Name, scope: Scope) -> None:
        """Look at a name that is used: one that finds things may be handed on."""
        if scope.find(node.id) is None and node.id not in _OF_MODULES:
            self._mention(node, node.id)

    def attribute(self, node: ast.Attribute) -> None:
        """Look at an attribute that is taken of something."""
        full_name = _ONLY_AS.get(node.attr)
        if full_name is not None and chain_of(node) != full_name:
            return
        if node.attr in _OF_FRAMES:
            self.dynamic[node.attr] = None
        elif isinstance(node.ctx, ast.Load):
            self._mention(node, node.attr)

    def call(self, node: ast.Call, scope: Scope) -> None:
        """Look at a call of something that finds things by name."""
        chain = chain_of(node.func)
        name = last_name(node.func)
        first = node.args[0] if node.args else None
        if name == "getattr" and len(node.args) > 1:
            self._getattr(node.args[0], node.args[1], scope)
        elif name in _IMPORTS:
            self._import(node, first, scope)
        elif name in _RUNS_TEXT and chain and not chain[1]:
            self._run(node, first, scope)
        elif name in READERS:
            self._read(node, scope)

    def text(self, text: str, scope: Scope) -> None:
        """Look at a text, which may be for a library that looks up names."""
        chains = list(marked_in(text))
        self.found += [(scope, *chain) for chain in chains]
        self.marked.update(name for name, _ in chains)

    def text_handed_on(self, texts: Iterable[str]) -> None:
        """Look at all texts of the code if any may be what it hands to such a library."""
        if self.reads_text:
            outside = Scope(Kind.OUTER, None)
            self.found += [(outside, *chain) for text in texts for chain in names_in(text)]

    def subscript(self, node: ast.Subscript, scope: Scope) -> None:
        """Look at ``sys.modules[...]`` and ``globals()[...]``."""
        if id(node) in self._understood:
            return
        key = node.slice.value if isinstance(node.slice, ast.Constant) else None
        if _is_modules(node.value):
            if isinstance(key, str):
                self._understood.add(id(node.value))
                self._note_module(key, (), scope)
            elif _is_own_name(node.slice):
                self._understood.add(id(node.value))
                self.asks.add(Ask.MODULE)
        elif isinstance(node.value, ast.Call) and _is_globals(node.value) and isinstance(key, str):
            self._understood.add(id(node.value.func))
            if isinstance(node.ctx, ast.Load):
                self.found.append((Scope(Kind.OUTER, None), key, ()))
            else:
                self.written.add(key)

    def member(self, node: ast.Attribute, scope: Scope) -> None:
        """Look at an attribute of a module that is found: ``sys.modules[__name__].parse``."""
        owner = node.value
        if isinstance(owner, ast.Subscript) and _is_modules(owner.value):
            self._of_module(owner, node.attr, scope)
        elif isinstance(owner, ast.Call) and owner.args:
            chain = chain_of(owner.func)
            if chain and (chain[0], *chain[1])[-1] in _IMPORTS:
                self._import(owner, owner.args[0], scope, (node.attr,))

    def compare(self, node: ast.Compare) -> None:
        """Look at ``name in sys.modules``, which takes nothing out of it."""
        for operator, other in zip(node.ops, node.comparators, strict=True):
            if isinstance(operator, ast.In | ast.NotIn) and _is_modules(other):
                self._understood.add(id(other))

    def _mention(self, node: ast.expr, name: str) -> None:
        if id(node) in self._understood or name == "getattr":
            return
        if name in _ASKS:
            self.asks.add(_ASKS[name])
        elif name == "globals":
            self.asks.add(Ask.MODULE)
        elif name == "modules":
            if isinstance(node, ast.Attribute):
                self.dynamic["sys.modules"] = None
        elif not (name in _RUNS_TEXT and isinstance(node, ast.Attribute)):
            self.dynamic[f"{name}(...)"] = None

    def _getattr(self, owner: ast.expr, key: ast.expr, scope: Scope) -> None:
        if not isinstance(key, ast.Constant) or not isinstance(key.value, str):
            return  # the owner counts as a whole
        chain = chain_of(owner)
        if chain:
            self.found.append((scope, chain[0], (*chain[1], key.value)))
        elif isinstance(owner, ast.Subscript) and _is_modules(owner.value):
            self._of_module(owner, key.value, scope)

    def _of_module(self, owner: ast.Subscript, attribute: str, scope: Scope) -> None:
        name = owner.slice.value if isinstance(owner.slice, ast.Constant) else None
        if isinstance(name, str):
            self._note_module(name, (attribute,), scope)
        elif _is_own_name(owner.slice):
            self.found.append((Scope(Kind.OUTER, None), attribute, ()))
        else:
            return
        self._understood |= {id(owner), id(owner.value)}

    def _import(
        self,
        node: ast.Call,
        module: ast.expr | None,
        scope: Scope,
        attributes: tuple[str, ...] = (),
    ) -> None:
        is_known = id(node.func) in self._understood
        if isinstance(module, ast.Constant) and isinstance(module.value, str) and not is_known:
            self._understood.add(id(node.func))
            self._note_module(module.value, attributes, scope)

    def _note_module(self, name: str, attributes: tuple[str, ...], scope: Scope) -> None:
        inner = Scope(Kind.FUNCTION, scope)
        level = len(name) - len(name.lstrip("."))
        inner.bind_import(name, Import(name[level:], level))
        self.found.append((inner, name, attributes))

    def _read(self, node: ast.Call, scope: Scope) -> None:
        """Take the names in a text that may be looked up; what is not in place counts as it is."""
        for handed in text_handed_to(node):
            self.reads_text |= not isinstance(handed, ast.Constant)
            for text in strings_in(handed):
                self.found += [(scope, *chain) for chain in names_in(text)]
            chains = filter(None, map(chain_of, ast.walk(handed)))
            self.texts += [(scope, chain) for chain in chains]

    def _run(self, node: ast.Call, text: ast.expr | None, scope: Scope) -> None:
        """Take a text that is known for the code that it is."""
        if not isinstance(text, ast.Constant) or not isinstance(text.value, str):
            return
        try:
            body = ast.parse(text.value.strip()).body
        except (SyntaxError, ValueError):
            return
        self._understood.add(id(node.func))
        inner = Scope(Kind.FUNCTION, scope)
        self._push([(each, inner) for each in body])


def _is_modules(node: ast.expr) -> bool:
    return chain_of(node) == ("sys", ("modules",))


def _is_globals(node: ast.Call) -> bool:
    return chain_of(node.func) == ("globals", ())


def _is_own_name(node: ast.expr) -> bool:
    return chain_of(node) == ("__name__", ())
