"""What a body is given: results of other tasks, elements of lists, parameters of the run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from copy import deepcopy
from typing import Any

from flowweaver.definitions.file_uses import file_uses, with_paths
from flowweaver.definitions.wiring import MappedInput
from flowweaver.engine.body.call import MISSING
from flowweaver.engine.elements import Elements, MappingError
from flowweaver.engine.results import Results
from flowweaver.engine.run_graph import Key, RunGraph
from flowweaver.engine.secrets import digest_that_counts, lack, missing_secrets
from flowweaver.errors import SecretError
from flowweaver.serialize import decode_trusted, encode_without_secrets, is_atomic
from flowweaver.serialize.held import Original, Originals, value_of, values_of


class Inputs:
    """Puts together the arguments of bodies and conditions.

    Lists that tasks are mapped over are read once and kept while the run goes on; each element
    is handed out as a copy of its own where there is a store (`copying`). Of the parameters named
    by `copied` each body gets copies.
    """

    def __init__(
        self,
        graph: RunGraph,
        results: Results,
        elements: Elements,
        params: Mapping[str, Any],
        *,
        copying: bool,
        copied: Iterable[str] = (),
    ) -> None:
        self._graph = graph
        self._wiring = graph.wiring
        self._size = graph.size
        self._results = results
        self._elements = elements
        self._params = params
        self._missing = missing_secrets(params)
        self._copying = copying
        # The functions that are given no paths, by id: every attempt comes by here.
        self._pathless: set[int] = set()
        self._lists: dict[tuple[int | str, Key], Any] = {}
        originals = Originals({name: params[name] for name in copied})
        self._originals = {name: Original(originals, name) for name in copied}

    def arguments(self, node: int) -> dict[str, Any]:
        """Return the arguments of a node's body.

        Raises:
            UndecodableError: A stored result can't be decoded.
            SecretError: A secret was not given.
            StoreError: It can't be read.
        """
        wiring, take = self._wiring, self._results.take
        # As `owner` has it, without a call in the usual case: every attempt comes by here.
        task = node if node < self._size else self._graph.owner(node)
        arguments = {}
        nodes = wiring.take_nodes[task]
        for place, name in enumerate(wiring.take_names[task]):
            value = take(nodes[place])
            if value is not MISSING:
                arguments[name] = value
            elif not wiring.has_default(task, name):
                arguments[name] = None  # a trigger let the task start without this result
        if self._params:
            if self._missing:
                self._check_given(task)
            for name, parameter in wiring.uses.get(task, ()):
                if parameter in self._params:
                    arguments[name] = self._parameter(parameter)
        if node >= self._size:
            key = self._graph.key(node)
            for taken in wiring.mapped[task].inputs:
                arguments[taken.name] = self._element(taken, key)
        fn = self._graph.tasks[task].fn
        if id(fn) in self._pathless:
            return arguments
        if not file_uses(fn):
            self._pathless.add(id(fn))
            return arguments
        return with_paths(fn, _copied(arguments))

    def named_by(self, node: int) -> dict[str, Any]:
        """Return those arguments of an element that it is called by: without what it shares.

        Where its task says what its elements are called, that may be any.
        """
        if self._graph.options(node).element_name is not None:
            return self.arguments(node)
        key = self._graph.key(node)
        inputs = self._wiring.mapped[self._graph.owner(node)].inputs
        return {taken.name: value_of(self._element(taken, key)) for taken in inputs}

    def _check_given(self, task: int) -> None:
        condition = self._wiring.conditions.get(task)
        uses = self._wiring.uses.get(task, ()) + (() if condition is None else condition.uses)
        for _, parameter in uses:
            if (secret := self._missing.get(parameter)) is not None:
                raise SecretError(lack(parameter, secret, self._wiring.tasks[task].name))

    def condition_arguments(self, node: int, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Return the arguments of a node's `when`, given those of its body."""
        task = self._graph.owner(node)
        condition, when = self._wiring.conditions[task], self._graph.tasks[task].options.when
        assert when is not None
        found = {name: arguments[name] for name in condition.shares if name in arguments}
        for name, source in condition.takes:
            value = self._results.take(source)
            found[name] = None if value is MISSING else value
        for name, parameter in condition.uses:
            if parameter in self._params:
                found[name] = self._parameter(parameter)
        return with_paths(when, _copied(found) if file_uses(when) else found)

    def length_of(self, taken: MappedInput, place: Key) -> int:
        """Return how many elements there are to map over at a place of a source.

        Raises:
            MappingError: What is there is no list.
        """
        value = self._at(taken, place)
        if not isinstance(value, Sequence) or isinstance(value, str | bytes | bytearray):
            where = "".join(f"[{index}]" for index in place)
            raise MappingError(
                f"each({taken.parameter!r}) needs a list, but {taken.parameter}{where} is of type "
                f"{type(value).__name__}"
            )
        return len(value)

    def element_digest(self, taken: MappedInput, key: Key) -> str:
        """Return the digest of what a mapped input takes for an element."""
        source = self._elements.source_of(taken, key)
        if source is not None and taken.depth <= taken.levels:
            return self._graph.digest(source) or ""
        value = self._at(taken, key[taken.offset : taken.offset + taken.depth])
        kept_in = () if taken.node is None else self._results.kept_in(taken.node)
        encoded, secrets = encode_without_secrets(value, root="element", kept_in=kept_in)
        return digest_that_counts(encoded, secrets)

    def forget(self, node: int) -> None:
        """Let go of the lists that were read from a node's result."""
        for source in [source for source in self._lists if source[0] == node]:
            del self._lists[source]

    def _parameter(self, name: str) -> Any:
        """Return a parameter for one body."""
        return self._originals.get(name, self._params[name])

    def _element(self, taken: MappedInput, key: Key) -> Any:
        source = self._elements.source_of(taken, key)
        if source is not None and taken.depth <= taken.levels:
            value = self._results.take(source)
            return None if value is MISSING else value
        value = self._at(taken, key[taken.offset : taken.offset + taken.depth])
        if not self._copying or is_atomic(value):
            return value
        encoded, secrets = encode_without_secrets(value, root="element")
        return deepcopy(value) if secrets else decode_trusted(encoded)

    def _at(self, taken: MappedInput, place: Key) -> Any:
        """Return what lies at a place inside the lists of a source."""
        held = place[: taken.levels]
        source = taken.parameter if taken.node is None else taken.node
        if (source, held) not in self._lists:
            self._lists[source, held] = self._whole(taken, held)
        value = self._lists[source, held]
        for index in place[taken.levels :]:
            value = value[index]
        return value

    def _whole(self, taken: MappedInput, held: Key) -> Any:
        if taken.node is None:
            return self._params[taken.parameter]
        node = self._elements.node_at(taken.node, held) if taken.levels else taken.node
        assert node is not None
        return self._results.get(node)


def _copied(arguments: dict[str, Any]) -> dict[str, Any]:
    """Return arguments with copies of what is to be copied, which paths are looked for in."""
    originals = {name: value for name, value in arguments.items() if type(value) is Original}
    return {**arguments, **values_of(originals)[0]} if originals else arguments
