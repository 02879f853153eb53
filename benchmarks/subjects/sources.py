"""Source files that are written in order to be measured."""

from __future__ import annotations

from pathlib import Path

_HEAD = """
from flowweaver import Workflow, task

LIMIT = 3


def helper(value):
    return value + LIMIT


@task
def t0():
    return 0
"""
_FUNCTION = """

@task
def t{number}(t{before}):
    total = t{before} + {number}
    return helper(total)
"""
_TAIL = """

workflow = Workflow("distinct", [globals()[f"t{{number}}"] for number in range({size})])
"""


def many_functions(size: int) -> Path:
    """Write a module with a workflow of so many tasks, each of which has a function of its own."""
    path = Path("many_functions.py")
    functions = [_FUNCTION.format(number=n, before=n - 1) for n in range(1, size)]
    path.write_text("".join([_HEAD, *functions, _TAIL.format(size=size)]))
    return path
