"""How functions, classes and tasks are pickled for another process.

What can be imported goes by reference. What is defined in `__main__`, or in a module that a worker
turned out not to find, goes by value, and is recognised when it comes back; see `identity`.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import Enum
from io import BytesIO
from operator import attrgetter
from pickle import PickleBuffer
from types import CodeType, FunctionType
from typing import Any, NamedTuple

import cloudpickle

from flowweaver.executors._workers.codes import CodeReducer
from flowweaver.executors._workers.identity import Errand, reduced
from flowweaver.executors._workers.script import MAIN, Namespace, name_in_main
from flowweaver.executors._workers.wire import Packed, beside
from flowweaver.plugins import Task, TaskOptions, keep_free_in_copies

if sys.version_info >= (3, 14):
    from annotationlib import Format, get_annotations

_registry_lock = threading.RLock()
keep_free_in_copies(_registry_lock)


class Pickler(cloudpickle.Pickler):  # type: ignore[misc]  # untyped
    """Sends tasks as functions are sent, and a function by the task that has taken its name.

    `sent` lists what went by value.
    """

    def __init__(
        self, errand: Errand, file: BytesIO, beside: Callable[[PickleBuffer], Any]
    ) -> None:
        super().__init__(file, 5, beside)
        self.sent: list[Any] = []
        self._errand = errand
        self._codes = CodeReducer()
        self._main = Namespace()

    def restart(self) -> None:
        """Forget what was pickled before."""
        self.clear_memo()
        self.sent = []
        self._codes = CodeReducer()

    def reducer_override(self, obj: Any) -> Any:
        """Return how an object is pickled, NotImplemented for pickle's own way."""
        if isinstance(obj, CodeType):
            return self._codes.reduced(obj)
        if isinstance(obj, FunctionType):
            task = found_in_place_of(obj)
            if isinstance(task, Task) and task.fn is obj and not _goes_by_value(obj.__module__):
                return attrgetter("fn"), (task,)
        elif isinstance(obj, Task):
            module = getattr(obj.fn, "__module__", None) or ""
            if _goes_by_value(module):
                return self._known(obj, (_made_again, (obj.name, obj.fn, obj.options)))
        try:
            by_value = super().reducer_override(obj)
        except Exception:
            if not isinstance(obj, FunctionType):
                raise
            by_value = super().reducer_override(_annotated_in_text(obj))
        if isinstance(by_value, tuple) and len(by_value) > 2:
            if isinstance(obj, FunctionType):
                return self._known(obj, self._with_globals(obj, by_value))
            return self._known(obj, _with_slots(obj, by_value))
        return by_value

    def _with_globals(self, fn: FunctionType, by_value: tuple[Any, ...]) -> tuple[Any, ...]:
        """Give a function of the script the globals of the worker's main module."""
        if fn.__globals__ is not vars(sys.modules[MAIN]):
            return by_value
        make, (code, _, *rest), *state = by_value
        return make, (code, self._main, *rest), *state

    def _known(self, obj: Any, by_value: tuple[Any, ...]) -> tuple[Any, ...]:
        self.sent.append(obj)
        return reduced(obj, by_value, self._errand, name_in_main(obj))


def _annotated_in_text(fn: FunctionType) -> FunctionType:
    """Return a function as it is, but for annotations that name what is nowhere to be found."""
    twin = FunctionType(fn.__code__, fn.__globals__, fn.__name__, fn.__defaults__, fn.__closure__)
    for name in ("__kwdefaults__", "__qualname__", "__module__", "__doc__"):
        setattr(twin, name, getattr(fn, name))
    twin.__dict__.update(fn.__dict__)
    if sys.version_info >= (3, 14):  # before, they were evaluated at once
        twin.__annotations__ = get_annotations(fn, format=Format.STRING)
    return twin


class MainAgainPickler(Pickler):
    """Refers to what `__main__` defines, for workers that have run it again."""

    def reducer_override(self, obj: Any) -> Any:
        """Return how an object is pickled, NotImplemented for pickle's own way."""
        named = obj.fn if isinstance(obj, Task) else obj
        if getattr(named, "__module__", None) == MAIN and isinstance(named, type | FunctionType):
            there = found_in_place_of(named)
            if there is obj:
                by_reference = NotImplemented  # pickle's own way
                return by_reference if named is obj else (_found_in_main, (named.__qualname__,))
            if isinstance(there, Task) and there.fn is obj:
                return attrgetter("fn"), (there,)
        return super().reducer_override(obj)


def dump(value: Any, errand: Errand, pickler: type[Pickler] = Pickler) -> tuple[Packed, list[Any]]:
    """Return `value` in bytes, large buffers beside them, and what of it went by value."""
    buffers: list[PickleBuffer] = []
    file = BytesIO()
    made = pickler(errand, file, buffers.append)
    made.dump(value)
    return (beside(file.getvalue()), buffers), made.sent


class Dumper:
    """Pickles one value after the other, each on its own; see `dump`."""

    __slots__ = ("_buffers", "_file", "_pickler")

    def __init__(self, errand: Errand, pickler: type[Pickler] = Pickler) -> None:
        self._buffers: list[PickleBuffer] = []
        self._file = BytesIO()
        self._pickler = pickler(errand, self._file, self._keep)

    def __call__(self, value: Any) -> Packed:
        """Return `value` in bytes, large buffers beside them."""
        file, self._buffers = self._file, []
        file.seek(0)
        file.truncate()
        try:
            self._pickler.dump(value)
            return beside(file.getvalue()), self._buffers
        finally:
            # The pickler is part of a reference cycle, which would keep its memo until collected.
            self._pickler.restart()
            self._buffers = []

    def _keep(self, buffer: PickleBuffer) -> None:
        self._buffers.append(buffer)


@contextmanager
def sent_by_value(modules: frozenset[str]) -> Iterator[None]:
    """Have cloudpickle take along what these modules define, as it does for `__main__`."""
    with _registry_lock:
        known = cloudpickle.list_registry_pickle_by_value()
        added = [sys.modules[name] for name in modules - known if name in sys.modules]
        for module in added:
            cloudpickle.register_pickle_by_value(module)
        try:
            yield
        finally:
            for module in added:
                cloudpickle.unregister_pickle_by_value(module)


def found_in_place_of(named: Any) -> Any:
    """Return what is found under the name of a function or class, None if nothing is."""
    found: Any = sys.modules.get(named.__module__)
    for part in named.__qualname__.split("."):
        found = getattr(found, part, None)
    return found


def _goes_by_value(module: str) -> bool:
    if module == MAIN:
        return True
    registered = cloudpickle.list_registry_pickle_by_value()
    return any(module == name or module.startswith(f"{name}.") for name in registered)


def _with_slots(thing: Any, by_value: tuple[Any, ...]) -> tuple[Any, ...]:
    """Let a class be made with its `__slots__`, which cloudpickle sets too late."""
    if not isinstance(thing, type) or "__slots__" not in vars(thing) or issubclass(thing, Enum):
        return by_value
    make, (kind, name, bases, names, *rest), *state = by_value
    if NamedTuple in bases:
        return by_value  # it makes its own
    slots = vars(thing)["__slots__"]
    slots = slots if isinstance(slots, str) else tuple(slots)
    return make, (kind, name, bases, {**names, "__slots__": slots}, *rest), *state


def _made_again(name: str, fn: Callable[..., Any], options: TaskOptions) -> Task[..., Any]:
    return Task.of(name, fn, options)


def _found_in_main(name: str) -> Any:
    return attrgetter(name)(sys.modules[MAIN])
