"""Bodies that harm the process they run in, and some that look at it."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

from flowweaver import current_task
from flowweaver.testing.bodies import LIMIT_SECONDS, await_flag, note, notes


def exit_at_once(code: int) -> None:
    os._exit(code)


def read_null() -> None:
    ctypes.string_at(0)


def kill_itself() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def abort() -> None:
    os.abort()


def leave_by_signal() -> None:
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(LIMIT_SECONDS)


def die_until(folder: str, attempt: int) -> int:
    now = current_task().attempt
    note(folder, str(now))
    if now < attempt:
        os._exit(1)
    return now


def pid() -> int:
    return os.getpid()


def pids() -> tuple[int, int]:
    """Return the process it runs in, and the one that started that."""
    return os.getpid(), os.getppid()


def end_starter_once(folder: str, attempt: int) -> int:
    """Kill the process that starts workers, in the first attempts."""
    note(folder, f"begins {current_task().attempt}")
    if current_task().attempt <= attempt:
        os.kill(os.getppid(), signal.SIGKILL)
        time.sleep(LIMIT_SECONDS)
    return current_task().attempt


def short(x: int, folder: str) -> int:
    note(folder, f"{x} {current_task().attempt}")
    time.sleep(0.005)
    return x


class LoadKills:
    """Is loaded by a worker at the cost of the process that starts workers, so many times."""

    def __init__(self, folder: str, times: int) -> None:
        self.folder, self.times = folder, times

    def __reduce__(self) -> tuple[Any, ...]:
        return _load, (self.folder, self.times)


def _load(folder: str, times: int) -> str:
    note(folder, "loads")
    if notes(folder).count("loads") <= times:
        os.kill(os.getppid(), signal.SIGKILL)
        time.sleep(LIMIT_SECONDS)
    return "loaded"


def tell_pid(folder: str, **after: Any) -> int:
    note(folder, str(os.getpid()))
    return os.getpid()


def busy(folder: str) -> None:
    note(folder, str(os.getpid()))
    while True:
        pass


def hold_the_lock(folder: str) -> None:
    """Never let another thread of the process run."""
    note(folder, str(os.getpid()))
    sum(iter(int, 1))


def ignore_sigterm(folder: str) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    busy(folder)


def start_a_program(folder: str) -> None:
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"]) as child:
        note(folder, str(child.pid))
        child.wait()


def fork_and_return() -> str:
    if os.fork() == 0:
        return "the copy"
    return "the original"


def fork_and_die(folder: str) -> None:
    """Leave a process in a session of its own behind that holds all that was open here."""
    if os.fork() == 0:
        os.setsid()
        note(folder, str(os.getpid()))
        time.sleep(LIMIT_SECONDS)
        os._exit(0)
    while not Path(folder, "journal").exists():
        time.sleep(0.005)
    os._exit(9)


def close_all_files() -> None:
    os.closerange(0, 256)
    time.sleep(LIMIT_SECONDS)


def say(text: str, **after: Any) -> None:
    print(text)


def say_and_die(text: str) -> None:
    print(text)
    os._exit(1)


def read_input() -> str:
    return sys.stdin.read()


def surroundings(**after: Any) -> tuple[str, str | None, list[str]]:
    return str(Path.cwd()), os.environ.get("FLOWWEAVER_TEST"), sys.argv


def give_lock() -> Any:
    return threading.Lock()


class BlowsUp:
    """Comes through a pickle into one that raises."""

    def __reduce__(self) -> tuple[Any, ...]:
        return _blow_up, ()


def _blow_up() -> Any:
    raise RuntimeError("not to be unpickled")


def give_blow_up() -> Any:
    return BlowsUp()


def count_in_state(limit: int) -> int:
    state = current_task().state
    state["count"] = state.get("count", 0) + 1
    if state["count"] < limit:
        raise ConnectionError("again")
    return int(state["count"])


def beat_until_flag(folder: str) -> str:
    end = time.monotonic() + LIMIT_SECONDS
    note(folder, "beats")
    while not Path(folder, "enough.flag").exists():
        current_task().heartbeat()
        if time.monotonic() > end:
            raise TimeoutError
        time.sleep(0.005)
    return "alive"


def hang_without_a_sign(folder: str) -> None:
    await_flag(folder, "never")


def speak_from_a_late_thread(folder: str) -> None:
    """Leave a thread behind that speaks for the task when that is over."""
    task = current_task()

    def late() -> None:
        await_flag(folder, "over")
        try:
            task.state["late"] = 1
        except Exception as error:
            note(folder, f"{type(error).__name__}: {error}")

    threading.Thread(target=late, daemon=True).start()
