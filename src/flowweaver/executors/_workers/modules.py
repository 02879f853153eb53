"""Which modules were loaded anew since workers imported them."""

from __future__ import annotations

import sys
from importlib.machinery import ModuleSpec
from types import ModuleType


class ModuleWatch:
    """Tells when a module was reloaded: workers that have the older version must not be used.

    A reload gives a module another spec. Modules imported since are none of a worker's concern:
    it imports them when it needs them.
    """

    def __init__(self) -> None:
        self._specs = _loaded()

    def has_changed(self) -> bool:
        """Return whether a module was reloaded since this was last asked."""
        before, self._specs = self._specs, _loaded()
        return any(self._specs.get(name, spec) is not spec for name, spec in before.items())


def _loaded() -> dict[str, ModuleSpec | None]:
    modules = sys.modules.copy()
    return {
        name: vars(module).get("__spec__")
        for name, module in modules.items()
        if isinstance(module, ModuleType)
    }
