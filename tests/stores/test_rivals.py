"""Several processes at one store: who gets a run, and what becomes of the others."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from flowweaver.errors import RunLockedError
from flowweaver.records import ClaimRequest
from flowweaver.stores import open_store
from tests.observers.terminal import wait_until
from tests.stores.conftest import MakeStore
from tests.stores.filling import commit_task, value_of
from tests.stores.sharing import Sharers

RIVALS = 6


def all_at_once(body: Callable[[int], int], before_end: Callable[[], None]) -> list[int]:
    """Run `body` in forked children that start together; return what each of them returned."""
    start = os.pipe()
    children = []
    for number in range(RIVALS):
        pid = os.fork()
        if pid == 0:
            status = 99
            try:
                os.close(start[1])
                os.read(start[0], 1)
                status = body(number)
            finally:
                os._exit(status)
        children.append(pid)
    for end in start:
        os.close(end)
    before_end()
    return [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in children]


def test_one_of_many_claims_at_once_gets_the_run(make_store: MakeStore) -> None:
    tried, end = os.pipe(), os.pipe()

    def claim(number: int) -> int:
        os.close(end[1])
        try:
            lease = make_store().claim(ClaimRequest("a", "k"))
        except RunLockedError:
            os.write(tried[1], b"x")
            return 0
        assert not lease.continued
        os.write(tried[1], b"x")
        os.read(end[0], 1)  # keeps the run until all have tried
        return 1

    def wait() -> None:
        for _ in range(RIVALS):
            os.read(tried[0], 1)
        os.close(end[1])

    assert sorted(all_at_once(claim, wait)) == [0] * (RIVALS - 1) + [1]
    assert len(make_store().runs()) == 1
    for fd in (*tried, end[0]):
        os.close(fd)


def test_runs_of_many_processes_go_on_beside_each_other(make_store: MakeStore) -> None:
    tasks = 25

    def work(number: int) -> int:
        store = make_store()
        lease = store.claim(ClaimRequest("a", f"k{number}"))
        for step in range(tasks):
            commit_task(store, lease, step)
            assert len(store.tasks(lease.run.id)) == step + 1
        store.release(lease)
        store.close()
        return 0

    assert all_at_once(work, lambda: None) == [0] * RIVALS
    store = make_store()
    assert len(store.runs()) == RIVALS
    for run in store.runs():
        digests = [task.digest for task in store.tasks(run.id)]
        assert digests == [value_of(run.id, step).encoded.digest for step in range(tasks)]
        for digest in digests:
            store.result(digest)
    assert store.check(deep=True) == []
    store.close()


def test_who_waits_to_write_gets_as_many_turns_as_others(tmp_path: Path) -> None:
    """One of five came on with 52 runs once, beside one with 2,221."""
    url = f"sqlite:///{tmp_path}/state.db?durability=process"
    sharers = Sharers(url, tmp_path, 5)
    store = open_store(url)

    def done() -> list[int]:
        return [*Counter(run.runner for run in store.runs()).values()]

    wait_until(lambda: len(done()) == 5 and min(done()) >= 10, "each to come on")
    counts = sharers.end()
    store.close()
    # Most of what is between them is who gets a processor, where others are busy, too.
    assert max(counts) < 40 * min(counts), counts
