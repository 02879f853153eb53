"""Which statements act on something, instead of binding a name, and what they act on."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from flowweaver.fingerprint.outlines import Definition
from flowweaver.fingerprint.special import CHANGERS
from flowweaver.fingerprint.spelling import Chain, chain_of

_CHANGE_FIRST = frozenset({"setattr", "delattr"})
_ACTING = re.compile(
    "_*(?:activate|add|config|configure|deregister|disable|enable|hook|inject|install|listen"
    "|monkey_?patch|overload|override|patch|register|reset|seed|set|setup|switch|uninstall"
    "|unpatch|unregister|use)(?=_|[A-Z]|$)|[Cc]onfig$|set(?!ting)[a-z]"
)


class Target(NamedTuple):
    """What a statement acts on, as a name with attributes, and how often the outcome is called.

    Attributes:
        called: The name of what is called, without what it is taken of; "" if nothing is.
        is_kept: Whether something is done with the outcome.
        given: The names that it is called with.
    """

    chain: Chain
    calls: int
    called: str = ""
    is_kept: bool = False
    given: tuple[Chain, ...] = ()

    def is_acting(self, *, on_module: bool) -> bool:
        """Whether it acts on what it is called on, and is not called for its outcome alone.

        Where the outcome is bound or a part of an expression, that is told by the name: verbs
        such as set, add, register, and methods that change a container. Functions of a module
        that have the name of such a method, such as `numpy.append`, return another.
        """
        if not (self.called and self.is_kept):
            return True
        if self.called in CHANGERS:
            return not on_module
        return self.calls == 1 and _ACTING.match(self.called) is not None


def targets_in(body: Iterable[ast.stmt], levels: int = 0) -> Iterator[Target]:
    """Yield what the statements may act on: what they call, whose attributes they set.

    What a script does only when it is started as such is left out.

    Args:
        body: Statements.
        levels: How many functions deep definitions in them are looked into.
    """
    for statement in body:
        if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef):
            yield from targets_in(statement.body if levels else (), levels - 1)
        elif not isinstance(statement, Definition) and not _is_of_script(statement):
            yield from _targets(statement)
            for inner in bodies(statement):
                yield from targets_in(inner, levels)


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
        yield from _target(node, is_kept=False)
    for call in _calls_in(statement):
        if call is not thrown_away:
            yield from _target(call, is_kept=True)


def _target(node: ast.expr, *, is_kept: bool) -> Iterator[Target]:
    called = _name_of(node.func) if isinstance(node, ast.Call) else ""
    if isinstance(node, ast.Call) and node.args and called in _CHANGE_FIRST:
        node, called = node.args[0], ""
    found = target_of(node)
    if found is not None:
        yield found._replace(called=called, is_kept=is_kept, given=_given(node))


def _given(node: ast.expr) -> tuple[Chain, ...]:
    if not isinstance(node, ast.Call):
        return ()
    values = [*node.args, *(each.value for each in node.keywords)]
    return tuple(filter(None, map(chain_of, values)))


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


def _changed(statement: ast.stmt) -> Iterator[ast.expr]:
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
