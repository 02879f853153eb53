"""Help for tests: of workflows, and of plug-ins.

- `asserts`: assertions on how a run's tasks came out, which say why they fail.
- `clock`: a clock that jumps over waits.
- `flow`: runs workflows with fakes, in a store of their own, without waiting.
- `plugin`: these as fixtures, which pytest finds by itself.
- `stores`, `executors`: conformance kits: what every store and executor must do, as test classes.

Each is imported only when it is asked for, and only the plugin and the kits need pytest.
"""

from typing import TYPE_CHECKING

from flowweaver.lazy import lazy

if TYPE_CHECKING:
    from flowweaver.testing.asserts import assert_executed, assert_overridden, assert_restored
    from flowweaver.testing.clock import JumpingClock
    from flowweaver.testing.flow import Flow
else:
    __getattr__ = lazy(
        __name__,
        {
            "testing.asserts": ("assert_executed", "assert_overridden", "assert_restored"),
            "testing.clock": ("JumpingClock",),
            "testing.flow": ("Flow",),
        },
    )

# The entry point leads pytest to this package; the fixtures are in a module of their own.
pytest_plugins = ("flowweaver.testing.plugin",)

__all__ = ["Flow", "JumpingClock", "assert_executed", "assert_overridden", "assert_restored"]
