"""What functions and classes say of themselves, where their annotations have no value."""

from __future__ import annotations

import functools
import inspect
import sys
import typing
from pathlib import Path
from typing import Any

import pytest

from flowweaver import SequentialExecutor, SQLiteStateStore, Task, Workflow, task
from flowweaver.definitions.annotations import annotations_of
from flowweaver.fingerprint import fingerprint_callable
from flowweaver.introspection import (
    evaluated_annotations,
    is_annotated,
    signature_of,
    written_annotations,
)

LATE = pytest.mark.skipif(sys.version_info < (3, 14), reason="annotations are evaluated at once")

SOURCE = """
from typing import TYPE_CHECKING
if TYPE_CHECKING:
    from nowhere import Frame

def load(n: int = 3) -> Frame:
    return n

def double(load: Frame) -> list[Later]:
    return [load, load]

class Counts:
    state: Frame

    def __call__(self, double: list[Later]) -> Frame:
        return len(double)

class Later:
    other: Later | None

def odd(x: "Frame" | None): ...

def enclosed(kind: type):
    def inner(x: kind, y: Frame, z: list["Later"]): ...
    return inner
"""


@pytest.fixture
def late(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return a module whose annotations name what is nowhere to be found."""
    (tmp_path / "late.py").write_text(SOURCE)
    monkeypatch.syspath_prepend(tmp_path)
    yield __import__("late")
    del sys.modules["late"]


def test_signature_and_annotations_of_what_is_annotated_or_not() -> None:
    def plain(x, y=1): ...  # type: ignore[no-untyped-def]

    assert str(signature_of(plain)) == "(x, y=1)"
    assert not is_annotated(plain)
    assert evaluated_annotations(plain) == written_annotations(plain) == {}
    assert is_annotated(signature_of)
    assert written_annotations(signature_of)["return"] == "inspect.Signature"
    assert written_annotations(len) == written_annotations(3) == {}
    assert is_annotated(functools.partial(len))  # nobody knows
    with pytest.raises(ValueError, match="no signature"):
        signature_of(type)


@LATE
def test_what_names_nothing_is_text(late: Any) -> None:
    assert list(signature_of(late.double).parameters) == ["load"]
    assert list(signature_of(late.Counts()).parameters) == ["double"]
    assert evaluated_annotations(late.double) == {"load": "Frame", "return": "list[Later]"}
    assert evaluated_annotations(late.Counts) == {"state": "Frame"}
    assert evaluated_annotations(late.Later) == {"other": late.Later | None}
    assert is_annotated(late.load)
    assert written_annotations(late.odd) == {}  # what it does with text is an error in itself


@LATE
def test_the_rest_of_an_annotation_stands(late: Any) -> None:
    found = annotations_of(late.enclosed(dict))
    assert (found["x"], found["z"]) == (dict, list[late.Later])
    assert repr(found["y"]) == "Frame"
    assert annotations_of(late.double)["return"] == list[late.Later]
    assert annotations_of(late.load)["n"] is int


@LATE
def test_tasks_whose_annotations_name_nothing_are_executed_and_restored(
    late: Any, tmp_path: Path
) -> None:
    tasks = [task(late.load), task(late.double), Task("count", late.Counts())]
    workflow = Workflow("late", tasks)
    executor = SequentialExecutor(state_store=SQLiteStateStore(tmp_path / "s.db"))
    assert executor.execute(workflow)["count"] == 2
    again = executor.execute(workflow)
    assert [each.origin.value for each in again.tasks.values() if each.origin] == ["restored"] * 3


@LATE
def test_decorated_function_says_what_its_function_says(late: Any) -> None:
    decorated = task(late.load)
    assert decorated.__annotations__ == {"n": "int", "return": "Frame"}
    late.Frame = bytes
    assert typing.get_type_hints(decorated) == {"n": int, "return": bytes}
    assert str(inspect.signature(task(late.enclosed))) == "(kind: type)"


ASKING = """
import annotationlib
from typing import Literal

class Row:
    kind: Literal["a", "b"]

class Box[T: int = bool]: ...

def first[T = int](x: T) -> T: ...

def by_attribute(): return Row.__annotate__(annotationlib.Format.VALUE)
def by_function(): return annotationlib.call_annotate_function(Row.__annotate__, 4)
def by_class(): return annotationlib.get_annotate_from_class_namespace(Row.__dict__)(1)
def of_class(): return Box.__type_params__[0].__default__
def of_function(): return first.__type_params__[0].__default__
def neither(): return Row(), Box(), first
"""


@LATE
def test_annotations_and_type_parameters_count_where_code_asks_for_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def digests(folder: str, text: str) -> dict[str, str]:
        place = tmp_path / folder
        place.mkdir()
        (place / "asking.py").write_text(text)
        with monkeypatch.context() as patch:
            patch.syspath_prepend(place)
            module = __import__("asking")
            names = [name for name in vars(module) if name.startswith(("by_", "of_", "neither"))]
            found = {name: fingerprint_callable(getattr(module, name)).digest for name in names}
            del sys.modules["asking"]
        return found

    before = digests("before", ASKING)
    edited = (
        ASKING.replace('"b"]', '"c"]').replace("= bool]", "= int]").replace("T = int", "T = str")
    )
    after = digests("after", edited)
    assert len(before) == 6
    assert {name for name in before if before[name] == after[name]} == {"neither"}
