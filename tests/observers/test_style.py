"""How times and foreign texts look."""

import pytest

from flowweaver.observers.style import block, one_line, seconds


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "<1 ms"),
        (0.0123, "12 ms"),
        (0.9994, "999 ms"),
        (0.9996, "1.0 s"),
        (3.44, "3.4 s"),
        (59.94, "59.9 s"),
        (59.96, "1 min 00 s"),
        (307.0, "5 min 07 s"),
        (3599.6, "1 h 00 min"),
        (7500.0, "2 h 05 min"),
    ],
)
def test_a_duration_has_the_unit_that_suits_it(value, text):
    assert seconds(value) == text


@pytest.mark.parametrize("text", ["a\nb", "a\rb", "\x1b[31m", "\x07", "\u202eabc", "\ud800"])
def test_one_line_shows_what_does_not_print_as_an_escape(text):
    assert one_line(text).isprintable()


def test_one_line_is_cut_at_its_limit():
    assert one_line("abcdef", 4) == "abc…"


def test_a_block_keeps_its_lines_and_nothing_else_that_does_not_print():
    assert block("a\n\tb\x1b[31m") == "a\n        b\\x1b[31m"


@pytest.mark.parametrize("value", [float("inf"), float("nan")])
def test_duration_that_is_none_is_told_as_unknown(value):
    assert seconds(value) == "?"
