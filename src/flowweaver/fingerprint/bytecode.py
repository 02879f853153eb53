"""Compiled code: whether it is what a source says, and what to go by if there is no source."""

from __future__ import annotations
import __future__

import dis
import inspect
import sys
from collections.abc import Iterator
from types import CodeType

from flowweaver.fingerprint.canonical import Load
from flowweaver.fingerprint.scopes import Import
from flowweaver.fingerprint.special import CHANGERS
from flowweaver.fingerprint.spelling import Chain, literal

_LOADS = ("LOAD_GLOBAL", "LOAD_NAME")
_HAS_DOCSTRING, _METHOD = 0x4000000, 0x8000000
"""Flags of code objects from Python 3.14 on."""
_UNIMPORTANT_FLAGS = (
    _HAS_DOCSTRING
    | _METHOD
    | __future__.annotations.compiler_flag
    | inspect.CO_ITERABLE_COROUTINE
    | inspect.CO_NESTED
)
"""They tell of what is around the code, or are set on functions that are loaded already."""


def same_code(one: CodeType, other: CodeType) -> bool:
    """Whether two code objects do the same, wherever their lines are and whatever they document."""
    if one == other:
        return True
    return one.co_code == other.co_code and _placeless(one) == _placeless(other)


def codes_within(code: CodeType) -> Iterator[CodeType]:
    """Yield the code objects of all functions, classes and lambdas inside, outer ones first."""
    waiting = [code]
    while waiting:
        for constant in waiting.pop().co_consts:
            if isinstance(constant, CodeType):
                yield constant
                waiting.append(constant)


def listing(code: CodeType) -> str:
    """Return the code as text: stable across processes, but not across Python versions."""
    positional = f"{code.co_posonlyargcount} to {code.co_argcount} by position"
    lines = [
        f"{code.co_name}({', '.join(code.co_varnames[: _arguments(code)])}) {positional}",
        f"flags {code.co_flags & ~_UNIMPORTANT_FLAGS:x} free {code.co_freevars}",
        f"exceptions {code.co_exceptiontable.hex()}",
    ]
    for step in dis.get_instructions(code):
        shown = step.argrepr
        if step.opname == "KW_NAMES" and step.arg is not None:
            shown = _constant(code.co_consts[step.arg])
        elif step.opcode in dis.hasconst:
            shown = _constant(step.argval)
        elif not shown and step.arg is not None:  # `is` or `is not`, small numbers, ...
            shown = str(step.arg)
        lines.append(f"  {step.opname} {shown}".rstrip())
    inner = [listing(each) for each in code.co_consts if isinstance(each, CodeType)]
    return "\n".join([*lines, *inner])


def suspension_of(code: CodeType, last: int) -> str:
    """Say at which of its yields or awaits code is suspended, whatever they compile to.

    Args:
        code: That of a generator or coroutine.
        last: The offset of what it did last, or will do next, by the Python version.
    """
    yields = [step for step in dis.get_instructions(code) if step.opname == "YIELD_VALUE"]
    at = next((step for step in reversed(yields) if step.offset <= last), None)
    if at is None:
        return "at its start"
    places = [_place_of(step) for step in yields]
    place = _place_of(at)
    # One place has several where there is a copy for exceptions, or an `async with`.
    number = places[: yields.index(at)].count(place)
    return f"at {sorted({*places}).index(place)}.{number}"


def _place_of(step: dis.Instruction) -> tuple[int, ...]:
    return tuple(each or 0 for each in step.positions or ())


def loads_of(code: CodeType) -> Iterator[Load]:
    """Yield the names that compiled code takes from outside, with their attributes."""
    for each in (code, *codes_within(code)):
        for name, attributes, source in _chains(each):
            yield Load(".".join((name, *attributes)), name, attributes, source)
    for name in code.co_freevars:
        yield Load(name, name)


def written_by(code: CodeType) -> Iterator[str]:
    """Yield the names outside that compiled code binds."""
    for each in (code, *codes_within(code)):
        for step in dis.get_instructions(each):
            is_outside = step.opname == "STORE_DEREF" and step.argval in code.co_freevars
            if is_outside or step.opname == "STORE_GLOBAL":
                yield step.argval


def changed_by(code: CodeType) -> Iterator[Chain]:
    """Yield the names outside whose objects compiled code changes by a method such as `append`."""
    for each in (code, *codes_within(code)):
        for name, attributes, source in _chains(each, ("LOAD_DEREF", *_LOADS)):
            if source is None and not CHANGERS.isdisjoint(attributes):
                yield name, attributes


def _chains(
    code: CodeType, loads: tuple[str, ...] = _LOADS
) -> Iterator[tuple[str, tuple[str, ...], Import | None]]:
    name, module = "", ""
    attributes: tuple[str, ...] = ()
    for step in dis.get_instructions(code):
        if name and step.opname in ("LOAD_ATTR", "LOAD_METHOD"):
            attributes = (*attributes, step.argval)
            continue
        if name:
            yield name, attributes, None
        name, attributes = "", ()
        if step.opname in loads:
            name = step.argval
        elif step.opname == "IMPORT_NAME":
            module = step.argval
            yield module, (), Import(module)
        elif step.opname == "IMPORT_FROM":
            yield module, (step.argval,), Import(module)
    if name:
        yield name, attributes, None


def _arguments(code: CodeType) -> int:
    stars = bool(code.co_flags & inspect.CO_VARARGS) + bool(code.co_flags & inspect.CO_VARKEYWORDS)
    return code.co_argcount + code.co_kwonlyargcount + stars


def _constant(value: object) -> str:
    if isinstance(value, CodeType):
        return value.co_name
    if isinstance(value, tuple):
        return f"({', '.join(map(_constant, value))})"
    if isinstance(value, frozenset):
        return f"{{{', '.join(sorted(map(_constant, value)))}}}"
    return literal(value)


def _placeless(code: CodeType) -> CodeType:
    constants = [_placeless(c) if isinstance(c, CodeType) else c for c in code.co_consts]
    if _is_documented(code):
        constants[0] = None
    return code.replace(
        co_consts=tuple(constants),
        co_firstlineno=1,
        co_linetable=b"",
        co_flags=code.co_flags & ~_UNIMPORTANT_FLAGS,
    )


def _is_documented(code: CodeType) -> bool:
    if sys.version_info >= (3, 14):
        return bool(code.co_flags & _HAS_DOCSTRING)
    # Before, the first constant of each function was its docstring or None.
    is_function = code.co_flags & inspect.CO_OPTIMIZED and not code.co_name.startswith("<")
    return bool(is_function) and bool(code.co_consts)
