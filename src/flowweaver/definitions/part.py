"""A part of a workflow: the tasks that were asked for, and what they need."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from flowweaver import graph
from flowweaver.definitions.wiring import Wiring, compile_workflow
from flowweaver.errors import ParameterError, near_matches
from flowweaver.names import clean_names, split_name


@dataclass(frozen=True, slots=True)
class Part:
    """What is to be done of a workflow.

    Attributes:
        wiring: The tasks that were asked for and all that they need: a workflow by itself.
        targets: The names of those asked for; none if that comes to the whole workflow.
        afresh: The names of those that are executed come what may.
    """

    wiring: Wiring
    targets: tuple[str, ...]
    afresh: frozenset[str]


def part_of(
    whole: Wiring,
    targets: Iterable[str] | None = None,
    from_: Iterable[str] = (),
    force: Iterable[str] = (),
    *,
    downstream: bool = False,
) -> Part:
    """Return the part of a workflow that is asked for.

    Args:
        whole: The workflow.
        targets: Tasks that are asked for, with what they need; None for all.
        from_: Tasks that are executed come what may, with all behind them, as far as that is asked
            for; without `targets` they and all behind them are what is.
        force: Tasks that are executed come what may.
        downstream: And all behind those.

    Raises:
        ParameterError: There is no task of a name, or it is not part of what is asked for.
    """
    starts, forced = _nodes(whole, "from_", from_), _nodes(whole, "force", force)
    behind = graph.reached(starts, whole.succs)
    asked: Collection[int] = range(len(whole.tasks))
    if targets is not None:
        asked = _nodes(whole, "targets", targets)
        if not asked:
            raise ParameterError("targets names no task; leave it out to ask for all of them.")
    elif starts:
        asked = _ends(whole, behind)
    needed = graph.reached(asked, whole.preds)
    for node in (*starts, *forced):
        if node not in needed:
            listed = ", ".join(map(repr, whole.names(asked)))
            raise ParameterError(f"Task {whole.tasks[node].name!r} is not needed for {listed}.")
    afresh = behind.union(graph.reached(forced, whole.succs) if downstream else forced)
    names = frozenset(whole.names(afresh & needed))
    if len(needed) == len(whole.tasks):
        return Part(whole, (), names)
    return Part(_of_nodes(whole, needed), tuple(whole.names(asked)), names)


def with_targets(whole: Wiring, names: Iterable[str]) -> Wiring:
    """Return the part of a workflow that an earlier run was asked for; all of it for no names.

    A task that there is no more is none of it.
    """
    nodes = [whole.index[name] for name in names if name in whole.index]
    needed = graph.reached(nodes, whole.preds)
    return _of_nodes(whole, needed) if 0 < len(needed) < len(whole.tasks) else whole


def _nodes(whole: Wiring, what: str, given: Iterable[str]) -> list[int]:
    return [_node(whole, name) for name in clean_names(what, given)]


def _node(whole: Wiring, name: str) -> int:
    node = whole.index.get(name)
    if node is not None:
        return node
    task, _ = split_name(name)
    hint = f", only {task!r} as a whole, with all its elements."
    raise ParameterError(
        f"Workflow {whole.name!r} has no task {name!r}"
        f"{hint if task in whole.index else near_matches(name, whole.index)}"
    )


def _ends(whole: Wiring, nodes: set[int]) -> list[int]:
    """Return those that none of the others waits for."""
    return sorted(node for node in nodes if nodes.isdisjoint(whole.succs[node]))


def _of_nodes(whole: Wiring, nodes: set[int]) -> Wiring:
    tasks = [task for node, task in enumerate(whole.tasks) if node in nodes]
    places: Mapping[str, int] = {task.name: place for place, task in enumerate(tasks)}
    return compile_workflow(whole.name, tasks, places, whole.edges)
