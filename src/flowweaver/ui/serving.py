"""The page served on this machine: the socket, slow clients, the start and the end."""

from __future__ import annotations

import asyncio
import secrets
import socket
from collections.abc import Callable
from typing import Any

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from flowweaver.state_store import StateStore
from flowweaver.ui.actions import Actions
from flowweaver.ui.app import Page
from flowweaver.ui.guard import Guard

HOST = "127.0.0.1"
_LARGEST_HEAD = 16 * 1024
_MOST_CONNECTIONS = 64
# Within this time a connection must have sent a request.
_HEAD_SECONDS = 10.0


class _Impatient(H11Protocol):
    """Closes connections over which no request arrives in time: slow ones must not add up."""

    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for a request."""
        super().connection_made(transport)
        self._deadline = self.loop.call_later(_HEAD_SECONDS, self._too_slow)

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no longer."""
        if self._deadline is not None:
            self._deadline.cancel()
        super().connection_lost(exc)

    def _too_slow(self) -> None:
        cycle: Any = self.cycle
        if self.transport.is_closing():
            return
        if cycle is None or cycle.more_body or cycle.response_complete:
            self.transport.abort()
        else:  # an answer is under way: a stream may take as long as it likes
            self._deadline = self.loop.call_later(_HEAD_SECONDS, self._too_slow)


class Server:
    """The page at an address of its own.

    Args:
        store: Whose runs are shown.
        store_url: The store as it was given.
        targets: The workflows that may be planned, and started if actions are allowed.
        port: The port to listen on; 0 for any free one.
        allow_actions: Whether the page may start, stop, retry and resolve.
    """

    def __init__(
        self,
        store: StateStore,
        store_url: str,
        targets: tuple[str, ...] = (),
        *,
        port: int = 0,
        allow_actions: bool = False,
    ) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            self._socket.bind((HOST, port))
        except OSError:
            self._socket.close()
            raise
        self.port: int = self._socket.getsockname()[1]
        self.token = secrets.token_urlsafe(24)
        actions = Actions(store, store_url, targets) if allow_actions else None
        self._page = Page(store, store_url, targets, actions)
        config = uvicorn.Config(
            Guard(self._page.app(), self.token, self.port),
            http=_Impatient,
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            date_header=False,
            h11_max_incomplete_event_size=_LARGEST_HEAD,
            limit_concurrency=_MOST_CONNECTIONS,
            timeout_keep_alive=5,
            timeout_graceful_shutdown=1,
        )
        self._server = uvicorn.Server(config)

    @property
    def url(self) -> str:
        """The address to open: it carries the token, which becomes a cookie."""
        return f"http://{HOST}:{self.port}/?token={self.token}"

    def run(self, ready: Callable[[], object] = lambda: None) -> None:
        """Serve until Ctrl-C, or `stop`; `ready` is called when the page can be opened."""
        asyncio.run(self._serve(ready))

    def stop(self) -> None:
        """End serving. From any thread."""
        self._server.should_exit = True

    async def _serve(self, ready: Callable[[], object]) -> None:
        watch = asyncio.create_task(self._watch(ready))
        try:
            await self._server.serve(sockets=[self._socket])
        finally:
            watch.cancel()
            self._socket.close()

    async def _watch(self, ready: Callable[[], object]) -> None:
        """Say when the page can be opened, and end the streams when it is over."""
        while not self._server.started:
            await asyncio.sleep(0.01)
        ready()
        while not self._server.should_exit:
            await asyncio.sleep(0.05)
        self._page.stopping.set()
