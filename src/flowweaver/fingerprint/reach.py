"""Follow things to all that they reach, and digest the whole."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Hashable, Iterable, Iterator

from flowweaver.fingerprint.annotated import Annotated, uses_of_annotations
from flowweaver.fingerprint.effects import effects_on, effects_present, witness_of_effects
from flowweaver.fingerprint.finding import Ask
from flowweaver.fingerprint.nodes import Node, node_of, node_of_state, witness_of_values
from flowweaver.fingerprint.parts import CodeFingerprint, CodePart, Unseen, hex_digest
from flowweaver.fingerprint.standing import How, standing_of_class
from flowweaver.fingerprint.static import subclasses_of
from flowweaver.fingerprint.things import (
    ClassThing,
    FunctionThing,
    Notes,
    PackageThing,
    PieceThing,
    Place,
    Thing,
    Use,
    ValueThing,
    Witness,
)
from flowweaver.fingerprint.values import is_filled, is_scalar


class Reach:
    """All that some things reach, numbered in the order in which it is met.

    That order follows the text of the code alone, and so is the same in each process.

    Attributes:
        unsettled: The values that may be changed in place, with their contents.
    """

    def __init__(self, roots: Iterable[Thing]) -> None:
        self._numbers: dict[Hashable, int] = {}
        self._things: deque[tuple[int, Thing]] = deque()
        self._values: deque[tuple[int, Thing]] = deque()
        self._classes: list[tuple[int, ClassThing | PieceThing]] = []
        self._annotated: list[tuple[int, Annotated]] = []
        self._written: set[Place] = set()
        self._found: dict[int, tuple[Node, list[tuple[str, int]]]] = {}
        self._changed: set[int] = set()
        self._asks: set[Ask] = set()
        self._tops: set[str] = set()
        self._files: set[str] = set()
        self._imports: set[str] = set()
        self._names: set[tuple[str, str]] = set()
        self._notes = Notes()
        self.unsettled: list[tuple[ValueThing, str]] = []
        for root in roots:
            self._number(root)
        self._follow()
        while self._ask_further():
            self._follow()
        self._follow_effects()

    def _follow_effects(self) -> None:
        """Let the first of all use what was done to the packages that are reached."""
        while self._found and (effects_present() or self._imports):
            asked = Ask.SUBCLASSES in self._asks
            effects = effects_on(
                self._tops, self._names, self._files, self._imports, subclasses=asked
            )
            found = {each.key: each for each in effects}
            things = [each for key, each in found.items() if key not in self._numbers]
            if not things:
                break
            things.sort(key=lambda thing: node_of(thing).part.digest)
            uses = [Use("done when loaded", thing) for thing in things]
            self._found[0][1].extend(self._numbered(uses))
            self._follow()

    def _follow(self) -> None:
        # Values come last: by then it is known which of them the code itself writes.
        while queue := self._things or self._values:
            number, thing = queue.popleft()
            node = self._node_of_value(thing) if isinstance(thing, ValueThing) else node_of(thing)
            self._written |= node.written
            self._changed |= node.changed
            self._asks |= node.asks
            self._found[number] = node, list(self._numbered(node.uses))
            self._imports |= node.imports
            self._names |= node.names
            if isinstance(thing, Annotated):
                self._annotated.append((number, thing))
            if isinstance(thing, ClassThing | PieceThing):
                self._classes.append((number, thing))
            elif isinstance(thing, PackageThing):
                self._tops.add(thing.top)
            elif isinstance(thing, FunctionThing):
                self._files.add(thing.fn.__code__.co_filename)

    def _numbered(self, uses: Iterable[Use]) -> Iterator[tuple[str, int]]:
        for use in uses:
            yield use.label, self._number(use.thing)

    def _ask_further(self) -> bool:
        """Let what was found use what is asked of it; return whether anything was."""
        classes: list[tuple[int, ClassThing | PieceThing]] = []
        annotated: list[tuple[int, Annotated]] = []
        if Ask.SUBCLASSES in self._asks:
            classes, self._classes = self._classes, []
        if Ask.ANNOTATIONS in self._asks:
            annotated, self._annotated = self._annotated, []
        for number, cls in classes:
            self._found[number][1].extend(self._numbered(self._subclasses(cls)))
        for number, thing in annotated:
            uses = uses_of_annotations(thing, self._notes)
            self._found[number][1].extend(self._numbered(uses))
        return bool(classes or annotated)

    def _subclasses(self, thing: ClassThing | PieceThing) -> Iterator[Use]:
        if isinstance(thing, PieceThing):
            yield from subclasses_of(thing, self._notes)
            return
        self._notes.rests_on_subclasses(thing.cls)
        subclasses: list[type] = thing.cls.__subclasses__()
        for subclass in subclasses:
            if standing_of_class(subclass).how is How.MEANING:
                yield Use("subclass", ClassThing(subclass))

    def _node_of_value(self, thing: ValueThing) -> Node:
        changed, written = id(thing.value) in self._changed, thing.place in self._written
        if (changed and is_filled(thing.value)) if thing.cell else written:
            return node_of_state(thing)
        # What the code itself fills or counts up counts as it was first seen.
        settled = changed or written or is_scalar(thing.value)
        node = node_of(thing, settled=settled)
        if not settled:
            self.unsettled.append((thing, node.content))
        return node

    def _number(self, thing: Thing) -> int:
        key = thing.key
        number = self._numbers.get(key)
        if number is None:
            number = self._numbers[key] = len(self._numbers)
            queue = self._values if isinstance(thing, ValueThing) else self._things
            queue.append((number, thing))
        return number

    def fingerprint(self, unseen: Iterable[Unseen] = ()) -> CodeFingerprint:
        """Return the fingerprint of all that was found; some was known to be unseen before."""
        found = [self._found[number] for number in range(len(self._found))]
        if not self._asks.isdisjoint({Ask.TEXT, Ask.ANNOTATIONS}):
            found = [(_with_text(node), numbers) for node, numbers in found]
        if Ask.ORDER in self._asks:
            found = [(_with_order(node), numbers) for node, numbers in found]
        parts = _unique([node.part for node, _ in found if node.part.name])
        parts[1:] = sorted(parts[1:], key=lambda part: part.name)
        all_unseen = [*unseen, *(each for node, _ in found for each in node.unseen)]
        return CodeFingerprint(_digest(found), tuple(parts), tuple(dict.fromkeys(all_unseen)))

    def witnesses(self) -> tuple[Witness, ...]:
        """Return what says whether the fingerprint still holds."""
        found = [witness for node, _ in self._found.values() for witness in node.witnesses]
        found += self._notes.witnesses
        found.append(witness_of_effects())
        if self.unsettled:
            found.append(witness_of_values())
        return tuple(found)


def _with_text(node: Node) -> Node:
    """Return a node that counts with its docstrings, annotations and comments too."""
    if node.excerpt is None:
        return node
    text = node.excerpt.text
    part = node.part._replace(digest=hex_digest(f"{node.part.digest} {text}"))
    return node._replace(part=part, content=f"{node.content} {hex_digest(text)}")


def _with_order(node: Node) -> Node:
    """Return a node that counts with the order of its members too."""
    if not node.order:
        return node
    part = node.part._replace(digest=hex_digest(f"{node.part.digest} {node.order}"))
    return node._replace(part=part, content=f"{node.content} {hex_digest(node.order)}")


def _digest(found: list[tuple[Node, list[tuple[str, int]]]]) -> str:
    # By numbers and not by names: a helper that moves to another module changes nothing.
    lines = []
    for node, numbers in found:
        lines.append(node.content)
        lines += [f"{label} {number}" for label, number in numbers]
    return hex_digest("\n".join(lines))


def _unique(parts: list[CodePart]) -> list[CodePart]:
    """Return the parts under names of their own; those of the first are told without its name."""
    own = f" of {parts[0].name}" if parts else ""
    seen: Counter[str] = Counter()
    result = []
    for part in parts:
        name = part.name.removesuffix(own)
        seen[name] += 1
        if seen[name] > 1:
            name = f"{name} ({seen[name]})"
        result.append(part if name == part.name else part._replace(name=name))
    return result
