"""Write down what Dask is to compute later, whose tasks have names made at random."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from flowweaver.fingerprint.walk import Walk

_CLASSES = frozenset({"Delayed", "DelayedAttr", "DelayedLeaf", "DelayedOptimized"})


def is_delayed(module: str, name: str) -> bool:
    """Whether a class of that name is one of `dask.delayed`."""
    return module == "dask.delayed" and name in _CLASSES


def write_delayed(walk: Walk, value: Any, depth: int) -> None:
    """Write what is computed, and from what: each task by what it does instead of by its name."""
    try:
        meant = _meant_by(value)
    except Exception:  # whatever another version of Dask makes of it
        walk.hide(value, "what a delayed computation of Dask consists of")
        return
    walk.in_package("dask", type(value).__qualname__, [meant], depth)


def _meant_by(value: Any) -> object:
    # It is loaded already, since it has made the value.
    specification, core = import_module("dask._task_spec"), import_module("dask.core")
    graph = specification.convert_legacy_graph(dict(value.__dask_graph__()))
    dependencies = {key: set(node.dependencies) for key, node in graph.items()}
    done: dict[object, object] = {}
    for key in core.toposort(graph, dependencies=dependencies):
        done[key] = _written(graph[key], done)
    return done[value.key]


def _written(node: Any, done: dict[object, object]) -> object:
    """Return a part of a graph with what the names in it stand for in their place."""
    kind = type(node).__name__ if type(node).__module__ == "dask._task_spec" else ""
    if kind == "TaskRef":
        return done[node.key]
    if kind == "Alias":
        return done[getattr(node.target, "key", node.target)]  # older versions of Dask: a TaskRef
    if kind == "DataNode":
        return "data", node.value
    if kind:
        parts = (_written(node.args, done), _written(node.kwargs, done))
        return kind, node.func, *parts
    if type(node) in (list, tuple):
        return [_written(each, done) for each in node]
    if type(node) is dict:
        return {key: _written(each, done) for key, each in node.items()}
    return node
