"""Reuse: whether a TaskRun needs to be executed, and why.

The decision is one function, used by the run and by the plan alike. What it rests on is the
fingerprint: a digest of the facts that a result depends on.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import NamedTuple

from flowweaver.cache_scope import CacheScope, ReuseMode
from flowweaver.definitions.options import NO_OPTIONS, TaskOptions
from flowweaver.engine.files import changed_files
from flowweaver.engine.inputs import Inputs
from flowweaver.engine.reuse.code import CodeBook
from flowweaver.engine.reuse.differences import differences, is_same_element
from flowweaver.engine.reuse.earlier import History
from flowweaver.engine.reuse.effects import Effects
from flowweaver.engine.reuse.fact_maker import FactMaker, Given, mapped_inputs
from flowweaver.engine.run_graph import Key, RunGraph
from flowweaver.facts import Facts
from flowweaver.files.moved import are_several, made_in, moved, project_of_seen
from flowweaver.files.seen import Explains, changes_since
from flowweaver.fingerprint import CodePart
from flowweaver.fingerprint.named import meaning_of
from flowweaver.reasons import Reason, ReasonKind, because
from flowweaver.records import FileRecord, TaskRecord
from flowweaver.serialize.held import values_of
from flowweaver.status import TaskStatus

_NOTHING: Mapping[str, str] = {}

# How far the clocks of machines that share a store may be apart. A result from further in the
# future was made by a clock that was wrong, and would be fresh for ever.
_CLOCKS_APART_SECONDS = 60.0


class Decision(NamedTuple):
    """What is done about a TaskRun: restore `record`, or execute it if None; and why.

    `before` is the record that the facts were compared with, for whoever wants to see more.
    `put_back` are the files of `record` that are to be written anew from what is kept of them.
    """

    facts: Facts
    reason: Reason
    record: TaskRecord | None = None
    before: TaskRecord | None = None
    put_back: tuple[FileRecord, ...] = ()


class Wish(NamedTuple):
    """What whoever starts a run wants of reuse.

    `mode` "unchanged" restores by fingerprint, "completed" by name alone, "never" nothing but
    what this very run has done already. `force` names tasks to be executed come what may. `trust`
    names what can't be seen and yet is no reason against reuse, whatever task it is in. `now` tells
    the time that results may be too old by. `scope` "store" takes results of other tasks and
    workflows, too.
    """

    mode: ReuseMode
    force: frozenset[str]
    trust: tuple[str, ...]
    now: Callable[[], float]
    scope: CacheScope


def decide(
    wish: Wish,
    options: TaskOptions,
    key: tuple[str, str],
    facts: Facts,
    history: History,
    code: CodeBook,
    objection: str | None,
    effects: Effects,
) -> Decision:
    """Decide whether a TaskRun with these facts is restored or executed.

    Args:
        wish: What is wanted.
        options: The task's.
        key: The task's name, and the element's key as text ("" for a whole task).
        facts: What the result depends on.
        history: What earlier executions left.
        code: The tasks' code as it is now.
        objection: Why its facts don't tell all that its result depends on, if they don't.
        effects: What other runs have done.
    """
    decision = _by_facts(wish, options, key, facts, history, code, objection, effects)
    # What was done to the world is not done again for a file that somebody removed.
    if options.effect != "pure":
        return decision
    explains = partial(history.left.explain, key[0])
    return _if_files_stand(decision, wish, options, explains, code)


def _by_facts(
    wish: Wish,
    options: TaskOptions,
    key: tuple[str, str],
    facts: Facts,
    history: History,
    code: CodeBook,
    objection: str | None,
    effects: Effects,
) -> Decision:
    """Decide as if all files that count were as they were; see `decide`."""
    if key[0] in wish.force:
        return Decision(facts, because(ReasonKind.FORCED))
    if options.effect == "once_ever":
        return _once_ever(key, facts, history, code, effects)
    own, last = history.own.get(key), history.last.get(key)
    by_name, refused = wish.mode == "completed", refusal(wish, options, objection)
    if own is not None and own.status is TaskStatus.COMPLETED:
        if not by_name and (doubt := asks_anew(options, own, wish.now)) is not None:
            return Decision(facts, doubt, before=own)
        if by_name or facts.are(own.facts, own.fingerprint):
            return Decision(facts, because(ReasonKind.FINISHED), own)
    elif refused is not None:
        return Decision(facts, refused)
    found = None
    if refused is None:
        is_last = by_name or (last is not None and facts.are(last.facts, last.fingerprint))
        found = last if is_last else history.find(key[0], facts.fingerprint)
        if found is not None and found.signature is not None and found.element != key[1]:
            found = None  # a signature is good for one place
        shared = history.shared(key, options, facts, code) if found is None else None
        if shared is not None:
            return _of_another(wish, options, facts, *shared)
    if found is None:
        before = own if own is not None and own.facts else last
        undone = history.undone.get(key) if own is None else None
        if undone is not None and (ended := _as_it_ended(undone, facts)) is not None:
            return Decision(facts, ended, before=before)
        return Decision(facts, why(facts, own, before, history, code), before=before)
    if is_expired(options, found, wish.now):
        return Decision(facts, because(ReasonKind.EXPIRED), before=found)
    how = ReasonKind.BY_NAME if by_name else ReasonKind.UNCHANGED
    return Decision(facts, because(how, found.source_run or found.run_id), found)


def _of_another(
    wish: Wish, options: TaskOptions, facts: Facts, shared: TaskRecord, reason: Reason
) -> Decision:
    """Decide about what another task or workflow has the result of."""
    if is_expired(options, shared, wish.now):
        return Decision(facts, because(ReasonKind.EXPIRED), before=shared)
    return Decision(facts, reason, shared)


def _once_ever(
    key: tuple[str, str], facts: Facts, history: History, code: CodeBook, effects: Effects
) -> Decision:
    """Decide about an effect: whatever is wanted of reuse, what was done is not done again."""
    own, last = history.own.get(key), history.last.get(key)
    is_done = own is not None and own.status is TaskStatus.COMPLETED
    if own is not None and is_done and facts.are(own.facts, own.fingerprint):
        return Decision(facts, because(ReasonKind.FINISHED), own)
    if (had := effects.had(key[0], facts.fingerprint)) is not None:
        return Decision(facts, because(ReasonKind.DONE_EVER, had.source_run or had.run_id), had)
    before = own if own is not None and own.facts else last
    return Decision(facts, why(facts, own, before, history, code), before=before)


def _if_files_stand(
    decision: Decision, wish: Wish, options: TaskOptions, explains: Explains, code: CodeBook
) -> Decision:
    """Return a decision to restore, or to execute where a file that counts is not as it was."""
    record = decision.record
    if record is None or not (record.files or record.seen):
        return decision
    changed = list(changed_files(record.files))
    lost = [how for file, how in changed if not file.kept]
    if wish.mode != "completed":
        changes = partial(
            changes_since, trusted=options.trust + wish.trust, explains=explains, means=meaning_of
        )
        lost += _changes_where_it_is_now(record, code.projects, changes)
    if lost:
        reason = because(ReasonKind.FILE_CHANGED, "; ".join(lost[:3]))
        return Decision(decision.facts, reason, before=record)
    return decision._replace(put_back=tuple(file for file, _ in changed))


def _changes_where_it_is_now(
    record: TaskRecord,
    projects: frozenset[str],
    changes: Callable[[Iterable[FileRecord]], Iterator[str]],
) -> Iterator[str]:
    """Yield what has changed since, in the folder that the task's project is in by now."""
    was = project_of_seen(record.seen)
    if not was or was in projects:
        yield from changes(record.seen)
        return
    if len(projects) != 1 or are_several(record.seen):
        yield f"it was executed in the project `{was}`"
        return
    (now,) = projects
    if made := made_in(record.files, was):
        yield f"the file `{made[0]}` belongs to another copy of the project"
    yield from changes(moved(record.seen, was, now))
    if os.path.isdir(was):  # noqa: PTH112 - text; it may have been named otherwise than by its place
        yield from changes(record.seen)


def refusal(wish: Wish, options: TaskOptions, objection: str | None) -> Reason | None:
    """Return why no other run's result will do, if none will.

    Where results are taken by name, it is overlooked, too, that its facts don't tell all
    (`objection`). An effect that happens once for ever is looked for whatever is wanted.
    """
    if options.effect == "once_ever":
        return None
    if wish.mode == "never":
        return because(ReasonKind.REUSE_OFF)
    if not options.cache:
        return because(ReasonKind.NOT_CACHED)
    if options.effect != "pure":
        return because(ReasonKind.HAS_EFFECT, options.effect)
    if objection is None or wish.mode != "unchanged":
        return None
    return because(ReasonKind.UNSEEN, objection)


def asks_anew(
    options: TaskOptions, own: TaskRecord, now: Callable[[], float] = time.time
) -> Reason | None:
    """Return why a TaskRun that an earlier execution of the run completed is executed again.

    What a task says about the world holds for one execution: going on with a run asks again. What
    it did to the world is not done again.
    """
    if options.effect != "pure":
        return None
    if not options.cache:
        return because(ReasonKind.ASKED_ANEW)
    return because(ReasonKind.EXPIRED) if is_expired(options, own, now) else None


def is_expired(
    options: TaskOptions, record: TaskRecord, now: Callable[[], float] = time.time
) -> bool:
    """Whether a result is older than its task wants it, or from a time that is still to come."""
    if options.fresh_for is None or record.finished_at is None:
        return False
    age = now() - record.finished_at
    return age > options.fresh_for or age < -_CLOCKS_APART_SECONDS


def why(
    facts: Facts,
    own: TaskRecord | None,
    before: TaskRecord | None,
    history: History,
    code: CodeBook,
) -> Reason:
    """Return why a TaskRun is executed for which there is no result."""
    if own is not None and (ended := _as_it_ended(own, facts)) is not None:
        return ended
    if before is None:
        return because(ReasonKind.NEVER_RAN)

    def parts(digest: str) -> tuple[CodePart, ...]:
        return code.parts_of(digest) or history.code(digest)

    changes = differences(Facts(before.facts), facts, parts)
    if not changes:
        return because(ReasonKind.RESULT_GONE)
    return Reason(ReasonKind.CHANGED, changes=changes)


def _as_it_ended(left: TaskRecord, facts: Facts) -> Reason | None:
    """Return what a TaskRun that has no result came to; None if that says nothing of it now."""
    if left.element and not is_same_element(left, facts):
        return None
    if left.status is TaskStatus.FAILED:
        return because(ReasonKind.FAILED)
    if left.status is TaskStatus.SKIPPED:
        if left.attempts:
            return because(ReasonKind.SKIPPED_ITSELF, left.reason)
        return because(ReasonKind.SKIPPED_LAST)
    if left.status is not TaskStatus.COMPLETED and left.attempts:
        return because(ReasonKind.CUT_SHORT)
    return None


class Reuse:
    """Decides, for the nodes of one run, what is restored."""

    def __init__(
        self,
        graph: RunGraph,
        inputs: Inputs,
        *,
        params: Mapping[str, str],
        history: History,
        wish: Wish,
        is_signed_here: Callable[[TaskRecord], bool],
        lacks: Callable[[int, TaskRecord], str],
        names: Callable[[TaskRecord, str], bool],
        code: CodeBook,
        effects: Effects,
    ) -> None:
        self.effects = effects
        self._is_signed_here = is_signed_here
        self._lacks = lacks
        self._names = names
        self._graph = graph
        self._inputs = inputs
        self._wish = wish
        self.history = history
        self.code = code
        self.maker = FactMaker(graph.wiring, params, self.code)
        # If so, tasks without options never ran, whatever their facts: see `decide`.
        self._is_first = history.is_blank and not wish.force and wish.mode != "never"

    def decide(self, node: int) -> Decision:
        """Decide about a node whose inputs are all there."""
        self.history.look_up(node)
        graph = self._graph
        task, identity, by_element = node, None, _NOTHING
        if node >= graph.size:
            task, identity = graph.owner(node), graph.identity(node)
            by_element = self._digests_by_element(task, graph.key(node))
        definition = graph.tasks[task]
        facts = self.maker.facts(task, graph.digests, by_element, partial(self._given, node))
        options, objection = definition.options, self.code.objection(definition)
        if self._is_first and options is NO_OPTIONS and objection is None:
            return Decision(facts, because(ReasonKind.NEVER_RAN))
        identity = identity or (definition.name, "")
        decision = decide(
            self._wish, options, identity, facts, self.history, self.code, objection, self.effects
        )
        record = decision.record
        if decision.reason.kind is ReasonKind.UNCHANGED and (
            words := self.code.vouched(definition)
        ):
            remark = because(ReasonKind.VOUCHED_FOR, words)
            decision = decision._replace(reason=decision.reason.with_remark(remark))
        # What was done to the world is not done again for a key that is missing.
        if record is None or options.effect != "pure":
            return decision
        if not self._is_signed_here(record):
            return Decision(facts, because(ReasonKind.OTHER_KEY), before=record)
        was = project_of_seen(record.seen)
        if was and was not in self.code.projects and self._names(record, was):
            reason = because(ReasonKind.FILE_CHANGED, f"its result names a place in `{was}`")
            return Decision(facts, reason, before=record)
        if lacking := self._lacks(task, record):
            return Decision(facts, because(ReasonKind.CLASS_GONE, lacking), before=record)
        return decision

    def _digests_by_element(self, task: int, key: Key) -> Mapping[str, str]:
        inputs = mapped_inputs(self._graph.wiring, task) if key else ()
        return {taken.name: self._inputs.element_digest(taken, key) for taken in inputs}

    def _given(self, node: int) -> Given:
        """Return what the body of a node is given, and its condition."""
        arguments, inputs = self._inputs.arguments(node), self._inputs
        is_asked = self._graph.task(node).options.when is not None
        condition = inputs.condition_arguments(node, arguments) if is_asked else {}
        given, asked = values_of(arguments, condition)
        return given, asked

    def warning(self) -> str | None:
        """Return what whoever runs these tasks is to know before any of them starts."""
        is_asked = self._wish.mode == "unchanged"
        return self.code.warning(self._graph.tasks) if is_asked else None

    def own(self, node: int) -> TaskRecord | None:
        """Return what an earlier execution of the run left of a node."""
        own = self.history.own
        return own.get(self._graph.identity(node)) if own else None
