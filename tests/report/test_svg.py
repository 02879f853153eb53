"""Graphs as SVG."""

from xml.etree import ElementTree

import pytest

from flowweaver.report.svg import graph_svg

NAMES = ("fetch", "clean", "a & <b>")
PREDS = ((), (0,), (0, 1))


def titles(picture):
    return [each.text for each in picture.iter() if each.tag.endswith("title")]


@pytest.mark.parametrize("downwards", [False, True])
def test_picture_is_sound_and_has_a_box_for_each_task(downwards):
    picture = ElementTree.fromstring(graph_svg(NAMES, PREDS, downwards=downwards))
    assert titles(picture) == list(NAMES)
    assert sum(each.tag.endswith("path") for each in picture.iter()) == 3


def test_outcomes_are_told_by_marks_and_in_words():
    picture = graph_svg(NAMES, PREDS, ["executed", "failed", "upstream_failed"], ["1 s", "", ""])
    for told in ("✓", "✕", "⊘", "clean: failed", "1 s"):
        assert told in picture


def test_names_that_do_not_print_are_made_harmless():
    picture = ElementTree.fromstring(graph_svg(["a\x1b[2J\x00"], [()]))
    assert titles(picture) == [r"a\x1b[2J\x00"]


def test_nothing_is_a_picture_too():
    picture = ElementTree.fromstring(graph_svg([], []))
    assert picture.tag.endswith("svg")
    assert titles(picture) == []
