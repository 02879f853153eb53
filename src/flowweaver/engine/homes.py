"""Where today what kept values name of the project is found: its classes and functions may move."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from functools import lru_cache
from importlib import import_module
from typing import Any
from weakref import ref

from flowweaver.definitions.kinds import kinds_of
from flowweaver.definitions.task import Task
from flowweaver.definitions.wiring import Wiring
from flowweaver.fingerprint import fingerprint_callable
from flowweaver.fingerprint.meanings import meaning_of
from flowweaver.fingerprint.modules import find_module
from flowweaver.main_module import MAIN, script_name
from flowweaver.serialize import Renamed

_UNLOADED = "definition "


class Homes:
    """Finds things in the modules that the tasks of a workflow reach.

    What is found there has the name and the meaning that it had when the value was kept, so never
    is a class of another meaning taken for it. Where there is none, a thing is looked for in the
    module that it was in, as pickle does; so it is once the workflow is gone, which the results of
    its last run do not hold.
    """

    def __init__(self, wiring: Wiring) -> None:
        self._wiring = ref(wiring)
        self._known: dict[int, TaskHome] = {}
        self._everywhere: dict[str, tuple[str, ...]] = {}

    def of(self, task: int) -> TaskHome:
        """Return where things are that a task's result names."""
        known = self._known.get(task)
        if known is None:
            known = self._known[task] = TaskHome(self, task)
        return known

    def reached_by(self, task: int, name: str) -> Iterator[str]:
        """Yield the modules in which a task reaches something of a name."""
        wiring = self._wiring()
        if wiring is not None:
            yield from _reached(wiring.tasks[task], name)

    def everywhere(self, name: str) -> tuple[str, ...]:
        """Return the modules in which any task reaches something of a name."""
        if name not in self._everywhere:
            wiring = self._wiring()
            samples = () if wiring is None else kinds_of(wiring).samples
            found = [module for task in samples for module in _reached(task, name)]
            self._everywhere[name] = tuple(dict.fromkeys(found))
        return self._everywhere[name]


class TaskHome:
    """Finds what the results of one task name, and notes what was elsewhere when they were kept."""

    def __init__(self, homes: Homes, task: int) -> None:
        self._homes = homes
        self._task = task
        self._found: dict[tuple[str, str, str], str] = {}
        self._moved: dict[str, set[str]] = {}

    def __call__(self, module: str, name: str, meaning: str) -> str:
        """Return the module that has something today."""
        key = module, name, meaning
        if key not in self._found:
            self._found[key] = self._find(*key)
        found = self._found[key]
        self._moved.setdefault(_loaded_as(found), set()).add(module)
        return found

    def has(self, module: str, name: str) -> bool:
        """Return whether something of a name is where it was, or anywhere that the tasks reach."""
        return _is_module(module) or bool(self._homes.everywhere(name))

    @property
    def kept_in(self) -> Renamed:
        """The modules that things have moved to, each with the one they were in."""
        pairs = [(now, *then) for now, then in self._moved.items() if len(then) == 1]
        return tuple((now, then) for now, then in pairs if now != then)

    def _find(self, module: str, name: str, meaning: str) -> str:
        everywhere = self._homes.everywhere(name)
        if module in everywhere and _means(module, name, meaning):
            return module
        reached = dict.fromkeys([*self._homes.reached_by(self._task, name), *everywhere])
        # What is loaded comes first: nothing is imported that need not be.
        ordered = sorted(reached, key=lambda each: _loaded_as(each) not in sys.modules)
        return next((each for each in ordered if _means(each, name, meaning)), module)


def _reached(task: Task[..., Any], name: str) -> Iterator[str]:
    """Yield the modules in which a task's code reaches something of a name."""
    when = task.options.when
    for fn in (task.fn,) if when is None else (task.fn, when):
        for part in fingerprint_callable(fn).parts:
            module = part.name.removeprefix(_UNLOADED).removesuffix(f".{name}")
            if len(module) < len(part.name.removeprefix(_UNLOADED)) and _is_module(module):
                yield module


@lru_cache(maxsize=1024)
def _is_module(name: str) -> bool:
    return _loaded_as(name) in sys.modules or find_module(name) is not None


def _loaded_as(module: str) -> str:
    return MAIN if module == script_name() else module


def _means(module: str, name: str, meaning: str) -> bool:
    """Whether a module that is reached has something of a name and a meaning."""
    place: Any = import_module(_loaded_as(module))
    for part in name.split("."):
        place = getattr(place, part, None)
    return meaning_of(place) == meaning
