"""Which statements act on something, instead of binding a name, and what they act on."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple, TypeGuard

from flowweaver.fingerprint.outlines import Definition
from flowweaver.fingerprint.special import CHANGERS
from flowweaver.fingerprint.spelling import Chain, chain_of, last_name

DECORATOR = "@"
"""In place of the name of what is called: it decorates a definition inside of another."""
KEEPS = re.compile("accessor|add|compiles|dispatch|extension|handle|hook|listen|overload|regist")
"""What decorators are called that keep what they decorate."""
_CHANGE_FIRST = frozenset({"setattr", "delattr"})
_ACTING = re.compile(
    "_*(?:activate|add|config|configure|deregister|disable|enable|hook|inject|install|listen"
    "|monkey_?patch|overload|override|patch|register|reset|seed|set|setup|switch|uninstall"
    "|unpatch|unregister|use)(?=_|[A-Z]|$)|[Cc]onfig$|set(?!ting)[a-z]"
)

# What a line at the margin of a class's body starts with that does nothing yet, and what one looks
# like that may: it calls, opens what goes on in the next line, sets something, or has a block.
_EMPTY = ("", "#")
_DEFINING = ("def ", "async def ")
_PLAIN_DECORATOR = re.compile(
    r"@(?:property|staticmethod|classmethod|\w+\.(?:setter|getter|deleter)|(?:\w+\.)?(?:"
    r"abstractmethod|cached_property|override|overload|final|wraps|lru_cache|cache))\b"
)
_DOING = re.compile(r"\(|[\[{\\:]\s*$|^\w+\s*[.\[][^=:]*(?<![=!<>])=(?!=)|^del ")
_DOCSTRING = re.compile(r"""[rRuU]{0,2}(\"{3}|'{3})""")
_VIEWS = frozenset({"items", "keys", "values"})
_ITERATING = frozenset({"enumerate", "iter", "list", "reversed", "set", "sorted", "tuple", "zip"})
_CONTAINERS = (ast.Tuple, ast.List, ast.Set, ast.Dict, ast.IfExp, ast.BoolOp, ast.Starred)


class Target(NamedTuple):
    """What a statement acts on, as a name with attributes, and how often the outcome is called.

    Attributes:
        called: The name of what is called, without what it is taken of; "" if nothing is.
        is_kept: Whether something is done with the outcome.
        given: The names that it is called with, and those that were given before to get there.
        stored: The attribute that is set on it; "" if none is, or that can't be told.
    """

    chain: Chain
    calls: int
    called: str = ""
    is_kept: bool = False
    given: tuple[Chain, ...] = ()
    stored: str = ""

    def is_acting(self, *, on_module: bool) -> bool:
        """Whether it acts on what it is called on, and is not called for its outcome alone.

        Where the outcome is bound or a part of an expression, that is told by the name: verbs
        such as set, add, register, and methods that change a container. Functions of a module
        that have the name of such a method, such as `numpy.append`, return another.
        """
        if self.called == DECORATOR:
            return KEEPS.search(".".join((self.chain[0], *self.chain[1]))) is not None
        if not (self.called and self.is_kept):
            return True
        if self.called in CHANGERS:
            return not on_module
        return self.calls == 1 and _ACTING.match(self.called) is not None


def targets_in(body: Iterable[ast.stmt], levels: int = 0) -> Iterator[Target]:
    """Yield what the statements may act on: what they call, whose attributes they set.

    The body of a class is run along with them, and its own names are taken as those of the class.
    What a script does only when it is started as such is left out.

    Args:
        body: Statements.
        levels: How many functions deep definitions in them are looked into.
    """
    for statement in body:
        if isinstance(statement, Definition):
            for found in filter(None, map(target_of, statement.decorator_list)):
                yield found._replace(calls=found.calls + 1, called=DECORATOR)
        if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef):
            yield from targets_in(statement.body if levels else (), levels - 1)
        elif isinstance(statement, ast.ClassDef):
            yield from _within(statement)
        elif not _is_of_script(statement):
            yield from _targets(statement)
            for inner in bodies(statement):
                yield from targets_in(inner, levels)


def acts_in_body(lines: Sequence[str]) -> bool:
    """Whether the body of a class may do more than define and bind, as its lines look.

    To parse all classes of a project only to find out would take too long.
    """
    margin = 0
    ends = ""
    for line in lines[1:]:
        text = line.lstrip()
        indent = len(line) - len(text)
        if ends:
            ends = "" if ends in line else ends
        elif text[:1] not in _EMPTY and indent and (not margin or indent == margin):
            is_header = not margin and text[0] in ")]"
            quotes = _DOCSTRING.match(text) if not is_header else None
            if quotes:
                ends = quotes[1] if quotes[1] not in text[quotes.end() :] else ""
            elif text[0] == "@":
                if not _PLAIN_DECORATOR.match(text):
                    return True
            elif not is_header and not text.startswith(_DEFINING) and _DOING.search(text):
                return True
            margin = margin or indent
    return not margin and _DOING.search(lines[0].partition(":")[2]) is not None


def _within(statement: ast.ClassDef) -> Iterator[Target]:
    own = _bound_in(statement)

    def outside(chain: Chain) -> Chain:
        name, attributes = chain
        return (statement.name, (name, *attributes)) if name in own else chain

    for target in targets_in(statement.body):
        given = tuple(map(outside, target.given))
        yield target._replace(chain=outside(target.chain), given=given)


def _bound_in(statement: ast.ClassDef) -> set[str]:
    """Return the names that the body of a class binds."""
    found: set[str] = set()
    waiting: list[ast.stmt] = [*statement.body]
    while waiting:
        each = waiting.pop()
        if isinstance(each, Definition):
            found.add(each.name)
        elif not any(bodies(each)):
            found |= {node.id for node in ast.walk(each) if is_stored(node)}
        waiting += [inner for body in bodies(each) for inner in body]
    return found


def is_stored(node: ast.AST) -> TypeGuard[ast.Name]:
    """Whether a name is bound here."""
    return isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)


def target_of(node: ast.expr) -> Target | None:
    """Return the name that an expression starts with, and what is taken of it before any call."""
    attributes: list[str] = []
    calls = 0
    while not isinstance(node, ast.Name):
        if isinstance(node, ast.Attribute):
            attributes.append(node.attr)
            node = node.value
        elif isinstance(node, ast.Subscript):
            attributes = []
            node = node.value
        elif isinstance(node, ast.Call):
            attributes = []
            calls += 1
            node = node.func
        else:
            return None
    return Target((node.id, tuple(reversed(attributes))), calls)


def bodies(statement: ast.stmt) -> Iterator[list[ast.stmt]]:
    """Yield the blocks of a statement that is no definition."""
    if isinstance(statement, Definition):
        return
    for part in ("body", "orelse", "finalbody"):
        yield getattr(statement, part, [])
    for part in ("handlers", "cases"):
        for each in getattr(statement, part, ()):
            yield each.body


def _targets(statement: ast.stmt) -> Iterator[Target]:
    thrown_away = _thrown_away(statement)
    if thrown_away is not None:
        yield from _target(thrown_away, is_kept=False)
    for node in _changed(statement):
        found = target_of(node.value)
        if found is not None:
            yield found._replace(stored=node.attr if isinstance(node, ast.Attribute) else "")
    for call in _calls_in(statement):
        if call is not thrown_away:
            yield from _target(call, is_kept=True)


def _target(node: ast.Call, *, is_kept: bool) -> Iterator[Target]:
    called = _name_of(node.func)
    if node.args and called in _CHANGE_FIRST:
        found = target_of(node.args[0])
        if found is not None:
            yield found._replace(is_kept=is_kept, stored=_constant(node.args[1:2]))
        return
    found = target_of(node)
    if found is not None:
        yield found._replace(called=called, is_kept=is_kept, given=tuple(_given(node)))


def _constant(nodes: list[ast.expr]) -> str:
    values = (each.value for each in nodes if isinstance(each, ast.Constant))
    return next((value for value in values if isinstance(value, str)), "")


def _given(called: ast.expr) -> Iterator[Chain]:
    """Yield the names that stand alone, or in containers, among what is given to calls."""
    while isinstance(called, ast.Call | ast.Attribute | ast.Subscript):
        if isinstance(called, ast.Call):
            for value in (*called.args, *(each.value for each in called.keywords)):
                yield from chains_in(value)
        called = called.func if isinstance(called, ast.Call) else called.value


def chains_in(node: ast.expr) -> Iterator[Chain]:
    """Yield the dotted names that an expression may stand for, or hold."""
    chain = chain_of(node)
    if chain is not None:
        yield chain
    elif isinstance(node, ast.Call):
        called = node.func.value if isinstance(node.func, ast.Attribute) else None
        if called is not None and last_name(node.func) in _VIEWS:
            yield from chains_in(called)
        elif last_name(node.func) in _ITERATING:
            for each in node.args:
                yield from chains_in(each)
    elif isinstance(node, _CONTAINERS):
        for part in ast.iter_child_nodes(node):
            if isinstance(part, ast.expr):
                yield from chains_in(part)


def _name_of(called: ast.expr) -> str:
    name = called.id if isinstance(called, ast.Name) else getattr(called, "attr", None)
    return str(name or "?")


def _thrown_away(statement: ast.stmt) -> ast.Call | None:
    value = statement.value if isinstance(statement, ast.Expr) else None
    called = value.value if isinstance(value, ast.Await) else value
    return called if isinstance(called, ast.Call) else None


def _calls_in(statement: ast.stmt) -> Iterator[ast.Call]:
    """Yield the calls in the expressions of a statement, but not those that are made later.

    What a `with` enters it leaves again.
    """
    waiting = [each for each in ast.iter_child_nodes(statement) if isinstance(each, ast.expr)]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Call):
            yield node
        if isinstance(node, ast.Lambda):
            continue
        for part in ast.iter_child_nodes(node):
            if isinstance(part, ast.expr):
                waiting.append(part)
            elif isinstance(part, ast.keyword):
                waiting.append(part.value)
            elif isinstance(part, ast.comprehension):
                waiting += [part.iter, *part.ifs]


def _changed(statement: ast.stmt) -> Iterator[ast.Attribute | ast.Subscript]:
    if isinstance(statement, ast.Assign | ast.Delete):
        targets = statement.targets
    elif isinstance(statement, ast.AugAssign | ast.AnnAssign):
        targets = [statement.target]
    else:
        return
    for target in targets:
        for each in target.elts if isinstance(target, ast.Tuple | ast.List) else (target,):
            if isinstance(each, ast.Attribute | ast.Subscript):
                yield each


def _is_of_script(statement: ast.stmt) -> bool:
    """Whether it is ``if __name__ == "__main__":``."""
    test = statement.test if isinstance(statement, ast.If) else None
    left = test.left if isinstance(test, ast.Compare) else None
    return isinstance(left, ast.Name) and left.id == "__name__"
