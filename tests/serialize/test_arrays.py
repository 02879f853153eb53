"""NumPy arrays and scalars come back with their exact dtype, without pickle."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from flowweaver.errors import UndecodableError, UnstorableError
from flowweaver.serialize import Encoded, decode_trusted, digest_of, encode, preview
from flowweaver.serialize.encoded import seal


def same_array(a, b) -> bool:
    return (
        type(a) is type(b)
        and a.dtype == b.dtype
        and a.dtype.char == b.dtype.char
        and a.dtype.isalignedstruct == b.dtype.isalignedstruct
        and a.shape == b.shape
        and meaning(a) == meaning(b)
    )


def meaning(a) -> bytes:
    """Return the bytes of numbers: long doubles have some that are left over from other things."""
    memory = np.array(a, order="C").reshape(-1).view("u1")
    if a.dtype.char == "g" and np.finfo("g").nmant == 63:
        memory.reshape(-1, a.dtype.itemsize)[:, 10:] = 0
    return memory.tobytes()


PACKED = np.dtype([("a", "i1"), ("é", ">f8", (2,))])

ARRAYS = {
    "floats": np.arange(12.0).reshape(3, 4),
    "special floats": np.array([np.nan, -0.0, np.inf]),
    "big endian": np.arange(3, dtype=">i4"),
    "half": np.arange(3, dtype="f2"),
    "long double": np.arange(3, dtype="g"),
    "complex": np.array([1j, -1j], dtype="c8"),
    "bool": np.array([True, False]),
    "long long": np.arange(3, dtype="q"),
    "big endian long long": np.arange(3, dtype=">q"),
    "unsigned long long": np.arange(3, dtype="Q"),
    "unicode": np.array(["a", "日本"]),
    "bytes": np.array([b"a", b"bc"]),
    "raw": np.zeros(2, dtype="V5"),
    "datetimes": np.array(["2024-01-01", "NaT"], dtype="M8[ns]"),
    "timedeltas": np.array([1, 2], dtype="m8[25s]"),
    "structured": np.array([(1, [2.5, 3])], dtype=PACKED),
    "no dimension": np.array(5),
    "empty": np.zeros((0, 3)),
    "Fortran order": np.asfortranarray(np.arange(6).reshape(2, 3)),
    "not contiguous": np.arange(10)[::-3],
    "broadcast": np.broadcast_to(np.arange(3), (2, 3)),
}


@pytest.mark.parametrize("value", ARRAYS.values(), ids=ARRAYS)
def test_array_comes_back_exactly(value):
    encoded = encode(value)
    assert encoded.codec == "numpy"
    assert same_array(value, decode_trusted(encoded))


@pytest.mark.parametrize("value", ARRAYS.values(), ids=ARRAYS)
def test_array_in_a_container_comes_back_exactly_without_pickle(value):
    encoded = encode({"a": [value, 1]}, allow_pickle=False)
    assert same_array(value, decode_trusted(encoded)["a"][0])


def test_array_comes_back_writable():
    back = decode_trusted(encode(np.arange(3)))
    back[0] = 7
    assert back[0] == 7


def test_memory_order_does_not_change_the_digest():
    value = np.arange(6).reshape(2, 3)
    assert digest_of(value) == digest_of(np.asfortranarray(value)) == digest_of(value[::-1][::-1])


GAPS = np.dtype({"names": ["a", "b"], "formats": ["i1", "f8"], "offsets": [0, 8], "itemsize": 24})
GAPPED = {
    "long double": np.dtype("g"),
    "big endian long double": np.dtype("g").newbyteorder(),
    "complex long double": np.dtype("G"),
    "structure with gaps": GAPS,
    "long doubles in a structure": np.dtype([("a", "g", (2,)), ("b", "i1")]),
}


@pytest.mark.parametrize("dtype", GAPPED.values(), ids=GAPPED)
def test_bytes_without_a_meaning_play_no_part_in_the_digest(dtype):
    clean, used = np.zeros(3, dtype), np.full(3 * dtype.itemsize, 0xAB, "u1").view(dtype)
    if dtype.names:
        for name in dtype.names:
            used[name] = clean[name] = 1
    else:
        used[...] = clean[...] = 1
    restored = decode_trusted(encode(used, allow_pickle=False))
    assert digest_of(used) == digest_of(clean) == digest_of(restored)
    assert np.all(restored == used)


PICKLED = {
    "objects": np.array([1, "a", None], dtype=object),
    "objects in a structure": np.array([(1, "x")], dtype=[("a", "i4"), ("b", "O")]),
    "dtype with metadata": np.zeros(2, dtype=np.dtype("f8", metadata={"unit": "m"})),
    "field with metadata": np.zeros(
        2, dtype=[("a", np.dtype("f8", metadata={"unit": "m"})), ("b", "i4")]
    ),
    "variable strings": np.array(["a", "bc"], dtype=np.dtypes.StringDType()),
    "aligned structure": np.zeros(2, dtype=np.dtype([("a", "i1"), ("b", "f8")], align=True)),
    "very many fields": np.zeros(1, dtype=[(f"field {n}", "f8") for n in range(600)]),
    "matrix-like subclass": np.ma.masked_array([1, 2], mask=[True, False]),
    "record array": np.rec.array([(1, 2.0)], dtype=[("a", "i4"), ("b", "f8")]),
}


@pytest.mark.parametrize("value", PICKLED.values(), ids=PICKLED)
def test_array_that_npy_does_not_keep_takes_pickle(value):
    encoded = encode(value)
    assert encoded.codec == "pickle"
    back = decode_trusted(encoded)
    assert type(back) is type(value)
    assert back.dtype == value.dtype
    assert back.dtype.metadata == value.dtype.metadata
    assert back.tolist() == value.tolist()


def test_array_that_npy_does_not_keep_is_refused_without_pickle():
    with pytest.raises(UnstorableError, match=r"result\['x'\].*dtype object"):
        encode({"x": PICKLED["objects"]}, allow_pickle=False)


SCALARS = {
    "float64": np.float64(0.1),
    "nan": np.float64("nan"),
    "negative zero": np.float32(-0.0),
    "half": np.float16(1.5),
    "long double": np.longdouble("0.1"),
    "int64": np.int64(-5),
    "long long": np.longlong(5),
    "unsigned": np.uint8(255),
    "bool": np.bool_(False),
    "complex": np.complex64(1j),
    "datetime": np.datetime64("2024-01-01T00:00", "25m"),
    "not a time": np.datetime64("NaT", "s"),
    "timedelta": np.timedelta64(5, "D"),
}


@pytest.mark.parametrize("value", SCALARS.values(), ids=SCALARS)
def test_scalar_comes_back_exactly(value):
    encoded = encode(value, allow_pickle=False)
    assert encoded.codec == "numpy-scalar"
    assert same_array(value, decode_trusted(encoded))


@pytest.mark.parametrize("value", SCALARS.values(), ids=SCALARS)
def test_scalar_in_containers_comes_back_exactly_without_pickle(value):
    back = decode_trusted(encode({"m": (value,), value: {value}}, allow_pickle=False))
    assert all(same_array(value, other) for other in [back["m"][0], *list(back)[1:]])


def test_metrics_need_no_pickle():
    metrics = {"loss": np.float64(0.5), "rows": np.int64(3)}
    back = decode_trusted(encode(metrics, allow_pickle=False))
    assert back == metrics
    assert [type(v) for v in back.values()] == [np.float64, np.int64]


@pytest.mark.parametrize("value", [np.str_("日本"), np.bytes_(b"a"), np.void(b"a\0")])
def test_text_scalars_take_pickle(value):
    encoded = encode(value)
    assert encoded.codec == "pickle"
    assert same_array(value, decode_trusted(encoded))


@pytest.mark.parametrize("value", [np.str_("a\0"), np.bytes_(b"a\0")])
def test_text_scalar_that_pickle_would_cut_is_refused(value):
    with pytest.raises(UnstorableError, match="would come back unequal"):
        encode([value])


def test_array_that_is_there_twice_stays_one():
    value = np.arange(3)
    back = decode_trusted(encode([value, value]))
    assert back[0] is back[1]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (np.zeros((3, 4)), "ndarray float64 (3, 4)"),
        (np.float64(2.5), "float64 2.5"),
        (np.datetime64("2024-01-01"), "datetime64[D] 2024-01-01"),
        ({"x": np.zeros(2), "y": [np.int8(1)]}, "{'x': ndarray float64 (2,), 'y': [int8 1]}"),
    ],
)
def test_preview(value, text):
    assert preview(encode(value)) == text


@pytest.mark.parametrize(
    ("codec", "data"),
    [
        ("numpy-scalar", b"x\n|O\n-" + b"\0" * 8),
        ("numpy-scalar", b"x\n<f8\nO" + b"\0" * 8),
        ("numpy", encode(np.zeros(1)).data.replace(b"\n-", b"\nO", 1)),
    ],
)
def test_bytes_that_claim_to_be_objects_are_refused(codec, data):
    with pytest.raises(UndecodableError, match="claims to hold objects"):
        decode_trusted(seal(codec, data))


def test_objects_in_an_npy_file_are_refused():
    data = encode(np.zeros(1)).data.replace(b"'<f8'", b"'|O' ")
    with pytest.raises(UndecodableError, match="its header is none that FlowWeaver writes"):
        decode_trusted(seal("numpy", data))


def test_class_that_only_claims_to_be_of_numpy_takes_pickle():
    assert encode(Claims()).codec == "pickle"


class Claims:
    __module__ = "numpy"

    def __reduce__(self):
        return make_claims, ()


def make_claims():
    return Claims()


def test_nothing_heavy_is_imported_for_plain_values():
    script = (
        "import sys\n"
        "from flowweaver.serialize import decode_trusted, encode, preview\n"
        "class C: pass\n"
        "for v in [1, (1, {2}), C(), [C()]]: preview(encode(v)); decode_trusted(encode(v))\n"
        "heavy = {'numpy', 'pandas', 'polars', 'pyarrow'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True, timeout=60)


def test_library_that_is_not_here_is_named(monkeypatch):
    encoded = encode(np.zeros(2))
    monkeypatch.setitem(sys.modules, "numpy", None)
    with pytest.raises(UndecodableError, match="install numpy"):
        decode_trusted(encoded)


def test_array_in_memory_of_its_own_is_not_copied():
    data = bytearray(encode(np.arange(6.0)).data)
    array = decode_trusted(Encoded.verified("numpy", memoryview(data), "any"))
    array[0] = 7.0
    assert decode_trusted(Encoded.verified("numpy", bytes(data), "any"))[0] == 7.0


def test_array_in_bytes_of_others_is_copied():
    data = encode(np.arange(6.0)).data
    array = decode_trusted(Encoded.verified("numpy", memoryview(data), "any"))
    array[0] = 7.0
    assert decode_trusted(Encoded.verified("numpy", data, "any"))[0] == 0.0


def test_array_that_is_mapped_from_a_file_is_stored_as_what_it_holds(tmp_path: Path) -> None:
    np.save(tmp_path / "values.npy", np.arange(10.0))
    mapped = np.load(tmp_path / "values.npy", mmap_mode="r")
    for value in (mapped, mapped[2:5]):
        assert (decode_trusted(encode(value)) == np.asarray(value)).all()
