"""The executors that run bodies in this process: one by one, on threads, in an event loop.

They differ in where the runner's loop runs and in how many calls run at once, and in nothing else:
sync bodies run on worker threads (or in the caller's, one by one), coroutines in an event loop.
"""

from __future__ import annotations

import functools
import os
from typing import TYPE_CHECKING, Unpack

from flowweaver.errors import DefinitionError
from flowweaver.executors._threads import ThreadWorkers
from flowweaver.plugins import (
    Backend,
    Call,
    ExecuteArguments,
    Executor,
    ExecutorOptions,
    Host,
    Parameters,
    Run,
    Workflow,
    perform,
)

if TYPE_CHECKING:
    from flowweaver.executors._workers.pool import WorkerPool
    from flowweaver.executors._workers.session import Session


# The names of those that perform calls besides worker threads: the event loop, and the runner's own
# thread, which is the only worker then.
_LOOP = "event loop"
_RUNNER = "worker 1"


class LocalBackend:
    """Calls of one run in this process.

    Args:
        host: The runner.
        capacity: How many calls run at once.
        inline: Perform sync bodies in the runner's own thread where nothing forbids it.
        prefetch: Whether calls may wait in the workers' queue.
    """

    def __init__(self, host: Host, capacity: int, *, inline: bool, prefetch: bool) -> None:
        self._host = host
        self._capacity = capacity
        self._inline = inline
        self._coroutines = host.coroutines
        # A coroutine can't wait in a queue: it would start at once.
        self._prefetch = prefetch and not host.coroutines
        self._wait_for = host.loop.wait_for
        self._workers = ThreadWorkers(capacity, host.done, self._wait_for)
        # Opened now, so that no body runs at all where worker processes are impossible.
        self._isolated = isolation_pool().open(host.done, capacity) if host.isolated else None

    @property
    def capacity(self) -> int:
        """How many calls run at once."""
        return self._capacity

    @property
    def prefetch(self) -> bool:
        """Whether calls may wait in the workers' queue."""
        return self._prefetch

    @property
    def inline(self) -> bool:
        """Whether `submit` performs sync bodies itself."""
        return self._inline

    def submit(self, call: Call) -> bool:
        """Have the call performed in a process, the event loop, this thread or a worker thread.

        True if it is over on return, which only a call in this thread is.
        """
        options = call.task.options
        if options.isolate:
            self._isolation.submit(call)
        elif self._coroutines and call.task.signature.is_coroutine:
            call.worker = _LOOP
            self._host.loop.start(call, self._host.done)
        elif self._inline and options.timeout is options.idle_timeout is None:
            call.worker = _RUNNER
            perform(call, self._wait_for)
            return True
        else:
            self._workers.submit(call)
        return False

    def cancel(self, call: Call) -> None:
        """Give the call up: a process is killed, a coroutine cancelled, a thread left behind."""
        if call.task.options.isolate:
            self._isolation.cancel(call)
        elif call.task.signature.is_coroutine:
            call.over = True
            self._host.loop.cancel(call)
        else:
            self._workers.cancel(call)

    def close(self) -> None:
        """Let idle threads end."""
        self._workers.close()
        if self._isolated is not None:
            self._isolated.close()

    @property
    def _isolation(self) -> Session:
        """The worker processes for tasks with ``isolate=True``, shared by all runs here."""
        assert self._isolated is not None
        return self._isolated


class SequentialExecutor(Executor):
    """Runs one task at a time, in the calling thread.

    An async function runs in an event loop of the run's own; a sync function with a timeout in
    a helper thread, so that the limit holds.
    """

    def open_backend(self, host: Host) -> Backend:
        """Open a backend with one slot."""
        return LocalBackend(host, 1, inline=host.blocking, prefetch=False)


class ThreadedExecutor(Executor):
    """Runs up to `max_workers` tasks at once on threads.

    Args:
        max_workers: How many tasks run at once at most; four more than the machine has processors
            (and at most 32) if not given.
        **options: See `Executor`.
    """

    def __init__(
        self,
        max_workers: int | None = None,
        **options: Unpack[ExecutorOptions],
    ) -> None:
        super().__init__(**options)
        self.max_workers = check_count(
            "max_workers", max_workers, min(32, (os.cpu_count() or 1) + 4)
        )

    def open_backend(self, host: Host) -> Backend:
        """Open a backend with `max_workers` threads."""
        return LocalBackend(host, self.max_workers, inline=False, prefetch=True)


class AsyncExecutor(Executor):
    """Runs up to `max_concurrency` tasks at once in one event loop.

    `execute` makes a loop of its own; `execute_async` uses the running one. Sync functions run
    on threads, so that they don't block the loop.

    Args:
        max_concurrency: How many tasks run at once at most; 100 if not given.
        **options: See `Executor`.
    """

    def __init__(
        self,
        max_concurrency: int | None = None,
        **options: Unpack[ExecutorOptions],
    ) -> None:
        super().__init__(**options)
        self.max_concurrency = check_count("max_concurrency", max_concurrency, 100)

    def open_backend(self, host: Host) -> Backend:
        """Open a backend with `max_concurrency` slots."""
        return LocalBackend(host, self.max_concurrency, inline=False, prefetch=False)

    def execute(
        self,
        workflow: Workflow,
        params: Parameters = None,
        **arguments: Unpack[ExecuteArguments],
    ) -> Run:
        """Run the workflow in an event loop; see `Executor.execute`.

        Where a loop runs already (a notebook), the run's loop gets a thread of its own; awaiting
        `execute_async` there is better, as it leaves the running loop free.
        """
        from flowweaver.executors._own_loop import run_to_the_end

        return run_to_the_end(self.execute_async(workflow, params, **arguments))


@functools.cache
def isolation_pool() -> WorkerPool:
    """Return the pool of worker processes that local executors share; made when first needed."""
    from flowweaver.executors._workers.pool import WorkerPool

    return WorkerPool()


def check_count(name: str, count: int | None, default: int) -> int:
    """Return a number of workers, or the default if None is given.

    Raises:
        DefinitionError: It is no whole number from 1; the message names the argument, `name`.
    """
    if count is None:
        return default
    if not isinstance(count, int) or isinstance(count, bool) or count < 1:
        raise DefinitionError(f"{name} must be a whole number from 1, not {count!r}.")
    return count
