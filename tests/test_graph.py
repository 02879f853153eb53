"""Order, layers, cycles and paths, against the simplest thing that could be right."""

import sys
from collections.abc import Callable
from functools import cache
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowweaver.graph import (
    critical_path,
    find_cycle,
    layers,
    successors,
    topological_order,
    upward_rank,
)

Graph = list[tuple[int, ...]]


@st.composite
def graphs(draw: st.DrawFn, *, acyclic: bool, largest: int = 12) -> Graph:
    """Draw predecessors by node. Nodes of an acyclic graph are shuffled, so ids say nothing."""
    count = draw(st.integers(0, largest))
    rank = draw(st.permutations(range(count)))
    pairs = [
        (node, pred)
        for node in range(count)
        for pred in range(count)
        if pred != node and (not acyclic or rank[pred] < rank[node])
    ]
    chosen = draw(st.sets(st.sampled_from(pairs))) if pairs else set()
    return [tuple(pred for n, pred in sorted(chosen) if n == node) for node in range(count)]


def durations_for(preds: Graph) -> st.SearchStrategy[list[float]]:
    seconds = st.integers(0, 20).map(float)
    return st.lists(seconds, min_size=len(preds), max_size=len(preds))


@st.composite
def timed_graphs(draw: st.DrawFn) -> tuple[Graph, list[float]]:
    preds = draw(graphs(acyclic=True, largest=8))
    return preds, draw(durations_for(preds))


def reaches(preds: Graph, start: int, end: int) -> bool:
    """Whether a path of at least one edge leads from `start` to `end`."""
    seen, pending = set(), list(preds[end])
    while pending:
        node = pending.pop()
        if node == start:
            return True
        if node not in seen:
            seen.add(node)
            pending += preds[node]
    return False


def all_paths(preds: Graph) -> list[list[int]]:
    succs = [[n for n in range(len(preds)) if node in preds[n]] for node in range(len(preds))]

    def onward(node: int) -> list[list[int]]:
        return [[node]] + [[node, *rest] for succ in succs[node] for rest in onward(succ)]

    return [path for node in range(len(preds)) for path in onward(node)]


def ordered(preds: Graph) -> list[int]:
    return topological_order(preds, successors(preds))


@given(graphs(acyclic=False))
def test_successors_are_the_edges_the_other_way(preds: Graph) -> None:
    succs = successors(preds)
    there = {(pred, node) for node, before in enumerate(preds) for pred in before}
    back = [(node, succ) for node, after in enumerate(succs) for succ in after]
    assert set(back) == there
    assert len(back) == len(there)


@given(graphs(acyclic=True))
def test_order_of_an_acyclic_graph_has_every_node_after_its_predecessors(preds: Graph) -> None:
    order = ordered(preds)
    assert sorted(order) == list(range(len(preds)))
    place = {node: at for at, node in enumerate(order)}
    assert all(place[pred] < place[node] for node in place for pred in preds[node])


@given(graphs(acyclic=False))
def test_order_leaves_out_exactly_what_is_on_or_behind_a_cycle(preds: Graph) -> None:
    nodes = range(len(preds))
    on_cycle = {node for node in nodes if reaches(preds, node, node)}
    behind = {node for node in nodes if any(reaches(preds, bad, node) for bad in on_cycle)}
    assert set(nodes).difference(ordered(preds)) == on_cycle | behind


@given(graphs(acyclic=False))
def test_found_cycle_is_one_in_the_direction_of_the_edges(preds: Graph) -> None:
    left = set(range(len(preds))).difference(ordered(preds))
    if not left:
        return
    cycle = find_cycle(preds, left)
    assert len(set(cycle)) == len(cycle) > 0
    for before, after in zip(cycle, [*cycle[1:], cycle[0]], strict=True):
        assert before in preds[after]


@given(graphs(acyclic=True))
def test_layer_of_a_node_is_the_length_of_the_longest_path_to_it(preds: Graph) -> None:
    @cache
    def depth(node: int) -> int:
        return max((depth(pred) + 1 for pred in preds[node]), default=0)

    found = layers(preds, ordered(preds))
    assert [(node, level) for level, layer in enumerate(found) for node in layer] == sorted(
        ((node, depth(node)) for node in range(len(preds))), key=lambda pair: (pair[1], pair[0])
    )
    assert all(found)


@given(timed_graphs())
def test_upward_rank_is_the_longest_path_from_a_node_to_the_end(
    graph: tuple[Graph, list[float]],
) -> None:
    preds, durations = graph
    rank = upward_rank(successors(preds), ordered(preds), durations)
    paths = all_paths(preds)
    for node in range(len(preds)):
        from_here = [sum(durations[n] for n in path) for path in paths if path[0] == node]
        assert rank[node] == max(from_here)


@given(timed_graphs())
def test_critical_path_is_a_longest_path_of_the_graph(graph: tuple[Graph, list[float]]) -> None:
    preds, durations = graph
    path = critical_path(successors(preds), ordered(preds), durations)
    assert all(before in preds[after] for before, after in pairwise(path))
    longest = max((sum(durations[n] for n in other) for other in all_paths(preds)), default=0.0)
    assert sum(durations[node] for node in path) == longest


def chain(count: int) -> Graph:
    return [(), *((node - 1,) for node in range(1, count))]


def fan(count: int) -> Graph:
    return [(), *[(0,)] * (count - 2), tuple(range(1, count - 1))]


def grid(count: int) -> Graph:
    wide = 20
    return [tuple(range(max(0, (n // wide - 1) * wide), n // wide * wide)) for n in range(count)]


def everything(preds: Graph) -> tuple[int, int]:
    """Order, layer and measure a graph; return the number of layers and the longest path's."""
    succs = successors(preds)
    order = topological_order(preds, succs)
    path = critical_path(succs, order, [1.0] * len(preds))
    return len(layers(preds, order)), len(path)


@pytest.mark.parametrize(("shape", "depth"), [(chain, 100_000), (fan, 3)], ids=["chain", "fan"])
def test_graph_of_100_000_nodes_needs_no_recursion(
    shape: Callable[[int], Graph], depth: int
) -> None:
    assert everything(shape(100_000)) == (depth, depth)


def test_cycle_of_100_000_nodes_is_found() -> None:
    ring: Graph = [(node - 1 if node else 99_999,) for node in range(100_000)]
    assert len(find_cycle(ring, set(range(100_000)))) == 100_000


@pytest.mark.parametrize("shape", [chain, fan, grid], ids=["chain", "fan", "grid"])
def test_steps_grow_in_step_with_nodes_and_edges(shape: Callable[[int], Graph]) -> None:
    small, large = (shape(count) for count in (400, 800))

    def size(preds: Graph) -> int:
        return len(preds) + sum(map(len, preds))

    growth = lines_run(lambda: everything(large)) / lines_run(lambda: everything(small))
    assert growth < 1.2 * size(large) / size(small)


def lines_run(action: Callable[[], object]) -> int:
    """Return how many lines are executed."""
    count = 0

    def tracing(frame: object, event: str, argument: object) -> object:
        nonlocal count
        count += event == "line"
        return tracing

    before = sys.gettrace()
    sys.settrace(tracing)
    try:
        action()
    finally:
        sys.settrace(before)
    return count
