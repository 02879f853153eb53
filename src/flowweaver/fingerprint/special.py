"""How the kinds of nodes are written that bind names or that can be spelled in several ways."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Protocol

from flowweaver.fingerprint.finding import ASKED_ON_THE_WAY, ASKING, CALLED, Finds
from flowweaver.fingerprint.scopes import Bound, Import, Kind, Scope
from flowweaver.fingerprint.spelling import Chain, Item, chain_of, item, items, last_name, literal
from flowweaver.fingerprint.tidy import statements


class Writer(Protocol):
    """What is asked of the one who writes a piece; see `canonical.Writer`."""

    mentions: set[str]
    strings: list[str]
    long: list[range]
    imports: list[Import]
    handed_out: list[Import]
    finds: Finds
    written: set[str]
    rebound: list[tuple[Scope, str]]
    changed: list[tuple[Scope, Chain]]
    annotated: list[tuple[Scope, Chain]]

    @property
    def put(self) -> Callable[[str], object]:
        """Write literal text now."""

    def push(self, todo: Iterable[Item]) -> None:
        """Let the items be written next, the first of them first."""

    def use(self, scope: Scope, name: str, attributes: tuple[str, ...] = ()) -> None:
        """Write a name, to be resolved when all is written."""

    def bind(self, scope: Scope, name: str) -> None:
        """Write a name where it is bound."""


# Decorators that look at a function's annotations, which then have a meaning.
_READ_ANNOTATIONS = frozenset(
    {"register", "validate_call", "validate_arguments", "beartype", "typechecked"}
)
# What does so when it is called with the function.
_READ_ARGUMENTS = (_READ_ANNOTATIONS - {"register"}) | {"TypeAdapter"}

# Methods that change the container they belong to, and functions that change their first argument.
CHANGERS = frozenset(
    [
        "add",
        "append",
        "appendleft",
        "clear",
        "difference_update",
        "discard",
        "extend",
        "extendleft",
        "insert",
        "intersection_update",
        "move_to_end",
        "pop",
        "popitem",
        "popleft",
        "remove",
        "reverse",
        "rotate",
        "setdefault",
        "sort",
        "subtract",
        "symmetric_difference_update",
        "update",
        "__setitem__",
    ]
)
_CHANGE_ARGUMENT = frozenset({"next", "setattr", "delattr", "heappush", "heappop", "shuffle"})

_Function = ast.FunctionDef | ast.AsyncFunctionDef


def _name(writer: Writer, node: ast.Name, scope: Scope) -> None:
    if isinstance(node.ctx, ast.Load):
        if node.id in ASKING or node.id in writer.finds.other_names:
            writer.finds.name(node, scope)
        writer.use(scope, node.id)
    else:
        writer.bind(scope, node.id)


def _attribute(writer: Writer, node: ast.Attribute, scope: Scope) -> None:
    if not isinstance(node.ctx, ast.Load):
        _note_change(writer, node, scope)
    if node.attr in ASKING or node.attr in writer.finds.other_names:
        writer.finds.attribute(node, scope)
    if isinstance(node.value, ast.Subscript | ast.Call):
        writer.finds.member(node, scope)
    chain = chain_of(node)
    if chain is not None:
        part = node.value
        while isinstance(part, ast.Attribute):
            if part.attr in ASKED_ON_THE_WAY:
                writer.finds.attribute(part, scope)
            part = part.value
        writer.use(scope, *chain)
        return
    writer.mentions.add(node.attr)
    writer.push(["Attribute", (node.value, scope), ascii(node.attr)])


def _subscript(writer: Writer, node: ast.Subscript, scope: Scope) -> bool:
    writer.finds.subscript(node, scope)
    if not isinstance(node.ctx, ast.Load):
        _note_change(writer, node, scope)
    return True


def _compare(writer: Writer, node: ast.Compare, scope: Scope) -> bool:
    writer.finds.compare(node, scope)
    return True


def _note_change(writer: Writer, node: ast.expr, scope: Scope) -> None:
    """Remember the name that stands before what is changed: ``a.b`` in ``a.b[0].c = 1``."""
    while (chain := chain_of(node)) is None:
        if isinstance(node, ast.Attribute | ast.Subscript):
            node = node.value
        elif isinstance(node, ast.Call):
            node = node.func
        else:
            return
    writer.changed.append((scope, chain))


def _statement(writer: Writer, node: ast.Expr, scope: Scope) -> bool:
    # A method called for its effect alone, such as `seen.add(x)` or `await queue.put(x)`.
    called = node.value.value if isinstance(node.value, ast.Await) else node.value
    if isinstance(called, ast.Call) and isinstance(called.func, ast.Attribute):
        _note_change(writer, called.func, scope)
    return True


def _constant(writer: Writer, node: ast.Constant, scope: Scope) -> None:
    if isinstance(node.value, str):
        _note_text(writer, node.value, scope)
        _note_lines(writer, node)
    writer.put(literal(node.value))


def _note_text(writer: Writer, text: str, scope: Scope) -> None:
    writer.strings.append(text)
    if "@" in text or "~" in text or text.startswith("__"):
        writer.finds.text(text, scope)


def _note_lines(writer: Writer, node: ast.expr) -> None:
    if node.end_lineno is not None and node.end_lineno > node.lineno:
        writer.long.append(range(node.lineno, node.end_lineno + 1))


def _joined(writer: Writer, node: ast.JoinedStr, scope: Scope) -> None:
    # Python versions cut the literal parts of an f-string in different places.
    _note_lines(writer, node)
    merged: list[Item] = []
    text = ""
    for value in node.values:
        if isinstance(value, ast.Constant):
            _note_text(writer, str(value.value), scope)
            text += str(value.value)
            continue
        merged += [literal(text), (value, scope)] if text else [(value, scope)]
        text = ""
    if merged:
        merged += [literal(text)] if text else []
        writer.push([f"JoinedStr {len(merged)}", *merged])
    else:
        writer.push([literal(text)])


def _formatted(writer: Writer, node: ast.FormattedValue, scope: Scope) -> None:
    spec = node.format_spec
    empty = spec is None or (isinstance(spec, ast.JoinedStr) and not spec.values)
    writer.push(
        [
            f"FormattedValue {node.conversion}",
            (node.value, scope),
            item(None if empty else spec, scope),
        ]
    )


def _call(writer: Writer, node: ast.Call, scope: Scope) -> bool:
    called = node.func
    name = last_name(called)
    name = writer.finds.other_names.get(name, name)
    if name in CALLED:
        writer.finds.call(node, scope)
    if name in _READ_ARGUMENTS:
        arguments = (*node.args, *(each.value for each in node.keywords))
        writer.annotated += [(scope, chain) for chain in map(chain_of, arguments) if chain]
    if name in CHANGERS and isinstance(called, ast.Attribute):
        _note_change(writer, called.value, scope)
    if name in _CHANGE_ARGUMENT and node.args:
        _note_change(writer, node.args[0], scope)
    return True


def _walrus(writer: Writer, node: ast.NamedExpr, scope: Scope) -> None:
    target: Item = (node.target, scope.binder_of_walrus())
    writer.push(["NamedExpr", target, (node.value, scope)])


def _annotated(writer: Writer, node: ast.AnnAssign, scope: Scope) -> None:
    if scope.annotated:
        parts = [item(part, scope) for part in (node.target, node.annotation, node.value)]
        writer.push(["AnnAssign", *parts])
    else:
        writer.push(["Assign", *items([node.target], scope), item(node.value, scope)])


def _global(writer: Writer, node: ast.Global, scope: Scope) -> None:
    scope.outside.update(node.names)
    writer.written.update(node.names)
    writer.push([f"Global {sorted(node.names)})"])


def _nonlocal(writer: Writer, node: ast.Nonlocal, scope: Scope) -> None:
    scope.elsewhere.update(node.names)
    writer.put(f"Nonlocal {len(node.names)}")
    for name in node.names:
        writer.bind(scope, name)
        writer.rebound.append((scope, name))


def _import(writer: Writer, node: ast.Import, scope: Scope) -> None:
    for alias in node.names:
        bound = alias.asname or alias.name.partition(".")[0]
        scope.bind_import(bound, Import(alias.name if alias.asname else bound))
        writer.imports.append(Import(alias.name))
        if scope.hands_out(bound):
            writer.handed_out.append(Import(alias.name))
        writer.push([f"Import {alias.name}", *_bound(bound, scope)])


def _import_from(writer: Writer, node: ast.ImportFrom, scope: Scope) -> None:
    for alias in node.names:
        bound = alias.asname or alias.name
        target = Import(node.module or "", node.level, alias.name)
        scope.bind_import(bound, target)
        if alias.name in CALLED or alias.name in _READ_ARGUMENTS:
            writer.finds.other_names[bound] = alias.name
        writer.imports.append(target)
        if scope.hands_out(bound):
            writer.handed_out.append(target)
        where = f"{'.' * node.level}{node.module or ''}"
        writer.push([f"Import {where} {alias.name}", *_bound(bound, scope)])


def _handler(writer: Writer, node: ast.ExceptHandler, scope: Scope) -> None:
    body = items(statements(node.body), scope)
    writer.push(["ExceptHandler", item(node.type, scope), *_bound(node.name, scope), *body])


def _match_as(writer: Writer, node: ast.MatchAs, scope: Scope) -> None:
    writer.push(["MatchAs", item(node.pattern, scope), *_bound(node.name, scope)])


def _match_star(writer: Writer, node: ast.MatchStar, scope: Scope) -> None:
    writer.push(["MatchStar", *_bound(node.name, scope)])


def _match_mapping(writer: Writer, node: ast.MatchMapping, scope: Scope) -> None:
    inside = [*items(node.keys, scope), *items(node.patterns, scope), *_bound(node.rest, scope)]
    writer.push(["MatchMapping", *inside])


def _bound(name: str | None, scope: Scope) -> list[Item]:
    if name is None:
        return ["-"]
    return [(ast.Name(name, ast.Store()), scope)]


def _comprehension(writer: Writer, node: Any, scope: Scope) -> None:
    inner = Scope(Kind.COMPREHENSION, scope)
    todo: list[Item] = ["" + node.__class__.__name__]
    for number, clause in enumerate(node.generators):
        # The first source is evaluated outside, where it can't see the comprehension's names.
        todo += [(clause.iter, inner if number else scope), (clause.target, inner)]
        todo += [*items(clause.ifs, inner), str(clause.is_async)]
    results = [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]
    writer.push([*todo, *items(results, inner)])


def _lambda(writer: Writer, node: ast.Lambda, scope: Scope) -> None:
    inner = Scope(Kind.FUNCTION, scope)
    writer.push(["Lambda", *_signature(node.args, scope, inner), (node.body, inner)])


def _function(writer: Writer, node: _Function, scope: Scope) -> None:
    scope.bind(node.name, Bound.DEFINITION)
    writer.push(
        [
            *items(node.decorator_list, scope),
            *_bound(node.name, scope),
            *function_items(node, scope),
        ]
    )


def function_items(node: _Function, scope: Scope) -> list[Item]:
    """Return what a function is without its name and decorators."""
    inner = Scope(Kind.FUNCTION, scope)
    for parameter in getattr(node, "type_params", ()):
        inner.bind(parameter.name)
    annotations = []
    if node.decorator_list and _reads_annotations(node):
        annotations = [each.annotation for each in parameters(node.args)]
    return [
        node.__class__.__name__,
        *_signature(node.args, scope, inner),
        *items(annotations, scope),
        *items(statements(node.body), inner),
    ]


def _reads_annotations(node: _Function) -> bool:
    for decorator in node.decorator_list:
        chain = chain_of(decorator.func if isinstance(decorator, ast.Call) else decorator)
        if chain and (chain[0], *chain[1])[-1] in _READ_ANNOTATIONS:
            return True
    return False


def parameters(arguments: ast.arguments) -> Iterator[ast.arg]:
    """Yield all parameters, those of any number last."""
    yield from (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)
    yield from (each for each in (arguments.vararg, arguments.kwarg) if each)


def _signature(arguments: ast.arguments, scope: Scope, inner: Scope) -> list[Item]:
    for each in parameters(arguments):
        inner.bind(each.arg, Bound.PARAMETER)
    kinds = (
        ",".join([each.arg for each in group])
        for group in (
            arguments.posonlyargs,
            arguments.args,
            [arguments.vararg] if arguments.vararg else [],
            arguments.kwonlyargs,
            [arguments.kwarg] if arguments.kwarg else [],
        )
    )
    defaults = (*items(arguments.defaults, scope), *items(arguments.kw_defaults, scope))
    return [f"({'|'.join(kinds)})", *defaults]


def _class(writer: Writer, node: ast.ClassDef, scope: Scope) -> None:
    scope.bind(node.name, Bound.DEFINITION)
    head, inner = class_items(node, scope)
    body = statements(node.body, inner.annotated)
    writer.push(
        [
            *items(node.decorator_list, scope),
            *_bound(node.name, scope),
            *head,
            *items(body, inner),
        ]
    )


def class_items(node: ast.ClassDef, scope: Scope) -> tuple[list[Item], Scope]:
    """Return what stands above a class's body, and the scope of the body.

    Annotations count if something may read them: a decorator, base or metaclass.
    """
    annotated = bool(node.decorator_list or node.bases or node.keywords)
    inner = Scope(Kind.CLASS, scope, annotated)
    for parameter in getattr(node, "type_params", ()):
        inner.bind(parameter.name)
    return ["Class", *items(node.bases, scope), *items(node.keywords, scope)], inner


# They write the node; those that return True leave that to be done as for any other.
SPECIAL: dict[type[ast.AST], Callable[[Writer, Any, Scope], bool | None]] = {
    ast.AnnAssign: _annotated,
    ast.AsyncFunctionDef: _function,
    ast.Attribute: _attribute,
    ast.Call: _call,
    ast.ClassDef: _class,
    ast.Compare: _compare,
    ast.Constant: _constant,
    ast.DictComp: _comprehension,
    ast.ExceptHandler: _handler,
    ast.Expr: _statement,
    ast.FormattedValue: _formatted,
    ast.FunctionDef: _function,
    ast.GeneratorExp: _comprehension,
    ast.Global: _global,
    ast.Import: _import,
    ast.ImportFrom: _import_from,
    ast.JoinedStr: _joined,
    ast.Lambda: _lambda,
    ast.ListComp: _comprehension,
    ast.MatchAs: _match_as,
    ast.MatchMapping: _match_mapping,
    ast.MatchStar: _match_star,
    ast.Name: _name,
    ast.NamedExpr: _walrus,
    ast.Nonlocal: _nonlocal,
    ast.SetComp: _comprehension,
    ast.Subscript: _subscript,
}
