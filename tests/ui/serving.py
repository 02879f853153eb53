"""The page as it is served: a real server on a real socket."""

import http.client
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from flowweaver.state_store import StateStore
from flowweaver.ui.serving import Server
from tests.observers.terminal import LIMIT_SECONDS


class Served:
    """A page that is served in a thread, and ways to ask it: kindly, or byte by byte."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.port = server.port
        self.cookie = f"flowweaver_{server.port}={server.token}"

    def headers(self, **more: str | None) -> dict[str, str]:
        """Return what our own page sends; None leaves a header out."""
        plain = {"Host": f"127.0.0.1:{self.port}", "Cookie": self.cookie, **more}
        return {name.replace("_", "-"): value for name, value in plain.items() if value is not None}

    def ask(
        self, method: str, path: str, body: bytes | None = None, **headers: str | None
    ) -> tuple[int, dict[str, str], bytes]:
        """Send one request; return status, headers and body."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=LIMIT_SECONDS)
        try:
            connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
            sent = self.headers(**headers)
            if body is not None:
                sent.setdefault("Content-Type", "application/json")
                sent.setdefault("Content-Length", str(len(body)))
            for name, value in sent.items():
                connection.putheader(name, value.encode("latin-1"))
            connection.endheaders(body)
            answer = connection.getresponse()
            return answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read()
        finally:
            connection.close()

    def get(self, path: str) -> Any:
        status, _, body = self.ask("GET", path)
        assert status == 200, body
        return json.loads(body)

    def post(self, path: str, what: object) -> tuple[int, Any]:
        status, _, body = self.ask("POST", path, json.dumps(what).encode())
        return status, json.loads(body)

    def raw(self, data: bytes, *, shut: bool = False) -> bytes:
        """Send bytes as they are; return all that comes until the server closes."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=LIMIT_SECONDS) as plain:
            found = b""
            with suppress(ConnectionResetError, BrokenPipeError):
                plain.sendall(data)
                if shut:
                    plain.shutdown(socket.SHUT_WR)
                while part := plain.recv(65536):
                    found += part
            return found


@contextmanager
def serving(store: StateStore, *targets: str, **options: Any) -> Iterator[Served]:
    server = Server(store, store.url, targets, **options)
    ready = threading.Event()
    thread = threading.Thread(target=server.run, args=(ready.set,), daemon=True)
    thread.start()
    assert ready.wait(LIMIT_SECONDS)
    try:
        yield Served(server)
    finally:
        server.stop()
        thread.join(LIMIT_SECONDS)
        assert not thread.is_alive()
