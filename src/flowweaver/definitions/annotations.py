"""What parameters and fields are annotated with, each annotation resolved on its own.

Names are looked for where Python would, then among what the file imports for type checkers. One
that is found nowhere is `Unknown` and takes nothing away: neither the rest of its annotation, nor
any other.
"""

from __future__ import annotations

import ast
import builtins
import functools
import inspect
import linecache
import re
import sys
import typing
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from types import FunctionType
from typing import Any
from weakref import WeakKeyDictionary

from flowweaver.introspection import signature_of, written_annotations
from flowweaver.parsing import parsed


class Unknown:
    """What stands for a name in an annotation that means nothing at run time."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, name: str) -> Unknown:
        if name.startswith("_"):  # what `typing` asks everything for
            raise AttributeError(name)
        return Unknown(f"{self._name}.{name}")

    def __getitem__(self, arguments: object) -> Unknown:
        return self

    def __or__(self, other: Any) -> Any:
        return typing.Union[self, other]  # noqa: UP007 - which `|` comes to

    def __ror__(self, other: Any) -> Any:
        return typing.Union[other, self]  # noqa: UP007

    def __repr__(self) -> str:
        return self._name


_WORD = re.compile(r"\b[^\W\d]\w*")
_OTHERS = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
# What functions are annotated with, as it stands there and resolved.
_known: WeakKeyDictionary[FunctionType, tuple[dict[str, Any], Mapping[str, Any]]] = (
    WeakKeyDictionary()
)


def annotations_of(fn: Callable[..., Any]) -> Mapping[str, Any]:
    """Return the annotations of what is called by `fn`, by parameter, with `Annotated` kept."""
    called = what_is_called(fn)
    written = written_annotations(called)
    if not isinstance(called, FunctionType):
        return _resolved(written, functools.partial(_names_of_function, called, fn))
    known = _known.get(called)
    if known is None or known[0] != written:
        names = functools.partial(_names_of_function, called, fn)
        known = _known[called] = (written, _resolved(written, names))
    return known[1]


def annotation_for(fn: Callable[..., Any], name: str) -> Any:
    """Return the annotation of what `fn` is given by a name: ``**others`` say it for the rest.

    It is `Any` where nothing is said.
    """
    hints = annotations_of(fn)
    if not hints:
        return Any
    try:
        parameters = signature_of(fn).parameters
    except (TypeError, ValueError):
        return hints.get(name, Any)
    parameter = parameters.get(name)
    if parameter is None or parameter.kind in _OTHERS:
        rest = (other.name for other in parameters.values() if other.kind is other.VAR_KEYWORD)
        name = next(rest, "")
    return hints.get(name, Any)


def fields_of(kind: type) -> dict[str, Any]:
    """Return the annotations in a class and its bases, by name."""
    found: dict[str, Any] = {}
    for base in reversed(kind.__mro__):
        found |= _resolved(written_annotations(base), functools.partial(_names_of_class, base))
    return found


def bare(hint: Any) -> Any:
    """Return what stands behind `Annotated`, `NewType` and aliases made by `type`."""
    while (inner := behind(hint)) is not hint:
        hint = inner
    return hint


def behind(hint: Any) -> Any:
    """Return what an annotation is another word for; itself if it is none."""
    if typing.get_origin(hint) is typing.Annotated:
        return typing.get_args(hint)[0]
    if isinstance(hint, typing.NewType):
        return hint.__supertype__
    alias, given = typing.get_origin(hint) or hint, typing.get_args(hint)
    if type(alias).__name__ != "TypeAliasType":
        return hint
    value = alias.__value__
    return value[given] if given and getattr(value, "__parameters__", ()) else value


def what_is_called(fn: Any) -> Any:
    """Return the function whose parameters are asked for when `fn` is called."""
    while isinstance(fn, functools.partial):
        fn = fn.func
    if isinstance(fn, type):
        is_made_by_new = fn.__init__ is object.__init__  # type: ignore[misc]  # of this very class
        return fn.__new__ if is_made_by_new else fn.__init__  # type: ignore[misc]
    return fn if hasattr(fn, "__name__") else type(fn).__call__


def _resolved(written: dict[str, Any], names: Callable[[], _Names]) -> dict[str, Any]:
    if all(hint is None or isinstance(hint, type) for hint in written.values()):
        return written
    known = names()
    return {name: _evaluated(hint, known) for name, hint in written.items()}


def _evaluated(hint: Any, names: _Names) -> Any:
    try:
        found = eval(hint, {}, names) if isinstance(hint, str) else hint
        texts = " ".join(_texts_in(found))
        return _inner_evaluated(found, texts, names) if texts else found
    except Exception:  # it is no type, or its evaluation fails
        return Unknown(hint if isinstance(hint, str) else repr(hint))


def _texts_in(hint: Any) -> Iterator[str]:
    """Yield the texts in an annotation that stand for types."""
    if isinstance(hint, str):
        yield hint
    elif isinstance(hint, typing.ForwardRef):
        yield hint.__forward_arg__
    elif typing.get_origin(hint) is not typing.Literal:
        for inner in typing.get_args(hint):
            yield from _texts_in(inner)


def _inner_evaluated(hint: Any, texts: str, names: _Names) -> Any:
    def bearer() -> None: ...

    bearer.__annotations__ = {"hint": hint}
    # Copied by Python from 3.14 on, what looks names up itself would do so no more.
    known = {word: names[word] for word in _WORD.findall(texts)}
    return typing.get_type_hints(bearer, {}, known, include_extras=True)["hint"]


class _Names(dict[str, Any]):
    """What names in annotations mean: those given at first, then a module's, then its imports."""

    def __init__(self, given: Mapping[str, Any], module: dict[str, Any], file: str) -> None:
        super().__init__(given)
        self._module = module
        self._file = file

    def __missing__(self, name: str) -> Any:
        for known in (self._module, vars(builtins)):
            if name in known:
                return known[name]
        found = self._imported_for_types(name)
        return Unknown(name) if found is None else found

    def _imported_for_types(self, name: str) -> Any:
        """Return what the file imports by a name anywhere, as far as that has been loaded."""
        from importlib.util import resolve_name

        lines = tuple(linecache.getlines(self._file, self._module))
        package = self._module.get("__package__") or ""
        for module, attribute in _imports(lines).get(name, ()):
            try:
                full = resolve_name(module, package)
            except ImportError:  # relative, beyond what there is
                continue
            found = sys.modules.get(full)
            if found is not None and attribute:
                found = getattr(found, attribute, sys.modules.get(f"{full}.{attribute}"))
            if found is not None:
                return found
        return None


def _names_of_function(called: Any, fn: Any) -> _Names:
    inner = inspect.unwrap(called)
    inner = getattr(inner, "__func__", inner)
    if not isinstance(inner, FunctionType):
        return _names_of_class(fn if isinstance(fn, type) else type(fn))
    given = {param.__name__: param for param in getattr(inner, "__type_params__", ())}
    if isinstance(fn, type):  # its __init__ or __new__ may be generated, and in no module
        return _names_of_class(fn, {**given, **inner.__globals__})
    return _Names(
        {**given, **dict(_enclosed(inner))}, inner.__globals__, inner.__code__.co_filename
    )


def _names_of_class(kind: type, given: Mapping[str, Any] | None = None) -> _Names:
    module = sys.modules.get(kind.__module__)
    space = {} if module is None else vars(module)
    params = {param.__name__: param for param in getattr(kind, "__type_params__", ())}
    return _Names({**(given or {}), **params}, space, getattr(module, "__file__", None) or "")


def _enclosed(fn: FunctionType) -> Iterator[tuple[str, Any]]:
    """Yield the names of enclosing functions that `fn` or its annotations refer to."""
    for each in (fn, getattr(fn, "__annotate__", None)):
        if isinstance(each, FunctionType):
            for name, cell in zip(each.__code__.co_freevars, each.__closure__ or (), strict=True):
                with suppress(ValueError):  # not assigned yet
                    yield name, cell.cell_contents


@functools.lru_cache(maxsize=64)
def _imports(lines: tuple[str, ...]) -> dict[str, list[tuple[str, str]]]:
    """Return (module, attribute) by the name that an import anywhere in a file gives to it."""
    try:
        tree = parsed("".join(lines))
    except (SyntaxError, ValueError, RecursionError):
        return {}
    found: dict[str, list[tuple[str, str]]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                top = alias.name.partition(".")[0]
                module = alias.name if alias.asname else top
                found.setdefault(alias.asname or top, []).append((module, ""))
        elif isinstance(node, ast.ImportFrom):
            module = "." * node.level + (node.module or "")
            for alias in node.names:
                found.setdefault(alias.asname or alias.name, []).append((module, alias.name))
    return found
