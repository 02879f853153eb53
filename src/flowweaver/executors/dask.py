"""The executor that runs bodies on a Dask cluster."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any, Unpack

from flowweaver.errors import ClusterLostError, DefinitionError
from flowweaver.executors._cluster.backend import ClusterBackend
from flowweaver.executors.local import check_count
from flowweaver.plugins import Backend, Executor, ExecutorOptions, Host

if TYPE_CHECKING:
    from distributed import Client


class DaskExecutor(Executor):
    """Runs tasks on the workers of a Dask cluster; needs the extra ``flowweaver[dask]``.

    Functions, arguments and results travel between machines: they must be importable there or
    picklable (by cloudpickle). Workers and scheduler need the same FlowWeaver and Python as the
    runner. Short bodies travel many at a time, long ones alone.

    A worker that is lost fails the attempts on it, and them only; each is run again, three times
    at most. Losing the scheduler ends the run with `ClusterLostError`. Dask itself repeats
    nothing.

    Args:
        client_or_address: A `distributed.Client`, a cluster object such as `LocalCluster`, or the
            address of a scheduler (``tcp://host:8786``); a local cluster is started if not given.
        max_in_flight: How many tasks the cluster is given at once at most; if not given, that
            depends on the number of its threads and the length of bodies.
        **options: See `Executor`.
    """

    def __init__(
        self,
        client_or_address: Any = None,
        *,
        max_in_flight: int | None = None,
        **options: Unpack[ExecutorOptions],
    ) -> None:
        super().__init__(**options)
        if max_in_flight is not None:
            check_count("max_in_flight", max_in_flight, 1)
        self.max_in_flight = max_in_flight
        self._wanted = client_or_address
        self._client: Client | None = None
        self._import()

    def open_backend(self, host: Host) -> Backend:
        """Open a backend on the cluster; connects to it if that was not done yet.

        Raises:
            ClusterLostError: There is no scheduler at the address.
        """
        from flowweaver.executors._cluster.on_dask import DaskCluster

        topic = f"flowweaver-{secrets.token_hex(8)}"
        return ClusterBackend(host, DaskCluster(self._connected(), topic), self.max_in_flight)

    def close(self) -> None:
        """Close the connection and end the local cluster, if they were made here."""
        client, self._client = self._client, None
        if client is not None and client is not self._wanted:
            client.close()

    def _connected(self) -> Client:
        if self._client is None or self._client.status in ("closed", "closing"):
            self._client = self._connect()
        return self._client

    def _connect(self) -> Client:
        from distributed import Client

        if isinstance(self._wanted, Client):
            if self._wanted.asynchronous:
                raise DefinitionError("DaskExecutor takes a Client made with asynchronous=False.")
            return self._wanted
        try:
            return Client(self._wanted, set_as_default=False)
        except OSError as error:
            raise ClusterLostError(
                f"No Dask scheduler can be reached at {self._wanted} ({error})."
            ) from error

    @staticmethod
    def _import() -> None:
        try:
            import distributed  # noqa: F401
        except ImportError as error:
            raise ImportError("DaskExecutor needs Dask: pip install 'flowweaver[dask]'") from error


def make(address: str, workers: int | None, **common: Any) -> DaskExecutor:
    """Return the executor that ``--executor dask://host:port`` asks for."""
    if not address:
        return DaskExecutor(max_in_flight=workers, **common)
    address = address if "://" in address else f"tcp://{address}"
    return DaskExecutor(address, max_in_flight=workers, **common)
