"""How facts differ, as what decides and compares is given it."""

from __future__ import annotations

from flowweaver.engine.reuse.differences import differences
from flowweaver.facts import Change, FactKind, Facts, beginning, key, partial, whole
from flowweaver.fingerprint import CodePart

PARTS = {
    "c1": (CodePart("m.f", "p1", "x = 1\n"), CodePart("m.g", "q", "y\n"), CodePart("old", "o", "")),
    "c2": (CodePart("m.f", "p2", "x = 2\n"), CodePart("m.g", "q", "y\n"), CodePart("new", "n", "")),
}


def facts(code: str | None, version: str | None = None, **more: dict[str, str]) -> Facts:
    inputs, order = (
        [f'{key(name)}"{digest}"' for name, digest in more.get(kind, {}).items()]
        for kind in ("inputs", "after")
    )
    begun = beginning(code, version, more.get("params", {}))
    return Facts(whole(begun, inputs, order, more.get("files")))


def found(before: Facts, now: Facts) -> list[Change]:
    return list(differences(before, now, lambda digest: PARTS.get(digest, ())))


def test_facts_that_are_equal_do_not_differ() -> None:
    assert found(facts("c1", inputs={"a": "1"}), facts("c1", inputs={"a": "1"})) == []


def test_code_differs_part_by_part() -> None:
    assert found(facts("c1"), facts("c2")) == [
        Change(FactKind.CODE, "m.f", "p1", "p2"),
        Change(FactKind.CODE, "new", None, "n"),
        Change(FactKind.CODE, "old", "o", None),
    ]


def test_code_of_unknown_parts_differs_as_a_whole() -> None:
    assert found(facts("x"), facts("y")) == [Change(FactKind.CODE, "", "x", "y")]


def test_version_stands_for_the_code() -> None:
    assert found(facts("c1"), facts(None, "2")) == [Change(FactKind.VERSION, "", None, "2")]


def test_what_is_taken_by_name_is_otherwise_new_or_gone() -> None:
    before = facts("c1", inputs={"a": "1", "b": "2"}, params={"p": "3"}, after={"c": "4"})
    now = facts("c1", inputs={"a": "9", "d": "5"}, params={"p": "8"}, after={"c": "4"})
    assert found(before, now) == [
        Change(FactKind.PARAMETER, "p", "3", "8"),
        Change(FactKind.INPUT, "a", "1", "9"),
        Change(FactKind.INPUT, "d", None, "5"),
        Change(FactKind.INPUT, "b", "2", None),
    ]


def test_file_that_is_not_read_any_more_is_gone() -> None:
    assert found(facts("c1", files={"f": "1"}), facts("c1")) == [
        Change(FactKind.FILE, "f", "1", None)
    ]


def test_kinds_of_which_nothing_is_known_yet_are_not_compared() -> None:
    before = facts("c1", inputs={"a": "1"}, files={"f": "1"}, params={"p": "1"})
    assert found(before, partial(beginning("c1", None, {"p": "2"}))) == [
        Change(FactKind.PARAMETER, "p", "1", "2")
    ]
