"""What every state store must do, as tests to inherit.

A store passes when a class like this one does::

    from flowweaver.testing.stores import PersistentStoreContract

    class TestMyStore(PersistentStoreContract):
        @pytest.fixture
        def make_store(self, tmp_path):
            return lambda: MyStateStore(tmp_path / "state")

Each call of `make_store` gives a store object on the same data where the store persists
(`PersistentStoreContract`), else a store of its own (`StateStoreContract`). It needs pytest.
"""

import pytest

# Before the parts are imported, so that their failed asserts show what was compared.
pytest.register_assert_rewrite("flowweaver.testing.store_parts")

from flowweaver.testing.store_parts.bases import Bases  # noqa: E402
from flowweaver.testing.store_parts.claims import Claims  # noqa: E402
from flowweaver.testing.store_parts.commits import Commits  # noqa: E402
from flowweaver.testing.store_parts.leases import Leases  # noqa: E402
from flowweaver.testing.store_parts.making import (  # noqa: E402
    FINGERPRINT,
    HOSTILE_NAMES,
    LIMIT_SECONDS,
    completed,
    finish,
    full_record,
    result_of,
)
from flowweaver.testing.store_parts.parts import Parts  # noqa: E402
from flowweaver.testing.store_parts.persistence import Persistence  # noqa: E402
from flowweaver.testing.store_parts.questions import Questions  # noqa: E402
from flowweaver.testing.store_parts.upkeep import Upkeep  # noqa: E402

__all__ = [
    "FINGERPRINT",
    "HOSTILE_NAMES",
    "LIMIT_SECONDS",
    "PersistentStoreContract",
    "StateStoreContract",
    "completed",
    "finish",
    "full_record",
    "result_of",
]


class StateStoreContract(Claims, Leases, Commits, Questions, Parts, Bases, Upkeep):
    """What every store does. Override the fixture `make_store`."""


class PersistentStoreContract(StateStoreContract, Persistence):
    """What stores do whose data outlives them: `make_store` gives stores on the same data."""
