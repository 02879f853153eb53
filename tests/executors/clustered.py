"""Bodies and helpers for the tests of executors on clusters."""

from __future__ import annotations

import importlib
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from flowweaver import Event, EventKind, Executor, Task, Workflow, current_task, each
from flowweaver.testing import bodies


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def die_once(folder: str) -> str:
    if "dies" not in bodies.notes(folder):
        bodies.told(folder, "dies")
        die()
    return "survived"


def when_waiting(call: Callable[[], object]) -> Callable[[logging.LogRecord], bool]:
    """Return a filter for logs that calls something once it is said that a run waits."""

    def heard(record: logging.LogRecord) -> bool:
        if record.name == "flowweaver.waiting":
            call()
        return True

    return heard


def wait_or_give(folder: str) -> str:
    """Hang the first time, until the process is gone."""
    if Path(folder, "go.flag").exists():
        return "given"
    bodies.told(folder, "second begins")
    deadline = time.monotonic() + bodies.LIMIT_SECONDS
    while not Path(folder, "go.flag").exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    return "too late"


def kill_when_begun(event: Event, task: str, folder: str, process: subprocess.Popen[str]) -> None:
    if event.kind is EventKind.TASK_STARTED and event.task == task:
        bodies.await_note(folder, f"{task} begins")
        process.kill()
        process.wait()


def tasks_known(_: int) -> int:
    """Return how many tasks of ours the scheduler of this Dask worker has not done yet."""
    from distributed import get_client

    def unfinished(dask_scheduler: Any) -> int:
        return sum(
            task.state in ("processing", "waiting", "queued", "no-worker")
            for key, task in dask_scheduler.tasks.items()
            if str(key).startswith("flowweaver-")
        )

    return int(get_client().run_on_scheduler(unfinished))


def count_attempts() -> list[int]:
    state = current_task().state
    state["seen"] = [*state.get("seen", []), current_task().attempt]
    if len(state["seen"]) < 3:
        raise ConnectionError("again")
    return list(state["seen"])


def beat_for_a_while() -> str:
    end = time.monotonic() + 2.0
    while time.monotonic() < end:
        current_task().heartbeat()
        time.sleep(0.05)
    return "done"


@contextmanager
def scheduler_and_worker() -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Start a Dask scheduler and a worker as processes of their own."""
    command = [sys.executable, "-m", "distributed.cli.dask_scheduler"]
    scheduler = subprocess.Popen(
        [*command, "--port", "0", "--no-dashboard", "--host", "127.0.0.1"],
        stderr=subprocess.PIPE,
        text=True,
    )
    assert scheduler.stderr is not None
    address = next(line.split()[-1] for line in scheduler.stderr if "Scheduler at:" in line)
    worker = subprocess.Popen(
        [sys.executable, "-m", "distributed.cli.dask_worker", address, "--no-nanny",
         "--no-dashboard", "--nthreads", "2"],
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        yield scheduler, address
    finally:
        for process in (scheduler, worker):
            process.kill()
            process.wait()
        scheduler.stderr.close()


def large_bytes(size: int) -> bytes:
    return bytes(size)


def large_array(size: int) -> Any:
    import numpy as np

    return np.zeros(size, "u1")


def large_list(count: int) -> list[int]:
    return list(range(count))


def large_and_told(folder: str, size: int) -> bytes:
    bodies.note(folder, "made")
    bodies.note(folder, str(os.getpid()))
    return bytes(size)


def kill_who_made_it(folder: str) -> None:
    with suppress(ProcessLookupError):  # it was this very process, and this is its second attempt
        os.kill(int(bodies.notes(folder)[1]), signal.SIGKILL)


def append_and_count(values: list[int]) -> int:
    values.append(0)
    return len(values)


def is_large(value: bytes) -> bool:
    return len(value) > 1_000_000


def len_after_losing_it(folder: str, value: bytes) -> int:
    die_once(folder)
    return len(value)


def len_of(value: bytes) -> int:
    return len(value)


def alone(folder: str) -> bool:
    """Return whether no other body of this folder ran meanwhile."""
    mark = Path(folder, "busy")
    try:
        mark.mkdir()
    except FileExistsError:
        return False
    time.sleep(0.02)
    mark.rmdir()
    return True


def ray_resources() -> dict[str, float]:
    import ray

    given = ray.get_runtime_context().get_assigned_resources()
    return {str(name): float(amount) for name, amount in given.items()}


def value_from(folder: str, name: str) -> str:
    """Import a module that only a worker knows, and return its value."""
    if folder not in sys.path:
        sys.path.insert(0, folder)
    importlib.invalidate_caches()
    return str(importlib.import_module(name).VALUE)


def assert_edits_are_seen(executor: Executor, folder: Path, name: str) -> None:
    """Import a module in workers, edit it, and do so again."""
    workflow = Workflow("w", [Task("make", value_from, inputs={"folder": each("folders")})])
    path = folder / f"{name}.py"
    for number, value in enumerate(("one", "two")):
        path.write_text(f"VALUE = {value!r}")
        os.utime(path, (number, number))
        run = executor.execute(workflow, {"folders": [str(folder)] * 16, "name": name})
        assert set(run["make"]) == {value}
