"""What is known of large values that are on a cluster."""

from __future__ import annotations

import gc
import weakref

import pytest

from flowweaver.executors._cluster import shelf
from flowweaver.executors._cluster.shelf import Shelf
from flowweaver.executors._workers.outcome import Outcome
from flowweaver.executors._workers.packing import pack
from flowweaver.serialize import encode


class Bag(list[int]):
    """A list that can be referred to weakly."""


class Cluster:
    """Bytes by number, as a cluster keeps them."""

    def __init__(self) -> None:
        self.put: list[bytes] = []
        self.lost: set[object] = set()

    def take(self, data: bytes) -> object:
        self.put.append(data)
        return len(self.put)

    def shelf(self) -> Shelf:
        return Shelf(self.take, lambda reference: reference not in self.lost)


@pytest.fixture
def cluster() -> Cluster:
    return Cluster()


def test_result_is_known_by_identity_where_it_is_shared(cluster: Cluster) -> None:
    held, value = cluster.shelf(), [1, 2]
    held.note(Outcome(value=value), "there", 10)
    assert (held.same(value), held.same([1, 2])) == ("there", None)


def test_stored_result_is_known_by_what_it_is(cluster: Cluster) -> None:
    held = cluster.shelf()
    held.note(Outcome(encoded=encode([1, 2])), "there", 10)
    assert (held.equal([1, 2]), held.equal([1, 3]), held.equal(object())) == ("there", None, None)


def test_value_is_sent_once(cluster: Cluster) -> None:
    held = cluster.shelf()
    assert [held.sent(pack([1])), held.sent(pack([1])), held.sent(pack([2]))] == [1, 1, 2]
    assert len(cluster.put) == 2


def test_what_was_lost_is_not_referred_to(cluster: Cluster) -> None:
    held, value = cluster.shelf(), [1]
    held.note(Outcome(value=value), "there", 10)
    first = held.sent(pack([1]))
    cluster.lost = {"there", first}
    assert held.same(value) is None
    assert held.sent(pack([1])) != first


def test_value_that_nobody_else_holds_is_not_held_here(cluster: Cluster) -> None:
    held, value = cluster.shelf(), Bag([1])
    held.note(Outcome(value=value), "there", 10)
    alive = weakref.ref(value)
    del value
    gc.collect()
    assert alive() is None


def test_oldest_is_let_go_of_first(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shelf, "_MOST_BYTES", 25)
    held, values = cluster.shelf(), [[number] for number in range(3)]
    for value in values:
        held.note(Outcome(value=value), f"at {value[0]}", 10)
    assert [held.same(value) for value in values] == [None, "at 1", "at 2"]


def test_cleared_it_knows_nothing(cluster: Cluster) -> None:
    held, value = cluster.shelf(), [1]
    held.note(Outcome(value=value), "there", 10)
    held.clear()
    assert held.is_empty
    assert held.same(value) is None
