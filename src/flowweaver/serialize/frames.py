"""Tables of pandas, polars and pyarrow in Arrow's IPC format, where that keeps them exactly."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache, partial
from io import BytesIO
from itertools import islice
from typing import Any, BinaryIO, ClassVar

from flowweaver.serialize.compact import compacted
from flowweaver.serialize.describe import Raised, contained, describe
from flowweaver.serialize.encoded import Data
from flowweaver.serialize.exact_pandas import (
    holds_only_text,
    same_frame,
    same_series,
    telling_rows,
)
from flowweaver.serialize.headed import first_line, head_line, head_of, payload_of
from flowweaver.serialize.lazy import is_exactly, need
from flowweaver.serialize.plain_json import PlainJson
from flowweaver.serialize.shape import PLAIN
from flowweaver.serialize.shared_memory import file_behind, path_of, room_for
from flowweaver.serialize.spool import spooled
from flowweaver.serialize.verdicts import Unfit

_PLAIN_JSON = PlainJson()
_COLUMNS_SHOWN = 20
# How a column comes back depends on its type, which a few rows show; without any it may be another.
_ROWS_TRIED = 3


@dataclass(frozen=True, slots=True)
class Tables:
    """Codec for one exact class of tables.

    `write` writes a table behind its head line, and `read` reads it from there. `is_exact` says
    whether all columns come back as they are; it is given a function that writes and reads back a
    table, to try with a few rows, since how a column comes back depends on its type alone.
    """

    name: str
    module: str
    kind: str
    write: Callable[[Any, bytes], Data]
    read: Callable[[memoryview], Any]
    is_exact: Callable[[Any, Callable[[Any], Any]], bool]
    head: Callable[[Any], str]
    runs_code: ClassVar[bool] = False

    def handles(self, kind: type) -> bool:
        """Return whether `kind` is the class itself; never imports its module."""
        return is_exactly(kind, self.module, self.kind)

    def encode(self, value: Any) -> Data:
        """Return Arrow IPC bytes under a head line.

        Raises:
            Unfit: the table wouldn't come back exactly.
        """
        if contained(self.is_exact, value, self._there_and_back) is not True:
            raise Unfit("it would come back from Arrow changed")
        data = contained(self.write, value, head_line(self.head(value)))
        if isinstance(data, Raised):
            raise Unfit("Arrow can't hold it") from data.error
        return data

    def _there_and_back(self, value: Any) -> Any:
        return self.read(payload_of(self.write(value, b"\n")))

    def decode(self, data: Data) -> Any:
        """Return the table."""
        return self.read(payload_of(data))

    def preview(self, data: Data) -> str:
        """Return its class, size and columns."""
        return head_of(data)


def _write_arrow(table: Any, head: bytes) -> Data:
    pyarrow, table = need("pyarrow"), compacted(table)
    # Measured first, since memory that has to grow is copied and takes twice the room meanwhile.
    measured = pyarrow.MockOutputStream()
    _write_stream(measured, table)
    size = len(head) + measured.size()
    made = spooled(
        size, lambda file: _write_behind(head, file, partial(_write_stream, table=table))
    )
    if made is not None:
        return made
    room = room_for(size)
    room[: len(head)] = head
    with pyarrow.FixedSizeBufferWriter(pyarrow.py_buffer(room[len(head) :])) as sink:
        _write_stream(sink, table)
    return room


def _write_behind(head: bytes, file: BinaryIO, write: Callable[[Any], object]) -> None:
    file.write(head)
    write(file)


def _write_stream(sink: Any, table: Any) -> None:
    with need("pyarrow.ipc").new_stream(sink, table.schema) as writer:
        writer.write_table(table)


def _read_arrow(data: memoryview) -> Any:
    table = need("pyarrow.ipc").open_stream(data).read_all()
    # Following an offset or index that points outside would crash the process.
    table.validate(full=True)
    return table


def _is_exact_arrow(table: Any, there_and_back: Callable[[Any], Any]) -> bool:
    back = there_and_back(table.schema.empty_table())
    return bool(back.schema.equals(table.schema, check_metadata=True))


def _write_pandas(frame: Any, head: bytes) -> Data:
    return _write_arrow(need("pyarrow").Table.from_pandas(frame), head)


def _read_pandas(data: memoryview) -> Any:
    _know_pandas_types()
    return _read_arrow(data).to_pandas()


@cache
def _know_pandas_types() -> None:
    """Have pyarrow know pandas' types of its own, which pandas tells it of as it writes one."""
    need("pyarrow").array(need("pandas").array([], dtype="period[D]"))


def _is_exact_pandas(frame: Any, there_and_back: Callable[[Any], Any]) -> bool:
    if frame.columns.inferred_type.startswith("mixed"):  # of which pyarrow warns
        return False
    few = frame.iloc[telling_rows(frame, _ROWS_TRIED)]
    return holds_only_text(frame) and same_frame(few, there_and_back(few))


def _write_pandas_series(series: Any, head: bytes) -> Data:
    # The name stands apart: as a column's, an int would come back as NumPy's.
    if type(series.name) not in PLAIN:
        raise Unfit("its name is more than a plain value")
    name = _PLAIN_JSON.encode(series.name) + b"\n"
    return _write_pandas(series.to_frame("values"), head + name)


def _read_pandas_series(data: memoryview) -> Any:
    name = first_line(data)
    return _read_pandas(data[len(name) + 1 :])["values"].rename(_PLAIN_JSON.decode(name))


def _is_exact_pandas_series(series: Any, there_and_back: Callable[[Any], Any]) -> bool:
    few = series.iloc[telling_rows(series, _ROWS_TRIED)]
    return holds_only_text(series) and same_series(few, there_and_back(few))


def _write_polars(frame: Any, head: bytes) -> Data:
    made = spooled(
        frame.estimated_size(), lambda file: _write_behind(head, file, frame.write_ipc_stream)
    )
    if made is not None:
        return made
    file = BytesIO()
    _write_behind(head, file, frame.write_ipc_stream)
    return file.getbuffer().toreadonly()


def _read_polars(data: memoryview) -> Any:
    found = file_behind(data)
    if found is None:
        return need("polars").read_ipc_stream(BytesIO(data))
    frame = contained(_polars_by_arrow, *found)
    return _polars_by_itself(data, *found) if isinstance(frame, Raised) else frame


def _polars_by_arrow(fd: int, start: int) -> Any:
    """Return a frame that pyarrow has read from a file into memory, which polars takes over.

    Polars itself reads it twice as slowly. Mapped, it would be copied where it is not aligned, and
    the allocator that pyarrow prefers takes large pages, which can be slow to be had.

    Raises:
        Unfit: it comes back changed this way.
    """
    polars, pyarrow, ipc = need("polars"), need("pyarrow"), need("pyarrow.ipc")
    with pyarrow.OSFile(path_of(fd), memory_pool=pyarrow.system_memory_pool()) as file:
        file.seek(start)
        table = ipc.open_stream(file).read_all()
    table.validate(full=True)
    frame = polars.from_arrow(table, rechunk=False)
    empty = BytesIO()
    with ipc.new_stream(empty, table.schema):
        pass
    if frame.schema != polars.read_ipc_stream(BytesIO(empty.getvalue())).schema:
        raise Unfit("polars and pyarrow differ about its types")
    return frame


def _polars_by_itself(data: memoryview, fd: int, start: int) -> Any:
    read = need("polars").read_ipc_stream
    try:
        own = os.open(path_of(fd), os.O_RDONLY)  # others read from another place meanwhile
    except OSError:
        return read(BytesIO(data))
    # From the file itself: polars would copy memory as a whole before it reads it.
    with os.fdopen(own, "rb") as file:
        file.seek(start)
        return read(file)


def _is_exact_polars(frame: Any, there_and_back: Callable[[Any], Any]) -> bool:
    few = frame.head(_ROWS_TRIED)
    back = there_and_back(few)
    return bool(back.schema == frame.schema and back.equals(few))


def _write_polars_series(series: Any, head: bytes) -> Data:
    return _write_polars(series.to_frame(), head)


def _read_polars_series(data: memoryview) -> Any:
    return _read_polars(data).to_series(0)


def _is_exact_polars_series(series: Any, there_and_back: Callable[[Any], Any]) -> bool:
    few = series.head(_ROWS_TRIED)
    return _is_exact_polars(few.to_frame(), lambda _: there_and_back(few).to_frame())


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
    Tables("arrow", "pyarrow", "Table", _write_arrow, _read_arrow, _is_exact_arrow, _arrow_head),
    Tables(
        "pandas", "pandas", "DataFrame", _write_pandas, _read_pandas, _is_exact_pandas, _frame_head
    ),
    Tables(
        "pandas-series",
        "pandas",
        "Series",
        _write_pandas_series,
        _read_pandas_series,
        _is_exact_pandas_series,
        _series_head,
    ),
    Tables(
        "polars", "polars", "DataFrame", _write_polars, _read_polars, _is_exact_polars, _frame_head
    ),
    Tables(
        "polars-series",
        "polars",
        "Series",
        _write_polars_series,
        _read_polars_series,
        _is_exact_polars_series,
        _series_head,
    ),
)
