"""Types between tasks: what certainly can't be is said when the workflow is made."""

from __future__ import annotations

import warnings
from collections.abc import Awaitable, Callable, Coroutine, Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, NewType, Protocol, TypedDict, TypeVar

import pytest

from flowweaver import DefinitionError, InputFile, Task, TypeClashWarning, Workflow, each, task
from flowweaver.definitions.agreement import never_fits

if TYPE_CHECKING:
    from nowhere import Missing

T = TypeVar("T")
UserId = NewType("UserId", int)


class Sized(Protocol):
    def size(self) -> int: ...


class Row(TypedDict):
    name: str


@dataclass
class Base:
    name: str


class Derived(Base):
    pass


class Promise:
    def __await__(self) -> Generator[Any, None, int]: ...


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        (Any, int), (int, Any), (object, int), (int, object), (T, int), (int, T),
        (Promise, int), (Awaitable[str], int), (Coroutine[Any, Any, str], int),
        (int, float), (bool, int), (int, complex), (bytearray, bytes),
        (int | None, int), (int, int | None), (int | str, str), (None, int | None),
        (list[int], list), (list, list[int]), (list[int], Sequence[int]),
        (list[int], Iterable[float]),
        (tuple[int, str], tuple[int, str]), (tuple[int, ...], Sequence[int]), (str, Sequence[str]),
        (dict[str, int], Mapping[str, float]), (Row, dict[str, Any]), (dict, Row),
        (Base, Derived), (Derived, Base), (Base, Sized), (Base, Callable[[], int]),
        (UserId, int), (int, UserId), (Annotated[int, "rows"], int), (int, Annotated[int, "rows"]),
        (Literal["a"], str), (str, Literal["a"]), (Literal["a", "b"], Literal["b"]),
        (str, InputFile), (str, Path), (Path, InputFile), (list[Any], list[int]),
        (type[int], int), (list[T], list[int]), ("Nowhere", int),
    ],
)  # fmt: skip
def test_what_may_fit_is_no_clash(given: Any, wanted: Any) -> None:
    assert not never_fits(given, wanted)


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        (int, str), (float, int), (str, int), (None, int), (list[int], str), (int | str, bytes),
        (list[int], list[str]), (dict[str, int], dict[int, int]), (tuple[int], tuple[int, int]),
        (list[int], tuple[int, ...]), (str, list[str]), (Base, int), (Literal["a"], Literal["b"]),
        (Literal["a"], int), (int, Path), (Row, list[str]), (UserId, str),
        (list[list[int]], list[int]),
    ],
)  # fmt: skip
def test_what_can_never_fit_is_a_clash(given: Any, wanted: Any) -> None:
    assert never_fits(given, wanted)


@task
def count() -> int:
    return 3


@task
def shout(count: str) -> str:
    return count.upper()


@task
def rows(count: int) -> list[int]:
    return list(range(count))


@task(inputs={"row": each("rows")})
def double(row: int) -> float:
    return row * 2.0


@task(inputs={"row": each("rows")})
def upper(row: str) -> str:
    return row.upper()


@task
def total(double: list[float]) -> float:
    return sum(double)


@task
def joined(double: list[str]) -> str:
    return ",".join(double)


@task
async def later() -> int:
    return 1


@task
def unresolved(later: Missing) -> None: ...


def clashing(*tasks: Task[..., Any]) -> list[str]:
    """Return what is warned of when a workflow is made of the tasks."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        Workflow("w", tasks)
    assert all(item.category is TypeClashWarning for item in caught)
    assert all(item.filename == __file__ for item in caught)
    return [str(item.message) for item in caught]


def test_a_workflow_says_what_can_not_be_when_it_is_made() -> None:
    assert clashing(count, shout) == ["Task 'shout' takes count: str, but 'count' is int."]


def test_elements_and_lists_of_mapped_tasks_are_compared() -> None:
    assert clashing(count, rows, double, total) == []
    assert clashing(count, rows, upper) == [
        "Task 'upper' takes row: str, but an element of 'rows' is int."
    ]
    assert clashing(count, rows, double, joined) == [
        "Task 'joined' takes double: list[str], but 'double' is list[float]."
    ]


def test_what_a_coroutine_function_returns_is_what_is_awaited() -> None:
    asks = task(name="asks")(_asks)
    assert clashing(later, asks) == ["Task 'asks' takes later: str, but 'later' is int."]


def _asks(later: str) -> str:
    return later


def test_names_that_mean_nothing_at_run_time_are_passed_over() -> None:
    assert clashing(later, unresolved) == []


def test_strict_types_refuse() -> None:
    with pytest.raises(DefinitionError, match="Task 'shout' takes count: str, but 'count' is int"):
        Workflow("w", [count, shout], strict_types=True)
    assert Workflow("w", [count, rows, double, total], strict_types=True)


def test_one_pair_of_functions_is_told_of_once() -> None:
    many = [shout.with_options(name=f"shout {number}") for number in range(5)]
    assert len(clashing(count, *many)) == 1
