"""Codecs of users: found by type, held to their word, replaced by name."""

from __future__ import annotations

import pytest

from flowweaver.errors import DefinitionError, UndecodableError, UnstorableError
from flowweaver.serialize import (
    decode_trusted,
    encode,
    needs_signature,
    preview,
    register,
    registry,
)


class Vector:
    """Doesn't pickle, so only a codec can store it."""

    def __init__(self, *numbers):
        self.numbers = numbers

    def __eq__(self, other):
        return self.numbers == other.numbers

    __hash__ = None  # type: ignore[assignment]

    def __reduce__(self):
        raise TypeError("a vector doesn't pickle")


class VectorCodec:
    name = "vector"
    runs_code = False

    def handles(self, kind):
        return kind is Vector

    def encode(self, value):
        return ",".join(map(str, value.numbers)).encode()

    def decode(self, data):
        return Vector(*map(int, data.decode().split(",")))

    def preview(self, data):
        return f"Vector\n{data.decode()}"


@pytest.fixture(autouse=True)
def _registrations_end_with_the_test():
    yield
    registry._users.clear()


def changed(**attributes) -> VectorCodec:
    return type("Changed", (VectorCodec,), attributes)()


def test_value_of_a_registered_type_comes_back():
    register(VectorCodec())
    encoded = encode(Vector(1, 2), allow_pickle=False)
    assert encoded.codec == "vector"
    assert decode_trusted(encoded) == Vector(1, 2)


def test_value_inside_containers_comes_back():
    register(VectorCodec())
    encoded = encode({"a": (Vector(1), [b"x", Vector(2)])}, allow_pickle=False)
    assert decode_trusted(encoded) == {"a": (Vector(1), [b"x", Vector(2)])}


def test_preview_of_a_codec_is_made_printable():
    register(VectorCodec())
    assert preview(encode(Vector(1))) == r"Vector\n1"
    assert preview(encode([Vector(1), ()])) == r"[Vector\n1, ()]"


@pytest.mark.parametrize(
    "show", [lambda self, data: 1 / 0, lambda self, data: None, lambda self, data: exit()]
)
def test_preview_that_fails_is_replaced_by_codec_and_size(show):
    register(changed(preview=show))
    assert preview(encode(Vector(1))) == "<vector, 1 B>"


def test_codec_registered_last_is_asked_first():
    register(VectorCodec())
    register(changed(name="vector2"))
    assert encode(Vector(1)).codec == "vector2"


def test_codec_of_another_type_is_passed_over():
    register(VectorCodec())
    register(changed(name="other", handles=lambda self, kind: False))
    assert encode(Vector(1)).codec == "vector"


def test_same_name_replaces():
    register(VectorCodec())
    register(changed(encode=lambda self, value: b"7", decode=lambda self, data: Vector(7)))
    assert encode(Vector(7)).data == b"7"


@pytest.mark.parametrize("name", ["", "a\n", "\x1b", "a\0b"])
def test_name_must_print(name):
    with pytest.raises(DefinitionError, match="printable"):
        register(changed(name=name))


@pytest.mark.parametrize("name", ["json", "tagged", "pickle", "bytes", "numpy", "pandas"])
def test_own_codecs_are_not_replaced(name):
    with pytest.raises(DefinitionError, match="FlowWeaver's own"):
        register(changed(name=name))


FAILURES = {
    "raises": ({"encode": lambda self, value: 1 / 0}, "ZeroDivisionError"),
    "exits": ({"encode": lambda self, value: exit(3)}, "SystemExit"),
    "gives text": ({"encode": lambda self, value: "x"}, "gave str instead of bytes"),
    "doesn't decode": ({"decode": lambda self, data: 1 / 0}, "ZeroDivisionError"),
    "gives another type": ({"decode": lambda self, data: [1]}, "Vector would come back as list"),
    "gives another value": ({"decode": lambda self, data: Vector(0)}, "come back unequal"),
}


@pytest.mark.parametrize(("attributes", "reason"), FAILURES.values(), ids=FAILURES)
@pytest.mark.parametrize("allow_pickle", [True, False])
def test_codec_that_breaks_its_word_is_named_with_the_path(attributes, reason, allow_pickle):
    register(changed(**attributes))
    with pytest.raises(UnstorableError) as caught:
        encode({"a": [1, (), Vector(1)], "b": {2}}, allow_pickle=allow_pickle)
    assert caught.value.path == "result['a'][2]"
    assert "codec 'vector'" in caught.value.reason
    assert reason in caught.value.reason


def test_codec_whose_copies_never_equal_has_its_word_taken():
    register(changed(encode=lambda self, value: b"nan"))
    codec = changed(
        handles=lambda self, kind: kind is Unlike,
        encode=lambda self, value: b"x",
        decode=lambda self, data: Unlike(),
    )
    register(codec)
    assert type(decode_trusted(encode(Unlike()))) is Unlike


class Unlike:
    def __eq__(self, other):
        return False

    __hash__ = None  # type: ignore[assignment]


def test_codec_that_runs_code_counts_as_pickle():
    register(changed(runs_code=True))
    assert encode(Vector(1)).codec == "vector"
    with pytest.raises(UnstorableError):
        encode(Vector(1), allow_pickle=False)


def test_codec_that_runs_code_is_not_taken_inside_containers():
    register(changed(runs_code=True))
    with pytest.raises(UnstorableError, match="doesn't pickle"):
        encode([Vector(1)])


def test_container_that_asks_for_a_codec_that_runs_code_is_refused():
    register(VectorCodec())
    encoded = encode([Vector(1)])
    register(changed(runs_code=True, decode=lambda self, data: pytest.fail("was run")))
    with pytest.raises(UndecodableError, match="asks for codec 'vector'"):
        decode_trusted(encoded)


def test_result_of_a_codec_not_registered_here_is_refused_by_name():
    register(VectorCodec())
    alone, inside = encode(Vector(1)), encode([Vector(1)])
    registry._users.clear()
    for encoded in (alone, inside):
        with pytest.raises(UndecodableError, match="No codec 'vector' is known here"):
            decode_trusted(encoded)
    assert preview(alone) == "<vector, 1 B>"


def test_builtin_types_stay_with_their_own_forms():
    register(changed(handles=lambda self, kind: True, encode=lambda self, value: b"1"))
    for value in (1, [1], {"a": 1}, (1,), b"x", {1}, 1j, bytearray(b"x")):
        assert decode_trusted(encode(value)) == value


def test_mutable_value_that_is_there_twice_is_left_to_pickle():
    register(VectorCodec())
    vector = Vector(1)
    with pytest.raises(UnstorableError, match="doesn't pickle"):
        encode([vector, vector])


@pytest.mark.parametrize(
    ("codec", "needed"),
    [
        ("json", False),
        ("tagged", False),
        ("bytes", False),
        ("numpy", False),
        ("arrow", False),
        ("pickle", True),
        ("unheard-of", True),
        ("", True),
        ("vector", False),
        ("code", True),
    ],
)
def test_what_could_run_code_needs_a_signature(codec, needed):
    register(VectorCodec())
    register(changed(name="code", runs_code=True))
    assert needs_signature(codec) is needed
