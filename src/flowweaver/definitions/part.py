"""A part of a workflow: the tasks that were asked for, and what they need."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

from flowweaver import graph
from flowweaver.definitions.task import Task
from flowweaver.definitions.wiring import Wiring, compile_workflow
from flowweaver.errors import ParameterError, near_matches
from flowweaver.names import clean_names, split_name


class Part(NamedTuple):
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
    given: Iterable[str] = (),
) -> Part:
    """Return the part of a workflow that is asked for.

    Args:
        whole: The workflow.
        targets: Tasks that are asked for, with what they need; None for all.
        from_: Tasks that are executed come what may, with all behind them, as far as that is asked
            for; without `targets` they and all behind them are what is.
        force: Tasks that are executed come what may.
        downstream: And all behind those.
        given: Tasks whose results are given, so that they need nothing.

    Raises:
        ParameterError: There is no task of a name, or it is not part of what is asked for.
    """
    starts, forced = _nodes(whole, "from_", from_), _nodes(whole, "force", force)
    known = _nodes(whole, "overrides", given)
    afresh = graph.reached(forced, whole.succs) if downstream else {*forced}
    if targets is None and not starts and not known:  # which is to cost next to nothing
        return Part(whole, (), frozenset(whole.names(afresh)))
    behind, needs = graph.reached(starts, whole.succs), _needs(whole, known)
    if targets is not None:
        asked = _nodes(whole, "targets", targets)
        if not asked:
            raise ParameterError("targets names no task; leave it out to ask for all of them.")
    else:
        asked = _ends(whole, behind) if starts else _all_ends(whole)
    needed = graph.reached(asked, needs)
    _check_needed(whole, [*starts, *forced, *known], needed, asked)
    _check_not_given(whole, [*starts, *forced], known)
    names = whole.names((afresh | behind).intersection(needed).difference(known))
    is_all = len(needed) == len(graph.reached(_all_ends(whole), needs))
    listed = () if is_all else tuple(whole.names(asked))
    return Part(_of_nodes(whole, needed, known), listed, frozenset(names))


def part_again(whole: Wiring, targets: Collection[str], given: Collection[str] = ()) -> Wiring:
    """Return the part of a workflow that an earlier run was asked for; all of it for no targets.

    Tasks that no longer exist are left out.
    """
    if not targets and not given:
        return whole
    known = [whole.index[name] for name in given if name in whole.index]
    nodes = [whole.index[name] for name in targets if name in whole.index]
    asked = nodes or _all_ends(whole)
    return _of_nodes(whole, graph.reached(asked, _needs(whole, known)), known)


def _needs(whole: Wiring, given: Collection[int]) -> Sequence[Sequence[int]]:
    """Return what each node waits for, if the results of some are given."""
    if not given:
        return whole.preds
    needs: list[Sequence[int]] = list(whole.preds)
    for node in given:
        needs[node] = ()
    return needs


def _check_needed(
    whole: Wiring, named: Iterable[int], needed: set[int], asked: Iterable[int]
) -> None:
    for node in named:
        if node not in needed:
            listed = ", ".join(map(repr, whole.names(asked)))
            raise ParameterError(f"Task {whole.tasks[node].name!r} is not needed for {listed}.")


def _check_not_given(whole: Wiring, named: Iterable[int], given: Collection[int]) -> None:
    for node in named:
        if node in given:
            name = whole.tasks[node].name
            raise ParameterError(f"Task {name!r} is overridden, so it can't be executed.")


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


def _all_ends(whole: Wiring) -> list[int]:
    """Return the nodes that nothing waits for."""
    return [node for node, succs in enumerate(whole.succs) if not succs]


def _of_nodes(whole: Wiring, nodes: set[int], given: Collection[int] = ()) -> Wiring:
    if len(nodes) == len(whole.tasks) and not given:
        return whole
    tasks = [
        _stand_in(task.name) if node in given else task
        for node, task in enumerate(whole.tasks)
        if node in nodes
    ]
    places: Mapping[str, int] = {task.name: place for place, task in enumerate(tasks)}
    edges = whole.edges
    if given:
        names = {*whole.names(given)}
        edges = {name: said for name, said in edges.items() if name not in names}
    axes = {whole.tasks[n].name: whole.mapped[n].axes for n in given if n in whole.mapped}
    return compile_workflow(whole.name, tasks, places, edges, whole.trust, axes)


def _given() -> None:
    """A value that was given in place of the task."""


def _stand_in(name: str) -> Task[[], None]:
    """Return what stands in for a task whose result is given; it is never executed."""
    return Task(name, _given, version="given")
