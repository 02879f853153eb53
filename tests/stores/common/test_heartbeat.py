"""Leases are renewed while anybody holds one."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import pytest

from flowweaver.errors import StoreError
from flowweaver.stores.common.heartbeat import Heartbeat

LIMIT_SECONDS = 120.0


class Renewals:
    """Counts renewals and lets tests wait for them."""

    def __init__(self) -> None:
        self.seen: list[list[int]] = []
        self.trouble: Exception | None = None
        self._changed = threading.Condition()

    def __call__(self, leases: Sequence[int]) -> None:
        with self._changed:
            self.seen.append(sorted(leases))
            self._changed.notify_all()
        if self.trouble is not None:
            raise self.trouble

    def await_one_of(self, leases: list[int]) -> None:
        with self._changed:
            seen = len(self.seen)
            assert self._changed.wait_for(lambda: leases in self.seen[seen:], LIMIT_SECONDS)


def thread_of(heartbeat: Heartbeat) -> threading.Thread:
    assert heartbeat._thread is not None
    return heartbeat._thread


def test_leases_are_renewed_again_and_again() -> None:
    renewals = Renewals()
    heartbeat = Heartbeat(renewals, 0.01)
    heartbeat.add(1)
    renewals.await_one_of([1])
    heartbeat.add(2)
    renewals.await_one_of([1, 2])
    heartbeat.remove(1)
    renewals.await_one_of([2])
    heartbeat.stop()


def test_thread_ends_with_the_last_lease_and_another_begins_with_the_next() -> None:
    renewals = Renewals()
    heartbeat = Heartbeat(renewals, 1000.0)
    heartbeat.add(1)
    thread = thread_of(heartbeat)
    heartbeat.remove(1)
    thread.join(LIMIT_SECONDS)
    assert not thread.is_alive()
    heartbeat.add(2)
    thread = thread_of(heartbeat)
    heartbeat.stop()
    thread.join(LIMIT_SECONDS)
    assert not thread.is_alive()
    assert renewals.seen == []


def test_trouble_is_logged_and_does_not_end_it(caplog: pytest.LogCaptureFixture) -> None:
    renewals = Renewals()
    renewals.trouble = StoreError("the server is away")
    heartbeat = Heartbeat(renewals, 0.01)
    heartbeat.add(1)
    renewals.await_one_of([1])
    renewals.await_one_of([1])
    heartbeat.stop()
    assert "the server is away" in caplog.text
