"""Ratios, verdicts and the picture, of values made up."""

import json
from xml.etree import ElementTree

import pytest
from benchmarks.measure import Outcome
from benchmarks.model import Case, Entry, Target
from benchmarks.picture import picture
from benchmarks.report import as_json, figure, leader, text, verdict

MINE = Entry("flowweaver_here", "chain", "sequential")
THEIRS = Entry("peers.hamilton", "chain", most=100)


def outcome_of(*targets):
    case = Case("made-up", "A made-up case", "us", (10, 100), (MINE, THEIRS), targets)
    values = {
        (MINE, 10): [1.0, 2.0, 3.0],
        (MINE, 100): [2.0, 4.0, 60.0],
        (THEIRS, 10): [10.0, 10.0, 10.0],
        (THEIRS, 100): [8.0, 16.0, 240.0],
    }
    return Outcome(case, values)


def test_a_ratio_is_of_values_of_the_same_round():
    assert outcome_of().ratio(MINE, THEIRS) == 0.25


def test_a_ratio_is_taken_at_the_largest_common_size():
    outcome = outcome_of()
    outcome.values[MINE, 1000] = [1.0]
    assert outcome.ratio(MINE, THEIRS) == 0.25


def test_a_ratio_without_common_size_is_none():
    assert Outcome(outcome_of().case, {(MINE, 10): [1.0]}).ratio(MINE, THEIRS) is None


@pytest.mark.parametrize(
    ("target", "value"),
    [
        (Target(MINE, 0.3, against=THEIRS), 0.25),
        (Target(MINE, 0.3, against=THEIRS, size=10), 0.2),
        (Target(MINE, 5.0), 4.0),
        (Target(MINE, 1.3, growth_from=10), 2.0),
    ],
)
def test_a_target_is_judged_by_its_kind(target, value):
    assert outcome_of(target).reached(target) == value


def test_a_growth_from_the_only_size_is_not_judged():
    target = Target(MINE, 1.3, growth_from=10)
    outcome = Outcome(outcome_of().case, {(MINE, 10): [1.0]})
    assert outcome.reached(target) is None
    assert verdict(outcome, target).startswith("[not measured]")


@pytest.mark.parametrize(("at_most", "said"), [(0.25, "[kept]"), (0.24, "[MISSED]")])
def test_a_verdict_says_whether_the_figure_is_kept(at_most, said):
    target = Target(MINE, at_most, against=THEIRS)
    assert verdict(outcome_of(target), target).startswith(said)


def test_others_are_shown_over_the_first_of_flowweaver():
    assert leader(outcome_of()) == MINE
    assert "4.00" in text(outcome_of()).splitlines()[-1]


def test_the_json_holds_every_round():
    told = json.loads(json.dumps(as_json([outcome_of()], rounds=3)))
    assert told["cases"][0]["values"][0]["rounds"] == [1.0, 2.0, 3.0]
    assert told["peers"]["Hamilton 1.90"]["requirements"] == ["apache-hamilton==1.90.0"]


def test_the_picture_has_a_bar_for_each_entry():
    root = ElementTree.fromstring(picture([outcome_of(), Outcome(outcome_of().case)]))
    bars = [one for one in root.iter() if one.tag.endswith("rect")]
    assert len(bars) == 1 + 2  # the background, and the two entries of the one measured


@pytest.mark.parametrize(
    ("value", "shown"), [(None, ""), (1234.5, "1,234"), (12.34, "12.3"), (0.123, "0.12")]
)
def test_a_figure_has_few_digits(value, shown):
    assert figure(value) == shown
