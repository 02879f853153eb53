"""Follow things to all that they reach, and digest the whole."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Hashable, Iterable
from hashlib import blake2b

from flowweaver.fingerprint.nodes import Node, node_of, node_of_state
from flowweaver.fingerprint.parts import CodeFingerprint, CodePart
from flowweaver.fingerprint.things import Thing, ValueThing, Witness


class Reach:
    """All that some things reach, numbered in the order in which it is met.

    That order follows the text of the code alone, and so is the same in each process.
    """

    def __init__(self, roots: Iterable[Thing]) -> None:
        self._numbers: dict[Hashable, int] = {}
        self._things: deque[tuple[int, Thing]] = deque()
        self._values: deque[tuple[int, Thing]] = deque()
        self._written: set[tuple[int, str]] = set()
        self._found: dict[int, tuple[Node, list[int]]] = {}
        for root in roots:
            self._number(root)
        # Values come last: by then it is known which of them the code itself writes.
        while queue := self._things or self._values:
            number, thing = queue.popleft()
            node = node_of_state(thing) if self._is_state(thing) else node_of(thing)  # type: ignore[arg-type]
            self._written |= node.written
            self._found[number] = node, [self._number(use.thing) for use in node.uses]

    def _number(self, thing: Thing) -> int:
        key = thing.key
        number = self._numbers.get(key)
        if number is None:
            number = self._numbers[key] = len(self._numbers)
            queue = self._values if isinstance(thing, ValueThing) else self._things
            queue.append((number, thing))
        return number

    def _is_state(self, thing: Thing) -> bool:
        if not self._written or not isinstance(thing, ValueThing) or thing.home is None:
            return False
        return (id(thing.home[0]), thing.home[1]) in self._written

    def fingerprint(self) -> CodeFingerprint:
        """Return the fingerprint of all that was found."""
        nodes = [self._found[number] for number in range(len(self._found))]
        first, *rest = _unique([node.part for node, _ in nodes])
        unseen = dict.fromkeys(message for node, _ in nodes for message in node.unseen)
        parts = (first, *sorted(rest, key=lambda part: part.name))
        return CodeFingerprint(_digest(nodes), parts, tuple(unseen))

    def witnesses(self) -> tuple[Witness, ...]:
        """Return what says whether the fingerprint still holds."""
        return tuple(witness for node, _ in self._found.values() for witness in node.witnesses)


def _digest(nodes: list[tuple[Node, list[int]]]) -> str:
    # By numbers and not by names: a helper that moves to another module changes nothing.
    lines = []
    for node, numbers in nodes:
        lines.append(node.content)
        lines += [f"{use.label} {n}" for use, n in zip(node.uses, numbers, strict=True)]
    return blake2b("\n".join(lines).encode(), digest_size=16).hexdigest()


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
