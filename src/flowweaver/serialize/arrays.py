"""NumPy arrays and scalars, without pickle."""

from __future__ import annotations

import ast
from contextlib import suppress
from math import prod
from typing import Any

from flowweaver.errors import UndecodableError
from flowweaver.serialize.encoded import Data
from flowweaver.serialize.headed import head_of, payload_of, with_head
from flowweaver.serialize.lazy import is_exactly, need
from flowweaver.serialize.verdicts import Unfit

_SCALAR_KINDS = "biufcmM"
_ARRAY_KINDS = _SCALAR_KINDS + "SUV"
# Fixed, since NumPy would choose by content, with a warning.
_NPY_VERSION = (3, 0)
# From a file it doesn't trust NumPy reads headers of at most 10,000 bytes, padding included.
_LONGEST_DTYPE = 9_000
_LONGEST_HEADER = 10_000
_MANTISSA_OF_80_BITS = 63
_NPY_MAGIC = b"\x93NUMPY\x03\x00"


class NumpyArrays:
    """Codec for exact `numpy.ndarray` without objects in it: the .npy format, C order."""

    name = "numpy"
    runs_code = False

    def handles(self, kind: type) -> bool:
        """Return whether `kind` is `numpy.ndarray` itself."""
        return is_exactly(kind, "numpy", "ndarray")

    def encode(self, value: Any) -> Data:
        """Return the array in .npy format; equal arrays give equal bytes.

        Raises:
            Unfit: objects, a foreign dtype, or one with more to it than .npy keeps.
        """
        numpy = need("numpy")
        _check_dtype(value.dtype)
        in_c_order = numpy.asarray(value, order="C")
        head = f"ndarray {value.dtype} {value.shape}"
        header, memory = _npy_header(in_c_order), _memory_of(in_c_order)
        return with_head(head, _type_mark(value.dtype), header, memory)

    def decode(self, data: Data) -> Any:
        """Return the array, writable: in the memory of `data` if that can be written to."""
        payload = payload_of(data)
        array = _read_npy(payload[1:])
        return array.view(_marked_dtype(array.dtype, bytes(payload[:1])))

    def preview(self, data: Data) -> str:
        """Return "ndarray", dtype and shape."""
        return head_of(data)


class NumpyScalars:
    """Codec for NumPy's numbers, booleans and times."""

    name = "numpy-scalar"
    runs_code = False

    def handles(self, kind: type) -> bool:
        """Return whether `kind` is a scalar class of NumPy's own."""
        # The module is asked first, since NumPy warns when asked for names it no longer has.
        if kind.__module__ != "numpy" or not is_exactly(kind, "numpy", kind.__name__):
            return False
        numpy = need("numpy")
        return issubclass(kind, numpy.generic) and numpy.dtype(kind).kind in _SCALAR_KINDS

    def encode(self, value: Any) -> Data:
        """Return dtype and bytes."""
        text = str(value) if value.dtype.kind in "mM" else repr(value.item())
        dtype = value.dtype
        line = dtype.str.encode() + b"\n"
        memory = bytes(_memory_of(need("numpy").asarray(value)))
        return with_head(f"{dtype} {text}", line + _type_mark(dtype) + memory)

    def decode(self, data: Data) -> Any:
        """Return the scalar."""
        numpy = need("numpy")
        text, _, rest = bytes(payload_of(data)).partition(b"\n")
        dtype = _marked_dtype(numpy.dtype(text.decode()), rest[:1])
        return numpy.frombuffer(rest[1:], dtype)[0]

    def preview(self, data: Data) -> str:
        """Return dtype and value."""
        return head_of(data)


class _HeaderWritten(Exception):
    """Ends the writing of an array once its header is there."""


class _HeaderOnly:
    """Takes the header of an array, which NumPy writes in one piece, and stops at the data."""

    header = b""

    def write(self, data: bytes) -> None:
        if self.header:
            raise _HeaderWritten
        self.header = data


def _npy_header(array: Any) -> bytes:
    file = _HeaderOnly()
    with suppress(_HeaderWritten):
        need("numpy").lib.format.write_array(file, array, _NPY_VERSION, allow_pickle=False)
    return file.header


def _memory_of(array: Any) -> Data:
    """Return the bytes of an array in C order; they are copied only to blank out its padding."""
    if not array.nbytes:
        return b""
    memory = array.reshape(-1).view("u1")
    if _may_have_gaps(array.dtype):
        # Padding holds whatever was in memory before, and would make equal arrays differ.
        memory = memory.copy()
        memory.reshape(-1, array.dtype.itemsize)[:, ~_meaningful(array.dtype)] = 0
    return memoryview(memory)


def _may_have_gaps(dtype: Any) -> bool:
    return dtype.names is not None or dtype.char in "gG"


def _meaningful(dtype: Any) -> Any:
    """Return for each byte of an element whether it has a meaning."""
    numpy = need("numpy")
    found = numpy.zeros(dtype.itemsize, bool)
    if dtype.names is not None:
        for name in dtype.names:
            field, offset = dtype.fields[name][:2]
            found[offset : offset + field.itemsize] |= _meaningful(field)
    elif dtype.subdtype is not None:
        base, shape = dtype.subdtype
        found[:] = numpy.tile(_meaningful(base), prod(shape))
    elif dtype.char in "gG":
        # Ten bytes in twelve or sixteen, where the processor has numbers of 80 bits.
        number = numpy.zeros(numpy.dtype("g").itemsize, bool)
        number[: 10 if numpy.finfo("g").nmant == _MANTISSA_OF_80_BITS else None] = True
        swapped = number if dtype.isnative else number[::-1]
        found[:] = numpy.tile(swapped, len(found) // len(number))
    else:
        found[:] = True
    return found


def _read_npy(data: memoryview) -> Any:
    """Return the array in bytes of the .npy format, version 3, in their memory if it is writable.

    Raises:
        UndecodableError: The bytes say something else than what is ever written.
    """
    numpy = need("numpy")
    try:
        length = int.from_bytes(data[8:12], "little")
        if data[:8] != _NPY_MAGIC or length > _LONGEST_HEADER:
            raise ValueError("its header is of another kind")
        header = ast.literal_eval(bytes(data[12 : 12 + length]).decode())
        dtype = numpy.lib.format.descr_to_dtype(header["descr"])
        shape = header["shape"]
        if dtype.hasobject or header["fortran_order"] or not _is_shape(shape):
            raise ValueError("its header is none that FlowWeaver writes")
        content = data[12 + length :]
        if len(content) != dtype.itemsize * prod(shape):
            raise ValueError("it has not the bytes that its header says")
    except (ValueError, SyntaxError, TypeError, KeyError, MemoryError, RecursionError) as error:
        raise UndecodableError(
            f"The stored array can't be read: {error}. Restore the store from a backup, or run its "
            "task again."
        ) from error
    if not len(content):
        return numpy.empty(shape, dtype)
    array = numpy.frombuffer(content, dtype).reshape(shape)
    return array.copy() if content.readonly else array


def _is_shape(shape: object) -> bool:
    return type(shape) is tuple and all(type(size) is int and size >= 0 for size in shape)


def _check_dtype(dtype: Any) -> None:
    """Raise Unfit unless .npy gives back exactly this dtype."""
    if dtype.hasobject or not _is_plain(dtype):
        raise Unfit(f"dtype {dtype} is more than numbers, times and fixed texts")
    form = need("numpy").lib.format
    described = form.dtype_to_descr(dtype)
    back = form.descr_to_dtype(described)
    same = back == dtype and back.isalignedstruct == dtype.isalignedstruct
    if not same or len(repr(described)) > _LONGEST_DTYPE:
        raise Unfit(f"dtype {dtype} doesn't fit the .npy format")


def _is_plain(dtype: Any) -> bool:
    if dtype.metadata or dtype.kind not in _ARRAY_KINDS or dtype.type.__module__ != "numpy":
        return False
    parts = [dtype.subdtype[0]] if dtype.subdtype else []
    parts += [dtype.fields[name][0] for name in dtype.names or ()]
    return all(_is_plain(part) for part in parts)


def _type_mark(dtype: Any) -> bytes:
    """Return one byte that tells apart C types of equal layout, such as long and long long."""
    usual = dtype.names or need("numpy").dtype(dtype.str).char == dtype.char
    return b"-" if usual else dtype.char.encode()


def _marked_dtype(dtype: Any, mark: bytes) -> Any:
    if mark != b"-":
        dtype = need("numpy").dtype(mark.decode()).newbyteorder(dtype.byteorder)
    if dtype.hasobject:
        raise UndecodableError(
            "The stored array claims to hold objects, which FlowWeaver never writes; restore the "
            "store from a backup, or run its task again."
        )
    return dtype
