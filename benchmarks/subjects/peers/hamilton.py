"""Apache Hamilton: functions of a module, wired by parameter name."""

from __future__ import annotations

import sys
from collections.abc import Callable
from itertools import count
from typing import Any

from hamilton import ad_hoc_utils, driver

from benchmarks.subjects.clock import import_milliseconds, microseconds_each

_ANY_DEPTH = 1_000_000
_numbers = count()


def _functions(size: int, *, chained: bool) -> list[Callable[..., int]]:
    sys.setrecursionlimit(_ANY_DEPTH)
    scope: dict[str, Any] = {}
    lines = ["def t0() -> int: return 0"]
    for number in range(1, size):
        before = f"t{number - 1}" if chained else ""
        signature = f"{before}: int" if chained else ""
        lines.append(f"def t{number}({signature}) -> int: return {before or 0}")
    exec("\n".join(lines), scope)
    return [scope[f"t{number}"] for number in range(size)]


def _driver(functions: list[Callable[..., int]], *, cached: bool = False) -> Any:
    name = f"measured{next(_numbers)}"  # Hamilton refuses a module's name the second time
    module = ad_hoc_utils.create_temporary_module(*functions, module_name=name)
    builder = driver.Builder().with_modules(module)
    return (builder.with_cache(path="cache") if cached else builder).build()


def define(size: int) -> float:
    """Build the driver of a chain."""
    functions = _functions(size, chained=True)
    return microseconds_each(lambda: _driver(functions), size)


def chain(size: int) -> float:
    """Ask for the last of a chain, results in memory."""
    made = _driver(_functions(size, chained=True))
    return microseconds_each(lambda: made.execute([f"t{size - 1}"]), size)


def fan(size: int) -> float:
    """Ask for functions that don't depend on each other; the default executor has no threads."""
    made = _driver(_functions(size, chained=False))
    names = [f"t{number}" for number in range(size)]
    return microseconds_each(lambda: made.execute(names), size)


def chain_cached(size: int) -> float:
    """Ask for the last of a chain, each result kept in the cache."""
    made = _driver(_functions(size, chained=True), cached=True)
    return microseconds_each(lambda: made.execute([f"t{size - 1}"]), size)


def restore(size: int) -> float:
    """Ask again, with a new driver on the same cache."""
    chain_cached(size)
    return chain_cached(size)


def import_it(size: int) -> float:
    """What a user imports, over bare Python."""
    return import_milliseconds("from hamilton import driver", size)
