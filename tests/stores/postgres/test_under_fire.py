"""Cut connections and ended servers under load, with real bodies that note what they did."""

from __future__ import annotations

import signal
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from random import Random

import psycopg
import pytest

from flowweaver import RunStatus, ThreadedExecutor
from flowweaver.stores.postgres.store import PostgresStateStore
from tests.services.postgres import PostgresServer
from tests.services.proxy import COMMITS, Cut, CuttingProxy
from tests.stores.postgres.disturbing import terminate_all, through
from tests.stores.runners import workflow_of

LIMIT_SECONDS = 120.0


def run_under_fire(store: PostgresStateStore, tmp_path: Path) -> None:
    """Execute a workflow on threads; check that nothing ran twice, was changed or is missing."""
    journal, tasks = tmp_path / "journal", 60
    workflow = workflow_of(str(journal), tasks)
    executor = ThreadedExecutor(4, state_store=store)
    run = executor.execute(workflow, {"key": "k"})
    assert run.status is RunStatus.COMPLETED
    values = sorted(f"k{number}" for number in range(tasks - 1))
    assert run["total"] == values
    ran = Counter(journal.read_text().splitlines())
    assert set(ran.values()) == {1}
    assert len(ran) == tasks
    again = executor.execute(workflow, {"key": "k"})
    assert again["total"] == values
    assert Counter(journal.read_text().splitlines()) == ran
    assert store.check(deep=True) == []


def test_cuts_at_random_under_load(
    postgres_server: PostgresServer, postgres: str, tmp_path: Path
) -> None:
    random, lock = Random(65), threading.Lock()

    def rule() -> Cut | None:
        with lock:
            return random.choice([*COMMITS, None, None, None])

    with CuttingProxy(postgres_server.port, rule) as proxy:
        store = through(proxy, postgres)
        run_under_fire(store, tmp_path)
        store.close()
    assert set(proxy.cuts) == set(COMMITS)


@contextmanager
def disturbed(
    server: PostgresServer, url: str, disturb: Callable[[], object], share: float
) -> Iterator[PostgresStateStore]:
    """Give a store at whose COMMITs the server is disturbed: some while held up, some at once."""
    random = Random(66)
    with ThreadPoolExecutor(1) as pool:
        disturbances = []

        def rule() -> None:
            if random.random() < share:
                disturbances.append(pool.submit(disturb))
                if random.random() < 0.5:
                    disturbances[-1].result(LIMIT_SECONDS)

        with CuttingProxy(server.port, rule) as proxy:
            store = through(proxy, url)
            yield store
            store.close()
        for disturbance in disturbances:
            disturbance.result(LIMIT_SECONDS)
        assert len(disturbances) > 1


def test_sessions_ended_at_random_under_load(
    postgres_server: PostgresServer,
    postgres: str,
    raw: psycopg.Connection[object],
    tmp_path: Path,
) -> None:
    with disturbed(postgres_server, postgres, lambda: terminate_all(raw), 0.3) as store:
        run_under_fire(store, tmp_path)


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGQUIT], ids=["stopped", "crashed"])
def test_restarts_at_random_under_load(
    postgres_server: PostgresServer, postgres: str, tmp_path: Path, signum: int
) -> None:
    with disturbed(
        postgres_server, postgres, lambda: postgres_server.restart(signum), 0.15
    ) as store:
        run_under_fire(store, tmp_path)
