"""Children that execute a workflow in a process of their own, until they are killed.

They are forked, which takes a moment instead of half a second: whoever forks them must have no
threads, so tests reach them through `python -m tests.faults`.
"""

from __future__ import annotations

import os
import signal
import sys
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from flowweaver import (
    AsyncExecutor,
    Executor,
    JSONStateStore,
    ProcessExecutor,
    RunLockedError,
    SequentialExecutor,
    SQLiteStateStore,
    StoreError,
    StoreWriteError,
    SupersededError,
    ThreadedExecutor,
    WorkflowFailed,
)
from flowweaver.stores.sqlite import journal
from tests.faults.victims import WORKFLOWS

LIMIT_SECONDS = 120.0
GRACE_SECONDS = 0.5

EXECUTORS: dict[str, Callable[..., Executor]] = {
    "sequential": SequentialExecutor,
    "threads": lambda **options: ThreadedExecutor(4, **options),
    "async": lambda **options: AsyncExecutor(4, **options),
    "processes": lambda **options: ProcessExecutor(2, **options),
}
STORES: dict[str, Callable[[Path], Any]] = {
    "sqlite": lambda path: SQLiteStateStore(path / "state.db"),
    "sqlite process": lambda path: SQLiteStateStore(path / "state.db", durability="process"),
    "sqlite rollback": lambda path: SQLiteStateStore(path / "state.db"),
    "json": lambda path: JSONStateStore(path / "state.json"),
    "json process": lambda path: JSONStateStore(path / "state.json", durability="process"),
}
# For whoever may meet a store that stays locked.
IMPATIENT = {"sqlite": "sqlite, impatient", "json": "json, impatient"}
_OPENERS = {
    **STORES,
    IMPATIENT["sqlite"]: lambda path: SQLiteStateStore(path / "state.db", timeout=3.0),
    IMPATIENT["json"]: lambda path: JSONStateStore(path / "state.json", timeout=3.0),
}

DONE, FAILED, UNEXPECTED, WRITE_ERROR, LOCKED, SUPERSEDED, STORE_ERROR = range(7)
INTERRUPTED = 7
KILLED = -signal.SIGKILL


@dataclass(frozen=True)
class Victim:
    """What a child executes, where, and how it is disturbed.

    `arm` is called in the child before it begins.
    """

    directory: Path
    store: str = "sqlite"
    executor: str = "sequential"
    workflow: str = "orders"
    params: dict[str, Any] = field(default_factory=dict)
    arguments: dict[str, Any] = field(default_factory=dict)
    arm: Callable[[], None] | None = None

    @property
    def journal(self) -> str:
        return str(self.directory / "journal")

    def open_store(self, directory: Path | None = None) -> Any:
        return _OPENERS[self.store](directory or self.directory / "store")

    def all_params(self) -> dict[str, Any]:
        wanted = WORKFLOWS[self.workflow].compile().parameters
        flag = str(self.directory / "flag")
        known = {"journal": self.journal, "flag": flag, "seconds": 0.002, **self.params}
        return {name: known[name] for name in wanted}


def start(victim: Victim) -> int:
    """Fork a child that executes; return its process id."""
    return fork(lambda: _execute(victim), victim.directory / "stderr")


def fork(body: Callable[[], int], stderr: Path) -> int:
    """Fork a child that ends with what `body` returns."""
    sys.stdout.flush()
    # No Ctrl-C may come before the child is ready to end by it, and not in its parent's code.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    pid = os.fork()
    if pid:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        return pid
    status = UNEXPECTED
    try:
        try:
            # Whoever runs this in the background may ignore Ctrl-C, which children inherit.
            signal.signal(signal.SIGINT, signal.default_int_handler)
            os.dup2(os.open(stderr, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600), 2)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
            status = body()
        except KeyboardInterrupt:
            status = INTERRUPTED
        except BaseException:
            traceback.print_exc()
        sys.stderr.flush()
    finally:
        os._exit(status)


def _execute(victim: Victim) -> int:
    if victim.store == "sqlite rollback":
        journal.wanted_mode = lambda path: "persist"
    store = victim.open_store()
    executor = EXECUTORS[victim.executor](state_store=store, grace=GRACE_SECONDS)
    if victim.arm is not None:
        victim.arm()
    try:
        executor.execute(WORKFLOWS[victim.workflow], victim.all_params(), **victim.arguments)
    except tuple(_CODES) as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return next(code for kind, code in _CODES.items() if isinstance(error, kind))
    finally:
        store.close()
        if isinstance(executor, ProcessExecutor):
            executor.close()
    return DONE


_CODES: dict[type[Exception], int] = {
    StoreWriteError: WRITE_ERROR,
    RunLockedError: LOCKED,
    SupersededError: SUPERSEDED,
    StoreError: STORE_ERROR,
    WorkflowFailed: FAILED,
}


def finish(pid: int, seconds: float = LIMIT_SECONDS) -> int:
    """Wait for a child; return what it ended with, or minus the signal that ended it.

    Raises:
        TimeoutError: It did not end in time (and was killed).
    """
    deadline = time.monotonic() + seconds
    while (status := poll(pid)) is None:
        if time.monotonic() > deadline:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            raise TimeoutError(f"process {pid} did not end in {seconds:g} s")
        time.sleep(0.001)
    return status


def poll(pid: int) -> int | None:
    """Return what a child ended with; None while it goes on."""
    ended, status = os.waitpid(pid, os.WNOHANG)
    return os.waitstatus_to_exitcode(status) if ended else None


def kill_after(pid: int, seconds: float) -> int:
    """Kill a child after a while, or find that it has ended; return what it ended with."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if (status := poll(pid)) is not None:
            return status
        time.sleep(0.0005)
    os.kill(pid, signal.SIGKILL)
    return finish(pid)


def run(victim: Victim) -> int:
    """Execute in a child and wait for its end."""
    return finish(start(victim))


def last_words(victim: Victim) -> str:
    """Return the end of what children of a victim's have said of errors."""
    said = victim.directory / "stderr"
    return said.read_text(errors="replace")[-600:] if said.exists() else ""


def is_alive(pid: int) -> bool:
    """Return whether a process goes on (a zombie does not)."""
    with suppress(FileNotFoundError, ProcessLookupError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False
