"""What comes back is equal in value and exact type, for hand-made and for made-up values."""

from __future__ import annotations

import pickle
import string
import subprocess
import sys
from datetime import UTC, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowweaver.serialize import Encoded, decode_trusted, digest_of, encode

from .awkward import AWKWARD, Money, Plain, Point, Text
from .sameness import same

TABLE = pytest.mark.parametrize("value", AWKWARD.values(), ids=AWKWARD.keys())


@TABLE
def test_awkward_value_comes_back_the_same(value):
    assert same(value, decode_trusted(encode(value)))


@TABLE
def test_awkward_value_inside_containers_comes_back_the_same(value):
    outer = {"x": [value], 1: (value if type(value) is int else None,)}
    assert same(outer, decode_trusted(encode(outer)))


@TABLE
def test_encoding_again_what_came_back_gives_the_same_digest(value):
    encoded = encode(value)
    assert encode(decode_trusted(encoded)).digest == encoded.digest


@TABLE
def test_encoded_value_survives_the_way_to_another_process(value):
    encoded = encode(value)
    assert pickle.loads(pickle.dumps(encoded)) == encoded


def test_sameness_tells_apart_what_equality_does_not():
    apart = [(1, True), (1, 1.0), (0.0, -0.0), ([1], (1,)), ("x", Text("x")), ({1: 1}, {True: 1})]
    assert not any(same(a, b) for a, b in apart)


PLAIN_LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=5)
)
ZONES = st.sampled_from(
    [None, UTC, ZoneInfo("America/New_York"), timezone(timedelta(minutes=17), "odd")]
)
HASHABLE_LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(-(10**700), 10**700)
    | st.floats()
    | st.text(st.characters(codec=None, categories=None), max_size=5)
    | st.sampled_from(["$", "$tuple", "$dict", "\ud800"])
    | st.binary(max_size=5)
    | st.complex_numbers()
    | st.decimals().filter(lambda number: not number.is_snan())  # has no hash
    | st.dates()
    | st.datetimes(timezones=ZONES)
    | st.times(timezones=ZONES)
    | st.timedeltas()
    | st.uuids()
    | st.fractions()
    | st.builds(Text, st.text(max_size=2))
    | st.builds(range, st.integers(), st.integers(), st.integers(1))
)
HASHABLES = st.recursive(
    HASHABLE_LEAVES,
    lambda inner: st.lists(inner, max_size=3).map(tuple) | st.frozensets(inner, max_size=3),
    max_leaves=6,
)
VALUES = st.recursive(
    HASHABLES,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.lists(inner, max_size=4).map(tuple),
        st.dictionaries(HASHABLES, inner, max_size=4),
        st.dictionaries(st.text(string.ascii_letters + "$", max_size=3), inner, max_size=4),
        st.sets(HASHABLES, max_size=4),
        st.binary(max_size=4).map(bytearray),
        st.builds(Point, inner, inner),
        st.builds(Plain, a=inner),
    ),
    max_leaves=12,
)


@given(VALUES)
def test_any_value_comes_back_the_same(value):
    assert same(value, decode_trusted(encode(value)))


@given(
    st.recursive(
        PLAIN_LEAVES,
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=20,
    )
)
def test_any_plain_value_comes_back_the_same_as_json(value):
    encoded = encode(value)
    assert encoded.codec == "json"
    assert same(value, decode_trusted(encoded))


@given(st.lists(HASHABLES, max_size=6))
def test_equal_sets_have_equal_digests_however_they_were_filled(items):
    forwards, backwards = set(items), set()
    for item in reversed(list(forwards)):
        backwards.add(item)
    assert digest_of(forwards) == digest_of(backwards)
    assert digest_of(frozenset(forwards)) == digest_of(frozenset(backwards))


def test_values_that_only_differ_in_type_have_different_digests():
    values = [1, True, 1.0, "1", b"1", [1], (1,), {1}, frozenset({1}), {1: 1}, {"1": 1}, 0.0, -0.0]
    assert len({digest_of(value) for value in values}) == len(values)


DIGESTS = """
from decimal import Decimal
from flowweaver.serialize import digest_of
from tests_of_digests import Money, Plain
words = ["alpha", "beta", "gamma", "delta", "epsilon"]
values = [
    set(words),
    {"k": frozenset(words)},
    {(w, 1) for w in words},
    {frozenset({w, "x"}) for w in words},
    Plain(tags=set(words), groups=[frozenset(words)]),
    Plain(money={Money(Decimal(n), w) for n, w in enumerate(words)}),
    {w: {1, w, None} for w in words},
]
print([digest_of(v) for v in values])
"""


def digests_under(hash_seed: str, folder) -> str:
    return subprocess.run(
        [sys.executable, "-c", DIGESTS],
        env={"PYTHONHASHSEED": hash_seed, "PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    ).stdout


def test_digests_do_not_hang_on_the_hash_seed(tmp_path):
    (tmp_path / "tests_of_digests.py").write_text(
        "from dataclasses import dataclass\n"
        "class Plain:\n"
        "    def __init__(self, **attributes): self.__dict__.update(attributes)\n"
        "@dataclass(frozen=True)\n"
        "class Money:\n"
        "    amount: object\n"
        "    currency: str\n"
    )
    assert len({digests_under(seed, tmp_path) for seed in ("0", "1", "2", "77")}) == 1


def test_a_mutable_met_twice_is_one_object_again():
    inner = [1]
    first, second = decode_trusted(encode([inner, inner]))
    assert first is second


def test_what_came_back_shares_nothing_with_what_was_stored():
    value = {"a": [1], "b": (Money(1, "x"), {2})}  # type: ignore[arg-type]
    back = decode_trusted(encode(value))
    back["a"].append(2)
    assert value["a"] == [1]


def test_digest_is_the_content_address_of_codec_and_bytes():
    one = encode({"a": 1})
    assert one == encode({"a": 1})
    assert one == Encoded("json", b'{"a":1}', one.digest)
    assert len(one.digest) == 40
