"""Follow things to all that they reach, and digest the whole."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Hashable, Iterable

from flowweaver.fingerprint.nodes import Node, node_of, node_of_state, witness_of_values
from flowweaver.fingerprint.parts import CodeFingerprint, CodePart, hex_digest
from flowweaver.fingerprint.things import Place, Thing, ValueThing, Witness
from flowweaver.fingerprint.values import is_filled, is_scalar


class Reach:
    """All that some things reach, numbered in the order in which it is met.

    That order follows the text of the code alone, and so is the same in each process.
    """

    def __init__(self, roots: Iterable[Thing]) -> None:
        self._numbers: dict[Hashable, int] = {}
        self._things: deque[tuple[int, Thing]] = deque()
        self._values: deque[tuple[int, Thing]] = deque()
        self._written: set[Place] = set()
        self._found: dict[int, tuple[Node, list[int]]] = {}
        self._changed: set[int] = set()
        self._unsettled = False
        for root in roots:
            self._number(root)
        # Values come last: by then it is known which of them the code itself writes.
        while queue := self._things or self._values:
            number, thing = queue.popleft()
            node = self._node_of_value(thing) if isinstance(thing, ValueThing) else node_of(thing)
            self._written |= node.written
            self._changed |= node.changed
            self._found[number] = node, [self._number(use.thing) for use in node.uses]

    def _node_of_value(self, thing: ValueThing) -> Node:
        changed, written = id(thing.value) in self._changed, thing.place in self._written
        if (changed and is_filled(thing.value)) if thing.cell else written:
            return node_of_state(thing)
        # What the code itself fills or counts up counts as it was first seen.
        settled = changed or written or is_scalar(thing.value)
        self._unsettled |= not settled
        return node_of(thing, settled=settled)

    def _number(self, thing: Thing) -> int:
        key = thing.key
        number = self._numbers.get(key)
        if number is None:
            number = self._numbers[key] = len(self._numbers)
            queue = self._values if isinstance(thing, ValueThing) else self._things
            queue.append((number, thing))
        return number

    def fingerprint(self) -> CodeFingerprint:
        """Return the fingerprint of all that was found."""
        nodes = [self._found[number] for number in range(len(self._found))]
        first, *rest = _unique([node.part for node, _ in nodes])
        unseen = dict.fromkeys(message for node, _ in nodes for message in node.unseen)
        parts = (first, *sorted(rest, key=lambda part: part.name))
        return CodeFingerprint(_digest(nodes), parts, tuple(unseen))

    def witnesses(self) -> tuple[Witness, ...]:
        """Return what says whether the fingerprint still holds."""
        found = [witness for node, _ in self._found.values() for witness in node.witnesses]
        if self._unsettled:
            found.append(witness_of_values())
        return tuple(found)


def _digest(nodes: list[tuple[Node, list[int]]]) -> str:
    # By numbers and not by names: a helper that moves to another module changes nothing.
    lines = []
    for node, numbers in nodes:
        lines.append(node.content)
        lines += [f"{use.label} {n}" for use, n in zip(node.uses, numbers, strict=True)]
    return hex_digest("\n".join(lines))


def _unique(parts: list[CodePart]) -> list[CodePart]:
    """Return the parts under names of their own; those of the first are told without its name."""
    own = f" of {parts[0].name}"
    seen: Counter[str] = Counter()
    result = []
    for part in parts:
        name = part.name.removesuffix(own)
        seen[name] += 1
        if seen[name] > 1:
            name = f"{name} ({seen[name]})"
        result.append(part if name == part.name else CodePart(name, part.digest, part.text))
    return result
