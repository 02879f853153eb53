"""Names that are imported when they are first asked for: of a module (PEP 562), of a function."""

import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any


def lazy(module: str, homes: Mapping[str, tuple[str, ...]]) -> Callable[[str], Any]:
    """Return the `__getattr__` of a module whose names live elsewhere.

    Args:
        module: Its name.
        homes: The names by the module of this package that each is from.
    """
    home_of = {name: home for home, names in homes.items() for name in names}

    def get(name: str) -> Any:
        home = home_of.get(name)
        if home is None:
            raise AttributeError(f"module {module!r} has no attribute {name!r}")
        value = getattr(import_module(f"flowweaver.{home}"), name)
        setattr(sys.modules[module], name, value)
        return value

    return get


def late(home: str, name: str) -> Callable[..., Any]:
    """Return a function that is imported when it is first called.

    It is for what a room offers and a room above it does: below, nothing is known of that room but
    where it is.

    Args:
        home: The module of this package that the function is from.
        name: The function's.
    """

    def call(*args: Any, **kwargs: Any) -> Any:
        return getattr(import_module(f"flowweaver.{home}"), name)(*args, **kwargs)

    return call
