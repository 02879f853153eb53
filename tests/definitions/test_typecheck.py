"""Whether a value fits an annotation: "no" is said only where it is certain."""

import os
import typing
from collections import OrderedDict, UserList, deque, namedtuple
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from enum import Enum
from pathlib import Path, PurePosixPath
from typing import (
    Annotated,
    Any,
    Generic,
    Literal,
    NewType,
    Optional,
    Protocol,
    TypedDict,
    TypeVar,
    Union,
)

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowweaver import InputFile
from flowweaver.definitions.typecheck import as_asked, fits
from flowweaver.files.output import OutputFile

T = TypeVar("T")
UserId = NewType("UserId", int)
Pair = namedtuple("Pair", "left right")  # an untyped one is meant


class Colour(Enum):
    RED = 1


class Movie(TypedDict):
    title: str


class Closes(Protocol):
    def close(self) -> None: ...


@typing.runtime_checkable
class Opens(Protocol):
    def open(self) -> None: ...


class Box(Generic[T]):
    pass


class Refuses(type):
    def __instancecheck__(cls, instance: object) -> bool:
        raise RuntimeError("don't ask")


class NotToBeAsked(metaclass=Refuses):
    pass


class Ambiguous:
    """Compares as arrays do."""

    def __eq__(self, other: object) -> Any:
        return self

    def __bool__(self) -> bool:
        raise ValueError("ambiguous")

    __hash__ = None

    def __repr__(self) -> str:
        return "Ambiguous()"


@pytest.mark.parametrize(
    ("value", "annotation"),
    [
        (3, int),
        (True, int),
        (3, float),
        (3, complex),
        (3.0, complex),
        (None, None),
        (None, type(None)),
        (None, Optional[int]),  # noqa: UP045  # both spellings are written
        (3, Optional[int]),  # noqa: UP045
        (3, int | str),
        ("3", Union[int, str]),  # noqa: UP007
        ("a", Literal["a", "b"]),
        (3, Annotated[int, "metres"]),
        ([1], Annotated[list[int], "x"]),
        ([1, 2], list),
        ([1, 2], list[int]),
        ([], list[int]),
        ([1, None], list[int | None]),
        ({"a": [1]}, dict[str, list[int]]),
        ({"a": 1}, Mapping[str, int]),
        (OrderedDict(a=1), Mapping[str, int]),
        ((1, "a"), tuple[int, str]),
        ((), tuple[()]),
        ((1, 2, 3), tuple[int, ...]),
        ([1], Sequence[int]),
        (range(10**12), Sequence[int]),
        (range(3), Iterable[str]),
        (deque([1]), Iterable[int]),
        (UserList("ab"), Sequence[int]),
        ("text", Sequence[str]),
        (Pair(1, 2), tuple),
        ({1, 2}, set[int]),
        (len, Callable[[Any], int]),
        (int, type[int]),
        (3, Any),
        ("x", object),
        (Colour.RED, Colour),
        (Path(), Path),
    ],
    ids=repr,
)
def test_value_that_fits(value: object, annotation: Any) -> None:
    assert fits(value, annotation)


@pytest.mark.parametrize(
    ("value", "annotation"),
    [
        ("3", int),
        (3.0, int),
        (None, int),
        (3, None),
        (1j, float),
        (3.0, int | str),
        ("c", Literal["a", "b"]),
        (True, Literal[1]),
        (Ambiguous(), Literal["a"]),
        ("3", Annotated[int, "metres"]),
        ((1,), list[int]),
        ([1, "2"], list[int]),
        ({"a": ["1"]}, dict[str, list[int]]),
        ({1: 1}, Mapping[str, int]),
        ((1, 2), tuple[int, str]),
        ((1,), tuple[int, int]),
        ((1, "2"), tuple[int, ...]),
        ([1], Iterable[str]),
        (3, Iterable[int]),
        ("text", Path),
        (1, Colour),
        (3, Callable[[], int]),
    ],
    ids=repr,
)
def test_value_that_does_not_fit(value: object, annotation: Any) -> None:
    assert not fits(value, annotation)


@pytest.mark.parametrize(
    "annotation", [T, UserId, Movie, Closes, Opens, "int", NotToBeAsked, 3, ...], ids=repr
)
def test_what_cant_be_told_is_let_through(annotation: Any) -> None:
    assert fits(len, annotation)
    assert fits([len], list[annotation])


def test_generic_class_is_checked_by_its_origin() -> None:
    assert fits(Box(), Box[int])
    assert not fits(3, Box[int])


def test_iterator_is_not_walked() -> None:
    numbers = iter([1, 2, 3])
    assert fits(numbers, Iterable[str])
    assert fits(numbers, Iterator[str])
    assert list(numbers) == [1, 2, 3]


simple = st.sampled_from([int, str, float, bool, bytes])
annotations = st.recursive(
    simple,
    lambda inner: st.one_of(
        inner.map(lambda a: list[a]),  # type: ignore[valid-type]
        inner.map(lambda a: a | None),
        inner.map(lambda a: dict[str, a]),  # type: ignore[valid-type]
        st.tuples(inner, inner).map(lambda pair: tuple[pair]),  # type: ignore[valid-type]
    ),
    max_leaves=6,
)


@given(st.data(), annotations)
def test_values_made_for_an_annotation_fit_it(data: st.DataObject, annotation: Any) -> None:
    assert fits(data.draw(st.from_type(annotation)), annotation)


@pytest.mark.parametrize(
    ("given", "annotation", "made"),
    [
        ("a.csv", Path, Path("a.csv")),
        ("a.csv", InputFile, Path("a.csv")),
        ("a.csv", OutputFile, OutputFile("a.csv")),
        (Path("a.csv"), OutputFile, OutputFile("a.csv")),
        ("a.csv", PurePosixPath, PurePosixPath("a.csv")),
        ("a.csv", os.PathLike, Path("a.csv")),
        ("a.csv", os.PathLike[str], Path("a.csv")),
        ("a.csv", Path | None, Path("a.csv")),
        ("a.csv", InputFile | None, Path("a.csv")),
        (["a", "b"], list[InputFile], [Path("a"), Path("b")]),
        ({"a": ["b"]}, dict[str, list[Path]], {"a": [Path("b")]}),
        (("a", 1), tuple[Path, int], (Path("a"), 1)),
        (("a", "b"), tuple[Path, ...], (Path("a"), Path("b"))),
        ({"a"}, Iterable[Path], {Path("a")}),
    ],
    ids=str,
)
def test_text_is_made_a_path_where_one_is_asked_for(given, annotation, made) -> None:
    found = as_asked(given, annotation)
    assert found == made
    assert type(found) is type(made)


@pytest.mark.parametrize(
    ("given", "annotation"),
    [
        ("a.csv", str),
        ("a.csv", str | Path),
        ("a.csv", Any),
        ("", Path),
        (3, Path),
        (None, Path | None),
        ("2024-01-31", int),
        (["a"], list[str]),
        (("a", "b"), tuple[Path]),
        ([3], list[Path]),
    ],
    ids=str,
)
def test_all_else_is_left_as_it_is(given, annotation) -> None:
    assert as_asked(given, annotation) == given
    assert type(as_asked(given, annotation)) is type(given)
