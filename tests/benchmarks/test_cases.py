"""The cases run at tiny sizes, each function in a process of its own as when it is measured."""

import math

import pytest
from benchmarks.cases import CASES
from benchmarks.measure import label, measure, probe
from benchmarks.model import Case, Entry
from benchmarks.report import text
from benchmarks.roster import SUBJECTS

OWN = sorted(
    {
        entry
        for case in CASES.values()
        for entry in case.entries
        if not SUBJECTS[entry.subject].requirements
    },
    key=lambda entry: (entry.subject, entry.function, entry.how),
)


@pytest.mark.parametrize(
    "entry", {(one.subject, one.function): one for one in OWN}.values(), ids=label
)
def test_every_function_measured_here_gives_a_number(entry):
    value = probe(entry, 3)
    assert math.isfinite(value)
    assert value >= 0 or entry.function.startswith("import")


def test_every_entry_names_a_subject():
    named = {entry.subject for case in CASES.values() for entry in case.entries}
    assert named <= set(SUBJECTS)


@pytest.mark.parametrize("case", CASES.values(), ids=lambda case: case.name)
def test_every_entry_is_measured_at_one_size_at_least(case):
    for entry in case.entries:
        assert entry.most is None or entry.most >= min(case.sizes), entry


@pytest.mark.parametrize("case", CASES.values(), ids=lambda case: case.name)
def test_targets_are_of_entries_that_are_measured_at_a_common_size(case):
    for target in case.targets:
        assert target.entry in case.entries
        assert target.against is None or target.against in case.entries
        assert target.growth_from is None or target.growth_from in case.sizes[:-1]


@pytest.mark.parametrize("subject", [one for one in SUBJECTS.values() if one.is_peer], ids=str)
def test_every_peer_is_pinned_and_shown_with_what_it_does_besides(subject):
    assert all("==" in requirement for requirement in subject.requirements)
    assert subject.more


def test_what_cannot_be_measured_is_left_out_and_said():
    broken = Entry("floors", "no_such_function")
    outcome = measure(Case("broken", "A case", "us", (3,), (broken,)), rounds=2)
    assert outcome.sizes(broken) == []
    assert "no_such_function" in outcome.skipped[broken]
    assert "no_such_function" in text(outcome)


def test_a_subject_larger_than_it_can_be_asked_for_is_not_measured():
    small = Entry("floors", "loop", most=2)
    outcome = measure(Case("small", "A case", "us", (2, 3), (small,)), rounds=1)
    assert outcome.sizes(small) == [2]
