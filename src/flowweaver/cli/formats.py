"""Results in the forms that other programs read: JSON, text, CSV, Parquet, pickle.

These are for the way out: what a form can't tell apart (tuples from lists, dates from text) is not
told apart. Where a value does not fit a form at all, the error says what does.
"""

from __future__ import annotations

import csv
import dataclasses
import json
import math
import pickle
import pprint
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, time, timedelta
from decimal import Decimal
from enum import Enum
from io import BytesIO, StringIO
from itertools import chain
from pathlib import PurePath
from typing import Any
from uuid import UUID

from flowweaver.errors import UndecodableError
from flowweaver.serialize.describe import describe
from flowweaver.serialize.lazy import need

FORMATS = ("json", "text", "csv", "parquet", "pickle")
BINARY = frozenset({"parquet", "pickle"})
SUFFIXES = {
    ".json": "json",
    ".txt": "text",
    ".log": "text",
    ".md": "text",
    ".html": "text",
    ".csv": "csv",
    ".parquet": "parquet",
    ".pkl": "pickle",
    ".pickle": "pickle",
}
"""What a file's name asks for."""
_WIDTH = 100
_AS_TEXT = (Decimal, PurePath, UUID, complex, timedelta)


class MisfitError(ValueError):
    """A value has no place in a form."""


def written(value: Any, form: str) -> bytes:
    """Return a value in a form, "" for the one that suits it best.

    Raises:
        MisfitError: It does not fit; the message says what does.
    """
    if form:
        return _WRITE[form](value)
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value)
    if isinstance(value, str):
        return _text(value)
    return _csv(value) if _kind_of_table(value) else _json(value)


def is_binary(value: object, form: str) -> bool:
    """Whether what is written is nothing for a terminal."""
    return form in BINARY or (not form and isinstance(value, bytes | bytearray | memoryview))


# JSON ----------------------------------------------------------------------------------------


def _json(value: Any) -> bytes:
    return (json.dumps(_plain(value, "result"), indent=2, ensure_ascii=False) + "\n").encode()


def _plain(value: Any, place: str) -> Any:
    """Return a value in what JSON has: objects by field, tables by row, NaN as null."""
    if value is None or isinstance(value, bool | str) or type(value) is int:
        return value
    if isinstance(value, Enum):
        return _plain(value.value, place)
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, _AS_TEXT):
        return str(value)
    if (fields := _fields_of(value)) is not None:
        value = fields
    if isinstance(value, Mapping):
        return {_key(key): _plain(item, f"{place}[{key!r}]") for key, item in value.items()}
    if isinstance(value, set | frozenset):
        value = sorted(value, key=repr)
    if isinstance(value, Sequence) and not isinstance(value, bytes | bytearray | memoryview):
        return [_plain(item, f"{place}[{n}]") for n, item in enumerate(value)]
    if (plain := _plain_of_library(value)) is not None:
        return _plain(plain[0], place)
    if isinstance(value, int):
        return int(value)
    raise MisfitError(
        f"{place} is {describe(value)}, which JSON can't hold; take --as text or --as pickle."
    )


def _key(key: object) -> str:
    return key if isinstance(key, str) else str(_plain(key, "a key"))


def _fields_of(value: Any) -> dict[str, Any] | None:
    """Return an object of a class made of fields by their names; None for all others."""
    kind = type(value)
    if dataclasses.is_dataclass(value):
        names: Iterable[str] = (each.name for each in dataclasses.fields(value))
    elif hasattr(kind, "__attrs_attrs__"):
        names = (each.name for each in kind.__attrs_attrs__)
    elif hasattr(kind, "model_fields") and hasattr(kind, "model_dump"):
        names = (*kind.model_fields, *(value.model_extra or ()))
    elif isinstance(value, tuple) and hasattr(kind, "_fields"):
        names = kind._fields
    else:
        return None
    return {name: getattr(value, name) for name in names}


def _plain_of_library(value: Any) -> tuple[Any] | None:
    """Return what a value of NumPy, pandas, polars or Arrow holds as Python has it, in a tuple."""
    kind = _kind_of_table(value)
    if kind == "pandas":
        return (value.astype(object).where(value.notna(), None).to_dict("records"),)
    if kind == "polars":
        return (value.to_dicts(),)
    if kind == "pyarrow":
        return (value.to_pylist(),)
    for method in ("tolist", "to_list"):  # arrays, scalars, series
        if hasattr(value, method):
            return (getattr(value, method)(),)
    return None


def _kind_of_table(value: object) -> str:
    """Return whose table a value is; "" if it is none."""
    library = type(value).__module__.partition(".")[0]
    is_table = type(value).__name__ in ("DataFrame", "Table")
    return library if is_table and library in ("pandas", "polars", "pyarrow") else ""


# Text ----------------------------------------------------------------------------------------


def _text(value: Any) -> bytes:
    if isinstance(value, bytes | bytearray):
        try:
            return bytes(value).decode().encode()
        except UnicodeDecodeError:
            raise MisfitError(
                "The result is bytes that are no text; write them with -o FILE."
            ) from None
    return (value if isinstance(value, str) else _readable(value) + "\n").encode()


def _readable(value: Any) -> str:
    library = type(value).__module__.partition(".")[0]
    if library == "pandas" and hasattr(value, "to_string"):
        return str(value.to_string())
    if library == "polars":
        with need("polars").Config(tbl_rows=-1, tbl_cols=-1, fmt_str_lengths=10_000):
            return str(value)
    if library == "numpy":
        return str(need("numpy").array2string(value, threshold=sys.maxsize))
    return pprint.pformat(value, width=_WIDTH, sort_dicts=False)


# Tables --------------------------------------------------------------------------------------


def _csv(value: Any) -> bytes:
    kind = _kind_of_table(value)
    if kind == "pandas":
        has_index = type(value.index).__name__ != "RangeIndex"
        return str(value.to_csv(index=has_index)).encode()
    if kind == "polars":
        return str(value.write_csv()).encode()
    if kind == "pyarrow":
        sink = BytesIO()
        need("pyarrow.csv").write_csv(value, sink)
        return sink.getvalue()
    text = StringIO(newline="")
    rows = _rows(value, "csv")
    if rows and all(isinstance(row, dict) for row in rows):
        columns = list(dict.fromkeys(chain.from_iterable(rows)))
        writer = csv.DictWriter(text, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    else:
        cells = (row if isinstance(row, list) else [row] for row in rows)
        csv.writer(text, lineterminator="\n").writerows(cells)
    return text.getvalue().encode()


def _rows(value: Any, form: str) -> list[Any]:
    """Return a table's rows: each an object, a list of cells, or its only cell."""
    plain = _plain(value, "result")
    if isinstance(plain, dict) and _are_columns(plain):
        plain = [
            dict(zip(plain, cells, strict=True)) for cells in zip(*plain.values(), strict=True)
        ]
    if not isinstance(plain, list):
        raise MisfitError(
            f"The result is {describe(value)}, which is no table, so --as {form} can't hold it; "
            "take --as json, text or pickle."
        )
    return plain


def _are_columns(plain: dict[str, Any]) -> bool:
    columns = plain.values()
    return all(isinstance(each, list) for each in columns) and len({*map(len, columns)}) == 1


def _parquet(value: Any) -> bytes:
    kind, sink = _kind_of_table(value), BytesIO()
    try:
        if kind == "pandas":
            value.to_parquet(sink)
        elif kind == "polars":
            value.write_parquet(sink)
        else:
            table = value if kind else _arrow_of(value)
            need("pyarrow.parquet").write_table(table, sink)
    except (ImportError, UndecodableError):
        raise MisfitError(
            "--as parquet needs pyarrow; install flowweaver[arrow], or take --as csv."
        ) from None
    return sink.getvalue()


def _arrow_of(value: Any) -> Any:
    rows = _rows(value, "parquet")
    if not all(isinstance(row, dict) for row in rows):
        raise MisfitError(
            "The result has no named columns, which --as parquet needs; take --as csv."
        )
    return need("pyarrow").Table.from_pylist(rows)


def _pickle(value: Any) -> bytes:
    return pickle.dumps(value, protocol=5)


_WRITE: Mapping[str, Callable[[Any], bytes]] = {
    "json": _json,
    "text": _text,
    "csv": _csv,
    "parquet": _parquet,
    "pickle": _pickle,
}
