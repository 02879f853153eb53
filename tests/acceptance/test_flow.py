"""The same workflow gives the same Run on every executor with every store, killed or not."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from flowweaver import (
    AsyncExecutor,
    Executor,
    JSONStateStore,
    ProcessExecutor,
    Run,
    SequentialExecutor,
    SQLiteStateStore,
    StateStore,
    TaskStatus,
    ThreadedExecutor,
)
from tests.acceptance.flow_bodies import flow, journal

EXECUTORS: dict[str, Callable[..., Executor]] = {
    "sequential": SequentialExecutor,
    "threads": lambda **options: ThreadedExecutor(4, **options),
    "async": lambda **options: AsyncExecutor(4, **options),
    "processes": lambda **options: ProcessExecutor(2, **options),
}
STORES: dict[str, Callable[[Path], StateStore | None]] = {
    "none": lambda folder: None,
    "json": lambda folder: JSONStateStore(folder / "state.json"),
    "sqlite": lambda folder: SQLiteStateStore(folder / "state.db"),
}
COUNT = 6


def what_came_of(run: Run) -> dict[str, Any]:
    """Return all of a run that must not depend on where it ran."""
    found: dict[str, Any] = {"status": run.status}
    for item in run.tasks.values():
        for view in (item, *item.elements):
            completed = view.status is TaskStatus.COMPLETED
            found[view.name] = (
                view.status,
                run[view.name] if completed else None,
                view.error and (view.error.kind, view.error.causes),
            )
    return found


def params(folder: Path, *, broken: int = 2) -> dict[str, Any]:
    return {"folder": str(folder), "count": COUNT, "wanted": False, "broken": broken}


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("expected")
    run = SequentialExecutor().execute(flow(), params(folder), raise_on_failure=False)
    return what_came_of(run)


class TestSameRun:
    def test_workflow_comes_to_what_it_should(self, expected: dict[str, Any]) -> None:
        assert expected["report"][1] == "(150, 'none') scaled to 300"
        assert expected["clean_up"][1] == "cleaned"
        assert expected["extra"][0] is TaskStatus.SKIPPED
        assert expected["flaky"][0] is TaskStatus.FAILED
        assert expected["flaky"][2] == ("UpstreamFailed", ("flaky[2]",))
        assert expected["flaky[3]"][0] is TaskStatus.COMPLETED

    @pytest.mark.parametrize("store", STORES.values(), ids=STORES)
    @pytest.mark.parametrize("executor", EXECUTORS.values(), ids=EXECUTORS)
    def test_everywhere(
        self,
        executor: Callable[..., Executor],
        store: Callable[[Path], StateStore | None],
        expected: dict[str, Any],
        tmp_path: Path,
    ) -> None:
        made = executor(state_store=store(tmp_path))
        run = made.execute(flow(), params(tmp_path), raise_on_failure=False)
        assert what_came_of(run) == expected

    def test_failed_run_goes_on_elsewhere_with_what_failed_alone(self, tmp_path: Path) -> None:
        store = SQLiteStateStore(tmp_path / "state.db")
        given = params(tmp_path)
        first = AsyncExecutor(state_store=store).execute(flow(), given, raise_on_failure=False)
        before = Counter(journal(tmp_path))
        second = ThreadedExecutor(2, state_store=store).execute(
            flow(), given, raise_on_failure=False
        )
        assert second.id == first.id
        assert Counter(journal(tmp_path)) - before == Counter(["flaky 2"])


DRIVER = """
import sys
from pathlib import Path
from tests.acceptance.test_flow import EXECUTORS, STORES, params
from tests.acceptance.flow_bodies import flow
if __name__ == "__main__":
    folder = Path(sys.argv[1])
    executor = EXECUTORS[sys.argv[2]](state_store=STORES[sys.argv[3]](folder))
    run = executor.execute(flow(), params(folder, broken=-1))
    print(run["report"])
"""


@pytest.mark.parametrize("store", ["json", "sqlite"])
@pytest.mark.parametrize("executor", EXECUTORS)
def test_killed_in_the_fan_out_no_completed_element_runs_again(
    executor: str, store: str, tmp_path: Path
) -> None:
    driver = tmp_path / "driver.py"
    driver.write_text(DRIVER)
    rng = random.Random(f"{executor} {store}")
    root = Path(__file__).parents[2]
    environment = {**os.environ, "PYTHONPATH": str(root), "FLOW_PAUSE": "0.03"}
    command = [sys.executable, str(driver), str(tmp_path), executor, store]
    completed: set[tuple[str, str]] = set()
    for _ in range(4):
        child = subprocess.Popen(command, env=environment, start_new_session=True)
        wait_for_more(tmp_path, child)
        time.sleep(rng.random() * 0.05)  # the moment of the kill is the test's free choice
        os.killpg(child.pid, signal.SIGKILL)
        child.wait()
        completed |= done_by_now(tmp_path, store)
        ran_before = Counter(journal(tmp_path))
        assert_not_again(completed, ran_before, tmp_path)
    finished = subprocess.run(
        command, env=environment, capture_output=True, text=True, check=False, timeout=120
    )
    assert finished.returncode == 0, finished.stderr
    assert finished.stdout.strip() == "(150, 'none') scaled to 300"
    assert_not_again(completed, Counter(journal(tmp_path)), tmp_path)


SEEN: dict[Path, dict[str, int]] = {}
LINES = {"fetch": "fetch {}", "count_words": "count {}", "flaky": "flaky {}"}


def done_by_now(folder: Path, kind: str) -> set[tuple[str, str]]:
    """Return the elements that the store says are completed."""
    store = STORES[kind](folder)
    assert store is not None
    return {
        (record.task, record.element)
        for run in store.runs()
        for record in store.tasks(run.id)
        if record.status is TaskStatus.COMPLETED and record.element
    }


def assert_not_again(completed: set[tuple[str, str]], ran: Counter[str], folder: Path) -> None:
    """Check that what was completed has not run since it was seen to be."""
    seen = SEEN.setdefault(folder, {})
    for name, element in completed:
        line = LINES[name].format(element)
        assert ran[line] == seen.setdefault(line, ran[line]), line


def wait_for_more(folder: Path, child: subprocess.Popen[bytes]) -> None:
    """Wait until a body has run, or there is nothing left to do."""
    begun, end = len(journal(folder)), time.monotonic() + 60.0
    while len(journal(folder)) == begun and child.poll() is None:
        assert time.monotonic() < end, "no body ran in time"
        time.sleep(0.002)
