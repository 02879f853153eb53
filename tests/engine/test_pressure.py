"""Under memory pressure depth goes first, and only then."""

from __future__ import annotations

import pytest

from flowweaver import SequentialExecutor, Task, Workflow
from flowweaver.engine.pressure import Pressure, weight_of


def load(size: int) -> bytes:
    return bytes(size)


def measure(loaded: bytes) -> int:
    return len(loaded)


def chains(count: int) -> Workflow:
    """Return chains of two tasks: the first holds memory, the second lets it go."""
    made = Workflow("chains")
    for number in range(count):
        made.add_task(Task(f"load{number}", load))
        made.add_task(Task(f"measure{number}", measure), inputs={"loaded": f"load{number}"})
    return made


def order_of(workflow: Workflow, **arguments: object) -> list[str]:
    """Return the tasks' names in the order they started."""
    run = SequentialExecutor().execute(workflow, {"size": 1000}, **arguments)  # type: ignore[arg-type]
    started = {name: item.started_at for name, item in run.tasks.items()}
    return sorted(started, key=lambda name: (started[name], name))


class TestOrder:
    def test_without_a_limit_the_first_come_is_first_served(self) -> None:
        assert order_of(chains(3))[:3] == ["load0", "load1", "load2"]

    def test_over_the_limit_what_lets_go_of_results_goes_first(self) -> None:
        order = order_of(chains(6), memory_limit=2500)
        behind = 0
        for name in order:
            behind += 1 if name.startswith("load") else -1
            assert behind <= 3

    def test_below_the_limit_nothing_changes(self) -> None:
        assert order_of(chains(3), memory_limit="1MB") == order_of(chains(3))


class TestPressure:
    def test_is_on_while_more_is_held_than_allowed(self) -> None:
        pressure = Pressure(chains(2).compile(), 1500)
        assert not pressure.hold(0, bytes(1000))
        assert pressure.hold(2, bytes(1000))
        assert pressure.is_on
        assert pressure.drop(0)
        assert not pressure.is_on

    def test_ranks_grow_with_depth(self) -> None:
        assert Pressure(chains(1).compile(), 1).ranks == [1.0, 2.0]


class TestWeight:
    def test_containers_weigh_what_is_in_them(self) -> None:
        assert weight_of({"a": [bytes(10_000), bytes(10_000)]}) > 20_000

    def test_arrays_weigh_their_bytes(self) -> None:
        np = pytest.importorskip("numpy")
        assert weight_of(np.zeros(1000)) == 8000
