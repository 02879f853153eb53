"""How two fingerprints differ, as people are told."""

from __future__ import annotations

from textwrap import dedent

from flowweaver.fingerprint import (
    CodePart,
    PartChange,
    changed_parts,
    diff_parts,
    fingerprint_callable,
)
from flowweaver.fingerprint.parts import bounded

from .conftest import Project

OLD = [CodePart("m.run", "1", "def run():\n    return f()"), CodePart("m.f", "2", "a\nb\nc\nd\ne")]
NEW = [CodePart("m.run", "1", "def run():\n    return f()"), CodePart("m.f", "3", "a\nb\nX\nd\ne")]


def test_same_parts_have_no_diff() -> None:
    assert (changed_parts(OLD, OLD), diff_parts(OLD, OLD)) == ((), "")


def test_diff_names_the_part_and_shows_the_line() -> None:
    assert diff_parts(OLD, NEW) == dedent(
        """\
        --- m.f
        +++ m.f
        @@ -2,3 +2,3 @@
         b
        -c
        +X
         d"""
    )


def test_edited_parts_come_before_added_and_removed_ones() -> None:
    old = [*OLD, CodePart("m.gone", "4", "g")]
    new = [CodePart("m.added", "5", "h"), *NEW]
    assert [change.name for change in changed_parts(old, new)] == ["m.f", "m.added", "m.gone"]


def test_added_part_is_told_from_an_edited_one() -> None:
    diff = diff_parts(OLD, [*OLD, CodePart("m.added", "5", "h")])
    assert diff.splitlines()[:2] == ["--- (not there)", "+++ m.added"]


def test_part_that_differs_in_what_is_not_shown_is_named_all_the_same() -> None:
    changes = changed_parts([CodePart("m.f", "1", "same")], [CodePart("m.f", "2", "same")])
    assert changes == (PartChange("m.f", "--- m.f\n+++ m.f\n(differs in what is not shown)"),)


def test_long_diff_is_cut() -> None:
    old, new = ([CodePart("m.f", mark, f"{mark}\n" * 50)] for mark in "ab")
    assert diff_parts(old, new, max_lines=5).splitlines()[5:] == ["... 98 more lines"]


def test_long_text_is_cut() -> None:
    assert bounded("x" * 20_010).splitlines()[1:] == ["... 10 more characters"]


def test_text_can_always_be_kept() -> None:
    assert bounded("é\ud800") == "é\\ud800"


def test_text_is_the_source_as_it_was_written_without_what_does_not_count(
    project: Project,
) -> None:
    steps = project(
        steps='''
        from functools import cache

        class A:
            """Documented."""

            @cache
            # of course
            def f(self, x: int):
                """Documented
                at length."""

                text = """
                # no comment

                """
                return x,   text  # said
        '''
    )
    texts = {part.name: part.text for part in fingerprint_callable(steps.A().f).parts}
    assert texts["steps.A.f"] == dedent(
        '''\
        @cache
        def f(self, x: int):
            text = """
            # no comment

            """
            return x,   text  # said'''
    )
