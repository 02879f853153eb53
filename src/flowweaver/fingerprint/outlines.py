"""The canonical forms of whole functions, classes and top-level statements."""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import NamedTuple

from flowweaver.fingerprint.canonical import Form, Load, Writer
from flowweaver.fingerprint.scopes import Kind, Scope
from flowweaver.fingerprint.special import class_items, function_items, parameters
from flowweaver.fingerprint.spelling import Renames, chain_of, item
from flowweaver.fingerprint.tidy import docstring_lines, statements
from flowweaver.parsing import parsed

_OUTER = Scope(Kind.OUTER, None)
Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


class Decorator(NamedTuple):
    """A decorator line; ``head`` is what it calls."""

    node: ast.expr
    free: tuple[str, ...]
    head: Load | None

    @property
    def form(self) -> Form:
        """What it says; most decorators are our own, of which nobody asks for it."""
        return _form(self.node, self.free)

    @property
    def lines(self) -> range:
        """Its lines in the source."""
        return lines_of(self.node)


class Outline(NamedTuple):
    """What one definition says, apart from what it refers to.

    `plain` are the defaults that are literals, by parameter; `children` are a class's methods and
    inner classes, each of which has an outline of its own, `order` the order of these and of what
    else is in its body; `docstring` are the lines of that.
    """

    form: Form
    decorators: tuple[Decorator, ...] = ()
    plain: Mapping[str, object] = MappingProxyType({})
    children: tuple[Definition, ...] = ()
    order: str = ""
    docstring: range = range(0)


def outline(node: ast.AST, free: Iterable[str] = (), renames: Renames = ()) -> Outline:
    """Return the outline of a function, lambda, class or top-level statement.

    Args:
        node: Where it starts.
        free: Names bound by functions around it, whose spelling does not count.
        renames: Those of its names that are others for what finds something by name.
    """
    if isinstance(node, ast.ClassDef):
        return _of_class(node, free, renames)
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        writer = Writer(renames)
        writer.write([node.name, *function_items(node, Scope(Kind.OUTER, None))])
        return Outline(
            writer.form(free),
            _decorators(node, free),
            _plain(node.args),
            docstring=docstring_lines(node.body),
        )
    plain = _plain(node.args) if isinstance(node, ast.Lambda) else {}
    return Outline(_form(node, free, renames), plain=plain)


def annotations_of(node: ast.AST, free: Iterable[str] = ()) -> Form:
    """Return the form of annotations, which count where something reads them.

    They are those of a function's parameters and result, or of what a class's body annotates.
    """
    found: list[ast.expr | None] = []
    arguments = getattr(node, "args", None)
    if isinstance(arguments, ast.arguments):
        found += [argument.annotation for argument in parameters(arguments)]
        found.append(getattr(node, "returns", None))
    elif isinstance(node, ast.ClassDef):
        found += [each.annotation for each in node.body if isinstance(each, ast.AnnAssign)]
    writer = Writer()
    writer.write([item(each and _in_plain(each), _OUTER) for each in found])
    return writer.form(free)


def _in_plain(annotation: ast.expr) -> ast.expr:
    """Return an annotation with expressions in place of the texts that say them."""
    if not any(isinstance(each, ast.Constant) for each in ast.walk(annotation)):
        return annotation
    plain: ast.expr = _Plain().visit(copy.deepcopy(annotation))
    return plain


class _Plain(ast.NodeTransformer):
    def visit_Constant(self, node: ast.Constant) -> ast.expr:
        if not isinstance(node.value, str):
            return node
        try:
            (statement,) = parsed(f"({node.value})").body
        except (SyntaxError, ValueError):
            return node
        inner: ast.expr = self.visit(statement.value) if isinstance(statement, ast.Expr) else node
        return inner

    def visit_Subscript(self, node: ast.Subscript) -> ast.expr:
        name, attributes = chain_of(node.value) or ("", ())
        last = (name, *attributes)[-1]
        if last == "Annotated" and isinstance(node.slice, ast.Tuple):
            node.slice.elts[:1] = [self.visit(each) for each in node.slice.elts[:1]]
        elif last != "Literal":
            self.generic_visit(node)
        return node


def _form(node: ast.AST, free: Iterable[str], renames: Renames = ()) -> Form:
    writer = Writer(renames)
    writer.write([(node, Scope(Kind.OUTER, None))])
    return writer.form(free)


def lines_of(node: ast.AST) -> range:
    """Return the lines of a piece of syntax, its decorators included."""
    decorators = getattr(node, "decorator_list", None)
    first = decorators[0] if decorators else node
    start = getattr(first, "lineno", 1)
    return range(start, (getattr(node, "end_lineno", None) or start) + 1)


def _of_class(node: ast.ClassDef, free: Iterable[str], renames: Renames) -> Outline:
    head, inner = class_items(node, Scope(Kind.OUTER, None))
    body = statements(node.body, inner.annotated)
    children = [each for each in body if isinstance(each, Definition)]
    pinned = _pinned(body)
    writer = Writer(renames)
    writer.write([node.name, *head])
    for each in body:
        if not isinstance(each, Definition):
            writer.write([(each, inner)])
        elif each.name in pinned:
            writer.write([f"member {each.name}"])
    order = " ".join(each.name if isinstance(each, Definition) else "-" for each in body)
    # The order of methods that nothing in the body refers to has no meaning.
    children.sort(key=lambda child: child.name)
    writer.write([f"members {[child.name for child in children]}"])
    return Outline(
        writer.form(free),
        _decorators(node, free),
        children=tuple(children),
        order=order,
        docstring=docstring_lines(node.body),
    )


def _pinned(body: Iterable[ast.stmt]) -> set[str]:
    """Return the members of a class whose place in the body has a meaning."""
    members = {each.name for each in body if isinstance(each, Definition)}
    pinned: set[str] = set()
    for statement in body:
        used = _names_used_at_once(statement) & members
        pinned |= used
        if used and isinstance(statement, Definition):
            pinned.add(statement.name)
    return pinned


def _names_used_at_once(statement: ast.stmt) -> set[str]:
    """Return the names that a statement uses when it is run, not when what it defines is called."""
    parts: list[ast.AST] = [statement]
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef):
        parts = [*statement.decorator_list, statement.args]
    return {node.id for part in parts for node in ast.walk(part) if isinstance(node, ast.Name)}


def _plain(arguments: ast.arguments) -> dict[str, object]:
    if not arguments.defaults and not arguments.kw_defaults:
        return {}
    positional = [*arguments.posonlyargs, *arguments.args]
    with_default = positional[len(positional) - len(arguments.defaults) :]
    pairs = [
        *zip(with_default, arguments.defaults, strict=True),
        *zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True),
    ]
    return {each.arg: default.value for each, default in pairs if isinstance(default, ast.Constant)}


def _decorators(node: Definition, free: Iterable[str]) -> tuple[Decorator, ...]:
    return tuple(_decorator(each, free) for each in node.decorator_list)


def _decorator(node: ast.expr, free: Iterable[str]) -> Decorator:
    called = node
    while isinstance(called, ast.Call):
        called = called.func
    chain = chain_of(called)
    head = Load(".".join((chain[0], *chain[1])), *chain) if chain else None
    return Decorator(node, tuple(free), head)
