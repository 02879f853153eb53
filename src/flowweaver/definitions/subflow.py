"""A workflow as a task of another: inlined under a prefix, so that nothing else knows of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from flowweaver.definitions.edges import Each
from flowweaver.definitions.task import Task
from flowweaver.definitions.wiring import Wiring
from flowweaver.errors import DefinitionError, near_matches


class Inlined(NamedTuple):
    """A task to be added to the outer workflow, with its edges."""

    task: Task[..., Any]
    depends_on: tuple[str, ...]
    inputs: Mapping[str, str | Each]


def inline(
    wiring: Wiring,
    prefix: str,
    depends_on: tuple[str, ...],
    feeds: Mapping[str, str | Each],
) -> Iterator[Inlined]:
    """Return the tasks of a workflow as tasks ``prefix.name`` of another.

    The last of them is named `prefix` itself: its result is that of the inner workflow's last
    task or, where several have nothing after them, a dict of theirs by name.

    Args:
        wiring: The inner workflow.
        prefix: What its tasks' names begin with.
        depends_on: Tasks of the outer workflow that come before all of it.
        feeds: What the inner workflow's parameters take; one that is fed by `each` has all tasks
            behind it run once per element.

    Raises:
        DefinitionError: The inner workflow has no such parameter.
    """
    for parameter in feeds:
        if parameter not in wiring.parameters:
            raise DefinitionError(
                f"Workflow {wiring.name!r} has no parameter {parameter!r} to take an input"
                f"{near_matches(parameter, wiring.parameters)}"
            )
    inliner = _Inliner(wiring, prefix, feeds)
    for node, task in enumerate(wiring.tasks):
        before = inliner.order_only(node)
        first = depends_on if not wiring.preds[node] else ()
        yield Inlined(
            task.with_options(
                f"{prefix}.{task.name}",
                depends_on=(),
                inputs={},
                trust=task.options.trust + wiring.trust,
            ),
            (*before, *first),
            inliner.inputs(node),
        )
    yield inliner.last()


class _Inliner:
    """Rewrites the sources of one inner workflow's tasks."""

    def __init__(self, wiring: Wiring, prefix: str, feeds: Mapping[str, str | Each]) -> None:
        self._wiring = wiring
        self._prefix = prefix
        self._feeds = feeds
        # How many levels of elements each task gains by what is fed to it from outside.
        self._gained = [0] * len(wiring.tasks)
        for node in wiring.order:
            self._gained[node] = max(self._gains(node), default=0)

    def order_only(self, node: int) -> tuple[str, ...]:
        """Return what a task only waits for."""
        taken = {*self._wiring.take_nodes[node]}
        if node in self._wiring.mapped:
            taken |= {
                item.node for item in self._wiring.mapped[node].inputs if item.node is not None
            }
        condition = self._wiring.conditions.get(node)
        if condition is not None:
            taken |= {source for _, source in condition.takes}
        return tuple(self._name(pred) for pred in self._wiring.preds[node] if pred not in taken)

    def inputs(self, node: int) -> dict[str, str | Each]:
        """Return the sources of a task's parameters, seen from outside."""
        wiring = self._wiring
        condition = wiring.conditions.get(node)
        takes = [*wiring.takes(node), *(condition.takes if condition else ())]
        uses = [*wiring.uses.get(node, ()), *(condition.uses if condition else ())]
        found: dict[str, str | Each] = {name: self._inner(source) for name, source in takes}
        for name, parameter in uses:
            if parameter in self._feeds:
                found[name] = self._feeds[parameter]
        for item in wiring.mapped[node].inputs if node in wiring.mapped else ():
            whole = self._feed(item.parameter) if item.node is None else self._inner(item.node)
            found[item.name] = _deeper(whole, item.depth)
        return found

    def last(self) -> Inlined:
        """Return the task that stands for the whole inner workflow."""
        wiring = self._wiring
        ends = [node for node, succs in enumerate(wiring.succs) if not succs]
        if len(ends) == 1:
            only: Task[..., Any] = Task(self._prefix, _the_result)
            return Inlined(only, (), {"result": self._inner(ends[0])})
        every: Task[..., Any] = Task(self._prefix, _results_by_name)
        return Inlined(every, (), {wiring.tasks[node].name: self._inner(node) for node in ends})

    def _gains(self, node: int) -> Iterator[int]:
        wiring = self._wiring
        for pred in wiring.preds[node]:
            if self._name(pred) not in self.order_only(node):
                yield self._gained[pred]
        for _, parameter in wiring.uses.get(node, ()):
            feed = self._feed(parameter)
            yield feed.depth if isinstance(feed, Each) else 0
        for item in wiring.mapped[node].inputs if node in wiring.mapped else ():
            feed = self._feed(item.parameter)
            if item.node is None and isinstance(feed, Each):
                yield feed.depth

    def _feed(self, parameter: str) -> str | Each:
        return self._feeds.get(parameter, parameter)

    def _inner(self, node: int) -> str | Each:
        return _deeper(self._name(node), self._gained[node])

    def _name(self, node: int) -> str:
        return f"{self._prefix}.{self._wiring.tasks[node].name}"


def _deeper(source: str | Each, levels: int) -> str | Each:
    if not levels:
        return source
    if isinstance(source, Each):
        return Each(source.source, source.depth + levels)
    return Each(source, levels)


def _the_result(result: Any) -> Any:
    return result


def _results_by_name(**results: Any) -> dict[str, Any]:
    return results
