"""Tells where a process that is part of a Dask cluster stands now and then, for tests that hang.

Dask workers load it first. One line for each thread and each task of an event loop, the innermost
frame first: all of it fits into the little of a long log that one gets to see.
"""

from __future__ import annotations

import asyncio
import gc
import os
import sys
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any

EVERY_SECONDS = 100
_MOST_FRAMES = 7


def tell() -> None:
    """Print where all threads and all tasks of event loops are."""
    names = {thread.ident: thread.name for thread in threading.enumerate()}
    lines = [
        f"{names.get(ident, ident)}: {_places(_frames_of(frame))}"
        for ident, frame in sys._current_frames().items()
        if ident != threading.get_ident()
    ]
    for loop in [each for each in gc.get_objects() if isinstance(each, asyncio.AbstractEventLoop)]:
        lines += [f"{task.get_name()}: {_places(_awaited(task))}" for task in _tasks(loop)]
    os.write(2, "".join(f"[{os.getpid()}] {line}\n" for line in lines).encode())


def tell_until(over: threading.Event) -> None:
    """Begin to print it again and again until then."""

    def tell_often() -> None:
        while not over.wait(EVERY_SECONDS):
            tell()

    threading.Thread(target=tell_often, name="telling-where", daemon=True).start()


def _tasks(loop: asyncio.AbstractEventLoop) -> set[asyncio.Task[Any]]:
    for _ in range(10):
        try:
            return asyncio.all_tasks(loop)
        except RuntimeError:  # the loop went on meanwhile
            continue
    return set()


def _frames_of(frame: FrameType | None) -> Iterator[tuple[FrameType, int]]:
    while frame is not None:
        yield frame, frame.f_lineno
        frame = frame.f_back


def _awaited(task: asyncio.Task[Any]) -> list[tuple[FrameType, int]]:
    found = []
    coroutine: Any = task.get_coro()
    while (frame := getattr(coroutine, "cr_frame", None)) is not None:
        found.append((frame, frame.f_lineno))
        coroutine = coroutine.cr_await
    return found[::-1]


def _places(frames: Iterable[tuple[FrameType, int]]) -> str:
    places = [
        f"{Path(frame.f_code.co_filename).name}:{line} {frame.f_code.co_name}"
        for frame, line in frames
    ]
    return " < ".join(places[:_MOST_FRAMES])


def dask_setup(_: object) -> None:
    """Begin, called by Dask where this is preloaded."""
    tell_until(threading.Event())
