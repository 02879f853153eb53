"""What code finds by a name in a text, and what it asks of definitions themselves.

``getattr(helpers, "parse")`` and ``sys.modules[__name__].parse`` are names like others. Where the
text is known only at run time, all that could be found counts, or it is said not to be seen.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable
from enum import Enum
from importlib.util import resolve_name
from types import BuiltinFunctionType, FunctionType

from flowweaver.fingerprint.kinds import full_name, is_any_of
from flowweaver.fingerprint.scopes import Import, Kind, Scope
from flowweaver.fingerprint.spelling import Chain, Item, Renames, chain_of, last_name
from flowweaver.fingerprint.texts import (
    READERS,
    marked_in,
    names_in,
    strings_in,
    takes_tables,
    text_handed_to,
)
from flowweaver.parsing import parsed


class Ask(Enum):
    """What else counts because code asks for it."""

    MODULE = "all that its own module holds"
    TEXT = "the text of definitions: docstrings, annotations, lines"
    ANNOTATIONS = "the same, and what annotations name"
    SUBCLASSES = "the subclasses of classes"
    ORDER = "the order in which classes and modules define their members"
    OUTSIDE = "files, or the environment of the process"


_RUNS_TEXT = frozenset({"eval", "exec"})
_IMPORTS = frozenset({"import_module", "__import__"})
_LOOKS_FOR = "find_spec"
_ASKS = {
    "__doc__": Ask.TEXT,
    "__annotations__": Ask.ANNOTATIONS,
    "get_type_hints": Ask.ANNOTATIONS,
    "getdoc": Ask.TEXT,
    "getsource": Ask.TEXT,
    "getsourcelines": Ask.TEXT,
    "get_annotations": Ask.ANNOTATIONS,
    "__annotate__": Ask.ANNOTATIONS,
    "call_annotate_function": Ask.ANNOTATIONS,
    "get_annotate_from_class_namespace": Ask.ANNOTATIONS,
    "__type_params__": Ask.TEXT,
    "signature": Ask.ANNOTATIONS,
    "getfullargspec": Ask.ANNOTATIONS,
    "__subclasses__": Ask.SUBCLASSES,
    "argv": Ask.OUTSIDE,
    "environ": Ask.OUTSIDE,
    "getenv": Ask.OUTSIDE,
    "open": Ask.OUTSIDE,
    "read_bytes": Ask.OUTSIDE,
    "read_text": Ask.OUTSIDE,
}
_ASKING_MODULES = ("annotationlib.", "inspect.", "typing.", "typing_extensions.")
_MEMBERS = frozenset({"vars", "__dict__"})
_OF_FRAMES = frozenset({"f_globals", "f_builtins", "__globals__", "__builtins__"})
# Common names, which mean something here only as what they are in the standard library.
_ONLY_AS = {
    "eval": ("eval", ()),
    "exec": ("exec", ()),
    "modules": ("sys", ("modules",)),
    "signature": ("inspect", ("signature",)),
    "open": ("io", ("open",)),
}
_OF_MODULES = frozenset({"__doc__", "__annotations__"})
_PACKAGE_OF_CODE = ("__package__", "__name__")
ASKING = frozenset(
    {"globals", "getattr", "modules", *_MEMBERS, *_RUNS_TEXT, *_IMPORTS, *_ASKS, *_OF_FRAMES}
)
"""The last names of all that is looked at here wherever it is mentioned."""
ASKED_ON_THE_WAY = _OF_MODULES | {"__dict__"}
"""What counts as well where it is gone through: ``f.__doc__.strip()``."""
CALLED = ASKING | READERS | {_LOOKS_FOR}
"""The last names of all of which a call is looked at here."""


_FINDERS = frozenset(
    {
        "builtins.__import__",
        "builtins.eval",
        "builtins.exec",
        "builtins.globals",
        "hydra._internal.instantiate._instantiate2.instantiate",
        "importlib.import_module",
        "jsonpickle.unpickler.decode",
        "pkgutil.resolve_name",
        "pydoc.locate",
        "yaml.unsafe_load",
        "yaml.loader.UnsafeLoader",
    }
)


def finds_by_name(value: object, name: str = "") -> bool:
    """Whether a function finds what a text names, and code that uses it by `name` does not tell."""
    if not is_any_of(value, (BuiltinFunctionType, FunctionType, type)):
        return False
    found = full_name(value)
    return finds_under(found, name.rpartition(".")[2])


def asked_with(value: object) -> frozenset[Ask]:
    """Return what else counts where a value is held: a function that asks for it, or its name."""
    if type(value) is str:
        found = _ASKS.get(value) if value.startswith("__") else None
    else:
        name = full_name(value) if is_any_of(value, (FunctionType,)) else ""
        found = _ASKS.get(name.rpartition(".")[2]) if name.startswith(_ASKING_MODULES) else None
    return frozenset() if found is None else frozenset({found})


def finds_under(name: str, spelled: str) -> bool:
    """Whether what has that full name finds things, and code that spells it so does not tell."""
    own = name.rpartition(".")[2]
    return name in _FINDERS and not (own in ASKING and spelled == own)


class Finds:
    """Gathers what one piece of code finds by name.

    Attributes:
        found: Names in texts, with the scopes that they are looked up in.
        dynamic: What can't be told: how it is spelled.
        asks: What else counts.
        looked_through: Names outside of which all members are asked for, and whether of what
            calling them gives.
        marked: Names that texts of the code itself are marked to mean.
        other_names: Those that the code or its module gives to what is looked at here.
        named: Names in texts that are handed on to have them looked up, and whether as tables.
        texts: Names that such a text is made of, and whether those in it are tables.
        written: Names outside that are bound by way of ``globals()``.
    """

    __slots__ = (
        "_push",
        "_put_together",
        "_renames",
        "_understood",
        "asks",
        "dynamic",
        "found",
        "looked_through",
        "marked",
        "named",
        "other_names",
        "texts",
        "written",
    )

    def __init__(self, push: Callable[[Iterable[Item]], None], renames: Renames = ()) -> None:
        self._push = push
        self._renames = dict(renames)
        self._understood: set[int] = set()
        self.found: list[tuple[Scope, str, tuple[str, ...]]] = []
        self.dynamic: dict[str, None] = {}
        self.asks: set[Ask] = set()
        self.looked_through: list[tuple[Chain, bool]] = []
        self.marked: set[str] = set()
        self.other_names = {_last(spelled): _last(meant) for spelled, meant in renames}
        self.named: list[tuple[Scope, Chain, bool]] = []
        self.texts: list[tuple[Scope, Chain, bool]] = []
        self._put_together: set[bool] = set()
        self.written: set[str] = set()

    def name(self, node: ast.Name, scope: Scope) -> None:
        """Look at a name that is used: one that finds things may be handed on."""
        is_outside = scope.find(node.id) is None and node.id not in _OF_MODULES
        if is_outside or scope.imported(node.id):
            self._mention(node, self._meant(node, scope))

    def attribute(self, node: ast.Attribute, scope: Scope) -> None:
        """Look at an attribute that is taken of something."""
        if node.attr == "__dict__":
            self._look_through(node.value, scope)
        elif node.attr in _OF_FRAMES:
            self.dynamic[node.attr] = None
        elif isinstance(node.ctx, ast.Load):
            self._mention(node, self._meant(node, scope))

    def call(self, node: ast.Call, scope: Scope) -> None:
        """Look at a call of something that finds things by name."""
        chain = self._meant(node.func, scope)
        name = _last(chain) if chain else last_name(node.func)
        first = node.args[0] if node.args else None
        if name == "getattr" and len(node.args) > 1:
            self._getattr(node.args[0], node.args[1], scope)
        elif name in _IMPORTS:
            self._import(node, scope)
        elif name == _LOOKS_FOR:
            self._note_module(_module_of(node), ("__spec__",), scope)
        elif name in _RUNS_TEXT and chain and not chain[1]:
            self._run(node, first, scope)
        elif name in READERS:
            self._read(node, scope)
        elif chain == ("vars", ()) and first is not None:
            self._understood.add(id(node.func))
            self._look_through(first, scope)

    def text(self, text: str, scope: Scope) -> None:
        """Look at a text, which may be for a library that looks up names, or name an attribute."""
        if text in _ASKS:
            self.asks.add(_ASKS[text])
        elif text == "__dict__":
            self.asks.add(Ask.ORDER)
        chains = list(marked_in(text))
        self.found += [(scope, *chain) for chain in chains]
        self.marked.update(name for name, _ in chains)

    def text_handed_on(self, texts: Iterable[str]) -> None:
        """Look at all texts of the code if any may be what it hands to such a library."""
        outside = Scope(Kind.OUTER, None)
        for are_tables in sorted(self._put_together):
            for text in texts:
                self.named += [(outside, chain, are_tables) for chain in names_in(text)]

    def subscript(self, node: ast.Subscript, scope: Scope) -> None:
        """Look at ``sys.modules[...]`` and ``globals()[...]``."""
        if id(node) in self._understood:
            return
        key = node.slice.value if isinstance(node.slice, ast.Constant) else None
        if self._is_modules(node.value, scope):
            if isinstance(key, str):
                self._understood.add(id(node.value))
                self._note_module(key, (), scope)
            elif _is_own_name(node.slice):
                self._understood.add(id(node.value))
                self.asks.add(Ask.MODULE)
        elif (
            self._is_globals(node.value, scope)
            and isinstance(node.value, ast.Call)
            and isinstance(key, str)
        ):
            self._understood.add(id(node.value.func))
            if isinstance(node.ctx, ast.Load):
                self.found.append((Scope(Kind.OUTER, None), key, ()))
            else:
                self.written.add(key)

    def member(self, node: ast.Attribute, scope: Scope) -> None:
        """Look at an attribute of a module that is found: ``sys.modules[__name__].parse``."""
        owner = node.value
        if isinstance(owner, ast.Subscript) and self._is_modules(owner.value, scope):
            self._of_module(owner, node.attr, scope)
        elif isinstance(owner, ast.Call):
            chain = self._meant(owner.func, scope)
            if chain and _last(chain) in _IMPORTS:
                self._import(owner, scope, (node.attr,))

    def compare(self, node: ast.Compare, scope: Scope) -> None:
        """Look at ``name in sys.modules``, which takes nothing out of it."""
        for operator, other in zip(node.ops, node.comparators, strict=True):
            if isinstance(operator, ast.In | ast.NotIn) and self._is_modules(other, scope):
                self._understood.add(id(other))

    def _mention(self, node: ast.expr, chain: Chain | None) -> None:
        name = _last(chain) if chain else last_name(node)
        is_bare = chain is not None and not chain[1]
        if id(node) in self._understood or name == "getattr":
            return
        if name == "vars":
            self.asks |= {Ask.ORDER} if is_bare else set()
            return
        if name in _ONLY_AS and chain != _ONLY_AS[name] and not is_bare:
            return
        if name in _ASKS:
            self.asks.add(_ASKS[name])
        elif name == "globals":
            self.asks.add(Ask.MODULE)
        elif name == "modules":
            if not is_bare:
                self.dynamic["sys.modules"] = None
        elif name in ASKING:
            self.dynamic[f"{name}(...)"] = None

    def _getattr(self, owner: ast.expr, key: ast.expr, scope: Scope) -> None:
        if not isinstance(key, ast.Constant) or not isinstance(key.value, str):
            return  # the owner counts as a whole
        chain = chain_of(owner)
        if chain:
            self.found.append((scope, chain[0], (*chain[1], key.value)))
        elif isinstance(owner, ast.Subscript) and self._is_modules(owner.value, scope):
            self._of_module(owner, key.value, scope)

    def _look_through(self, node: ast.expr, scope: Scope) -> None:
        """Note that all members of something are asked for, which is an object if it is `self`."""
        called = node.func if isinstance(node, ast.Call) else node
        chain = chain_of(called)
        if chain == ("type", ()) or chain is None or scope.find(chain[0]) is not None:
            if chain != ("self", ()):
                self.asks.add(Ask.ORDER)
        else:
            self.looked_through.append((chain, called is not node))

    def _of_module(self, owner: ast.Subscript, attribute: str, scope: Scope) -> None:
        name = owner.slice.value if isinstance(owner.slice, ast.Constant) else None
        if isinstance(name, str):
            self._note_module(name, (attribute,), scope)
        elif _is_own_name(owner.slice):
            self.found.append((Scope(Kind.OUTER, None), attribute, ()))
        else:
            return
        self._understood |= {id(owner), id(owner.value)}

    def _import(self, node: ast.Call, scope: Scope, attributes: tuple[str, ...] = ()) -> None:
        module = _module_of(node)
        if module and id(node.func) not in self._understood:
            self._understood.add(id(node.func))
            self._note_module(module, attributes, scope)

    def _note_module(self, name: str, attributes: tuple[str, ...], scope: Scope) -> None:
        if name:
            inner = Scope(Kind.FUNCTION, scope)
            level = len(name) - len(name.lstrip("."))
            inner.bind_import(name, Import(name[level:], level))
            self.found.append((inner, name, attributes))

    def _read(self, node: ast.Call, scope: Scope) -> None:
        """Take the names in a text that may be looked up; what is not in place counts as it is."""
        chain = self._meant(node.func, scope)
        name = _last(chain) if chain else last_name(node.func)
        is_object = chain is not None and scope.find(chain[0]) is not None
        if name == "eval" and (chain is None or is_object):
            return  # a frame looks up what is marked
        are_tables = takes_tables(name)
        for handed in text_handed_to(node):
            if not isinstance(handed, ast.Constant):
                self._put_together.add(are_tables)
            for text in strings_in(handed):
                self.named += [(scope, chain, are_tables) for chain in names_in(text)]
            chains = filter(None, map(chain_of, ast.walk(handed)))
            self.texts += [(scope, chain, are_tables) for chain in chains]

    def _run(self, node: ast.Call, text: ast.expr | None, scope: Scope) -> None:
        """Take a text that is known for the code that it is."""
        if not isinstance(text, ast.Constant) or not isinstance(text.value, str):
            return
        try:
            body = parsed(text.value.strip()).body
        except (SyntaxError, ValueError):
            return
        self._understood.add(id(node.func))
        inner = Scope(Kind.FUNCTION, scope)
        self._push([(each, inner) for each in body])

    def _meant(self, node: ast.AST, scope: Scope) -> Chain | None:
        """Return a dotted name, under its full one if it is imported or is one for another."""
        chain = chain_of(node)
        if chain is None:
            return None
        name, attributes = chain
        for target in scope.imported(name)[-1:]:
            taken = (target.attribute,) if target.attribute else ()
            name, *inner = target.module.split(".")
            attributes = (*inner, *taken, *attributes)
        if scope.find(chain[0]) is None or scope.imported(chain[0]):
            name, attributes = self._renames.get((name, attributes), (name, attributes))
        if name == "builtins" and attributes:
            return attributes[0], attributes[1:]
        return name, attributes

    def _is_modules(self, node: ast.expr, scope: Scope) -> bool:
        return self._meant(node, scope) == ("sys", ("modules",))

    def _is_globals(self, node: ast.expr, scope: Scope) -> bool:
        return isinstance(node, ast.Call) and self._meant(node.func, scope) == ("globals", ())


def _module_of(call: ast.Call) -> str:
    """Return the name of the module that is loaded or looked for; "" if it can't be told."""
    module, package = _argument(call, 0, "name"), _argument(call, 1, "package")
    if not isinstance(module, ast.Constant) or not isinstance(module.value, str):
        return ""
    if not module.value.startswith(".") or package is None or _is_package_of_code(package):
        return module.value
    if not isinstance(package, ast.Constant) or not isinstance(package.value, str):
        return ""
    try:
        return resolve_name(module.value, package.value)
    except ImportError:
        return ""


def _argument(call: ast.Call, place: int, name: str) -> ast.expr | None:
    if len(call.args) > place:
        return call.args[place]
    return next((each.value for each in call.keywords if each.arg == name), None)


def _is_package_of_code(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id in _PACKAGE_OF_CODE


def _last(chain: Chain) -> str:
    return (chain[0], *chain[1])[-1]


def _is_own_name(node: ast.expr) -> bool:
    return chain_of(node) == ("__name__", ())
