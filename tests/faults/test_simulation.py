"""The engine in simulated worlds; and that a broken engine would not get through them."""

import subprocess
import sys
from pathlib import Path

import pytest

from flowweaver.engine.finisher import Finisher
from flowweaver.engine.scheduler import Scheduler
from flowweaver.engine.starter import Starter
from flowweaver.records import Changes, Lease
from flowweaver.stores.common.tables import Tables
from flowweaver.stores.memory import MemoryStateStore
from tests.simulation import ViolationError, simulate

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("first", range(1, 251, 50))
def test_random_workflows_keep_every_promise_in_faulty_worlds(first):
    """Seeded random workload: graphs, values, failures, kills, rivals, resumes."""
    for seed in range(first, first + 50):
        simulate(seed)


def test_seed_replays_exactly():
    assert simulate(11) == simulate(11)


def test_command_says_how_much_was_simulated():
    command = [sys.executable, "-m", "tests.simulation", "--seed", "3", "--count", "5"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=60)
    assert "no violation" in done.stdout


def finds_fault(words="", count=400):
    """Whether any seed shows a fault that is told in these words; others may show at first."""
    for seed in range(1, count):
        try:
            simulate(seed)
        except ViolationError as error:
            if words in str(error):
                return True
    return False


class TestBrokenEnginesAreFound:
    """A simulation that could not fail would prove nothing."""

    def test_failing_seed_prints_itself(self, monkeypatch):
        monkeypatch.setattr(Starter, "_take_up", lambda self, node, own: False)
        assert finds_fault("python -m tests.simulation --seed")

    def test_dependents_released_before_the_commit(self, monkeypatch):
        succeeded = Finisher._succeeded

        def release_at_once(self, call, reuse):
            succeeded(self, call, reuse)
            self._setting.scheduler.completed(self._flight.committing.pop())

        monkeypatch.setattr(Finisher, "_succeeded", release_at_once)
        assert finds_fault("was stored")

    def test_completed_work_that_is_not_restored(self, monkeypatch):
        restore, calls = Starter._restore, []

        def forget_now_and_then(self, node, reuse):
            calls.append(node)
            if len(calls) % 20 == 0:
                reuse.history.own.clear()
            return restore(self, node, reuse)

        monkeypatch.setattr(Starter, "_restore", forget_now_and_then)
        assert finds_fault("is done, and was started again")

    def test_effect_that_happens_twice(self, monkeypatch):
        monkeypatch.setattr("flowweaver.engine.starter.is_unresolved", lambda record: False)
        assert finds_fault("may have acted, and was started again")

    def test_completion_that_is_lost_by_the_store(self, monkeypatch):
        commit, calls = MemoryStateStore.commit, []

        def lose_now_and_then(self, lease: Lease, changes: Changes):
            calls.append(changes)
            commit(self, lease, Changes() if len(calls) % 20 == 0 else changes)

        monkeypatch.setattr(MemoryStateStore, "commit", lose_now_and_then)
        assert finds_fault()

    def test_superseded_holder_that_still_commits(self, monkeypatch):
        monkeypatch.setattr(Tables, "check", lambda self, lease, changes: None)
        assert finds_fault()

    def test_timer_that_never_goes_off(self, monkeypatch):
        monkeypatch.setattr(Scheduler, "wake", lambda self, now: [])
        assert finds_fault()

    def test_retry_that_is_forgotten(self, monkeypatch):
        monkeypatch.setattr(Scheduler, "_retry", lambda self, node, due: None)
        assert finds_fault("waits for ever")
