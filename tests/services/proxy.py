"""A TCP proxy before a PostgreSQL server that cuts connections at their COMMIT."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Literal

Cut = Literal["before", "in", "after"]
"""Where a connection is cut: before its COMMIT is passed on; once it is, with no word back; or
once the answer is passed back."""

COMMITS: tuple[Cut, ...] = ("before", "in", "after")

# What a client sends for the statement COMMIT: no statement's name, then its text.
_COMMIT = b"\0COMMIT\0"
_CHUNK = 65536


class CuttingProxy:
    """Passes everything on, but cuts where `rule` says, which is asked at each COMMIT.

    While `gate` is not set, new connections are kept waiting.
    """

    def __init__(self, port: int, rule: Callable[[], Cut | None]) -> None:
        self._target = port
        self._rule = rule
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self.cuts: list[Cut] = []
        self.gate = threading.Event()
        self.gate.set()
        self._accepting = threading.Thread(target=self._accept, daemon=True)

    def __enter__(self) -> CuttingProxy:
        self._accepting.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.gate.set()
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._accepting.join(120)

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                self.gate.wait()
                _Relay(client, self._target, self._cut).start()

    def _cut(self) -> Cut | None:
        cut = self._rule()
        if cut is not None:
            self.cuts.append(cut)
        return cut


class _Relay:
    """One connection through the proxy."""

    def __init__(self, client: socket.socket, port: int, cut: Callable[[], Cut | None]) -> None:
        self._client = client
        self._port = port
        self._cut = cut
        self._due: Cut | None = None

    def start(self) -> None:
        try:
            self._server = socket.create_connection(("127.0.0.1", self._port))
        except OSError:
            self._client.close()
            return
        for relay in (self._there, self._back):
            threading.Thread(target=relay, daemon=True).start()

    def _there(self) -> None:
        seen = b""
        with suppress(OSError):
            while chunk := self._client.recv(_CHUNK):
                seen = seen[-len(_COMMIT) :] + chunk
                if _COMMIT in seen:
                    seen = b""
                    self._due = self._cut()
                if self._due == "before":
                    break
                self._server.sendall(chunk)
                if self._due == "in":
                    _close(self._client)
                    return  # the server is left to finish what it was sent
        self._close()

    def _back(self) -> None:
        with suppress(OSError):
            while chunk := self._server.recv(_CHUNK):
                due = self._due
                if due == "in":
                    continue  # no word comes back, however quick the server is
                self._client.sendall(chunk)
                if due == "after":
                    break
        self._close()

    def _close(self) -> None:
        _close(self._client)
        _close(self._server)


def _close(end: socket.socket) -> None:
    # Closing alone would not wake the thread that reads.
    with suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)
    end.close()
