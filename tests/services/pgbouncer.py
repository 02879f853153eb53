"""A real PgBouncer in transaction mode before the tests' server."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.services.ports import free_port
from tests.services.postgres import LIMIT_SECONDS, PostgresServer, missing, spawn

# Whatever a session has set is dropped after each transaction, and connections go round.
_SETTINGS = """
[databases]
postgres = host=127.0.0.1 port={server} user=postgres
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = 3
max_client_conn = 200
server_reset_query = DISCARD ALL
server_reset_query_always = 1
server_round_robin = 1
"""


@pytest.fixture(scope="session")
def pgbouncer(postgres_server: PostgresServer) -> Iterator[int]:
    """Give the port of a pooler that runs."""
    program = shutil.which("pgbouncer", path=f"{os.environ['PATH']}:/usr/sbin:/usr/local/sbin")
    if program is None:
        missing("PgBouncer: apt-get install pgbouncer")
    port = free_port()
    folder = Path(tempfile.mkdtemp(prefix="flowweaver-pgbouncer-"))
    folder.chmod(0o755)
    settings = folder / "pgbouncer.ini"
    settings.write_text(_SETTINGS.format(server=postgres_server.port, port=port))
    with (folder / "log").open("wb") as log:
        process = spawn([program, settings], stdout=log, stderr=log)
    try:
        _await(port, process, folder / "log")
        yield port
    finally:
        process.kill()
        process.wait(LIMIT_SECONDS)
        shutil.rmtree(folder, ignore_errors=True)


def _await(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + LIMIT_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port)):
            return
        time.sleep(0.02)
    raise AssertionError(log.read_text(errors="replace"))
