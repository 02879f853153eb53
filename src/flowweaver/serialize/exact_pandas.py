"""Whether two pandas objects are the same in every value, type and label."""

from __future__ import annotations

from typing import Any


def same_frame(a: Any, b: Any) -> bool:
    """Return whether `b` is exactly `a`: values, dtypes, both indexes, no extras lost."""
    return (
        _has_no_extras(a)
        and same_index(a.columns, b.columns)
        and same_index(a.index, b.index)
        and all(map(_same_dtype, a.dtypes, b.dtypes))
        and all(_holds_only_text(a.iloc[:, n]) for n in range(a.shape[1]))
        and bool(a.equals(b))
    )


def same_series(a: Any, b: Any) -> bool:
    """Return whether `b` is exactly `a`: values, dtype, index and name, no extras lost."""
    return (
        _has_no_extras(a)
        and _same_label(a.name, b.name)
        and same_index(a.index, b.index)
        and _same_dtype(a.dtype, b.dtype)
        and _holds_only_text(a)
        and bool(a.equals(b))
    )


def same_index(a: Any, b: Any) -> bool:
    """Return whether two indexes are of one class, with the same labels, names and frequency."""
    return (
        type(a) is type(b)
        and len(a.names) == len(b.names)
        and all(map(_same_label, a.names, b.names))
        and all(map(_same_dtype, _dtypes(a), _dtypes(b)))
        and getattr(a, "freq", None) == getattr(b, "freq", None)
        and all(_holds_only_text(level) for level in getattr(a, "levels", [a]))
        and bool(a.equals(b))
    )


def _dtypes(index: Any) -> Any:
    return [level.dtype for level in getattr(index, "levels", [index])]


def _same_dtype(a: Any, b: Any) -> bool:
    """Return whether two dtypes are one; equality alone overlooks kinds of time zones."""
    return (
        type(a) is type(b)
        and a == b
        and str(a) == str(b)
        and type(getattr(a, "tz", None)) is type(getattr(b, "tz", None))
        and _same_categories(getattr(a, "categories", None), getattr(b, "categories", None))
    )


def _same_categories(a: Any, b: Any) -> bool:
    return a is b or same_index(a, b)


def _same_label(a: Any, b: Any) -> bool:
    inside = zip(a, b, strict=False) if type(a) is tuple else ()
    return type(a) is type(b) and bool(a == b) and all(_same_label(x, y) for x, y in inside)


def telling_rows(value: Any, count: int) -> list[int]:
    """Return the places of some rows which tell how all come back.

    These are the first ones, and one without a label where others of that level have one.
    """
    places = {*range(min(count, len(value)))}
    index = value.index
    for codes in index.codes if len(index) and hasattr(index, "levels") else ():
        if codes[missing := codes.argmin()] < 0:
            places.add(int(missing))
    return sorted(places)


def holds_only_text(value: Any) -> bool:
    """Return whether all objects in a frame or series, its labels included, are plain text."""
    columns = [value.iloc[:, n] for n in range(value.shape[1])] if value.ndim > 1 else [value]
    levels = getattr(value.index, "levels", [value.index])
    return all(map(_holds_only_text, [*columns, *levels]))


def _holds_only_text(values: Any) -> bool:
    """Return whether object values, if they are that, are plain text: Arrow coerces others."""
    return values.dtype != object or all(type(value) is str for value in values)


def _has_no_extras(value: Any) -> bool:
    return not value.attrs and value.flags.allows_duplicate_labels
