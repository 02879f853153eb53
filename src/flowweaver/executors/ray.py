"""The executor that runs bodies on a Ray cluster."""

from __future__ import annotations

import logging
from typing import Any, Unpack

from flowweaver.errors import ClusterLostError
from flowweaver.executors._cluster.backend import ClusterBackend
from flowweaver.executors.local import check_count
from flowweaver.plugins import Backend, Executor, ExecutorOptions, Host


class RayExecutor(Executor):
    """Runs tasks on the workers of a Ray cluster; needs the extra ``flowweaver[ray]``.

    Functions, arguments and results travel between machines: they must be importable there or
    picklable (by cloudpickle). Workers need the same FlowWeaver and Python as the runner. Each
    body has its worker's process to itself, which is killed when a limit is over. Short bodies
    travel many at a time, long ones alone.

    A worker or node that is lost fails the attempts on it, and them only; each is run again,
    three times at most. Losing the cluster ends the run with `ClusterLostError`. Ray itself
    repeats nothing.

    Args:
        address: Where the cluster is, as `ray.init` takes it (``ray://host:10001``, ``auto``). If
            not given: the cluster this process is connected to, or a local one started for it.
        max_in_flight: How many tasks the cluster is given at once at most; if not given, that
            depends on the number of its processors and the length of bodies.
        **options: See `Executor`.
    """

    stops_threads = True

    def __init__(
        self,
        address: str | None = None,
        *,
        max_in_flight: int | None = None,
        **options: Unpack[ExecutorOptions],
    ) -> None:
        super().__init__(**options)
        if max_in_flight is not None:
            check_count("max_in_flight", max_in_flight, 1)
        self.address = address
        self.max_in_flight = max_in_flight
        self._connected = False
        try:
            import ray  # noqa: F401
        except ImportError as error:
            raise ImportError("RayExecutor needs Ray: pip install 'flowweaver[ray]'") from error

    def open_backend(self, host: Host) -> Backend:
        """Open a backend on the cluster; connects to it if that was not done yet.

        Raises:
            ClusterLostError: There is no cluster at the address.
        """
        self._connect()
        from flowweaver.executors._cluster.on_ray import RayCluster

        return ClusterBackend(host, RayCluster(), self.max_in_flight)

    def close(self) -> None:
        """Close the connection and end the local cluster, if they were made here."""
        import ray

        if self._connected:
            self._connected = False
            ray.shutdown()

    def _connect(self) -> None:
        import ray

        if ray.is_initialized():
            return
        try:
            ray.init(self.address, logging_level=logging.WARNING)
        except ConnectionError as error:
            raise ClusterLostError(
                f"No Ray cluster can be reached at {self.address} ({error})."
            ) from error
        self._connected = True


def make(address: str, workers: int | None, **common: Any) -> RayExecutor:
    """Return the executor that ``--executor ray://host:port`` asks for."""
    return RayExecutor(f"ray://{address}" if address else None, max_in_flight=workers, **common)
