"""Annotations are those of what is called, and each is resolved on its own."""

import functools
import sys
import textwrap
import typing
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Generic, NamedTuple, NewType, TypeVar

import pytest

from flowweaver import InputFile
from flowweaver.definitions.annotations import Unknown, annotations_of, bare, fields_of
from flowweaver.definitions.file_uses import file_uses

T = TypeVar("T")


class Counts:
    def __init__(self, size: int) -> None: ...

    def __call__(self, step: float) -> None: ...

    def method(self, other: bytes) -> None: ...


class CountsToo(Counts):
    pass


@dataclass
class Point:
    x: int


class Pair(NamedTuple):
    left: "Point"


def scale(factor: float, unit: "str" = "m") -> None: ...


@pytest.mark.parametrize(
    ("fn", "hints"),
    [
        (scale, {"factor": float, "unit": str}),
        (functools.partial(scale, 2.0), {"factor": float, "unit": str}),
        (functools.partial(functools.partial(scale, 2.0)), {"factor": float, "unit": str}),
        (Counts(1).method, {"other": bytes}),
        (Counts(1), {"step": float}),
        (CountsToo(1), {"step": float}),
        (Counts, {"size": int}),
        (Point, {"x": int}),
        (Pair, {"left": Point}),
        (functools.cache(scale), {"factor": float, "unit": str}),
        (lambda x: x, {}),
        (max, {}),
        (int, {}),
    ],
)
def test_annotations_are_those_of_what_is_called(fn: Callable[..., Any], hints: object) -> None:
    found = annotations_of(fn)
    found.pop("return", None)
    assert found == hints


def module(tmp_path: Path, name: str, source: str) -> Any:
    """Return a module of this source, imported from a file."""
    (tmp_path / f"{name}.py").write_text(textwrap.dedent(source))
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(tmp_path)
        return __import__(name)


@pytest.fixture
def postponed(tmp_path: Path, request: pytest.FixtureRequest) -> Any:
    name = f"postponed_{abs(hash(request.node.name))}"
    yield module(
        tmp_path,
        name,
        """\
        from __future__ import annotations
        import decimal
        from typing import TYPE_CHECKING, Optional

        if TYPE_CHECKING:
            import datetime as dt
            from pathlib import Path

            import no_such_module as gone
            from no_such_module import Thing
            from flowweaver import InputFile

        def wants(
            a: InputFile, b: int, c: gone.Frame, d: Path | Thing, e: list[Thing], f: dt.date,
            g: Thing[int] | None, h: Optional[gone.X], i: dict[str, InputFile], j: decimal.Decimal,
            k: 1 / 0, l: nothing(1), m: "str",
        ) -> Thing: ...

        def within():
            from flowweaver import InputFile as Source
            class Local: ...

            def inner(a: Source, b: Local, c: Unheard) -> int:
                return Local
            return inner

        class Base:
            first: InputFile

        class Kind(Base):
            second: Thing
            third: Kind
        """,
    )
    sys.modules.pop(name)


def test_annotation_that_cant_be_resolved_takes_nothing_from_the_others(postponed: Any) -> None:
    found = annotations_of(postponed.wants)
    assert found["a"] == InputFile
    assert found["b"] is int
    assert found["f"] is date
    assert found["i"] == dict[str, InputFile]
    assert found["j"].__name__ == "Decimal"
    assert {name for name, hint in found.items() if isinstance(hint, Unknown)} == {
        "c", "k", "l", "return",
    }  # fmt: skip
    assert repr(found["c"]) == "gone.Frame"
    assert found["m"] is str


def test_annotation_keeps_all_its_parts_but_the_unknown_one(postponed: Any) -> None:
    found = annotations_of(postponed.wants)
    assert typing.get_args(found["d"])[0] is Path
    assert typing.get_origin(found["e"]) is list
    assert type(None) in typing.get_args(found["g"])
    assert type(None) in typing.get_args(found["h"])


def test_names_of_enclosing_functions_are_known_as_far_as_they_are_used(postponed: Any) -> None:
    found = annotations_of(postponed.within())
    assert found["a"] == InputFile
    assert found["b"].__name__ == "Local"
    assert repr(found["c"]) == "Unheard"


def test_fields_are_those_of_a_class_and_its_bases(postponed: Any) -> None:
    found = fields_of(postponed.Kind)
    assert found["first"] == InputFile
    assert repr(found["second"]) == "Thing"
    assert found["third"] is postponed.Kind


def test_what_a_generic_class_is_annotated_with_is_known() -> None:
    class Box(Generic[T]):
        content: "list[T]"

    assert fields_of(Box) == {"content": list[T]}


def test_what_stands_behind_an_annotation_is_found() -> None:
    wrapped = Annotated[NewType("Id", Annotated[int, "positive"]), "of a user"]
    assert bare(wrapped) is int
    assert bare(list[int]) == list[int]


@pytest.mark.skipif(sys.version_info < (3, 12), reason="there is no statement `type`")
def test_alias_that_is_given_a_type_stands_for_what_it_comes_to(tmp_path: Path) -> None:
    source = """
        from flowweaver import InputFile
        type Named[T] = dict[str, T]
        type Itself[T] = T
        def read(a: Named[InputFile], b: Named[Named[int]], c: Itself[int]): ...
    """
    read = module(tmp_path, "aliased", source).read
    found = annotations_of(read)
    assert bare(found["a"]) == dict[str, InputFile]
    assert [use.parameter for use in file_uses(read)] == ["a"]
