"""Tables of pandas, polars and pyarrow in Arrow's IPC format, where that keeps them exactly."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from io import BytesIO
from itertools import islice
from typing import Any, ClassVar

from flowweaver.serialize.describe import Raised, contained, describe
from flowweaver.serialize.exact_pandas import same_frame, same_series
from flowweaver.serialize.headed import head_of, payload_of, with_head
from flowweaver.serialize.lazy import is_exactly, need
from flowweaver.serialize.plain_json import PlainJson
from flowweaver.serialize.shape import PLAIN
from flowweaver.serialize.verdicts import Unfit

_PLAIN_JSON = PlainJson()
_COLUMNS_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Tables:
    """Codec for one exact class of tables; bytes are kept only if they were seen to come back."""

    name: str
    module: str
    kind: str
    write: Callable[[Any], bytes]
    read: Callable[[bytes], Any]
    same: Callable[[Any, Any], bool]
    head: Callable[[Any], str]
    runs_code: ClassVar[bool] = False

    def handles(self, kind: type) -> bool:
        """Return whether `kind` is the class itself; never imports its module."""
        return is_exactly(kind, self.module, self.kind)

    def encode(self, value: Any) -> bytes:
        """Return Arrow IPC bytes under a head line.

        Raises:
            Unfit: the table wouldn't come back exactly.
        """
        payload = contained(self.write, value)
        if isinstance(payload, Raised):
            raise Unfit("Arrow can't hold it") from payload.error
        if contained(lambda: self.same(value, self.read(payload))) is not True:
            raise Unfit("it would come back from Arrow changed")
        return with_head(self.head(value), payload)

    def decode(self, data: bytes) -> Any:
        """Return the table."""
        return self.read(payload_of(data))

    def preview(self, data: bytes) -> str:
        """Return its class, size and columns."""
        return head_of(data)


def _write_arrow(table: Any) -> bytes:
    file = BytesIO()
    with need("pyarrow.ipc").new_stream(file, table.schema) as writer:
        writer.write_table(table)
    return file.getvalue()


def _read_arrow(data: bytes) -> Any:
    table = need("pyarrow.ipc").open_stream(data).read_all()
    # Whoever follows an offset or index that points elsewhere takes the process down.
    table.validate(full=True)
    return table


def _same_arrow(a: Any, b: Any) -> bool:
    return bool(a.schema.equals(b.schema, check_metadata=True)) and a.shape == b.shape


def _write_pandas(frame: Any) -> bytes:
    return _write_arrow(need("pyarrow").Table.from_pandas(frame))


def _read_pandas(data: bytes) -> Any:
    need("pandas")
    return _read_arrow(data).to_pandas()


def _write_pandas_series(series: Any) -> bytes:
    # The name stands apart: as a column's, an int would come back as NumPy's.
    if type(series.name) not in PLAIN:
        raise Unfit("its name is more than a plain value")
    return _PLAIN_JSON.encode(series.name) + b"\n" + _write_pandas(series.to_frame("values"))


def _read_pandas_series(data: bytes) -> Any:
    name, _, table = data.partition(b"\n")
    return _read_pandas(table)["values"].rename(_PLAIN_JSON.decode(name))


def _write_polars(frame: Any) -> bytes:
    file = BytesIO()
    frame.write_ipc_stream(file)
    return file.getvalue()


def _read_polars(data: bytes) -> Any:
    return need("polars").read_ipc_stream(BytesIO(data))


def _same_polars(a: Any, b: Any) -> bool:
    return bool(a.schema == b.schema and a.equals(b))


def _write_polars_series(series: Any) -> bytes:
    return _write_polars(series.to_frame())


def _read_polars_series(data: bytes) -> Any:
    return _read_polars(data).to_series(0)


def _same_polars_series(a: Any, b: Any) -> bool:
    return _same_polars(a.to_frame(), b.to_frame())


def _frame_head(frame: Any) -> str:
    return _head("DataFrame", frame.shape, frame.columns)


def _arrow_head(table: Any) -> str:
    return _head("Table", table.shape, table.column_names)


def _head(kind: str, shape: tuple[int, int], columns: Iterable[Any]) -> str:
    rows, width = shape
    shown = [str(_label(name)) for name in islice(columns, _COLUMNS_SHOWN)]
    dots = ", .." if width > _COLUMNS_SHOWN else ""
    return f"{kind} {rows} rows x {width} columns: {', '.join(shown)}{dots}"


def _series_head(series: Any) -> str:
    return f"Series {series.dtype} {len(series)} rows: {_label(series.name)}"


def _label(name: Any) -> Any:
    """Return a name that is safe to turn into text: a label may be any object."""
    return name if type(name) in (str, int, type(None)) else f"<{describe(name)}>"


TABLES = (
    Tables("arrow", "pyarrow", "Table", _write_arrow, _read_arrow, _same_arrow, _arrow_head),
    Tables("pandas", "pandas", "DataFrame", _write_pandas, _read_pandas, same_frame, _frame_head),
    Tables(
        "pandas-series",
        "pandas",
        "Series",
        _write_pandas_series,
        _read_pandas_series,
        same_series,
        _series_head,
    ),
    Tables("polars", "polars", "DataFrame", _write_polars, _read_polars, _same_polars, _frame_head),
    Tables(
        "polars-series",
        "polars",
        "Series",
        _write_polars_series,
        _read_polars_series,
        _same_polars_series,
        _series_head,
    ),
)
