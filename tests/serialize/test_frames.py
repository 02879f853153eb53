"""Tables come back exactly: through Arrow where it keeps them, by pickle where not."""

from __future__ import annotations

import datetime
import pickle
import subprocess
import sys
from decimal import Decimal
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from pandas.testing import assert_frame_equal, assert_series_equal

from flowweaver.errors import UnstorableError
from flowweaver.serialize import decode_trusted, digest_of, encode, preview


def same_pandas(a, b) -> bool:
    compare = assert_frame_equal if isinstance(a, pd.DataFrame) else assert_series_equal
    compare(
        a, b, check_exact=True, check_column_type="exact", check_index_type="exact"
    ) if isinstance(a, pd.DataFrame) else compare(a, b, check_exact=True, check_index_type="exact")
    return (
        type(a) is type(b)
        and a.attrs == b.attrs
        and type(a.index) is type(b.index)
        and [type(n) for n in a.index.names] == [type(n) for n in b.index.names]
        and list(map(repr, a.to_numpy().ravel().tolist()))
        == list(map(repr, b.to_numpy().ravel().tolist()))
    )


MONTHS = pd.date_range("2024-01-01", periods=2, freq="MS")

BY_ARROW = {
    "plain": pd.DataFrame({"a": [1, 2], "b": [0.1, np.nan], "c": ["x", "y"]}),
    "missing text": pd.DataFrame({"a": ["x", None]}),
    "booleans": pd.DataFrame({"a": [True, False]}),
    "small dtypes": pd.DataFrame({"a": np.array([1, 2], "i1"), "b": np.array([1, 2], "f4")}),
    "negative zero": pd.DataFrame({"a": [-0.0, 0.0]}),
    "nullable ints": pd.DataFrame({"a": pd.array([1, None], dtype="Int64")}),
    "nullable text": pd.DataFrame({"a": pd.array(["x", None], dtype="string")}),
    "arrow dtype": pd.DataFrame({"a": pd.array([1, None], dtype="int64[pyarrow]")}),
    "categories": pd.DataFrame({"a": pd.Categorical(["v", "u"], ["v", "u", "w"], ordered=True)}),
    "times": pd.DataFrame({"a": pd.to_datetime(["2024-01-01", None])}),
    "zoned times": pd.DataFrame({"a": pd.date_range("2024", periods=2, tz="Europe/Berlin")}),
    "periods": pd.DataFrame({"a": pd.period_range("2024", periods=2, freq="M")}),
    "intervals": pd.DataFrame({"a": pd.interval_range(0, 2)}),
    "named index": pd.DataFrame({"a": [1]}, index=pd.Index(["k"], name="key")),
    "range index": pd.DataFrame({"a": [1, 2]}, index=pd.RangeIndex(4, 0, -2, name="r")),
    "multi index": pd.DataFrame({"a": [1]}, index=pd.MultiIndex.from_tuples([(1, "x")])),
    "period index": pd.DataFrame({"a": [1, 2]}, pd.period_range("2024", periods=2, freq="M")),
    "interval index": pd.DataFrame({"a": [1, 2]}, pd.interval_range(0, 2)),
    "no rows": pd.DataFrame({"a": np.array([], "i4"), "b": pd.array([], dtype="str")}),
}

BY_PICKLE = {
    "objects": pd.DataFrame({"a": [1, "x", None]}, dtype=object),
    "missing objects": pd.DataFrame({"a": pd.Series([None, "x"], dtype=object)}),
    "decimals": pd.DataFrame({"a": [Decimal("1.10")]}),
    "dates": pd.DataFrame({"a": [datetime.date(2024, 1, 1)]}),
    "lists": pd.DataFrame({"a": [[1, 2], (3,)]}),
    "no columns": pd.DataFrame(),
    "numbered columns": pd.DataFrame([[1, 2]]),
    "duplicate columns": pd.DataFrame([[1, 2]], columns=["a", "a"]),
    "mixed labels": pd.DataFrame([[1, 2]], columns=["a", 1]),
    "frequency": pd.DataFrame({"a": [1, 2]}, index=MONTHS),
    "attrs": pd.DataFrame({"a": [1]}),
    "sparse": pd.DataFrame({"a": pd.arrays.SparseArray([0, 0, 1])}),
    "zone without a name": pd.DataFrame({"a": pd.to_datetime(["2024"], utc=True)}),
    "level with a label missing later": pd.DataFrame(
        {"a": range(5)}, pd.MultiIndex.from_arrays([[True, False, True, False, None], [*"abcde"]])
    ),
    "odd index name": pd.DataFrame({"a": [1]}, index=pd.Index([1], name=("k", 2))),
}
BY_PICKLE["attrs"].attrs["source"] = "x"


@pytest.mark.parametrize("value", BY_ARROW.values(), ids=BY_ARROW)
def test_frame_comes_back_exactly_without_pickle(value):
    encoded = encode(value, allow_pickle=False)
    assert encoded.codec == "pandas"
    assert same_pandas(value, decode_trusted(encoded))


@pytest.mark.parametrize("value", BY_ARROW.values(), ids=BY_ARROW)
def test_column_comes_back_exactly_without_pickle(value):
    column = value.iloc[:, 0]
    encoded = encode(column, allow_pickle=False)
    assert encoded.codec == "pandas-series"
    assert same_pandas(column, decode_trusted(encoded))


@pytest.mark.parametrize("value", BY_PICKLE.values(), ids=BY_PICKLE)
def test_frame_that_arrow_would_change_takes_pickle(value):
    encoded = encode(value)
    assert encoded.codec == "pickle"
    assert same_pandas(value, decode_trusted(encoded))


READING = """
import pickle, sys
from flowweaver.serialize import decode_trusted
for encoded, there in pickle.loads(sys.stdin.buffer.read()):
    print(repr(decode_trusted(encoded)) == there)
"""


def test_frames_come_back_exactly_in_a_process_that_has_written_none():
    values = [*BY_ARROW.values(), *(each.iloc[:, 0] for each in BY_ARROW.values())]
    kept = pickle.dumps([(encode(each, allow_pickle=False), repr(each)) for each in values])
    read = subprocess.run([sys.executable, "-c", READING], input=kept, stdout=subprocess.PIPE)
    assert read.stdout.decode().split() == ["True"] * len(values)


@pytest.mark.filterwarnings("error")
def test_nothing_is_warned_of_that_comes_back_as_it_was():
    for value in BY_PICKLE.values():
        encode(value)


@pytest.mark.parametrize("name", [None, "x", 0, 1])
def test_series_keeps_its_name(name):
    value = pd.Series([1, 2], name=name)
    back = decode_trusted(encode(value, allow_pickle=False))
    assert same_pandas(value, back)
    assert type(back.name) is type(name)


@pytest.mark.parametrize("name", [("a", 1), 1.5, ("a", True), pd.Timestamp("2024")])
def test_series_keeps_an_odd_name_however_it_must(name):
    value = pd.Series([1, 2], name=name)
    back = decode_trusted(encode(value))
    assert same_pandas(value, back)
    assert repr(back.name) == repr(name)


def test_frame_that_forbids_duplicate_labels_goes_on_doing_so():
    value = pd.DataFrame({"a": [1]}).set_flags(allows_duplicate_labels=False)
    assert not decode_trusted(encode(value)).flags.allows_duplicate_labels


def test_object_text_is_plain_enough_for_arrow_or_pickled_but_never_changed():
    value = pd.Series(["x", "y"], dtype=object)
    assert same_pandas(value, decode_trusted(encode(value)))


def test_frames_in_containers_need_no_pickle():
    frame = BY_ARROW["plain"]
    back = decode_trusted(encode({"train": frame, "rest": (frame.copy(), [1])}, allow_pickle=False))
    assert same_pandas(frame, back["train"])
    assert same_pandas(frame, back["rest"][0])


def test_equal_frames_have_equal_digests():
    assert digest_of(BY_ARROW["plain"]) == digest_of(BY_ARROW["plain"].copy())


TABLES = {
    "plain": pa.table({"a": [1, None], "b": ["x", "y"]}),
    "nested": pa.table({"a": [{"x": [1, 2]}, None]}),
    "nan": pa.table({"a": [float("nan"), 1.0]}),
    "dictionary": pa.table({"a": pa.array(["x", "y"]).dictionary_encode()}),
    "metadata": pa.table({"a": [1]}).replace_schema_metadata({"k": "v"}),
    "duplicate columns": pa.table([[1], [2]], names=["a", "a"]),
    "no columns": pa.table({}),
    "chunks": pa.table({"a": pa.chunked_array([[1], [2, 3]])}),
}


@pytest.mark.parametrize("value", TABLES.values(), ids=TABLES)
def test_arrow_table_comes_back_exactly_without_pickle(value):
    encoded = encode(value, allow_pickle=False)
    assert encoded.codec == "arrow"
    back = decode_trusted(encoded)
    assert back.schema.equals(value.schema, check_metadata=True)
    assert repr(back.to_pylist()) == repr(value.to_pylist())


class Kilometres(pa.ExtensionType):
    def __init__(self):
        super().__init__(pa.int64(), "tests.kilometres")

    def __arrow_ext_serialize__(self):
        return b""

    @classmethod
    def __arrow_ext_deserialize__(cls, storage_type, serialized):
        return cls()


def test_arrow_table_of_an_unregistered_type_takes_pickle():
    column = pa.ExtensionArray.from_storage(Kilometres(), pa.array([1, 2]))
    encoded = encode(pa.table({"a": column}))
    assert encoded.codec == "pickle"
    assert decode_trusted(encoded).schema.field("a").type == Kilometres()


POLARS = {
    "plain": pl.DataFrame({"a": [1, None], "b": ["x", "y"], "c": [float("nan"), 1.0]}),
    "times": pl.DataFrame({"a": [datetime.datetime(2024, 1, 1, tzinfo=ZoneInfo("Asia/Tokyo"))]}),
    "decimals": pl.DataFrame({"a": [Decimal("1.10")]}),
    "nested": pl.DataFrame({"a": [{"x": [1, 2]}]}),
    "small ints": pl.DataFrame({"a": [1]}, schema={"a": pl.UInt8}),
    "enum": pl.DataFrame({"a": ["u"]}, schema={"a": pl.Enum(["u", "v"])}),
    "categories": pl.DataFrame({"a": ["u"]}, schema={"a": pl.Categorical}),
    "empty": pl.DataFrame(),
    "no rows": pl.DataFrame(schema={"a": pl.Int8}),
}


@pytest.mark.parametrize("value", POLARS.values(), ids=POLARS)
def test_polars_frame_comes_back_exactly_without_pickle(value):
    encoded = encode(value, allow_pickle=False)
    assert encoded.codec == "polars"
    back = decode_trusted(encoded)
    assert back.schema == value.schema
    assert repr(back.rows()) == repr(value.rows())


def test_polars_series_comes_back_exactly_without_pickle():
    value = pl.Series("é", [1, None], dtype=pl.Int16)
    encoded = encode(value, allow_pickle=False)
    assert encoded.codec == "polars-series"
    back = decode_trusted(encoded)
    assert (back.name, back.dtype, back.to_list()) == ("é", pl.Int16, [1, None])


def test_polars_objects_are_refused_by_name():
    value = pl.DataFrame({"a": pl.Series([object()], dtype=pl.Object)})
    with pytest.raises(UnstorableError) as caught:
        encode({"x": value})
    assert caught.value.path.startswith("result['x']")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (pd.DataFrame({"a": [1, 2], "b": [1, 2]}), "DataFrame 2 rows x 2 columns: a, b"),
        (pl.DataFrame({"\x1b[31m": [1]}), r"DataFrame 1 rows x 1 columns: \x1b[31m"),
        (pa.table({"a": [1]}), "Table 1 rows x 1 columns: a"),
        (pd.Series([1.5], name="n"), "Series float64 1 rows: n"),
        (pl.Series("n", [1]), "Series Int64 1 rows: n"),
        (
            pd.DataFrame({str(n): [1] for n in range(30)}),
            f"DataFrame 1 rows x 30 columns: {', '.join(map(str, range(20)))}, ..",
        ),
        (
            pd.DataFrame([[1]], columns=pd.to_datetime(["2024-01-01"])),
            "DataFrame 1 rows x 1 columns: <pandas.Timestamp>",
        ),
    ],
)
def test_preview(value, text):
    assert preview(encode(value)) == text


def test_preview_of_very_many_names_is_cut():
    frame = pd.DataFrame({"name " * 50 + str(n): [1] for n in range(30)})
    assert len(preview(encode(frame), 300)) == 300
