"""Functions, arguments and results turned into bytes for another process.

What can be imported goes by reference. What is defined in `__main__`, or in a module that a worker
turned out not to find, goes by value, so that scripts, notebooks and ``python -c`` work alike, with
or without an ``if __name__ == "__main__"`` guard. Only where that fails (a lock or a cached
function among a script's globals) is the script run again in the worker, as `multiprocessing`
would, and its functions go by reference.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from hashlib import blake2b
from io import BytesIO
from operator import attrgetter
from pathlib import Path
from pickle import PickleBuffer, loads
from types import CodeType, FunctionType
from typing import Any

import cloudpickle

from flowweaver.definitions.options import TaskOptions
from flowweaver.definitions.task import Task
from flowweaver.engine.body.call import Call
from flowweaver.errors import FlowWeaverError
from flowweaver.executors._workers.wire import Packed, beside

MAIN = "__main__"
MAIN_AGAIN = "__mp_main__"
"""What a script is called that runs again in a worker; as in `multiprocessing`."""

_registry_lock = threading.RLock()


class UnsendableError(FlowWeaverError, TypeError):
    """A function, an argument or a result can't be sent from one process to another."""


def pack(value: Any) -> Packed:
    """Return `value` in bytes for `unpack`, large buffers beside them; raises what pickling does.

    Exactly as `Packer.pack` where every module can be imported at the other end.
    """
    return _dump(_Pickler, value)


def unpack(packed: Packed) -> Any:
    """Return what was packed; raises whatever its own code raises."""
    data, buffers = packed
    return loads(data, buffers=buffers)


class Packer:
    """Packs what one run sends to its workers.

    Args:
        by_value: Modules that workers don't find, or find otherwise than they are here.
        main: Where workers run the main module from again; None if they need not.
    """

    def __init__(self, by_value: frozenset[str] = frozenset(), main: MainSource | None = None):
        self.by_value = by_value
        self.main = main

    def adapted(self, task: Task[..., Any], missing: str) -> Packer | None:
        """Return a packer that may serve where what this one packed was refused, if there is one.

        `missing` is the module that made trouble, as far as it is known.
        """
        for name in (missing, getattr(task.fn, "__module__", None) or ""):
            if name == MAIN:
                if (packer := self.with_main_again()) is not None:
                    return packer
            elif name in sys.modules and name not in self.by_value:
                return Packer(self.by_value | {name}, self.main)
        return None

    def with_main_again(self) -> Packer | None:
        """Return a packer that refers to what the main module defines, if that can be run again."""
        main = find_main()
        if self.main is not None or main is None:
            return None
        # What comes back from there calls the main module by its other name.
        sys.modules.setdefault(MAIN_AGAIN, sys.modules[MAIN])
        return Packer(self.by_value, main)

    def pack(self, value: Any) -> Packed:
        """Return `value` in bytes for `unpack`; raises what pickling raises."""
        if not self.by_value and self.main is None:
            return pack(value)
        with _sent_by_value(self.by_value):
            return _dump(_Pickler if self.main is None else _MainAgainPickler, value)

    def pack_function(self, task: Task[..., Any]) -> Packed:
        """Return what a worker needs to call a task: its function, and what judges an outcome.

        Raises:
            UnsendableError: It can't be packed; the message names the global at fault, if one is.
        """
        fn, options = task.fn, task.options
        try:
            return self.pack((fn, options.retry_on, options.when, code_mark(fn)))
        except Exception as error:
            culprit = self._culprit(_globals_of(fn))
            what = f"its global {culprit!r}" if culprit else "its function"
            raise UnsendableError(
                f"task {task.name!r} can't be sent to a worker process: {what} can't be pickled "
                f"({_text(error)}); define the task in a module that workers can import"
            ) from error

    def pack_arguments(self, call: Call) -> Packed:
        """Return the arguments of a call.

        Raises:
            UnsendableError: One of them can't be packed; the message names it.
        """
        try:
            return self.pack((call.kwargs, call.condition))
        except Exception as error:
            culprit = self._culprit({**call.kwargs, **(call.condition or {})})
            which = f"argument {culprit!r}" if culprit else "an argument"
            raise UnsendableError(
                f"{which} of task {call.name!r} can't be sent to a worker process: it can't be "
                f"pickled ({_text(error)}); pass plain data and make such things in the body"
            ) from error

    def _culprit(self, values: Mapping[str, Any]) -> str | None:
        for name, value in values.items():
            try:
                self.pack(value)
            except Exception:
                return name
        return None


class _Pickler(cloudpickle.Pickler):  # type: ignore[misc]  # untyped
    """Sends tasks as functions are sent, and functions by the tasks that have their place."""

    def reducer_override(self, obj: Any) -> Any:
        if isinstance(obj, FunctionType):
            task = _found_in_place_of(obj)
            if isinstance(task, Task) and task.fn is obj and not _goes_by_value(obj.__module__):
                return attrgetter("fn"), (task,)
        elif isinstance(obj, Task):
            module = getattr(obj.fn, "__module__", None) or ""
            if _goes_by_value(module):
                return _made_again, (obj.name, obj.fn, obj.options)
        return super().reducer_override(obj)


class _MainAgainPickler(_Pickler):
    """Refers to what `__main__` defines, for workers that have run it again."""

    def reducer_override(self, obj: Any) -> Any:
        named = obj.fn if isinstance(obj, Task) else obj
        if getattr(named, "__module__", None) == MAIN and isinstance(named, type | FunctionType):
            there = _found_in_place_of(named)
            if there is obj:
                by_reference = NotImplemented  # pickle's own way
                return by_reference if named is obj else (_found_in_main, (named.__qualname__,))
            if isinstance(there, Task) and there.fn is obj:
                return attrgetter("fn"), (there,)
        return super().reducer_override(obj)


def _made_again(name: str, fn: Callable[..., Any], options: TaskOptions) -> Task[..., Any]:
    return Task.of(name, fn, options)


def _found_in_main(name: str) -> Any:
    return attrgetter(name)(sys.modules[MAIN])


def _found_in_place_of(named: Any) -> Any:
    """Return what is found under the name of a function or class, None if nothing is."""
    found: Any = sys.modules.get(named.__module__)
    for part in named.__qualname__.split("."):
        found = getattr(found, part, None)
    return found


def _dump(pickler: type[_Pickler], value: Any) -> Packed:
    buffers: list[PickleBuffer] = []
    file = BytesIO()
    pickler(file, 5, buffers.append).dump(value)
    return beside(file.getvalue()), buffers


@contextmanager
def _sent_by_value(modules: frozenset[str]) -> Iterator[None]:
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


def _goes_by_value(module: str) -> bool:
    if module == MAIN:
        return True
    registered = cloudpickle.list_registry_pickle_by_value()
    return any(module == name or module.startswith(f"{name}.") for name in registered)


MainSource = tuple[str, str]
"""How the main module is run again: ("name", module) or ("path", file)."""


def find_main() -> MainSource | None:
    """Return where the main module came from, None if it can't be run again from there."""
    main = sys.modules[MAIN]
    name = getattr(main.__spec__, "name", None)
    if name is not None:
        # A package's `__main__` has no guard as a rule: to run it again is to run the program.
        return None if name == MAIN or name.endswith(f".{MAIN}") else ("name", name)
    path = getattr(main, "__file__", None)
    return ("path", path) if path and Path(path).is_file() else None


def code_mark(fn: Any) -> bytes:
    """Return a digest of a function's own code, the same in every process of one Python.

    It tells a module that was edited or reloaded since from the one that is meant.
    """
    code = getattr(fn, "__code__", None)
    hasher = blake2b(digest_size=16)
    if isinstance(code, CodeType):
        _feed(hasher, code)
    return hasher.digest()


def _feed(hasher: blake2b, code: CodeType) -> None:
    hasher.update(code.co_code)
    hasher.update(repr((code.co_names, code.co_varnames, code.co_freevars)).encode())
    for const in code.co_consts:
        if isinstance(const, CodeType):
            _feed(hasher, const)
        else:
            shown = sorted(map(repr, const)) if isinstance(const, frozenset) else const
            hasher.update(repr(shown).encode("utf-8", "backslashreplace"))


def _globals_of(fn: Any) -> dict[str, Any]:
    code = getattr(fn, "__code__", None)
    known = getattr(fn, "__globals__", {})
    return {name: known[name] for name in code.co_names if name in known} if code else {}


def _text(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"
