"""The seal of a run: one digest of all that its results depend on.

Where it is that of the run before, nothing has changed, and no task has to be looked at. Where it
is not, the outlines of both tell which tasks differ by themselves. Not every run can have one: what
is to be looked at anew each time (files, effects, what expires, code that can't be seen) is looked
at task by task.
"""

from __future__ import annotations

import json
import zlib
from array import array
from base64 import b85decode, b85encode
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from hashlib import blake2b
from typing import Any, NamedTuple

from flowweaver.definitions.file_uses import file_uses
from flowweaver.definitions.kinds import kinds_of, shape_of
from flowweaver.definitions.options import TaskOptions
from flowweaver.definitions.task import Task
from flowweaver.definitions.wiring import Wiring
from flowweaver.engine.reuse.code import CodeBook

_KEY = "outline"
WORTH = 1000
"""With fewer tasks to leave alone it is not worth it: each costs some twenty microseconds."""


class _Definition(NamedTuple):
    """What a seal takes from the definition alone: its graph, and one task of each kind."""

    digest: bytes
    samples: tuple[Task[..., Any], ...]


class Outline:
    """All that the results of a run depend on, by kind of task.

    Args:
        seal: The digest of it.
        seen: What counts of the code of each kind.
        params: The digests of the parameters by name.
        wiring: The workflow.
    """

    def __init__(
        self,
        seal: str,
        seen: Sequence[str | list[str]],
        params: Mapping[str, str],
        wiring: Wiring,
    ) -> None:
        self.seal = seal
        self._seen = seen
        self._params = params
        self._wiring = wiring

    @cached_property
    def _kinds(self) -> Mapping[int, str]:
        """What counts of each kind, by its first node."""
        kinds = kinds_of(self._wiring)
        firsts = sorted({*kinds.firsts})
        each = zip(firsts, kinds.samples, self._seen, strict=True)
        return {first: json.dumps([seen, _counting(task.options)]) for first, task, seen in each}

    @property
    def is_worth_keeping(self) -> bool:
        """Whether the next run is to be told which tasks differ."""
        return len(self._wiring.tasks) >= WORTH and not self._wiring.mapped

    def text(self) -> str:
        """Return it as text, which `changed_since` reads."""
        told = {
            "shape": shape_of(self._wiring).hex(),
            "firsts": packed(kinds_of(self._wiring).firsts),
            "kinds": self._kinds,
            "params": self._params,
        }
        return json.dumps(told, separators=(",", ":"))

    def changed_since(self, text: str) -> set[int] | None:
        """Return the nodes that differ by themselves from those of an earlier outline.

        None if that can't be told node by node, as the graphs differ.
        """
        try:
            before = json.loads(text)
            kinds = {int(first): kind for first, kind in before["kinds"].items()}
            firsts, params = unpacked(before["firsts"]), dict(before["params"])
            if before["shape"] != shape_of(self._wiring).hex():
                return None
        except (ValueError, KeyError, TypeError, AttributeError, zlib.error):
            return None  # another version's
        return {*self._of_other_kinds(kinds, firsts), *self._with_other_params(params)}

    def _of_other_kinds(self, kinds: Mapping[int, str], firsts: array[int]) -> Iterator[int]:
        now = kinds_of(self._wiring).firsts
        if firsts == now:
            changed = {first for first, kind in self._kinds.items() if kinds.get(first) != kind}
            if changed:
                yield from (node for node, first in enumerate(now) if first in changed)
            return
        pairs = zip(map(kinds.get, firsts), map(self._kinds.get, now), strict=True)
        yield from (node for node, (old, new) in enumerate(pairs) if old != new)

    def _with_other_params(self, params: Mapping[str, str]) -> Iterator[int]:
        names = {*params, *self._params}
        changed = {name for name in names if params.get(name) != self._params.get(name)}
        if not changed:
            return
        wiring = self._wiring
        taken = [*wiring.uses.items()]
        taken += [(node, condition.uses) for node, condition in wiring.conditions.items()]
        yield from (node for node, uses in taken if any(use in changed for _, use in uses))


def outline_of(wiring: Wiring, params: Mapping[str, str], code: CodeBook) -> Outline | None:
    """Return the outline of a run, or None if it can't have one; `params` are digests by name."""
    if _KEY not in wiring.kept:
        wiring.kept[_KEY] = _defined(wiring)
    defined: _Definition | None = wiring.kept[_KEY]
    if defined is None or any(map(code.is_doubtful, defined.samples)):
        return None
    versions = [sample.options.version for sample in defined.samples]
    seen: list[str | list[str]] = [
        code.digest_of(sample) if version is None else [version]
        for sample, version in zip(defined.samples, versions, strict=True)
    ]
    told = json.dumps([seen, sorted(params.items())]).encode()
    seal = blake2b(defined.digest + told, digest_size=16).hexdigest()
    return Outline(seal, seen, params, wiring)


def packed(numbers: array[int]) -> str:
    """Return numbers as text; those that repeat take next to nothing."""
    return b85encode(zlib.compress(array("Q", numbers).tobytes(), 1)).decode()


def unpacked(text: str) -> array[int]:
    """Return the numbers in a text of `packed`."""
    wide = array("Q")
    wide.frombytes(zlib.decompress(b85decode(text)))
    return wide


def _defined(wiring: Wiring) -> _Definition | None:
    """Return what counts of a definition; None if a task has to be looked at each time."""
    kinds = kinds_of(wiring)
    if not all(map(_stays, kinds.samples)):
        return None
    state = blake2b(shape_of(wiring), digest_size=32)
    state.update(repr([_counting(task.options) for task in kinds.samples]).encode())
    state.update(kinds.firsts.tobytes())
    return _Definition(state.digest(), kinds.samples)


def _stays(task: Task[..., Any]) -> bool:
    """Whether a result of a task is good for ever."""
    options = task.options
    moves = options.fresh_for is not None or options.files or options.outputs or file_uses(task.fn)
    reads = options.when is not None and file_uses(options.when)
    return options.cache and options.effect == "pure" and not moves and not reads


def _counting(options: TaskOptions) -> tuple[object, ...]:
    """Return the options of a task that decide, besides its code, what becomes of it."""
    counting = options.trigger, options.combine, options.allow_failures
    named = () if options.element_name is None else (options.element_name,)
    return *counting, *named
