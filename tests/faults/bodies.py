"""Bodies that meddle with the process they run in, and runs of them for a fresh process."""

from __future__ import annotations

import ctypes
import locale
import multiprocessing
import os
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from flowweaver import Task, Workflow
from tests.faults.children import EXECUTORS, STORES
from tests.faults.kills import scratch


def forking_run(store: str, executor: str) -> dict[str, Any]:
    """Run bodies that fork, plainly and by `multiprocessing`, while the store is open."""
    with scratch() as directory:
        kept = STORES[store](directory)
        tasks = [Task("plainly", _fork_plainly), Task("pool", _fork_by_multiprocessing)]
        after = Task("after", lambda plainly, pool: [plainly, pool])
        run = EXECUTORS[executor](state_store=kept).execute(Workflow("forks", [*tasks, after]))
        value = run["after"]
        kept.close()
        return {"value": value, "wrong": STORES[store](directory).check(deep=True)}


def _fork_plainly() -> int:
    pid = os.fork()
    if not pid:
        os._exit(7)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def _fork_by_multiprocessing() -> int:
    child = multiprocessing.get_context("fork").Process(target=sys.exit, args=(7,))
    child.start()
    child.join()
    return int(child.exitcode or 0)


def _set_recursion_limit() -> None:
    sys.setrecursionlimit(120)


def _close_standard_streams() -> None:
    os.close(1)
    os.close(2)


def _change_directory() -> None:
    os.chdir("/")


def _change_umask() -> None:
    os.umask(0o777)


def _take_signals() -> None:
    with suppress(ValueError):  # a thread can't
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)


def _change_locale() -> None:
    with suppress(locale.Error):
        locale.setlocale(locale.LC_ALL, "de_DE.UTF-8")


def _print_binary() -> None:
    with suppress(OSError):
        os.write(1, bytes(range(256)) * 16)
    print("\ud800\0", file=sys.__stderr__)


def _clear_environment() -> None:
    os.environ.clear()


def _replace_streams() -> None:
    sys.stdout = sys.stderr = None  # type: ignore[assignment]


def _keep_errno() -> None:
    ctypes.set_errno(5)


MEDDLERS: dict[str, Callable[[], None]] = {
    function.__name__.strip("_"): function
    for function in (
        _set_recursion_limit, _close_standard_streams, _change_directory, _change_umask,
        _take_signals, _change_locale, _print_binary, _clear_environment, _replace_streams,
        _keep_errno,
    )
}  # fmt: skip


def meddling_run(name: str, store: str, executor: str) -> dict[str, Any]:
    """Run a body that meddles, with tasks behind it, and a second time from a store reopened."""
    answer = os.dup(1)
    with scratch() as directory:
        os.chdir(directory)
        meddle = Task("meddle", MEDDLERS[name]).with_options(version="1")
        after = Task("after", _after, depends_on=["meddle"])
        workflow = Workflow("meddled with", [meddle, after])
        # A relative path, which must mean what it meant when it was given.
        kept = STORES[store](Path("store"))
        first = EXECUTORS[executor](state_store=kept).execute(workflow)["after"]
        there = (directory / "store").is_dir()
        kept.close()
        kept = STORES[store](directory / "store")
        again = EXECUTORS[executor](state_store=kept).execute(workflow)
        origins = sorted(str(task.origin) for task in again.tasks.values())
        kept.close()
        _give_back(answer)
        return {"first": first, "there": there, "again": again["after"], "origins": origins}


def _after() -> int:
    return 1


def _give_back(answer: int) -> None:
    """Put standard output back, for the answer."""
    os.dup2(answer, 1)
    os.dup2(answer, 2)
    sys.stdout, sys.stderr = sys.__stdout__, sys.__stderr__  # type: ignore[assignment]
    sys.setrecursionlimit(1000)
