"""Lay out Arrow tables so that equal ones are equal bytes.

A table that was filtered, sliced or put together keeps the borders of its chunks, and bytes left
over from rows that are not in it. Both would be written, and neither is part of the value.
"""

from __future__ import annotations

from typing import Any

from flowweaver.serialize.lazy import need

_OFFSET_BYTES = {"string": 4, "binary": 4, "large_string": 8, "large_binary": 8}


def compacted(table: Any) -> Any:
    """Return an equal table whose columns are one compact chunk each; such ones are not copied."""
    columns = [_compacted(column) for column in table.columns]
    if all(one is other for one, other in zip(columns, table.columns, strict=True)):
        return table
    return need("pyarrow").table(columns, schema=table.schema)


def _compacted(column: Any) -> Any:
    if column.num_chunks == 1 and _is_compact(column.chunk(0)):
        return column
    pyarrow = need("pyarrow")
    # Joining it to an empty array copies it into buffers of exactly its size.
    whole = pyarrow.concat_arrays([pyarrow.array([], column.type), *column.chunks])
    return pyarrow.chunked_array([whole], column.type)


def _is_compact(array: Any) -> bool:
    width = _OFFSET_BYTES.get(str(array.type))
    if width is None:
        return bool(array.type.num_fields == 0 and array.type.num_buffers == 2)
    _, offsets, data = array.buffers()
    if array.offset or offsets is None or data is None:
        return False
    end = len(array) * width
    return bool(data.size == int.from_bytes(offsets[end : end + width], "little"))
