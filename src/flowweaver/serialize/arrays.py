"""NumPy arrays and scalars, without pickle."""

from __future__ import annotations

from io import BytesIO
from typing import Any

from flowweaver.errors import UndecodableError
from flowweaver.serialize.headed import head_of, payload_of, with_head
from flowweaver.serialize.lazy import is_exactly, need
from flowweaver.serialize.verdicts import Unfit

_SCALAR_KINDS = "biufcmM"
_ARRAY_KINDS = _SCALAR_KINDS + "SUV"
# Fixed, since NumPy would choose by content, with a warning.
_NPY_VERSION = (3, 0)
# NumPy reads no longer header from a file it doesn't trust (10,000), its own padding included.
_LONGEST_DTYPE = 9_000


class NumpyArrays:
    """Codec for exact `numpy.ndarray` without objects in it: the .npy format, C order."""

    name = "numpy"
    runs_code = False

    def handles(self, kind: type) -> bool:
        """Return whether `kind` is `numpy.ndarray` itself."""
        return is_exactly(kind, "numpy", "ndarray")

    def encode(self, value: Any) -> bytes:
        """Return the array in .npy format; equal arrays give equal bytes.

        Raises:
            Unfit: objects, a foreign dtype, or one with more to it than .npy keeps.
        """
        numpy = need("numpy")
        _check_dtype(value.dtype)
        file = BytesIO()
        in_c_order = numpy.asarray(value, order="C")
        numpy.lib.format.write_array(file, in_c_order, _NPY_VERSION, allow_pickle=False)
        head = f"ndarray {value.dtype} {value.shape}"
        return with_head(head, _type_mark(value.dtype) + file.getvalue())

    def decode(self, data: bytes) -> Any:
        """Return the array, writable."""
        payload = payload_of(data)
        array = need("numpy").lib.format.read_array(BytesIO(payload[1:]), allow_pickle=False)
        return array.view(_marked_dtype(array.dtype, payload[:1]))

    def preview(self, data: bytes) -> str:
        """Return "ndarray", dtype and shape."""
        return head_of(data)


class NumpyScalars:
    """Codec for NumPy's numbers, booleans and times."""

    name = "numpy-scalar"
    runs_code = False

    def handles(self, kind: type) -> bool:
        """Return whether `kind` is a scalar class of NumPy's own."""
        # Asked by module first: NumPy warns about names that it has no more.
        if kind.__module__ != "numpy" or not is_exactly(kind, "numpy", kind.__name__):
            return False
        numpy = need("numpy")
        return issubclass(kind, numpy.generic) and numpy.dtype(kind).kind in _SCALAR_KINDS

    def encode(self, value: Any) -> bytes:
        """Return dtype and bytes."""
        text = str(value) if value.dtype.kind in "mM" else repr(value.item())
        dtype = value.dtype
        line = dtype.str.encode() + b"\n"
        return with_head(f"{dtype} {text}", line + _type_mark(dtype) + value.tobytes())

    def decode(self, data: bytes) -> Any:
        """Return the scalar."""
        numpy = need("numpy")
        text, _, rest = payload_of(data).partition(b"\n")
        dtype = _marked_dtype(numpy.dtype(text.decode()), rest[:1])
        return numpy.frombuffer(rest[1:], dtype)[0]

    def preview(self, data: bytes) -> str:
        """Return dtype and value."""
        return head_of(data)


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
        raise UndecodableError("The stored array claims to hold objects; none is written so.")
    return dtype
