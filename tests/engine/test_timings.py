"""What is kept of the attempts that count."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from types import FrameType
from typing import Any

from flowweaver.engine.timings import Timings


def test_each_node_has_its_last_attempt() -> None:
    timings = Timings()
    timings.note(3, 0.0, 0.5, "worker 1")
    timings.note(100_000, 7.25, 1.5, "worker 2")
    timings.note(3, 9.0, 0.0, "")
    assert timings.get(3) == (9.0, 0.0, "")
    assert timings.get(100_000) == (7.25, 1.5, "worker 2")


def test_where_no_attempt_has_ended_there_is_nothing() -> None:
    timings = Timings()
    assert timings.get(0) == (None, None, "")
    timings.note(5, 1.0, 1.0, "worker 1")
    assert timings.get(4) == timings.get(6) == timings.get(10**9) == (None, None, "")


def test_an_interrupt_at_any_line_leaves_all_of_it_or_nothing() -> None:
    for count in range(40):
        timings, lines = Timings(), iter(range(count))

        def trace(frame: FrameType, event: str, _: Any, lines: Iterator[int] = lines) -> Any:
            is_there = event == "line" and frame.f_globals["__name__"] == Timings.__module__
            if is_there and next(lines, None) is None:
                raise KeyboardInterrupt
            return trace

        before = sys.gettrace()
        sys.settrace(trace)
        try:
            timings.note(0, 1.0, 2.0, "worker 1")
        except KeyboardInterrupt:
            pass
        finally:
            sys.settrace(before)
        assert timings.get(0) in ((None, None, ""), (1.0, 2.0, "worker 1"))
        timings.note(0, 3.0, 4.0, "worker 2")
        assert timings.get(0) == (3.0, 4.0, "worker 2")


def test_none_is_an_object_for_the_garbage_collector() -> None:
    timings = Timings()
    gc.collect()
    before = len(gc.get_objects())
    for node in range(10_000):
        timings.note(node, float(node), 1.0, "worker 1")
    assert len(gc.get_objects()) - before < 100
