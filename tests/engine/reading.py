"""Bodies that read files in all the ways there are, and how one of them is executed."""

# ruff: noqa: PTH105, PTH109, PTH123, PTH207, PTH208 - in all the ways there are

from __future__ import annotations

import asyncio
import csv
import glob
import json
import logging
import multiprocessing
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import warnings
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

import joblib
import polars
import pyarrow.csv
import pyarrow.dataset

from flowweaver import Origin, Run, SequentialExecutor, Task, Workflow

DATA = "data.csv"


SHARED = ThreadPoolExecutor(1)
SHARED.submit(int).result()  # its thread is nobody's


def put_together() -> str:
    """Return the path as no constant of the code has it."""
    return "".join(("data", ".csv"))


def opened() -> str:
    with open("data.csv") as file:
        return file.read()


def opened_as_rows() -> list[list[str]]:
    with open(put_together(), newline="") as file:
        return list(csv.reader(file))


def opened_by_number() -> bytes:
    file = os.open(put_together(), os.O_RDONLY)
    try:
        return os.read(file, 100)
    finally:
        os.close(file)


def opened_elsewhere() -> str:
    here = Path.cwd()
    os.chdir(here.anchor)
    try:
        return (here / put_together()).read_text()
    finally:
        os.chdir(here)


def opened_in_thread() -> list[str]:
    found: list[str] = []
    thread = threading.Thread(target=lambda: found.append(Path(put_together()).read_text()))
    thread.start()
    thread.join()
    return found


def opened_in_thread_of_a_thread() -> list[str]:
    found: list[str] = []

    def start() -> None:
        found.extend(opened_in_thread())

    thread = threading.Thread(target=start)
    thread.start()
    thread.join()
    return found


def opened_in_pool() -> list[str]:
    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(text_of, [put_together()]))


def opened_in_shared_pool() -> str:
    return SHARED.submit(text_of, put_together()).result()


def text_of(path: str) -> str:
    return Path(path).read_text()


async def opened_in_coroutine() -> str:
    return await asyncio.to_thread(Path(put_together()).read_text)


async def opened_in_executor() -> str:
    return await asyncio.get_running_loop().run_in_executor(None, text_of, put_together())


def opened_in_forked_pool() -> list[str]:
    with (
        warnings.catch_warnings(action="ignore"),  # other tests have threads
        ProcessPoolExecutor(1, multiprocessing.get_context("fork")) as pool,
    ):
        return [*pool.map(text_of, [put_together()])]


def opened_in_pool_of_processes() -> list[str]:
    with (
        warnings.catch_warnings(action="ignore"),
        multiprocessing.get_context("fork").Pool(1) as pool,
    ):
        return pool.map(text_of, [put_together()])


def listed_in_forked_pool() -> list[list[str]]:
    with (
        warnings.catch_warnings(action="ignore"),
        ProcessPoolExecutor(1, multiprocessing.get_context("fork")) as pool,
    ):
        return [*pool.map(os.listdir, ["folder"])]


FORKING = [opened_in_forked_pool, opened_in_pool_of_processes] if hasattr(os, "fork") else []


def opened_in_spawned_pool() -> list[str]:
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        return [*pool.map(text_of, [put_together()])]


def opened_by_joblib() -> list[str]:
    path = str(Path.cwd() / put_together())  # its processes stay, and may work elsewhere
    return list(joblib.Parallel(n_jobs=2)(joblib.delayed(text_of)(path) for _ in "12"))


UNFORKED = [opened_in_spawned_pool, opened_by_joblib]


def linked() -> str:
    link = Path("link.csv")
    link.unlink(missing_ok=True)
    link.symlink_to(put_together())
    return link.read_text()


def _behind_python(path: str) -> int:
    """Read as a library does that is not written in Python: no event tells of it."""
    import ctypes

    libc = ctypes.CDLL(None)
    libc.fopen.restype = ctypes.c_void_p
    file = libc.fopen(os.fsencode(path), b"r")
    try:
        return int(libc.fgetc(ctypes.c_void_p(file)))
    finally:
        libc.fclose(ctypes.c_void_p(file))


def text_behind_python(path: str) -> int:
    return _behind_python(path)


def named_by_constant() -> int:
    return _behind_python(DATA)


def named_in_code() -> int:
    return _behind_python("data.csv")


def named_in_a_tuple_in_code() -> list[int]:
    return [_behind_python(name) for name in ("data.csv", "data.csv")]


class Reader:
    def __init__(self, path: str) -> None:
        self.path = path

    def __call__(self) -> int:
        return _behind_python(self.path)

    def read(self) -> int:
        return _behind_python(self.path)


def named_by_default(path: Path = Path("data.csv")) -> int:
    return _behind_python(str(path))


TABLES = {"sales": ["data.csv"]}


def named_in_table() -> int:
    return _behind_python(TABLES["sales"][0])


def named_within(config: dict[str, list[dict[str, str]]]) -> int:
    return _behind_python(config["tables"][0]["path"])


def read_by_program() -> bytes:
    reading = "import sys; print(open(sys.argv[1]).read())"
    return subprocess.check_output([sys.executable, "-c", reading, "data.csv"])


def read_by_shell() -> str:
    return subprocess.run("cat < data.csv", shell=True, capture_output=True, text=True).stdout


def joined_for_polars() -> Any:
    return polars.read_csv(Path.cwd() / put_together(), has_header=False).item()


def put_together_for_polars() -> Any:
    return polars.scan_csv(f"./{put_together()}", has_header=False).collect().item()


def handed_to_arrow() -> list[str]:
    names: list[str] = pyarrow.csv.read_csv(put_together()).column_names
    return names


def handed_as_folder() -> list[str]:
    name = "".join(("fol", "der"))
    table = pyarrow.dataset.dataset(name, format="csv").to_table()
    return sorted(table.column_names)


READERS = [
    *FORKING,
    *UNFORKED,
    joined_for_polars,
    put_together_for_polars,
    handed_to_arrow,
    opened,
    opened_as_rows,
    opened_by_number,
    opened_elsewhere,
    opened_in_thread,
    opened_in_thread_of_a_thread,
    opened_in_pool,
    opened_in_shared_pool,
    opened_in_coroutine,
    opened_in_executor,
    linked,
    named_by_constant,
    named_in_code,
    named_in_a_tuple_in_code,
    named_in_table,
    named_by_default,
    Reader("data.csv"),
    Reader("data.csv").read,
    partial(text_behind_python, path="data.csv"),
    read_by_program,
    read_by_shell,
]


def found_by_glob() -> list[str]:
    return sorted(text_of(path) for path in glob.glob("folder/*.txt"))


def found_by_path() -> list[str]:
    return sorted(path.name for path in Path("folder").glob("*.txt"))


def named_by_pattern() -> int:
    return len(_lines_behind_python("folder/*.txt"))


def _lines_behind_python(pattern: str) -> list[str]:
    """Expand a pattern as a library does that is not written in Python: no event tells of it."""
    import ctypes

    class Found(ctypes.Structure):
        _fields_ = [("count", ctypes.c_size_t), ("paths", ctypes.POINTER(ctypes.c_char_p))]

    found, room = Found(), ctypes.create_string_buffer(200)
    ctypes.memmove(room, ctypes.byref(found), ctypes.sizeof(found))
    ctypes.CDLL(None).glob(pattern.encode(), 0, None, room)
    ctypes.memmove(ctypes.byref(found), room, ctypes.sizeof(found))
    return [os.fsdecode(found.paths[at]) for at in range(found.count)]


def found_below() -> list[str]:
    return sorted(path.name for path in Path().rglob("*.txt"))


def listed() -> list[str]:
    return sorted(os.listdir("folder"))


def iterated() -> list[str]:
    return sorted(path.name for path in Path("folder").iterdir())


def walked() -> list[str]:
    return sorted(name for _, _, names in os.walk("folder") for name in names)


LISTERS = [
    *([listed_in_forked_pool] if hasattr(os, "fork") else []),
    named_by_pattern,
    found_by_glob,
    found_by_path,
    found_below,
    listed,
    iterated,
    walked,
]


def appends() -> None:
    with open("log.txt", "a") as file:
        file.write("called\n")


def counts() -> int:
    file = Path("count.txt")
    number = int(file.read_text()) + 1 if file.exists() else 1
    file.write_text(str(number))
    return number


def writes_and_reads() -> str:
    Path("made.json").write_text(json.dumps([1]))
    return Path("made.json").read_text()


def replaces_and_reads() -> str:
    Path("made.tmp").write_text("made")
    os.replace("made.tmp", "made.txt")
    return Path("made.txt").read_text()


def uses_temporary_files() -> str:
    with tempfile.TemporaryDirectory() as folder, tempfile.NamedTemporaryFile("w+") as file:
        (Path(folder) / "a").write_text("a")
        file.write("b")
        file.seek(0)
        return (Path(folder) / "a").read_text() + file.read() + "".join(os.listdir(folder))


def reads_cache() -> str:
    Path(".cache").mkdir(exist_ok=True)
    with open(".cache/hits", "a+") as file:
        file.seek(0)
        return file.read()


def makes_it_last() -> None:
    """Write a file as databases do: whole, and known to the folder."""
    Path("folder/made.tmp").write_text("made")
    os.replace("folder/made.tmp", "folder/made.txt")
    folder = os.open("folder", os.O_RDONLY)
    os.fsync(folder)
    os.close(folder)


def has_expressions() -> str:
    """Name what is no file, though it may look like one, or like a pattern."""
    return re.sub(r"a.*", "", re.sub(r".*?b", "", f"{Path.cwd()}/*/*/*/*.json"))


def names_its_code() -> str:
    return f"{Path(__file__).name} {named_module()}"


def _of_module(module: ModuleType) -> Callable[[], str]:
    return lambda: str(module.__name__)


named_module = _of_module(sys.modules[__name__])


logger = logging.Logger("tests.reading")


def logs() -> None:
    if not logger.handlers:
        logger.addHandler(logging.FileHandler("log.txt"))
    logger.info("called")


def moves_away() -> str:
    if not Path("folder/a.txt").exists():
        return ""
    text = Path("folder/a.txt").read_text()
    shutil.move("folder/a.txt", "done.txt")
    return text


def imports_late() -> int:
    sys.path.insert(0, os.getcwd())
    try:
        import late_module  # type: ignore[import-not-found]

        return int(late_module.VALUE)
    finally:
        sys.path.remove(os.getcwd())
        sys.modules.pop("late_module", None)


TRACES = [
    appends,
    counts,
    writes_and_reads,
    replaces_and_reads,
    uses_temporary_files,
    reads_cache,
    makes_it_last,
    has_expressions,
    names_its_code,
    logs,
    moves_away,
    imports_late,
]


def execute(body: Callable[..., Any], store: Any, executor: Any = SequentialExecutor) -> Run:
    return executor(state_store=store).execute(Workflow("w", [Task("t", body)]))


def reason_of(run: Run) -> str | None:
    """Why the task was executed; None if it was restored."""
    done = run.tasks["t"]
    return None if done.origin is Origin.RESTORED else str(done.reason)
