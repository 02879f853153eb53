"""A pickle as people read it, field by field; nothing of it is loaded or called."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from datetime import date, datetime, time
from typing import Any

from flowweaver.secret import withheld
from flowweaver.serialize.describe import clean, contained, shorten, size_text
from flowweaver.serialize.display import BRACKETS, LONGEST, leaf_text
from flowweaver.serialize.encoded import Data
from flowweaver.serialize.pickle_parts import MORE, Group, Made, More, Name, parts_of

_DEEPEST = 50
_UNNAMED = frozenset({"", "builtins", "__main__"})
# What pickle calls to make an object of a class without a method for it; the class comes first.
_PLAIN_MAKERS = frozenset({("copyreg", "_reconstructor"), ("copyreg", "__newobj__")})
_MOMENTS = {kind.__name__: kind for kind in (date, datetime, time)}


def preview_pickle(data: Data) -> str:
    """Return what a pickle holds: ``app.Point(x=1, y=2)``, or its size where that can't be told."""
    found = contained(lambda: _shown(parts_of(data)))
    return found if isinstance(found, str) and found else f"<pickle, {size_text(len(data))}>"


def _shown(part: object) -> str:
    """Return at most `LONGEST` characters of a part; "" if nothing is known of it."""
    if part is MORE:
        return ""
    texts: list[str] = []
    size = 0
    for text in _texts(part, 0):
        texts.append(text)
        size += len(text)
        if size > LONGEST:
            break
    return shorten(clean("".join(texts)), LONGEST)


def _texts(part: Any, depth: int) -> Iterator[str]:
    if depth > _DEEPEST or isinstance(part, More):
        yield "…"
    elif isinstance(part, Made):
        yield from _made(part, depth)
    elif isinstance(part, Group):
        yield from _group(part.kind, part.items, depth)
    elif isinstance(part, Name):
        yield _called(part)
    else:
        yield leaf_text(part)


def _group(kind: str, items: list[Any], depth: int) -> Iterator[str]:
    opening, closing = BRACKETS[kind]
    yield opening
    if kind == "dict":
        yield from _pairs(items, ": ", depth)
    else:
        yield from _listed(([item] for item in items), "", depth)
    yield "," + closing if kind == "tuple" and len(items) == 1 else closing


def _pairs(items: list[Any], joint: str, depth: int) -> Iterator[str]:
    yield from _listed(
        (items[place : place + 2] for place in range(0, len(items), 2)), joint, depth
    )


def _listed(entries: Iterable[list[Any]], joint: str, depth: int) -> Iterator[str]:
    for number, entry in enumerate(entries):
        yield ", " if number else ""
        for place, part in enumerate(entry):
            yield joint if place else ""
            yield from _texts(part, depth + 1)


def _made(made: Made, depth: int) -> Iterator[str]:
    if (plain := _plain(made)) is not None:
        yield plain
        return
    by, arguments = made.by, made.arguments
    if isinstance(by, Name) and (by.module, by.name) in _PLAIN_MAKERS and arguments:
        by, arguments = arguments[0], []
    yield from _texts(by, depth + 1)
    yield "("
    joint = ""
    for name, part in _fields(by, arguments, made):
        yield f"{joint}{name}=" if name else joint
        yield from _texts(part, depth + 1)
        joint = ", "
    yield ")"


def _plain(made: Made) -> str | None:
    """Return how Python writes a part that needs no user's class, such as a date; else None."""
    by, arguments = made.by, made.arguments
    if not isinstance(by, Name):
        return None
    if by.module == "datetime" and by.name in _MOMENTS and all(type(x) is bytes for x in arguments):
        return repr(_MOMENTS[by.name](*arguments))
    if (by.module, by.name) == (withheld.__module__, withheld.__name__):
        return repr(withheld())
    if (by.module, by.name) == ("builtins", "getattr") and len(arguments) == 2:
        return "".join([*_texts(arguments[0], 0), ".", str(arguments[1])])
    if by.module.partition(".")[0] == "numpy" and by.name in ("_reconstruct", "_frombuffer"):
        state = made.state.items[1:] if isinstance(made.state, Group) else arguments[2:]
        return f"<array of shape {''.join(_texts(state[0], 0)) if state else '…'}>"
    return None


def _fields(by: object, arguments: list[Any], made: Made) -> Iterator[tuple[str, Any]]:
    """Yield the parts of an object, each with its name, or with "" where that isn't known."""
    names = _names_of(by)
    yield from _named(arguments, names)
    yield from zip(map(str, made.keywords[::2]), made.keywords[1::2], strict=False)
    yield from _of_state(made.state, names)
    yield from (("", item) for item in made.items)
    if made.pairs:
        yield "", Group("dict", made.pairs)


def _of_state(state: object, names: tuple[str, ...]) -> Iterator[tuple[str, Any]]:
    if not isinstance(state, Group):
        if state is not None:
            yield "", state
    elif state.kind == "dict":
        pairs = dict(zip(map(str, state.items[::2]), state.items[1::2], strict=False))
        # Only the fields of a pydantic model are shown, not what it keeps beside them.
        inner = pairs.get("__dict__") if "__pydantic_fields_set__" in pairs else None
        yield from pairs.items() if inner is None else _of_state(inner, names)
    elif state.kind == "tuple" and len(state.items) == 2:  # of a class with slots
        for each in state.items:
            yield from _of_state(each, names)
    else:
        yield from _named(state.items, names)


def _named(values: list[Any], names: tuple[str, ...]) -> Iterator[tuple[str, Any]]:
    if len(values) == len(names):
        return zip(names, values, strict=True)
    return (("", value) for value in values)


def _names_of(by: object) -> tuple[str, ...]:
    """Return the fields of a class as noted, or as this process has imported it."""
    if isinstance(by, Name) and by.fields:
        return by.fields
    if not isinstance(by, Name) or by.module not in sys.modules:
        return ()
    found: Any = object.__getattribute__(sys.modules[by.module], "__dict__")
    for name in by.name.split("."):
        found = found.get(name)
        if not isinstance(found, type):
            return ()
        found = type.__getattribute__(found, "__dict__")
    return tuple(map(str, found.get("_fields") or found.get("__dataclass_fields__") or ()))


def _called(name: Name) -> str:
    return name.name if name.module in _UNNAMED else f"{name.module}.{name.name}"
