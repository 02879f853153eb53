"""Facts as text: the layout that stores hold, and what is read from it."""

from __future__ import annotations

import json

import pytest

from flowweaver.facts import FactKind, Facts, beginning, key, partial, whole

BEGUN = beginning("c0de", None, {"day": "da11"})


def test_layout_is_the_one_that_stores_hold() -> None:
    text = whole(BEGUN, [key("a") + '"11"', key("b") + '"22"'], [key("c") + '"33"'], {"f": "44"})
    assert text == (
        '{"code": "c0de", "version": null, "params": {"day": "da11"}, '
        '"inputs": {"a": "11", "b": "22"}, "after": {"c": "33"}, "files": {"f": "44"}}'
    )
    assert whole(beginning(None, 'v "1"', {}), []) == (
        '{"code": null, "version": "v \\"1\\"", "params": {}, "inputs": {}}'
    )


def test_files_are_told_of_a_task_that_reads_none_this_time() -> None:
    assert whole(BEGUN, [], files={}).endswith(', "files": {}}')


def test_what_is_written_is_read() -> None:
    facts = Facts(whole(BEGUN, [key('n"') + '"11"'], [key("c") + '"33"']))
    assert (facts.code, facts.version) == ("c0de", None)
    assert facts.of(FactKind.PARAMETER) == {"day": "da11"}
    assert facts.of(FactKind.INPUT) == {'n"': "11"}
    assert facts.of(FactKind.ORDER) == {"c": "33"}
    assert not facts.tell(FactKind.FILE)
    assert facts.of(FactKind.FILE) == {}
    assert facts.told() == json.loads(facts.text)


def test_what_is_known_beforehand_tells_nothing_of_results() -> None:
    facts = partial(BEGUN)
    assert facts.code == "c0de"
    assert facts.of(FactKind.PARAMETER) == {"day": "da11"}
    assert not any(map(facts.tell, (FactKind.INPUT, FactKind.ORDER, FactKind.FILE)))


@pytest.mark.parametrize("text", ["", "{", "[1]", "7", '{"code": {"a": 1}, "params": 3}'])
def test_what_cannot_be_read_tells_nothing(text: str) -> None:
    facts = Facts(text)
    assert facts.code is None
    assert facts.of(FactKind.PARAMETER) == {}


def test_facts_are_the_same_by_text_or_by_digest() -> None:
    facts = Facts(whole(BEGUN, []))
    again = Facts(facts.text)
    assert again.are(facts.text, facts.fingerprint)
    assert again.fingerprint == facts.fingerprint
    assert Facts(facts.text).are("", facts.fingerprint)
    assert not Facts(whole(BEGUN, [key("a") + '"1"'])).are(facts.text, facts.fingerprint)
