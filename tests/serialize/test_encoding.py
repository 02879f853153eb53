"""Which form a value takes, and what a reader is told when bytes are not as written."""

from __future__ import annotations

import hashlib
import threading
from dataclasses import replace
from decimal import Decimal

import pytest

from flowweaver.errors import UndecodableError, UnstorableError
from flowweaver.masking import masker
from flowweaver.serialize import (
    Encoded,
    decode,
    decode_trusted,
    digest_of,
    encode,
    is_atomic,
    preview,
)
from flowweaver.serialize.encoded import seal

from .awkward import Level, Plain, Text, cyclic_list, nested, shared_list


@pytest.mark.parametrize(
    ("value", "codec"),
    [
        (1, "json"),
        ({"a": [1, {"b": None}]}, "json"),
        (b"x", "bytes"),
        (1e400, "tagged"),
        ([float("nan")], "tagged"),
        ({"a": [{"b": "\ud800"}]}, "tagged"),
        ((1,), "tagged"),
        ({"a": [Decimal(1)]}, "tagged"),
        (Text("x"), "pickle"),
        ({"a": Level.LOW}, "pickle"),
        (shared_list(), "pickle"),
        (cyclic_list(), "pickle"),
    ],
)
def test_value_takes_the_plainest_form_that_keeps_it(value, codec):
    assert encode(value).codec == codec


@pytest.mark.parametrize("first", [True, 1, 1.0, "1", Text("1"), None, 0, -0.0, 0.0, False])
def test_values_met_before_are_no_others_that_are_equal(first):
    encode(first)
    for value in (True, 1, 1.0, "1", Text("1"), None, 0, 0.0, -0.0, False):
        again = decode_trusted(encode(value))
        assert (type(again), repr(again)) == (type(value), repr(value))


def test_value_met_before_is_refused_once_it_is_a_secret():
    encode("met-before-it-was-secret")
    masker.note("met-before-it-was-secret")
    with pytest.raises(UnstorableError, match="secret"):
        encode("met-before-it-was-secret")


def test_more_values_than_are_remembered_keep_bytes_of_their_own():
    values = [*range(3000), *map(str, range(3000))]
    for _ in range(2):
        assert [decode(encode(value)) for value in values] == values


@pytest.mark.parametrize(
    ("value", "path"),
    [
        (Plain(), "result"),
        ({"a": [1, Plain()]}, "result['a'][1]"),
        ([cyclic_list(), 1], "result[0]"),
        ({"m": {"n": shared_list()}}, "result['m']['n']"),
        ({"a": {Level.LOW: 1}}, "result['a'].keys()[0]"),
        ((1, {2: [Text("x")]}), "result[1][2][0]"),
    ],
)
def test_without_pickle_the_part_that_needs_it_is_named(value, path):
    with pytest.raises(UnstorableError) as caught:
        encode(value, allow_pickle=False)
    assert caught.value.path == path
    assert "pickle" in caught.value.reason


def test_without_pickle_exact_forms_go_on_working():
    value = {"a": (1, {2.5: b"x"})}
    assert decode_trusted(encode(value, allow_pickle=False)) == value


def test_root_names_the_value_in_errors():
    with pytest.raises(UnstorableError, match=r"parameters\['x'\] can't be stored"):
        encode({"x": threading.Lock()}, root="parameters")


def test_deepest_value_that_is_kept():
    value = nested(200)
    assert decode_trusted(encode(value)) == value


@pytest.mark.parametrize("wrap", [lambda v: v, lambda v: {"a": (v,)}, lambda v: [v, Plain()]])
def test_very_deep_value_is_refused(wrap):
    with pytest.raises(UnstorableError, match="more than 200 levels deep"):
        encode(wrap(nested(100_000)))


def test_very_deep_value_is_refused_on_a_thread_too():
    errors = []

    def body():
        try:
            encode(nested(100_000))
        except UnstorableError as error:
            errors.append(error)

    thread = threading.Thread(target=body)
    thread.start()
    thread.join(60)
    assert len(errors) == 1


def test_value_too_deep_for_what_is_left_of_the_stack_is_refused():
    value = nested(190)

    def encode_deep_down():
        # Calls itself until there is too little left to write the value.
        try:
            encode_deep_down()
        except RecursionError:
            encode(value)

    with pytest.raises(UnstorableError, match="nested too deeply"):
        encode_deep_down()


def test_value_changed_while_it_is_stored_is_refused():
    class Growing(type(Decimal)):  # a class whose lookup changes the dict that holds it
        def __hash__(cls):
            values[len(values)] = Item()
            return 1

    class Item(metaclass=Growing):
        pass

    values = {}
    values[0] = Item()
    with pytest.raises(UnstorableError, match="can't be read to its end"):
        encode(values)


@pytest.mark.parametrize(
    "damage",
    [
        lambda e: replace(e, data=e.data + b" "),
        lambda e: replace(e, data=b""),
        lambda e: replace(e, codec="bytes"),
        lambda e: replace(e, digest=digest_of(2)),
        lambda e: replace(e, digest=""),
    ],
)
def test_changed_bytes_are_refused(damage):
    with pytest.raises(UndecodableError, match="digest"):
        decode_trusted(damage(encode({"a": 1})))


def test_each_flipped_bit_is_noticed():
    encoded = encode({"a": (1, 2)})
    for position in range(len(encoded.data) * 8):
        data = bytearray(encoded.data)
        data[position // 8] ^= 1 << position % 8
        with pytest.raises(UndecodableError):
            decode_trusted(replace(encoded, data=bytes(data)))


@pytest.mark.parametrize(
    ("codec", "data"),
    [
        ("json", b"nonsense"),
        ("json", b"\xff"),
        ("tagged", b"no newline"),
        ("tagged", b'{"$unheard-of":1}\n'),
        ("tagged", b'{"$uuid":1}\n'),
        ("pickle", b"cos\nno_such_name\n."),
        ("pickle", b"cno_such_module\nx\n."),
        ("pickle", b""),
        ("numpy", b"no npy"),
        ("arrow", b"Table\nno arrow"),
    ],
)
def test_bytes_that_no_writer_wrote_are_refused_by_their_codec(codec, data):
    with pytest.raises(UndecodableError, match=f"stored {codec} bytes can't be decoded"):
        decode_trusted(seal(codec, data))


def test_unknown_codec_is_refused_with_near_names():
    with pytest.raises(UndecodableError, match="did you mean 'pickle'"):
        decode_trusted(seal("pickles", b""))


def test_exit_in_a_pickle_does_not_end_the_reader():
    with pytest.raises(UndecodableError, match="SystemExit"):
        decode_trusted(seal("pickle", b"cbuiltins\nexit\n(tR."))


def test_interrupt_by_the_user_passes():
    with pytest.raises(KeyboardInterrupt):
        encode(Interrupting())


class Interrupting:
    def __reduce__(self):
        raise KeyboardInterrupt


@pytest.mark.parametrize("value", [None, True, 0, 1.5, "x", b"x", Decimal(1), 1j])
def test_atomic_values_may_be_shared(value):
    assert is_atomic(value)


@pytest.mark.parametrize("value", [[], {}, set(), (1,), bytearray(), Text("x"), Level.LOW, Plain()])
def test_others_may_not(value):
    assert not is_atomic(value)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"a": (1, 2)}, "{'a': (1, 2)}"),
        ([None, True, 1.5, "x"], "[None, True, 1.5, 'x']"),
        ({1: {2}, (): frozenset({3})}, "{1: {2}, (): frozenset({3})}"),
        ([set(), frozenset(), (1,), []], "[set(), frozenset(), (1,), []]"),
        ([float("nan"), b"x", bytearray(b"y")], "[nan, b'x', bytearray(b'y')]"),
        (2**5000, "<int of 5001 bits>"),
        (b"\x00" * 10, repr(b"\x00" * 10)),
        (b"a" * 5000, f"{b'a' * 60!r}.. (5.0 KB)"),
        ("\x1b[31mred\x07", r"'\x1b[31mred\x07'"),
        ("\u202eabc\ud800", r"'\u202eabc\ud800'"),
    ],
)
def test_preview_reads_like_python(value, text):
    assert preview(encode(value)) == text


@pytest.mark.parametrize(
    "value",
    [
        "x" * 10_000,
        list(range(100_000)),
        ["y" * 5_000, (1,)],
        [("z", b"z" * n) for n in range(200_000, 200_009)],
    ],
)
@pytest.mark.parametrize("limit", [1, 20, 200])
def test_preview_is_cut_at_its_limit(value, limit):
    text = preview(encode(value), limit)
    assert len(text) == limit
    assert text.endswith("…")


def test_large_tagged_value_previews_as_its_json():
    assert preview(encode([(n,) for n in range(50_000)]), 30) == '[{"$tuple":[0]},{"$tuple":[1]…'


@pytest.mark.parametrize("codec", ["json", "tagged", "unheard-of", "\x1b[0m"])
def test_preview_of_damaged_bytes_says_codec_and_size(codec):
    shown = codec.replace("\x1b", r"\x1b")
    assert preview(Encoded(codec, b"\xff" * 1500, "")) == f"<{shown}, 1.5 KB>"


@pytest.mark.parametrize("codec", ["pickle", "bytes", "numpy", "arrow", "pandas", "polars"])
def test_preview_of_anything_prints(codec):
    assert preview(Encoded(codec, bytes(range(256)), "")).isprintable()


def test_bytes_that_could_run_code_are_refused_whatever_they_say():
    pickled = encode({1: object})
    assert pickled.codec == "pickle"
    with pytest.raises(UndecodableError, match="could run any code"):
        decode(pickled)


def test_bytes_of_an_unknown_codec_are_refused():
    with pytest.raises(UndecodableError, match="No codec 'theirs' is known here"):
        decode(seal("theirs", b"x"))


@pytest.mark.parametrize("value", [None, [1, "a"], (1, {2}), b"x"])
def test_what_runs_no_code_is_read_from_anywhere(value):
    assert decode(encode(value)) == value


LARGE = bytes(range(256)) * (160 * 1024) + b"rest"  # more than two chunks


def test_digest_of_a_large_value_covers_each_byte_and_their_order():
    half = len(LARGE) // 2
    variants = [LARGE, LARGE[:-1], LARGE[half:] + LARGE[:half], b"x" + LARGE[1:]]
    assert len({digest_of(value) for value in variants}) == len(variants)


def test_large_value_with_a_digest_of_the_old_kind_is_read():
    old = hashlib.blake2b(b"bytes\0" + LARGE, digest_size=20).hexdigest()
    assert old != digest_of(LARGE)
    assert decode(Encoded("bytes", LARGE, old)) == LARGE
    with pytest.raises(UndecodableError, match="not as they were written"):
        decode(Encoded("bytes", LARGE + b"x", old))
