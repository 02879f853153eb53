"""Third-party modules, imported only where a user's values need them."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Any

from flowweaver.errors import UndecodableError


def is_exactly(kind: type, module: str, *names: str) -> bool:
    """Return whether `kind` is one of these classes of `module`, without importing it."""
    loaded = sys.modules.get(module)
    return loaded is not None and any(kind is getattr(loaded, name, None) for name in names)


def need(module: str) -> Any:
    """Return the module that a stored value is made with.

    Raises:
        UndecodableError: it isn't installed here.
    """
    try:
        return import_module(module)
    except ImportError as error:
        raise UndecodableError(
            f"The result was made with {module}, which can't be imported here ({error}); "
            f"install {module.partition('.')[0]} to read it."
        ) from error
