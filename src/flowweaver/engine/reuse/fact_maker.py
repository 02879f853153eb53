"""The facts of the TaskRuns of one run, put together once a task as far as that goes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from flowweaver.definitions.file_uses import FileUse, file_uses
from flowweaver.definitions.task import Task
from flowweaver.definitions.wiring import MappedInput, Wiring
from flowweaver.engine.reuse.code import CodeBook
from flowweaver.facts import Facts, beginning, key, partial, whole
from flowweaver.files.content import content_digest

Given = tuple[Mapping[str, Any], Mapping[str, Any]]
"""The arguments of a body, and of its condition."""

Reads = tuple[tuple[FileUse, ...], tuple[FileUse, ...]]
"""Where in the arguments of a body, and of its condition, files stand that are read."""


class FactMaker:
    """Writes the facts of each TaskRun of one run.

    All that does not depend on results is put together once a task; what remains for each
    TaskRun is to join the digests of its inputs, since a restored run does little else.
    """

    def __init__(self, wiring: Wiring, params: Mapping[str, str], code: CodeBook) -> None:
        self._wiring = wiring
        self._params = params
        self._code = code
        self._begun: list[str | None] = [None] * len(wiring.tasks)
        self._keys: list[tuple[str, ...]] = [()] * len(wiring.tasks)
        self._of_conditions: dict[int, tuple[int, ...]] = {}
        self._after: dict[int, Sequence[tuple[str, int]]] = {}
        self._reads: dict[int, Reads] = {}
        self._shapes: dict[object, tuple[str, Reads]] = {}
        self._latest = partial("{")
        self._effects = {
            task for task in wiring.optioned if wiring.tasks[task].options.effect == "once_ever"
        }

    def facts(
        self,
        task: int,
        digests: Sequence[str | None],
        by_element: Mapping[str, str],
        given: Callable[[], Given],
    ) -> Facts:
        """Return the facts of a TaskRun.

        Args:
            task: The task's node.
            digests: Those of the results by node.
            by_element: Those of what a mapped task takes by element, by parameter.
            given: Gives the arguments of the body and of its condition, for those that are files
                to be read.
        """
        if self._effects and task in self._effects:
            return self._of_effect(task, digests, by_element, given)
        begun = self._begun[task]
        if begun is None:
            begun = self._prepare(task)
        nodes = self._wiring.take_nodes[task]
        if task in self._of_conditions:
            nodes += self._of_conditions[task]
        keys = self._keys[task]
        inputs = [f'{keys[place]}"{digests[pred]}"' for place, pred in enumerate(nodes)]
        if by_element:
            inputs += [f'{key(name)}"{digest}"' for name, digest in by_element.items()]
        order: Sequence[str] = ()
        if (after := self._after.get(task)) is not None:
            order = [f'{name}"{digests[pred]}"' for name, pred in after]
        files = self._files(task, given) if task in self._reads else None
        return self._same_or_new(whole(begun, inputs, order, files))

    def _same_or_new(self, text: str) -> Facts:
        """Return the facts of a text: many tasks in a row may share theirs, and the digest."""
        latest = self._latest
        if text != latest.text:
            self._latest = latest = Facts(text)
        return latest

    def _of_effect(
        self,
        task: int,
        digests: Sequence[str | None],
        by_element: Mapping[str, str],
        given: Callable[[], Given],
    ) -> Facts:
        """Return the facts of an effect that happens once for ever: what it is known by.

        That is its arguments, wherever they come from.
        """
        wiring = self._wiring
        names = wiring.tasks[task].options.effect_key
        taken = zip(wiring.take_names[task], wiring.take_nodes[task], strict=True)
        known: dict[str, str | None] = {name: digests[pred] for name, pred in taken}
        uses = wiring.uses.get(task, ())
        known |= {name: self._params[use] for name, use in uses if use in self._params}
        known |= by_element
        counts = sorted(name for name in known if not names or name in names)
        if self._begun[task] is None:
            self._prepare(task)
        files = self._files(task, given) if task in self._reads and not names else None
        shown = [f'{key(name)}"{known[name]}"' for name in counts]
        return Facts(whole(self._begin_effect(task), shown, (), files))

    def _begin_effect(self, task: int) -> str:
        options = self._wiring.tasks[task].options
        return beginning(None, options.version, {}, options.effect)

    def static(self, task: int) -> Facts:
        """Return what is known of a task's facts before any of its inputs is."""
        if task in self._effects:
            return partial(self._begin_effect(task))
        return partial(self._begun[task] or self._prepare(task))

    def _prepare(self, task: int) -> str:
        wiring = self._wiring
        definition = wiring.tasks[task]
        uses, names, nodes = (
            wiring.uses.get(task, ()),
            wiring.take_names[task],
            wiring.take_nodes[task],
        )
        if (condition := wiring.conditions.get(task)) is not None:
            uses += condition.uses
            names += tuple(name for name, _ in condition.takes)
            self._of_conditions[task] = tuple(pred for _, pred in condition.takes)
            nodes += self._of_conditions[task]
        self._keys[task] = _keys(names)
        if len(wiring.preds[task]) > len(nodes) or task in wiring.mapped:
            self._note_order(task, set(nodes))
        # Tasks by the thousand may share function and options.
        shape = (id(definition.fn), id(definition.options), uses)
        if shape not in self._shapes:
            self._shapes[shape] = (self._begin(definition, uses), _reads_of(definition))
        begun, reads = self._shapes[shape]
        if any(reads) or definition.options.files:
            self._reads[task] = reads
        self._begun[task] = begun
        return begun

    def _begin(self, definition: Task[..., Any], uses: Sequence[tuple[str, str]]) -> str:
        version = definition.options.version
        code = self._code.digest_of(definition) if version is None else None
        params = {name: self._params[use] for name, use in uses if use in self._params}
        return beginning(code, version, params)

    def _note_order(self, task: int, known: set[int]) -> None:
        """Keep what a task only waits for, besides what it takes."""
        wiring = self._wiring
        known.update(taken.node for taken in mapped_inputs(wiring, task) if taken.node is not None)
        order_only = [pred for pred in wiring.preds[task] if pred not in known]
        if order_only:
            self._after[task] = [(key(wiring.tasks[pred].name), pred) for pred in order_only]

    def _files(self, task: int, given: Callable[[], Given]) -> dict[str, str]:
        found = {path: content_digest(path) for path in self._wiring.tasks[task].options.files}
        if any(reads := self._reads[task]):
            for uses, arguments in zip(reads, given(), strict=True):
                for name, path in (pair for use in uses for pair in use.paths(arguments)):
                    found[f"{name}={path}"] = content_digest(path)
        return found


def _reads_of(task: Task[..., Any]) -> Reads:
    when = task.options.when
    return _read_by(task.fn), () if when is None else _read_by(when)


def _read_by(fn: Callable[..., Any]) -> tuple[FileUse, ...]:
    return tuple(use for use in file_uses(fn) if use.kind == "read")


def mapped_inputs(wiring: Wiring, task: int) -> Sequence[MappedInput]:
    """Return what a task takes by element; nothing if it is not mapped."""
    mapped = wiring.mapped.get(task)
    return () if mapped is None else mapped.inputs


@lru_cache(maxsize=4096)
def _keys(names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(map(key, names))
