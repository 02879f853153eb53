"""Whether what came back is what was stored, in value and exact type."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from typing import Any

from flowweaver.serialize.describe import contained, type_name
from flowweaver.serialize.lazy import is_exactly
from flowweaver.serialize.trail import Step, Trail, render

_BUILTIN = frozenset({type(None), bool, int, float, complex, str, bytes, bytearray})
# Arrays and tables of these compare element by element, and the answer is one of them.
_ELEMENTWISE = frozenset({"numpy", "pandas", "polars", "pyarrow"})


def difference(
    value: object, back: object, copy: Callable[[Any], Any], root: str
) -> tuple[str, str] | None:
    """Return (path, reason) of a place where `back` differs from `value`, or None.

    Lists, tuples and dicts are walked; below them each object must have the same type and,
    where its type's `==` can tell, be equal. `copy` makes one more copy through the codec.
    """
    pending: list[tuple[object, object, Trail]] = [(value, back, None)]
    seen: set[int] = set()
    while pending:
        a, b, trail = pending.pop()
        if type(a) is not type(b):
            place = render(root, trail)
            one, other = type_name(type(a)), type_name(type(b))
            other = f"another class of that name, {other}" if one == other else other
            return place, f"{one} would come back as {other}"
        if type(a) not in (list, tuple, dict):
            if _unequal(a, b, copy):
                return render(root, trail), f"{type_name(type(a))} would come back unequal"
            kept = _attributes_of_array(b)
            for name, x in _attributes_of_array(a).items():
                pending.append((x, kept.get(name), (trail, ("attribute", name))))
        elif len(a) != len(b):  # type: ignore[arg-type]
            return render(root, trail), f"{type_name(type(a))} would come back of other length"
        elif id(a) not in seen:
            seen.add(id(a))
            pending.extend((x, y, (trail, step)) for step, x, y in _pairs(a, b))
    return None


def _pairs(a: Any, b: Any) -> Iterator[tuple[Step, object, object]]:
    """Yield the parts of two containers that aren't plain builtins, side by side."""
    if type(a) is dict:
        for n, (x, y) in enumerate(zip(a, b, strict=True)):
            if type(x) not in _BUILTIN:
                yield ("key", n), x, y
        for (key, x), y in zip(a.items(), b.values(), strict=True):
            if type(x) not in _BUILTIN:
                yield ("item", key), x, y
        return
    for n, (x, y) in enumerate(zip(a, b, strict=True)):
        if type(x) not in _BUILTIN:
            yield ("item", n), x, y


def _unequal(a: object, b: object, copy: Callable[[Any], Any]) -> bool:
    """Return whether `==` shows that `b` isn't `a`.

    A type whose copies never equal each other (it holds a NaN, or compares identities) has no
    say: its `==` is asked only if it holds between `b` and a copy of `b`.
    """
    kind = type(a)
    if kind.__eq__ is object.__eq__ or _compares_elements(kind):
        return False
    return _truth(contained(lambda: a == b)) is False and (
        _truth(contained(lambda: b == copy(b))) is True
    )


def _compares_elements(kind: type) -> bool:
    return kind.__hash__ is None and str(kind.__module__).partition(".")[0] in _ELEMENTWISE


def _attributes_of_array(value: object) -> dict[str, Any]:
    """Return the attributes of an array of a derived class, which NumPy's own pickle leaves out.

    None where the class says itself how it is pickled, and so what it can do without.
    """
    array = getattr(sys.modules.get("numpy"), "ndarray", None)
    kind = type(value)
    if array is None or kind is array or not issubclass(kind, array):
        return {}
    is_numpys = kind.__module__.partition(".")[0] == "numpy"
    if is_numpys or kind.__reduce__ is not array.__reduce__:
        return {}
    return dict(getattr(value, "__dict__", {}))


def _truth(answer: object) -> bool | None:
    """Return the answer of an `==` if it is one, NumPy's own booleans included."""
    kind = type(answer)
    return bool(answer) if kind is bool or is_exactly(kind, "numpy", "bool_") else None
