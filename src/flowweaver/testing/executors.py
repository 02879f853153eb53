"""The conformance kit for executors: what every executor must do, whatever it runs tasks on.

An executor is done when its tests are green::

    from flowweaver.testing.executors import ExecutorContract

    class TestMyExecutor(ExecutorContract):
        slots = 4
        shares_memory = False

        def make_executor(self, state_store=None, **options):
            return MyExecutor(workers=4, state_store=state_store, **options)

It needs pytest. Bodies are importable functions that tell what they do through files, so an
executor may run them in any process that sees the same file system.
"""

import pytest

# Before the parts are imported, so that their failed asserts show what was compared.
pytest.register_assert_rewrite("flowweaver.testing.executor_parts")

from flowweaver.testing.executor_parts.calling import Calling  # noqa: E402
from flowweaver.testing.executor_parts.failing import Failing  # noqa: E402
from flowweaver.testing.executor_parts.limits import Limits  # noqa: E402
from flowweaver.testing.executor_parts.ordering import Ordering  # noqa: E402
from flowweaver.testing.executor_parts.resuming import Resuming  # noqa: E402
from flowweaver.testing.executor_parts.retrying import Retrying  # noqa: E402
from flowweaver.testing.executor_parts.stopping import Stopping  # noqa: E402
from flowweaver.testing.executor_parts.watching import Watching  # noqa: E402


class ExecutorContract(Calling, Ordering, Retrying, Failing, Limits, Watching, Stopping, Resuming):
    """Every promise of an executor, as a test class to inherit.

    A subclass says how its executor is made, by `make_executor`, and by the attributes what that
    executor can do. Tests of what it can't do are left out of the subclass.

    Attributes:
        slots: How many bodies the executor made by `make_executor` runs at once.
        many: How many short tasks are many for it.
        stops_bodies: Whether a sync body that is over its limit is really stopped.
        shares_memory: Whether bodies run in this process.
        gives_up_bodies: Whether a sync body that has no limit can be left behind.
    """


__all__ = ["ExecutorContract"]
