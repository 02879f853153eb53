"""Why a TaskRun is run, restored or skipped: the reasons there are, and their words.

What decides, compares and keeps goes by the kinds; words are made here, for people alone. Details
of files, code and clusters come with their words.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from enum import Enum
from functools import lru_cache
from typing import NamedTuple

from flowweaver.facts import Change, FactKind, Facts

_MOST_PARTS = 3


class ReasonKind(Enum):
    """What a reason is about. The value is what a store keeps where it has to."""

    __hash__ = object.__hash__  # see TaskStatus

    # Why it is run.
    FORCED = "forced"
    REUSE_OFF = "reuse_off"
    NOT_CACHED = "not_cached"
    ASKED_ANEW = "asked_anew"
    HAS_EFFECT = "has_effect"
    UNSEEN = "unseen"
    EXPIRED = "expired"
    FILE_CHANGED = "file_changed"
    OTHER_KEY = "other_key"
    CLASS_GONE = "class_gone"
    FAILED = "failed"
    CUT_SHORT = "cut_short"
    SKIPPED_LAST = "skipped_last"
    SKIPPED_ITSELF = "skipped_itself"
    NEVER_RAN = "never_ran"
    CHANGED = "changed"
    RESULT_GONE = "result_gone"
    # Why it is not.
    FINISHED = "finished"
    UNCHANGED = "unchanged"
    BY_NAME = "by_name"
    SHARED = "shared"
    DONE_EVER = "done_ever"
    OVERRIDDEN = "overridden"
    ACCEPTED = "accepted"
    RESOLVED_DONE = "resolved_done"
    RESOLVED_RETRY = "resolved_retry"
    CONDITION_NOT_MET = "condition_not_met"
    BODY_SKIPPED = "body_skipped"
    NOTHING_FAILED = "nothing_failed"
    SKIPPED_BEFORE = "skipped_before"
    ALL_SKIPPED = "all_skipped"
    # Why a plan says what it says, besides.
    WOULD_FAIL = "would_fail"
    UNRESOLVED = "unresolved"
    NOTHING_FAILS = "nothing_fails"
    NOTHING_COMES = "nothing_comes"
    SOME_ELEMENTS = "some_elements"
    AWAITS_RESULT = "awaits_result"
    AWAITS_FAILURE = "awaits_failure"
    AWAITS_FATE = "awaits_fate"
    CONDITION_DECIDES = "condition_decides"
    UNLESS_TWIN = "unless_twin"
    UNLESS_SIBLING = "unless_sibling"
    VOUCHED_FOR = "vouched_for"


_K = ReasonKind
_WORDS = {
    _K.FORCED: "forced",
    _K.REUSE_OFF: "reuse is off",
    _K.NOT_CACHED: "it is not cached",
    _K.ASKED_ANEW: "it is not cached, and each execution asks anew",
    _K.HAS_EFFECT: "its effect is '{}': every run does it",
    _K.UNSEEN: "{}",
    _K.EXPIRED: "expired",
    _K.FILE_CHANGED: "{}",
    _K.OTHER_KEY: "its result was signed with another key",
    _K.CLASS_GONE: "its result needs {}, which is not there any more",
    _K.FAILED: "failed last time",
    _K.CUT_SHORT: "was cut short last time",
    _K.SKIPPED_LAST: "was skipped last time",
    _K.SKIPPED_ITSELF: "was skipped last time ({})",
    _K.NEVER_RAN: "never ran",
    _K.RESULT_GONE: "its last result is gone",
    _K.FINISHED: "finished earlier in this run",
    _K.UNCHANGED: "unchanged since run {}",
    _K.BY_NAME: "completed in run {}",
    _K.SHARED: "taken from `{}` of workflow {} in run {}: the same code with the same inputs",
    _K.DONE_EVER: "run {} has done it, and its effect happens once for ever",
    _K.OVERRIDDEN: "given in place of what it would return",
    _K.ACCEPTED: "accepted by {} on {} as what it was in run {}",
    _K.RESOLVED_DONE: "resolved by a person: it was done",
    _K.RESOLVED_RETRY: "resolved by a person: to be retried",
    _K.CONDITION_NOT_MET: "its condition {} was not met",
    _K.BODY_SKIPPED: "its body skipped it{}",
    _K.NOTHING_FAILED: "nothing that it depends on failed",
    _K.SKIPPED_BEFORE: "what it depends on was skipped",
    _K.ALL_SKIPPED: "all its elements were skipped",
    _K.WOULD_FAIL: "it would fail: {}",
    _K.UNRESOLVED: "{}",
    _K.NOTHING_FAILS: "nothing that it depends on fails",
    _K.NOTHING_COMES: "nothing comes of {}",
    _K.SOME_ELEMENTS: "{} of its {} elements are",
    _K.AWAITS_RESULT: "depends on what {} gives",
    _K.AWAITS_FAILURE: "depends on whether {} fails",
    _K.AWAITS_FATE: "depends on what becomes of {}",
    # Said of another reason.
    _K.CONDITION_DECIDES: "; its condition {} decides",
    _K.UNLESS_SIBLING: ", unless another of its elements, which takes the same, is done first",
    _K.UNLESS_TWIN: ", unless `{}`, which takes the same, is done first",
    _K.VOUCHED_FOR: "; trust= vouches for {}",
}
# The word for one of the facts of a kind.
_NOUNS = {
    FactKind.PARAMETER: "parameter",
    FactKind.INPUT: "input",
    FactKind.ORDER: "dependency",
    FactKind.FILE: "file",
}


class Reason(NamedTuple):  # its hash costs little, and every task of a run has its reason in words
    """Why a TaskRun is run, restored or skipped.

    `details` are what the words of its kind leave open: a run's id, names, a person. `changes` are
    the facts that differ, and `remarks` what else is to be said.
    """

    kind: ReasonKind
    details: tuple[str, ...] = ()
    changes: tuple[Change, ...] = ()
    remarks: tuple[Reason, ...] = ()

    def __str__(self) -> str:
        return words_of(self)

    def with_remark(self, remark: Reason) -> Reason:
        """Return the reason with something else said of it."""
        return Reason(self.kind, self.details, self.changes, (*self.remarks, remark))

    def packed(self) -> str:
        """Return the kind and its details as text that `unpacked` takes."""
        return json.dumps([self.kind.value, *self.details])


@lru_cache(maxsize=1024)
def because(kind: ReasonKind, *details: str) -> Reason:
    """Return a reason, the same object for all that have it."""
    return Reason(kind, details)


def unpacked(text: str) -> Reason | None:
    """Return the reason that `packed` gave; None if it is none that is known here."""
    try:
        kind, *details = json.loads(text)
        return Reason(ReasonKind(kind), tuple(map(str, details)))
    except (ValueError, TypeError, RecursionError):
        return None


def kind_of(cause: str, words: str) -> ReasonKind | None:
    """Return what the reason in a record is about, given its `cause`; None where none is kept.

    Versions that kept no cause asked for one kind only, and found it by its words.
    """
    if cause and (reason := unpacked(cause)) is not None:
        return reason.kind
    return ReasonKind.ACCEPTED if not cause and words.startswith("accepted by ") else None


@lru_cache(maxsize=4096)  # tasks by the thousand are restored from one run
def words_of(reason: Reason) -> str:
    """Return a reason in words."""
    if reason.kind is ReasonKind.CHANGED:
        told = "; ".join(words_of_changes(reason.changes))
    else:
        told = _WORDS[reason.kind].format(*reason.details)
    return told + "".join(map(words_of, reason.remarks))


def unchanged_since(run_id: str) -> str:
    """Return in words why a result of a run is restored whose facts are as they were."""
    return words_of(because(ReasonKind.UNCHANGED, run_id))


def words_of_changes(changes: Iterable[Change]) -> list[str]:
    """Return changes in words, those of the code as one."""
    told, parts, of_other_key = [], [], []
    for change in changes:
        if change.kind is FactKind.CODE:
            parts.append(change.name)
        elif change.kind is FactKind.KEYED:
            of_other_key.append(change.name)
        else:
            told.append(_words_of_change(change))
    if of_other_key:
        told.insert(0, _words_of_other_key(of_other_key))
    return ([_words_of_code(parts)] if parts else []) + told


def words_of_facts(facts: Facts) -> list[str]:
    """Return in words what a result depends on, with names and without what these stood for."""
    code = "its code" if facts.version is None else f"its version {facts.version!r}"
    named = [f"{noun} `{name}`" for kind, noun in _NOUNS.items() for name in facts.of(kind)]
    return [code, *named]


def _words_of_code(parts: list[str]) -> str:
    names = _listed(parts)
    return f"code changed: {names}" if names else "code changed"


def _words_of_other_key(parts: list[str]) -> str:
    return (
        "whether it changed can't be told without the key that its last result was made with: "
        f"{_listed(parts)} (give all machines the same FLOWWEAVER_KEY)"
    )


def _listed(parts: list[str]) -> str:
    names = ", ".join(name for name in parts[:_MOST_PARTS] if name)
    return names + (f" and {len(parts) - _MOST_PARTS} more" if len(parts) > _MOST_PARTS else "")


def _words_of_change(change: Change) -> str:
    if change.kind is FactKind.VERSION:
        return f"version changed: {change.old!r} -> {change.new!r}"
    how = "is new" if change.old is None else "is gone" if change.new is None else "changed"
    return f"{_NOUNS[change.kind]} `{change.name}` {how}"
