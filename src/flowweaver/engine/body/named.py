"""The files that the code of a body names: text and paths in it, and in what it calls."""

from __future__ import annotations

import dis
import os
import shlex
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from functools import cached_property, partial
from glob import has_magic
from itertools import islice
from pathlib import PurePath
from types import CodeType, FunctionType, MethodType, ModuleType
from typing import Any, NamedTuple

from flowweaver.definitions.task import Task
from flowweaver.engine.body.lazy import places_of, reads_later
from flowweaver.engine.body.pathlike import looks_like_path, quoted_in
from flowweaver.fingerprint.kinds import name_of_module, vars_of
from flowweaver.fingerprint.owners import Owner, owner_of_file, owner_of_module

_MOST_FUNCTIONS = 1_000
# More arguments than this are data, not the names of files.
_MOST_VALUES = 1_000


class Named(NamedTuple):
    """What may be paths: as text, and in values that read files later, of folders and patterns."""

    paths: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()


NOTHING = Named()


def paths_in(arguments: Mapping[str, Any]) -> Named:
    """Return what may be paths in the arguments of a call, or in containers among them."""
    waiting: list[Any] = [*arguments.values()]
    paths: list[str] = []
    sources: list[str] = []
    for _ in range(_MOST_VALUES):
        if not waiting:
            break
        value = waiting.pop()
        if isinstance(value, PurePath):
            paths.append(str(value))
        elif isinstance(value, str):
            if looks_like_path(value):
                paths.append(value)
        elif isinstance(value, (list, tuple, set, frozenset)):
            waiting += list(value)[:_MOST_VALUES]
        elif isinstance(value, dict):
            waiting += list(value.values())[:_MOST_VALUES]
        elif reads_later(value):
            sources += places_of(value)
    return Named(tuple(paths), tuple(sources))


def words_of(command: object) -> list[str]:
    """Return the words of a program's command line, or of a shell's, that may be paths."""
    parts = command if isinstance(command, (list, tuple)) else [command]
    words = [os.fsdecode(part) for part in parts if isinstance(part, (str, bytes, os.PathLike))]
    for word in [*words]:
        with suppress(ValueError):  # a quotation without an end
            words += (
                shlex.shlex(word, posix=True, punctuation_chars=True)
                if " " in word or "<" in word
                else ()
            )
    words += [word.partition("=")[2] for word in words if "=" in word]
    return [word for word in words if word and "\0" not in word]


def named_in(fn: Callable[..., Any]) -> Named:
    """Return what may be paths in the code of a function and of those of the project it calls."""
    waiting: list[Any] = [fn]
    seen: set[int] = set()
    paths: dict[str, None] = {}
    sources: list[str] = []
    while waiting and len(seen) < _MOST_FUNCTIONS:
        value = waiting.pop()
        if id(value) in seen:
            continue
        seen.add(id(value))
        if isinstance(value, (str, PurePath)):
            text = str(value)
            is_path = isinstance(value, PurePath) or looks_like_path(text)
            if is_path and not text.endswith(".py"):  # code counts as such
                paths[text] = None
            for quoted in quoted_in(text):
                if has_magic(quoted):
                    sources.append(quoted)
                else:
                    paths[quoted] = None
        elif reads_later(value):
            sources += places_of(value)
        else:
            waiting += _reached(value)
    return Named(tuple(paths), tuple(sources))


def _reached(value: Any) -> Iterator[Any]:
    """Yield what an object leads to: a function, what it names; others, what they are made of."""
    kind = type(value)
    if kind is partial:
        yield from (value.func, *value.args, *value.keywords.values())
    elif kind is MethodType:
        yield from (value.__func__, value.__self__)
    elif kind is Task:
        yield value.fn
    elif kind is FunctionType:
        yield from vars(value).values()  # of a wrapper: `__wrapped__`
        yield from _of_function(value)
    elif kind in (list, tuple, set, frozenset):
        yield from islice(value, _MOST_VALUES)
    elif kind is dict:
        yield from islice(value.values(), _MOST_VALUES)
    elif not isinstance(value, (type, ModuleType)):
        with suppress(Exception):  # nothing is asked of it in a way that runs code of its own
            yield from _of_object(kind, object.__getattribute__(value, "__dict__"))


def _of_object(kind: type, held: Mapping[str, Any]) -> Iterable[Any]:
    """Return what an object leads to: one of the project's, what it holds; others, what they wrap.

    A logger leads to its log and a store to its file, which no body reads for that.
    """
    if owner_of_module(kind.__module__) is Owner.PROJECT:
        return vars(kind).get("__call__"), *held.values()
    return (held.get("__wrapped__"),)


def _of_function(fn: FunctionType) -> Iterator[Any]:
    code, doc = fn.__code__, fn.__doc__  # which ends with a full stop, as a path may have one
    if owner_of_file(code.co_filename) is not Owner.PROJECT:
        return
    yield from fn.__defaults__ or ()
    yield from (fn.__kwdefaults__ or {}).values()
    for cell in fn.__closure__ or ():
        with suppress(ValueError):  # not set yet
            yield cell.cell_contents
    for part in _codes(code):
        yield from (each for each in _texts(part.co_consts) if each is not doc)
        if any(name in fn.__globals__ for name in part.co_names):
            yield from _loaded(part, fn.__globals__)


def _loaded(code: CodeType, scope: Mapping[str, Any]) -> Iterator[Any]:
    """Yield the values that code loads by a global name, or as an attribute of such a one."""
    before: Any = None
    for step in dis.get_instructions(code):
        value = None
        if step.opname in ("LOAD_GLOBAL", "LOAD_NAME"):
            value = scope.get(step.argval)
        elif before is not None and step.opname in ("LOAD_ATTR", "LOAD_METHOD"):
            value = _attribute(before, step.argval)
        if value is not None and not isinstance(value, ModuleType):
            yield value
        before = value


def _attribute(value: Any, name: str) -> Any:
    """Return what a module of the project holds by a name, or the code behind that of a class."""
    if isinstance(value, ModuleType):
        is_ours = owner_of_module(name_of_module(value)) is Owner.PROJECT
        return vars_of(value).get(name) if is_ours else None
    cls = value if isinstance(value, type) else type(value)
    if owner_of_module(cls.__module__) is not Owner.PROJECT:
        return None
    member = next((vars(base)[name] for base in cls.__mro__ if name in vars(base)), None)
    if isinstance(member, property):
        return member.fget
    if isinstance(member, cached_property):
        return member.func
    return member.__func__ if isinstance(member, (classmethod, staticmethod)) else member


def _texts(constants: Iterable[Any]) -> Iterator[str]:
    """Yield the texts among constants, those in tuples and frozen sets of them included."""
    for constant in constants:
        if isinstance(constant, str):
            yield constant
        elif isinstance(constant, tuple | frozenset):
            yield from _texts(constant)


def _codes(code: CodeType) -> Iterator[CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _codes(constant)
