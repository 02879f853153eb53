"""Reasons: each kind has its words, and what is kept of one is read back."""

from __future__ import annotations

import pytest

from flowweaver.facts import Change, FactKind
from flowweaver.reasons import (
    Reason,
    ReasonKind,
    because,
    kind_of,
    unpacked,
    words_of,
    words_of_changes,
)

DETAILS = ("one", "two", "three")


@pytest.mark.parametrize("kind", ReasonKind)
def test_every_kind_has_words(kind: ReasonKind) -> None:
    changes = (Change(FactKind.INPUT, "a", "1", "2"),) if kind is ReasonKind.CHANGED else ()
    assert words_of(Reason(kind, DETAILS, changes))


@pytest.mark.parametrize("kind", ReasonKind)
def test_what_is_kept_of_a_reason_is_read_back(kind: ReasonKind) -> None:
    reason = because(kind, "ann@host", 'a "quoted" {brace}', "")
    assert unpacked(reason.packed()) == reason
    assert kind_of(reason.packed(), "in other words") is kind


@pytest.mark.parametrize("text", ["", "{", "7", "[]", '["unheard of"]', '{"kind": 1}', "[[]]"])
def test_cause_that_is_not_known_here_is_none(text: str) -> None:
    assert unpacked(text) is None
    assert kind_of(text, "anything") is None


def test_acceptance_is_known_by_its_words_where_an_older_version_kept_no_cause() -> None:
    assert kind_of("", "accepted by ann@host on 2026-11-20 10:00 UTC as what it was in run r1") is (
        ReasonKind.ACCEPTED
    )
    assert kind_of("", "never ran") is None


def test_details_are_taken_as_they_are() -> None:
    assert words_of(because(ReasonKind.WOULD_FAIL, "{0} {x}")) == "it would fail: {0} {x}"


def test_remarks_follow_the_reason() -> None:
    remarks = (
        because(ReasonKind.CONDITION_DECIDES, "odd"),
        because(ReasonKind.UNLESS_TWIN, "m[0]"),
    )
    assert words_of(Reason(ReasonKind.NEVER_RAN, remarks=remarks)) == (
        "never ran; its condition odd decides, unless `m[0]`, which takes the same, is done first"
    )


def test_changes_are_told_by_kind() -> None:
    changes = [
        Change(FactKind.VERSION, "", "1", "2"),
        Change(FactKind.INPUT, "a", "1", "2"),
        Change(FactKind.PARAMETER, "b", None, "2"),
        Change(FactKind.ORDER, "c", "1", None),
        Change(FactKind.FILE, "d.csv", "1", "2"),
    ]
    assert words_of_changes(changes) == [
        "version changed: '1' -> '2'",
        "input `a` changed",
        "parameter `b` is new",
        "dependency `c` is gone",
        "file `d.csv` changed",
    ]


@pytest.mark.parametrize(
    ("names", "words"),
    [
        ([""], "code changed"),
        (["a"], "code changed: a"),
        (["a", "b", "c", "d", "e"], "code changed: a, b, c and 2 more"),
    ],
)
def test_changes_of_code_are_told_as_one(names: list[str], words: str) -> None:
    assert words_of_changes(Change(FactKind.CODE, name, "1", "2") for name in names) == [words]
