"""Which watches are over what runs here, also in threads that a body starts or hands work to."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial, wraps
from types import FrameType
from typing import Any
from weakref import WeakKeyDictionary, ref

from flowweaver.engine.body.call import around, call_here
from flowweaver.engine.body.watch import Watch

_by_thread: WeakKeyDictionary[threading.Thread, tuple[Watch, ...]] = WeakKeyDictionary()
_here = threading.local()
_everywhere: list[Watch] = []
_starting = threading.RLock()
_LONGEST_START = 1.0  # seconds; what is done in between may itself start threads


def watch_threads() -> None:
    """Let what threads do for a body be told apart, from now on."""
    _hear_pools()
    if sys.version_info < (3, 12):
        _hear_threads()


def watch_all_here(watch: Watch) -> None:
    """Let a watch be over all that runs in this process, from now on."""
    _everywhere[:] = [watch]


def note_thread(watch: Watch, thread: threading.Thread) -> None:
    """Note that a body starts a thread."""
    _by_thread[thread] = (*_by_thread.get(thread, ()), watch)


class _Mark:
    """Is there for as long as a thread is noting something."""


def noting(note: Callable[..., None], *args: object) -> None:
    """Do what finds out what there is to note; in a thread that does so already, nothing.

    What is looked at on the way is not what the body looks at, and what goes wrong is no matter of
    the body's.
    """
    begun = getattr(_here, "noting", None)
    if begun is not None and begun() is not None:
        return
    # It goes with this frame, wherever an interrupt may fall.
    mark = _Mark()
    _here.noting = ref(mark)
    try:
        note(*args)
    except Exception:
        return
    finally:
        del mark  # a traceback that somebody keeps would keep it with the frame


def top_of(frame: FrameType) -> str:
    """Return the top-level package of the module whose code a frame executes."""
    return str(frame.f_globals.get("__name__", "")).partition(".")[0]


def tell(watches: tuple[Watch, ...], note: Callable[..., None], *args: object) -> None:
    """Let watches that are not over note something; done by what `noting` does."""
    for watch in watches:
        if not watch.is_over:
            note(watch, *args)


def watches_here() -> tuple[Watch, ...]:
    """Return the watch over the body that runs here, and those over bodies that execute its run."""
    call = call_here()
    if call is None:
        watches = getattr(_here, "watches", ()) or (_watches_of_thread() if _by_thread else ())
        return (*watches, *_everywhere) if _everywhere else watches
    found = []
    while call is not None:
        if call.watch is None:
            call.watch = Watch()
        found.append(call.watch)
        call = around(call)
    return tuple(found)


def _watches_of_thread() -> tuple[Watch, ...]:
    """Return the watches over the body that started this thread."""
    here = threading.get_ident()
    return next((found for thread, found in [*_by_thread.items()] if thread.ident == here), ())


def _hear_pools() -> None:
    """Hear of calls that threads of others make for bodies: those of a pool that stays."""
    pools: Any = ThreadPoolExecutor
    submit = pools.submit

    @wraps(submit)
    def heard(pool: ThreadPoolExecutor, fn: Callable[..., Any], /, *args: Any, **kw: Any) -> Any:
        watches = watches_here()
        return submit(pool, partial(_watched, watches, fn) if watches else fn, *args, **kw)

    pools.submit = heard


def _watched(watches: tuple[Watch, ...], fn: Callable[..., Any], *args: Any, **kw: Any) -> Any:
    before, _here.watches = getattr(_here, "watches", ()), watches
    try:
        return fn(*args, **kw)
    finally:
        _here.watches = before


def _hear_threads() -> None:
    """Hear of threads where no event tells of them: before Python 3.12."""
    threads: Any = threading.Thread
    start = threads.start

    @wraps(start)
    def heard(thread: threading.Thread) -> None:
        if watches := watches_here():
            _by_thread[thread] = watches
        if threading.gettrace() is None:
            start(thread)
        else:
            _start_alone(thread, start)

    threads.start = heard


def _start_alone(thread: threading.Thread, start: Callable[[threading.Thread], None]) -> None:
    """Start a thread, and wait until the trace function is set in it, as one at a time can be.

    See `_undisturbed`: a collection of garbage in the event of setting one gives way as well.
    """
    run, set_before, is_set = thread.run, vars(thread).get("run"), threading.Event()

    def run_set() -> None:
        is_set.set()
        run()

    with _alone():
        vars(thread)["run"] = run_set
        try:
            start(thread)
            is_set.wait(_LONGEST_START)
        finally:
            vars(thread).pop("run", None)
            if set_before is not None:
                vars(thread)["run"] = set_before


@contextmanager
def _alone() -> Iterator[None]:
    """Wait until no other thread starts one; for a while only, as an interrupt may come between."""
    global _starting  # noqa: PLW0603 - whoever keeps it that long keeps it for good
    lock = _starting
    if not lock.acquire(timeout=2 * _LONGEST_START):
        _starting = threading.RLock()
        yield
        return
    try:
        yield
    finally:
        lock.release()
