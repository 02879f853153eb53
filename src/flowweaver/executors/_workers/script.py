"""The user's script, and the main module that stands for it in worker processes.

A worker starts with an empty main module, which fills with what is sent of the script's: functions
have their globals there, and are found there by name, as `pickle` and `multiprocessing` need it.
Where something can't be sent, the script itself is run again.
"""

from __future__ import annotations

import runpy
import sys
import threading
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Any

from flowweaver.errors import FlowWeaverError

MAIN = "__main__"
MAIN_AGAIN = "__mp_main__"
"""The name of a script that runs again in a worker, as in `multiprocessing`."""

MainSource = tuple[str, str]
"""How the main module is run again: ("name", module) or ("path", file)."""

running_main_again = threading.Event()
"""Set in a worker while it runs the user's script again for its definitions."""

_NAMES = ("__name__", "__package__", "__file__", "__path__")


class Namespace:
    """Stands for the globals of the main module in what is pickled."""

    def __reduce__(self) -> tuple[Any, ...]:
        known = vars(sys.modules[MAIN])
        return _globals_here, ({name: known[name] for name in _NAMES if name in known}, find_main())


class _StandIn(ModuleType):
    """The main module of a process that has run no script."""


def stand_in() -> None:
    """Replace the main module that started this process by one that stands for the user's."""
    sys.modules[MAIN] = _StandIn(MAIN)


def put(name: str, thing: Any) -> None:
    """Let a thing of the script be found by its name, if a module stands for the script here."""
    main = sys.modules[MAIN]
    if isinstance(main, _StandIn):
        setattr(main, name, thing)


def name_in_main(thing: Any) -> str:
    """Return the name that a thing has in the main module; "" if it has none."""
    name = getattr(thing, "__qualname__", "")
    return name if vars(sys.modules[MAIN]).get(name) is thing else ""


def find_main() -> MainSource | None:
    """Return where the main module came from, None if it can't be run again from there."""
    main = sys.modules[MAIN]
    name = getattr(main.__spec__, "name", None)
    if name is not None:
        # As a rule a package's `__main__` has no guard, so running it again runs the program.
        return None if name == MAIN or name.endswith(f".{MAIN}") else ("name", name)
    path = getattr(main, "__file__", None)
    return ("path", path) if path and Path(path).is_file() else None


def run_again(source: MainSource) -> None:
    """Make the user's script this process's main module, run under another name."""
    kind, where = source
    running_main_again.set()
    try:
        if kind == "name":
            content = runpy.run_module(where, run_name=MAIN_AGAIN, alter_sys=True)
        else:
            content = runpy.run_path(where, run_name=MAIN_AGAIN)
    except BaseException as error:
        raise FlowWeaverError(
            f"{where} could not be run again in a worker process, for what its functions need "
            f"({type(error).__name__}: {error}); move the tasks to a module that can be imported."
        ) from error
    finally:
        running_main_again.clear()
    module = ModuleType(MAIN_AGAIN)
    module.__dict__.update(content)
    sys.modules[MAIN] = sys.modules[MAIN_AGAIN] = module


def _globals_here(names: dict[str, Any], source: MainSource | None) -> dict[str, Any]:
    main = sys.modules[MAIN]
    if not isinstance(main, _StandIn):
        return dict(names)
    vars(main).update(names)
    if source is not None and source[0] == "name":
        main.__spec__ = ModuleSpec(source[1], None, origin=names.get("__file__"))
    return vars(main)
