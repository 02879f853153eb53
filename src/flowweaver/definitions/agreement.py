"""Whether what a task returns can be what those behind it take, by their annotations.

Nothing is said of what can't be told for certain: names that mean nothing at run time, type
variables, protocols, callables, and whatever may fit in one of several ways.
"""

from __future__ import annotations

import collections.abc
import inspect
import types
import typing
import warnings
from collections.abc import Iterator
from typing import Any

from flowweaver.definitions.annotations import Unknown, annotation_for, annotations_of, bare
from flowweaver.definitions.wiring import MappedInput, Wiring
from flowweaver.errors import DefinitionError, TypeClashWarning
from flowweaver.introspection import is_annotated

_NOTHING_KNOWN = (Any, object, inspect.Parameter.empty)
_TOWER: dict[Any, tuple[type, ...]] = {
    float: (int,),
    complex: (int, float),
    bytes: (bytearray, memoryview),
}
_MAPPINGS = (dict, collections.abc.Mapping, collections.abc.MutableMapping)
_LISTS = (
    list,
    set,
    frozenset,
    collections.abc.Collection,
    collections.abc.Iterable,
    collections.abc.MutableSequence,
    collections.abc.MutableSet,
    collections.abc.Sequence,
    collections.abc.Set,
)
# What is called or asked for its kind tells nothing of the value that comes of it.
_OPAQUE = (type, collections.abc.Callable)


def check_types(wiring: Wiring, *, strict: bool) -> None:
    """Compare what tasks return with what those behind them take; warn, or refuse if `strict`.

    Raises:
        DefinitionError: With `strict`, there are some that can't be.
    """
    found = list(clashes(wiring))
    if not found:
        return
    if strict:
        more = f" (and {len(found) - 5} more)" if len(found) > 5 else ""
        raise DefinitionError("; ".join(found[:5]) + more + ".")
    for clash in found:
        warnings.warn(f"{clash}.", TypeClashWarning, stacklevel=_levels_above())


def clashes(wiring: Wiring) -> Iterator[str]:
    """Yield in words what can't be, once for each pair of functions and parameter."""
    tasks = wiring.tasks
    seen: set[tuple[object, ...]] = set()
    for node, (names, sources) in enumerate(zip(wiring.take_names, wiring.take_nodes, strict=True)):
        consumer = id(tasks[node].fn)
        for parameter, source in zip(names, sources):  # noqa: B905 - takes as long as all the rest
            pair = id(tasks[source].fn), consumer, parameter
            if pair not in seen:
                seen.add(pair)
                yield from _clash(wiring, node, parameter, source)
        for taken in wiring.mapped[node].inputs if node in wiring.mapped else ():
            if taken.node is not None:
                depths = taken.depth, taken.levels
                by_element = id(tasks[taken.node].fn), consumer, taken.name, depths
                if by_element not in seen:
                    seen.add(by_element)
                    yield from _clash(wiring, node, taken.name, taken.node, taken)


def _clash(
    wiring: Wiring, node: int, parameter: str, source: int, taken: MappedInput | None = None
) -> Iterator[str]:
    task, producer = wiring.tasks[node], wiring.tasks[source]
    if is_annotated(task.fn) and is_annotated(producer.fn):
        given, wanted = _given(wiring, source, taken), annotation_for(task.fn, parameter)
        if never_fits(given, wanted):
            yield (
                f"Task {task.name!r} takes {parameter}: {_shown(wanted)}, but "
                f"{'an element of ' if taken else ''}{producer.name!r} is {_shown(given)}"
            )


def _given(wiring: Wiring, source: int, taken: MappedInput | None) -> Any:
    """Return the type of what is handed on: of a mapped task lists, of those its elements."""
    producer = wiring.tasks[source]
    found = annotations_of(producer.fn).get("return", Any)
    levels = wiring.mapped[source].key_length if source in wiring.mapped else 0
    if levels and producer.options.allow_failures:
        return Any
    depth = 0 if taken is None else taken.depth
    for _ in range(levels - depth):
        found = types.GenericAlias(list, (found,))
    for _ in range(depth - levels):
        found = _element_of(found)
    return found


def _element_of(hint: Any) -> Any:
    hint = bare(hint)
    arguments = typing.get_args(hint)
    if typing.get_origin(hint) in _LISTS and len(arguments) == 1:
        return arguments[0]
    return Any


def never_fits(given: Any, wanted: Any) -> bool:
    """Whether no value of the type `given` is of the type `wanted`, as far as that is certain."""
    if isinstance(wanted, typing.TypeVar) or _turns_to_path(given, wanted):
        return False
    given, wanted = _plain(given), _plain(wanted)
    if any(hint in _NOTHING_KNOWN or isinstance(hint, Unknown) for hint in (given, wanted)):
        return False
    givens, wanteds = list(_options(given)), list(_options(wanted))
    if len(givens) > 1 or len(wanteds) > 1:
        return all(never_fits(one, other) for one in givens for other in wanteds)
    return _never(givens[0], wanteds[0])


def _never(given: Any, wanted: Any) -> bool:
    if _is_literal(given) and _is_literal(wanted):
        return not set(map(repr, typing.get_args(given))) & set(map(repr, typing.get_args(wanted)))
    kind, asked = _class_of(given), _class_of(wanted)
    if kind is None or asked is None:
        return False
    try:
        related = issubclass(kind, (asked, *_TOWER.get(asked, ()))) or issubclass(asked, kind)
    except Exception:  # classes that can't be asked
        return False
    return not related or _content_never(given, wanted, kind, asked)


def _content_never(given: Any, wanted: Any, kind: type, asked: type) -> bool:
    inner, outer = typing.get_args(given), typing.get_args(wanted)
    if not inner or not outer or () in (inner, outer):
        return False
    if kind in _MAPPINGS and asked in _MAPPINGS:
        return any(map(never_fits, inner, outer))
    if kind is tuple and asked is tuple and ... not in (*inner, *outer):
        return len(inner) != len(outer) or any(map(never_fits, inner, outer))
    if (kind in _LISTS or kind is tuple) and (asked in _LISTS or asked is tuple):
        parts = [part for part in inner if part is not ...]
        return all(never_fits(part, outer[0]) for part in parts)
    return False


def _plain(hint: Any) -> Any:
    hint = bare(hint)
    if hint is None:
        return type(None)
    return Any if isinstance(hint, str | typing.ForwardRef | typing.TypeVar) else hint


def _options(hint: Any) -> Iterator[Any]:
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        yield from typing.get_args(hint)
    else:
        yield hint


def _is_literal(hint: Any) -> bool:
    return typing.get_origin(hint) is typing.Literal


def _class_of(hint: Any) -> type | None:
    """Return the class that values of a type are of; None if that can't be told."""
    if _is_literal(hint):
        kinds = {type(value) for value in typing.get_args(hint)}
        return kinds.pop() if len(kinds) == 1 else None
    kind = typing.get_origin(hint) or hint
    if typing.is_typeddict(kind):
        return dict
    if not isinstance(kind, type) or kind in _OPAQUE or getattr(kind, "_is_protocol", False):
        return None
    return None if hasattr(kind, "__await__") else kind  # what comes of it is handed on


def _turns_to_path(given: Any, wanted: Any) -> bool:
    """Whether text is taken for a path, as where an `InputFile` is asked for."""
    if not any(_class_of(option) is str for option in _options(_plain(given))):
        return False
    from pathlib import PurePath  # takes long, and is for where text is handed on

    kinds = [_class_of(option) for option in _options(_plain(wanted))]
    return any(kind is not None and issubclass(kind, PurePath) for kind in kinds)


def _shown(hint: Any) -> str:
    return hint.__name__ if isinstance(hint, type) and not typing.get_args(hint) else repr(hint)


def _levels_above() -> int:
    """Return how many calls above `check_types` the user's own code is."""
    frame, levels = inspect.currentframe(), 0
    while frame is not None and frame.f_globals.get("__name__", "").startswith("flowweaver."):
        frame, levels = frame.f_back, levels + 1
    return levels
