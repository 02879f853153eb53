"""The executor that runs bodies in warm worker processes, which can be killed."""

from __future__ import annotations

import os
import sys
import weakref
from typing import Unpack

from flowweaver.executors._workers.pool import WorkerPool
from flowweaver.executors._workers.server import DEFAULT_START_METHOD, StartMethod
from flowweaver.executors.local import check_count
from flowweaver.plugins import Backend, Call, Executor, ExecutorOptions, Host


class ProcessBackend:
    """Calls of one run in the workers of a pool."""

    def __init__(self, host: Host, pool: WorkerPool, capacity: int) -> None:
        self._session = pool.open(host.done, capacity)

    @property
    def capacity(self) -> int:
        """How many calls the workers are given at once, by what is known of how long they take."""
        return self._session.ahead

    @property
    def prefetch(self) -> bool:
        """True: calls may wait here, where a killed worker can't take them along."""
        return True

    @property
    def inline(self) -> bool:
        """False: `submit` returns at once."""
        return False

    def submit(self, call: Call) -> bool:
        """Have a call performed by the next free worker; False, as it is not over on return."""
        self._session.submit(call)
        return False

    def cancel(self, call: Call) -> None:
        """Kill the worker that performs the call, and it alone."""
        self._session.cancel(call)

    def close(self) -> None:
        """Cancel what still runs; workers stay warm for the next run."""
        self._session.close()


class ProcessExecutor(Executor):
    """Runs up to `max_workers` tasks at once, each in a worker process that can be killed.

    A body that exits, crashes, is killed or runs out of memory fails its own attempt only, and
    limits hold whatever it does. Workers are started when first needed, stay warm between tasks
    and between runs, and end after 30 s without work, with `close` (or the ``with`` block), or
    with this process, however that ends. What a body starts ends with its worker.

    Functions, arguments and results travel between processes: they must be importable there or
    picklable (by cloudpickle, so that lambdas and what a script or notebook defines are fine). A
    body finds the caller's working directory, environment variables, `sys.path` and levels of
    logging, but not its context variables or global state. What it logs goes to the handlers here.

    Args:
        max_workers: How many tasks run at once at most; one for each processor that this process
            may use if not given.
        start_method: "forkserver" (quick) forks workers from a process that has run none of your
            code; "spawn" starts a new interpreter for each.
        **options: See `Executor`.
    """

    stops_threads = True

    def __init__(
        self,
        max_workers: int | None = None,
        *,
        start_method: StartMethod = DEFAULT_START_METHOD,
        **options: Unpack[ExecutorOptions],
    ) -> None:
        super().__init__(**options)
        self.max_workers = check_count("max_workers", max_workers, _processors())
        self._pool = WorkerPool(start_method)
        weakref.finalize(self, self._pool.abandon).atexit = False

    def open_backend(self, host: Host) -> Backend:
        """Open a backend on the executor's warm workers."""
        return ProcessBackend(host, self._pool, self.max_workers)

    def close(self) -> None:
        """End the workers; the executor can be used again, and then starts others."""
        self._pool.close()


def _processors() -> int:
    if sys.platform == "linux":
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
