"""Which files a function is given, by its annotations: what it reads, and what it makes."""

from __future__ import annotations

import dataclasses
import functools
import inspect
import os
import types
import typing
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from enum import Enum
from typing import Annotated, Any, Literal, NamedTuple

from flowweaver.definitions.annotations import (
    annotation_for,
    annotations_of,
    behind,
    fields_of,
)
from flowweaver.definitions.typecheck import as_asked
from flowweaver.files.input import ReadMark
from flowweaver.files.output import OutputFile
from flowweaver.introspection import signature_of

FileKind = Literal["read", "made", "unmarked"]


class Every(Enum):
    """A step into a container: to all that is in it."""

    ITEM = "item"
    KEY = "key"
    VALUE = "value"


Step = Every | int | str
"""From a value to what is in it: to all of a kind, to one item of a tuple, or to a field."""

_Found = tuple[FileKind, tuple[Step, ...]]

_NOTHING = inspect.Parameter.empty
# What functions use, by their identity: not all are hashable, and equal ones need not be alike.
_known: dict[int, tuple[Callable[..., Any], tuple[FileUse, ...]]] = {}
_MOST_KNOWN = 4096
# Others may be lazy or endless.
_WALKED = (Sequence, Set)
_WRAPPERS = (typing.Required, typing.NotRequired, typing.Final, typing.ClassVar)


class FileUse(NamedTuple):
    """A place in a function's arguments where it is given the path of a file.

    Attributes:
        parameter: The parameter's name.
        kind: "read" for an `InputFile`, "made" for an `OutputFile`, "unmarked" for any other path:
            nobody knows what its content is to the function.
        where: The steps from the argument to the path; none if it is the path.
        default: What the parameter is given if nothing else is.
        others: For ``**parameter``, the names that are not among its own.
        is_open: Whether there is a default whose place an argument of its name can take.
    """

    parameter: str
    kind: FileKind
    where: tuple[Step, ...]
    default: Any = _NOTHING
    others: frozenset[str] | None = None
    is_open: bool = False

    def is_given(self, names: Set[str]) -> bool:
        """Whether a call with arguments of these names is given something here."""
        return self.parameter in names if self.others is None else not names <= self.others

    def paths(self, arguments: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        """Yield (argument, path) for each path that a call with these arguments is given here."""
        for name, value in self._values(arguments):
            for path in _at(value, self.where):
                yield name, os.fsdecode(path)

    def _values(self, arguments: Mapping[str, Any]) -> Iterable[tuple[str, Any]]:
        if self.others is not None:
            given = {**self.default, **arguments}
            return [(name, value) for name, value in given.items() if name not in self.others]
        value = arguments.get(self.parameter, self.default)
        return [] if value is _NOTHING else [(self.parameter, value)]


def file_uses(fn: Callable[..., Any]) -> tuple[FileUse, ...]:
    """Return the places in the arguments of `fn` that its annotations say are paths of files."""
    known = _known.get(id(fn))
    if known is None:
        if len(_known) >= _MOST_KNOWN:
            _known.clear()
        known = _known[id(fn)] = fn, _find_uses(fn)
    return known[1]


def with_paths(fn: Callable[..., Any], arguments: dict[str, Any]) -> dict[str, Any]:
    """Return the arguments of a call of `fn`, with text as paths where those are asked for.

    Text that is a default where a path is asked for becomes an argument.
    """
    if not (uses := file_uses(fn)):
        return arguments
    asked = {
        name: arguments[name] for name in arguments if any(use.is_given({name}) for use in uses)
    }
    asked |= {
        use.parameter: use.default for use in uses if use.is_open and use.parameter not in arguments
    }
    for name, value in asked.items():
        path = as_asked(value, annotation_for(fn, name))
        if path is not value:
            arguments = {**arguments, name: path}
    return arguments


def _find_uses(fn: Callable[..., Any]) -> tuple[FileUse, ...]:
    found = {
        name: uses
        for name, hint in annotations_of(fn).items()
        if name != "return" and (uses := list(_uses_in(hint)))
    }
    if not found:
        return ()
    return tuple(_in_signature(fn, found))


def _in_signature(fn: Any, found: Mapping[str, list[_Found]]) -> Iterator[FileUse]:
    """Yield the uses that were found with what the parameters are given of themselves."""
    called = fn.func if isinstance(fn, functools.partial) else fn
    try:
        signature = signature_of(called)
    except (TypeError, ValueError):
        return
    bound = _bound(fn, signature)
    is_itself = not hasattr(called, "__wrapped__")  # a wrapper may give arguments by itself
    for name, parameter in signature.parameters.items():
        for kind, where in found.get(name, ()):
            if parameter.kind is parameter.VAR_POSITIONAL:
                yield FileUse(name, kind, (Every.ITEM, *where), bound.get(name, ()))
            elif parameter.kind is parameter.VAR_KEYWORD:
                others = frozenset(signature.parameters) - {name}
                yield FileUse(name, kind, where, bound.get(name, {}), others)
            else:
                default, is_named = (
                    parameter.default,
                    parameter.kind is not parameter.POSITIONAL_ONLY,
                )
                is_open = is_itself and is_named and name not in bound and default is not _NOTHING
                yield FileUse(name, kind, where, bound.get(name, default), is_open=is_open)


def _bound(fn: Any, signature: inspect.Signature) -> Mapping[str, Any]:
    """Return the arguments that a partial holds, by parameter."""
    if not isinstance(fn, functools.partial):
        return {}
    try:
        return signature.bind_partial(*fn.args, **fn.keywords).arguments
    except TypeError:  # calling it will fail
        return {}


# In annotations ---------------------------------------------------------------------------------


def _uses_in(hint: Any, inside: frozenset[Any] = frozenset()) -> Iterator[_Found]:
    """Yield the paths in an annotation; `inside` are the classes that it is part of."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is os.PathLike or (isinstance(hint, type) and issubclass(hint, os.PathLike)):
        is_made = isinstance(hint, type) and issubclass(hint, OutputFile)
        yield ("made" if is_made else "unmarked"), ()
    elif isinstance(hint, type) and origin is None:
        yield from _uses_in_fields(hint, inside)
    elif origin is Annotated:
        is_read = any(isinstance(mark, ReadMark) for mark in hint.__metadata__)
        for kind, where in _uses_in(arguments[0], inside):
            yield ("read" if is_read and kind == "unmarked" else kind), where
    elif (meant := behind(hint)) is not hint:
        yield from _uses_in(meant, inside)
    elif origin in (typing.Union, types.UnionType, *_WRAPPERS):
        for argument in arguments:
            yield from _uses_in(argument, inside)
    elif isinstance(origin, type) and _has_fields(origin):
        yield from _uses_in_fields(origin, inside, arguments)
    else:
        for step, argument in _parts(origin, arguments):
            for kind, where in _uses_in(argument, inside):
                yield kind, (step, *where)


def _parts(origin: Any, arguments: tuple[Any, ...]) -> Iterable[tuple[Step, Any]]:
    if origin is tuple and arguments[-1:] != (...,):
        return enumerate(arguments)
    if not isinstance(origin, type):
        return ()
    if issubclass(origin, Mapping) and len(arguments) == 2:
        return [(Every.KEY, arguments[0]), (Every.VALUE, arguments[1])]
    return [(Every.ITEM, arguments[0])] if issubclass(origin, Iterable) else ()


def _uses_in_fields(
    kind: Any, inside: frozenset[Any], arguments: tuple[Any, ...] = ()
) -> Iterator[_Found]:
    """Yield the paths in the fields of a class that was given type `arguments`."""
    if kind in inside or not _has_fields(kind):
        return
    given = dict(zip(getattr(kind, "__parameters__", ()), arguments, strict=False))
    for name, written in fields_of(kind).items():
        hint = given.get(written, written)
        if isinstance(params := getattr(hint, "__parameters__", None), tuple) and params:
            hint = hint[tuple(given.get(param, param) for param in params)]
        for use, where in _uses_in(hint, inside | {kind}):
            yield use, (name, *where)


def _has_fields(kind: type) -> bool:
    """Whether the annotations in a class are those of its objects' fields, by custom."""
    marks = ("__attrs_attrs__", "model_fields", "_fields")
    known = dataclasses.is_dataclass(kind) or typing.is_typeddict(kind)
    return known or any(hasattr(kind, mark) for mark in marks)


# In values --------------------------------------------------------------------------------------


def _at(value: Any, where: tuple[Step, ...]) -> Iterator[str | os.PathLike[str]]:
    """Yield the paths that stand in a value where an annotation has them."""
    if where:
        for inner in _after(where[0], value):
            yield from _at(inner, where[1:])
    elif isinstance(value, str | os.PathLike):
        yield value


def _after(step: Step, value: Any) -> Iterable[Any]:
    if step is Every.ITEM:
        return value if isinstance(value, _WALKED) and not isinstance(value, str | bytes) else ()
    if isinstance(value, Mapping):
        if step is Every.KEY:
            return value.keys()
        return value.values() if step is Every.VALUE else [value[step]] if step in value else ()
    if isinstance(step, int):
        return [value[step]] if isinstance(value, tuple) and step < len(value) else ()
    return [getattr(value, step)] if isinstance(step, str) and hasattr(value, step) else ()
