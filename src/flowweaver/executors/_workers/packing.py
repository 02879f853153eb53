"""Functions, arguments and results turned into bytes for another process.

What a script defines goes by value (see `pickler`), so that scripts, notebooks and ``python -c``
work alike, with or without an ``if __name__ == "__main__"`` guard. Only where that fails (a lock or
a cached function among a script's globals) is the script run again in the worker, as
`multiprocessing` would, and its functions go by reference.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from hashlib import blake2b
from pickle import loads
from types import CodeType
from typing import Any

from flowweaver.errors import FlowWeaverError
from flowweaver.executors._workers.identity import Errand
from flowweaver.executors._workers.pickler import (
    Dumper,
    MainAgainPickler,
    Pickler,
    dump,
    sent_by_value,
)
from flowweaver.executors._workers.script import MAIN, MAIN_AGAIN, MainSource, find_main
from flowweaver.executors._workers.wire import Packed
from flowweaver.plugins import NO_OPTIONS, Call, Task, TaskOptions


class UnsendableError(FlowWeaverError, TypeError):
    """A function, an argument or a result can't be sent from one process to another."""


def pack(value: Any, errand: Errand = Errand.REPLY) -> Packed:
    """Return `value` in bytes for `unpack`, large buffers apart; raises what pickling raises."""
    return dump(value, errand)[0]


def unpack(packed: Packed) -> Any:
    """Return what was packed; raises whatever its own code raises."""
    data, buffers = packed
    return loads(data, buffers=buffers)


class Packer:
    """Packs what one run sends to its workers.

    Args:
        by_value: Modules that workers don't find, or find in another version.
        main: Where workers run the main module from again; None if they need not.
    """

    def __init__(self, by_value: frozenset[str] = frozenset(), main: MainSource | None = None):
        self.by_value = by_value
        self.main = main

    def adapted(self, task: Task[..., Any], missing: str) -> Packer | None:
        """Return a packer to try after a worker has refused what this one packed, or None.

        `missing` is the module at fault; "" if that is not known.
        """
        for name in (missing, getattr(task.fn, "__module__", None) or ""):
            if name == MAIN:
                if (packer := self.with_main_again()) is not None:
                    return packer
            elif name in sys.modules and name not in self.by_value:
                return Packer(self.by_value | {name}, self.main)
        return None

    def with_main_again(self) -> Packer | None:
        """Return a packer that sends the main module's definitions by name, if it can be rerun."""
        main = find_main()
        if self.main is not None or main is None:
            return None
        # Replies from such workers call the main module by its other name.
        sys.modules.setdefault(MAIN_AGAIN, sys.modules[MAIN])
        return Packer(self.by_value, main)

    def pack(self, value: Any) -> Packed:
        """Return an argument in bytes for `unpack`; raises what pickling raises."""
        return self._dump(value, Errand.ARGUMENTS)[0]

    def pack_function(self, task: Task[..., Any]) -> tuple[Packed, list[Any]]:
        """Return what a worker needs to call a task: its function and the options that count there.

        The second item is what was sent by value: replies refer to it, so keep it until they came.

        Raises:
            UnsendableError: It can't be packed; the message names the global at fault, if one is.
        """
        fn = task.fn
        try:
            return self._dump((fn, code_mark(fn), *options_sent(task)), Errand.FUNCTION)
        except Exception as error:
            culprit = self._culprit(_globals_of(fn))
            what = f"its global {culprit!r}" if culprit else "its function"
            raise UnsendableError(
                f"Task {task.name!r} can't be sent to a worker process: {what} can't be pickled "
                f"({_text(error)}); define the task in a module that workers can import."
            ) from error

    def pack_arguments(self, call: Call) -> Packed:
        """Return the arguments of a call.

        Raises:
            UnsendableError: One of them can't be packed; the message names it.
        """
        with self.packing_arguments() as pack:
            return pack(call)

    @contextmanager
    def packing_arguments(self) -> Iterator[Callable[[Call], Packed]]:
        """Give a function that packs the arguments of one call after the other."""
        with sent_by_value(self.by_value) if self.by_value else nullcontext():
            pack = Dumper(Errand.ARGUMENTS, self._pickler)
            yield lambda call: self._pack_arguments(call, pack)

    def _pack_arguments(self, call: Call, dump: Dumper) -> Packed:
        try:
            return dump((call.kwargs, call.condition))
        except Exception as error:
            culprit = self._culprit({**call.kwargs, **(call.condition or {})})
            which = f"Argument {culprit!r}" if culprit else "An argument"
            raise UnsendableError(
                f"{which} of task {call.name!r} can't be sent to a worker process: it can't be "
                f"pickled ({_text(error)}); pass plain data and make such things in the body."
            ) from error

    def _dump(self, value: Any, errand: Errand) -> tuple[Packed, list[Any]]:
        with sent_by_value(self.by_value) if self.by_value else nullcontext():
            return dump(value, errand, self._pickler)

    @property
    def _pickler(self) -> type[Pickler]:
        return Pickler if self.main is None else MainAgainPickler

    def _culprit(self, values: Mapping[str, Any]) -> str | None:
        for name, value in values.items():
            try:
                self.pack(value)
            except Exception:
                return name
        return None


def options_sent(task: Task[..., Any]) -> tuple[Any, ...]:
    """Return the options that the outcome of a task is judged by where it is called."""
    options = task.options
    return options.retry_on, options.backoff, options.when, options.outputs


def with_options(retry_on: Any, backoff: Any, when: Any, outputs: Any) -> TaskOptions:
    """Return the options made of what `options_sent` returned."""
    return replace(NO_OPTIONS, retry_on=retry_on, backoff=backoff, when=when, outputs=outputs)


def made_of(task: Task[..., Any]) -> tuple[int, ...]:
    """Return a key of what is packed of a task, the same for tasks that share it.

    It is made of ids, so it holds only as long as the tasks are kept.
    """
    return (id(task.fn), *map(id, options_sent(task)))


def code_mark(fn: Any) -> bytes:
    """Return a digest of a function's own code, the same in every process of one Python version.

    By it a worker notices that it has loaded another version of the function's module.
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
