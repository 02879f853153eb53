"""What a task waits for, and whose results its parameters take."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from flowweaver.errors import DefinitionError
from flowweaver.names import clean_names, normal_name


@dataclass(frozen=True, slots=True)
class Each:
    """A mark on an input: one TaskRun per element of what `source` provides; see `each`."""

    source: str
    depth: int = 1


def each(source: str | Each) -> Each:
    """Map a task over the elements of a task's result or of a workflow parameter.

    ``inputs={"page": each("pages")}`` makes one TaskRun per element of ``pages``, at run time.
    Where ``pages`` is itself a mapped task, elements stay paired: the n-th TaskRun takes the
    n-th result as soon as it is there. ``each(each("pages"))`` goes one level deeper: one
    TaskRun per element of each element.
    """
    if isinstance(source, Each):
        return Each(source.source, source.depth + 1)
    if not isinstance(source, str):
        raise DefinitionError(f"each() takes the name of a task or parameter, not {source!r}.")
    return Each(normal_name(source))


# Whose result each parameter takes, where the names differ.
Sources = tuple[tuple[str, str | Each], ...]
# What a task waits for besides what its parameters' names say: `depends_on` and `inputs`.
Edges = tuple[tuple[str, ...], Sources]
NO_EDGES: Edges = ((), ())

_KINDS_OF_SOURCE = (str, Each)


def clean_edges(
    task: str, depends_on: Iterable[str], inputs: Mapping[str, str | Each] | None
) -> Edges:
    """Return what was said of a task's dependencies, checked; `task` is named in errors."""
    if not depends_on and not inputs:
        return NO_EDGES
    names = clean_names(f"Task {task!r}: depends_on", depends_on) if depends_on else ()
    return names, _clean_inputs(task, inputs) if inputs else ()


def _clean_inputs(task: str, inputs: Any) -> Sources:
    if type(inputs) is not dict and not isinstance(inputs, Mapping):
        raise _unfit(task, repr(inputs))
    sources = tuple(inputs.items())
    is_plain = True
    for name, source in sources:
        if type(name) is str and type(source) is str and source.isascii():
            continue
        is_plain = False
        if type(name) is not str or not isinstance(source, _KINDS_OF_SOURCE):
            raise _unfit(task, f"{name!r} to {source!r}")
    if is_plain:
        return sources
    return tuple(
        (name, normal_name(source) if isinstance(source, str) else source)
        for name, source in sources
    )


def _unfit(task: str, given: str) -> DefinitionError:
    return DefinitionError(
        f"Task {task!r}: inputs maps parameters to names of tasks or each(...), not {given}."
    )
