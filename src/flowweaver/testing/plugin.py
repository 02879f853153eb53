"""Fixtures, which pytest finds through the entry point ``pytest11`` by way of the package.

Nothing of FlowWeaver is imported before a test asks for one of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from flowweaver.stores.sqlite.store import SQLiteStateStore
    from flowweaver.testing.clock import JumpingClock
    from flowweaver.testing.flow import Flow


@pytest.fixture
def flow_store(tmp_path: Path) -> Iterator[SQLiteStateStore]:
    """Give a store in a file of the test's own; see `flowweaver.SQLiteStateStore`."""
    from flowweaver.stores.sqlite.store import SQLiteStateStore

    # A test's machine does not lose power.
    store = SQLiteStateStore(tmp_path / "flowweaver.db", durability="process")
    yield store
    store.close()


@pytest.fixture
def flow_clock() -> JumpingClock:
    """Give a clock that jumps over waits; ``flow_clock.advance("1d")`` makes it a day later."""
    from flowweaver.testing.clock import JumpingClock

    return JumpingClock()


@pytest.fixture
def flow(flow_store: SQLiteStateStore, flow_clock: JumpingClock) -> Flow:
    """Give what runs workflows: ``flow.run(workflow, params, fakes={"fetch": [1, 2]})``."""
    from flowweaver.testing.flow import Flow

    return Flow(flow_store, flow_clock)
