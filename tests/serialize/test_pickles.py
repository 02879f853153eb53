"""Pickle as the last resort: checked, canonical, and only as pickle protocol 5."""

from __future__ import annotations

import pickle
import subprocess
import sys

import pytest

from flowweaver.errors import UnstorableError
from flowweaver.serialize import decode_trusted, encode
from flowweaver.serialize.pickles import Pickle

from .awkward import Money, Plain


def test_exception_is_the_same_whoever_looked_at_its_attributes():
    looked_at = ValueError("x", 1)
    assert looked_at.__dict__ == {}
    assert encode([looked_at]).digest == encode([ValueError("x", 1)]).digest


def test_exception_is_the_same_whether_dask_is_imported_or_not():
    code = """if True:
        import sys
        from flowweaver.serialize import encode
        if sys.argv[1:]:
            import distributed
        try:
            raise ValueError("x") from KeyError(1)
        except ValueError as error:
            print(encode(error).digest)
    """
    command = [sys.executable, "-c", code]
    with_dask = subprocess.run([*command, "dask"], capture_output=True, text=True, check=True)
    without = subprocess.run(command, capture_output=True, text=True, check=True)
    assert with_dask.stdout == without.stdout != ""


def test_attributes_of_an_exception_are_kept():
    error = ValueError("x")
    error.code = 1  # type: ignore[attr-defined]
    assert decode_trusted(encode(error)).code == 1
    assert encode(error).digest != encode(ValueError("x")).digest


class ComparesByIdentityInside:
    """Its copies never equal it, so its == can't tell whether it came back."""

    def __init__(self):
        self.token = object()

    def __eq__(self, other):
        return self.token is other.token

    __hash__ = None  # type: ignore[assignment]


class EqualityRaises:
    def __eq__(self, other):
        raise SystemExit

    __hash__ = None  # type: ignore[assignment]


class EqualityOfAnotherKind:
    def __eq__(self, other):
        return "perhaps"

    __hash__ = None  # type: ignore[assignment]


class Eraser:
    """Empties a list when it is read back."""

    def __init__(self, target):
        self.target = target

    def __reduce__(self):
        return _erase, (self.target,)


def _erase(target):
    target.clear()
    return Eraser(target)


@pytest.mark.parametrize(
    "kind", [ComparesByIdentityInside, EqualityRaises, EqualityOfAnotherKind, object]
)
def test_type_whose_equality_cannot_tell_is_stored(kind):
    assert type(decode_trusted(encode([kind()]))[0]) is kind


def test_container_that_would_come_back_shorter_is_refused():
    sibling = [1, 2]
    with pytest.raises(UnstorableError, match="of other length"):
        encode([sibling, Eraser(sibling)])


def test_protocol_is_fixed():
    assert encode(Plain()).data[:2] == b"\x80\x05"


def test_ordered_sets_leave_an_ordinary_pickle():
    value = Plain(tags={"a", "b"}, more=frozenset({(1, 2), None}))
    back = pickle.loads(encode(value).data)
    assert back.__dict__ == value.__dict__


def test_shared_set_stays_shared():
    tags = {"a", "b"}
    back = decode_trusted(encode([Plain(), tags, tags]))
    assert back[1] is back[2]


def test_set_that_contains_itself_by_way_of_an_object_is_kept():
    holder = Plain()
    holder.inside = {holder, 1}
    back = decode_trusted(encode(holder))
    assert back in back.inside


def test_bytes_that_look_like_set_opcodes_change_nothing():
    looks_so = Plain(data=pickle.EMPTY_SET * 3, none={1})
    assert Pickle().encode(looks_so) == pickle.dumps(looks_so, 5)


def test_frozen_dataclasses_in_a_set_are_in_order():
    coins = [Money(n, currency) for n in range(3) for currency in ("a", "b")]
    backwards = coins[::-1]
    assert encode(set(coins)).digest == encode(set(backwards)).digest
