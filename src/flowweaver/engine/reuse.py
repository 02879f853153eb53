"""Reuse: whether a TaskRun needs to be executed, and why.

The decision is one function, used by the run and by the plan alike. What it rests on is the
fingerprint: a digest of the facts that a result depends on.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, Literal

from flowweaver.engine.elements import Elements, Tree
from flowweaver.engine.inputs import Inputs
from flowweaver.engine.protocols import StateStore
from flowweaver.policies import TaskOptions
from flowweaver.records import TaskRecord
from flowweaver.status import TaskStatus
from flowweaver.wiring import MappedInput, Wiring

ReuseMode = Literal["unchanged", "completed", "never"]
REUSE_MODES = ("unchanged", "completed", "never")

# How many runs back a plan looks for the last time a task ran.
_RUNS_BACK = 20


@dataclass(frozen=True, slots=True)
class Decision:
    """What is done about a TaskRun: restore `record`, or execute it if None; and why."""

    facts: str
    reason: str
    record: TaskRecord | None = None


class History:
    """What earlier executions left: the records of this run and the last of each task's before."""

    def __init__(
        self, store: StateStore, workflow: str, run_id: str, own: Iterable[TaskRecord]
    ) -> None:
        self._store = store
        self._workflow = workflow
        self.own = {(record.task, record.element): record for record in own}
        self.last: dict[tuple[str, str], TaskRecord] = {}
        self._has_earlier = False
        for run in store.runs(workflow, limit=_RUNS_BACK):
            if run.id == run_id:
                continue
            self._has_earlier = True
            for record in store.tasks(run.id):
                if record.status is TaskStatus.COMPLETED and record.fingerprint is not None:
                    self.last.setdefault((record.task, record.element), record)
            if not run.status.is_unfinished:
                break

    def find(self, task: str, fingerprint: str) -> TaskRecord | None:
        """Return the newest completed TaskRun with this fingerprint in any run."""
        return self._store.find(self._workflow, task, fingerprint) if self._has_earlier else None


def decide(
    mode: ReuseMode, options: TaskOptions, task: str, element: str, facts: str, history: History
) -> Decision:
    """Decide whether a TaskRun with these facts is restored or executed.

    Args:
        mode: "unchanged" restores by fingerprint, "completed" by name alone, "never" nothing
            but what this very run has done already.
        options: The task's; what it does to the world says whether other runs can do it for us.
        task: The task's name.
        element: The element's key as text; "" for a whole task.
        facts: What the result depends on.
        history: What earlier executions left.
    """
    print_ = fingerprint_of(facts)
    by_name = mode == "completed"
    own, last = history.own.get((task, element)), history.last.get((task, element))
    if own is not None and own.status is TaskStatus.COMPLETED:
        if by_name or own.fingerprint == print_ or own.fingerprint is None:
            return Decision(facts, "finished earlier in this run", own)
    elif mode == "never":
        return Decision(facts, "reuse is off")
    elif options.effect != "pure":
        return Decision(facts, f"its effect is {options.effect!r}: every run does it")
    if mode == "unchanged" and options.effect == "pure":
        if last is None or last.fingerprint != print_:
            last_or_other = history.find(task, print_)
        else:
            last_or_other = last
        if last_or_other is not None:
            since = last_or_other.source_run or last_or_other.run_id
            return Decision(facts, f"unchanged since run {since}", last_or_other)
    elif by_name and last is not None and options.effect == "pure":
        return Decision(facts, f"completed in run {last.source_run or last.run_id}", last)
    return Decision(facts, _why(facts, own, last))


def _why(facts: str, own: TaskRecord | None, last: TaskRecord | None) -> str:
    if own is not None and own.status is not TaskStatus.COMPLETED:
        if own.status is TaskStatus.FAILED:
            return "failed last time"
        if own.attempts:
            return "was cut short last time"
    before = own if own is not None and own.facts else last
    return "never ran" if before is None else "; ".join(changes(before.facts, facts))


def changes(before: str, now: str) -> list[str]:
    """Return in words how two facts of one task differ."""
    old, new = json.loads(before or "{}"), json.loads(now)
    found = []
    if old.get("version") != new.get("version"):
        found.append(f"version changed: {old.get('version')!r} -> {new.get('version')!r}")
    for kind, word in (("params", "parameter"), ("inputs", "input"), ("after", "dependency")):
        found += _differences(word, old.get(kind, {}), new.get(kind, {}))
    return found or ["its record can't be compared"]


def _differences(word: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    changed = [f"{word} `{name}` changed" for name in new if name in old and old[name] != new[name]]
    added = [f"{word} `{name}` is new" for name in new if name not in old]
    gone = [f"{word} `{name}` is gone" for name in old if name not in new]
    return changed + added + gone


class FactMaker:
    """Writes the facts of each node as JSON text.

    All that does not depend on results is put together once a task; what remains for each
    TaskRun is to join the digests of its inputs, since a restored run does little else.
    """

    def __init__(self, wiring: Wiring, params: Mapping[str, str]) -> None:
        self._wiring = wiring
        self._params = params
        self._heads: list[str | None] = [None] * len(wiring.tasks)
        self._inputs: list[Sequence[tuple[str, int]]] = [()] * len(wiring.tasks)
        self._after: dict[int, Sequence[tuple[str, int]]] = {}

    def facts(self, task: int, digests: Sequence[str | None], by_element: Mapping[str, str]) -> str:
        """Return the facts of a TaskRun.

        Args:
            task: The task's node.
            digests: Those of the results by node.
            by_element: Those of what a mapped task takes by element, by parameter.
        """
        head = self._heads[task]
        if head is None:
            head = self._prepare(task)
        parts = [f'{key}"{digests[pred]}"' for key, pred in self._inputs[task]]
        parts += [f'{json.dumps(name)}: "{digest}"' for name, digest in by_element.items()]
        text = f"{head}{', '.join(parts)}}}"
        after = self._after.get(task)
        if after:
            order = ", ".join([f'{key}"{digests[pred]}"' for key, pred in after])
            text += f', "after": {{{order}}}'
        return text + "}"

    def _prepare(self, task: int) -> str:
        wiring = self._wiring
        uses = [*wiring.uses.get(task, ())]
        takes = [*wiring.takes[task]]
        if (condition := wiring.conditions.get(task)) is not None:
            uses += condition.uses
            takes += condition.takes
        used = {name: self._params[source] for name, source in uses if source in self._params}
        static = {"version": wiring.tasks[task]._options.version, "params": used}
        self._inputs[task] = [(f"{json.dumps(name)}: ", pred) for name, pred in takes]
        known = {pred for _, pred in takes}
        known.update(taken.node for taken in _mapped_inputs(wiring, task) if taken.node is not None)
        order_only = [pred for pred in wiring.preds[task] if pred not in known]
        if order_only:
            names = wiring.names(order_only)
            self._after[task] = [
                (f"{json.dumps(name)}: ", pred)
                for name, pred in zip(names, order_only, strict=True)
            ]
        head = self._heads[task] = json.dumps(static)[:-1] + ', "inputs": {'
        return head


def _mapped_inputs(wiring: Wiring, task: int) -> Sequence[MappedInput]:
    mapped = wiring.mapped.get(task)
    return () if mapped is None else mapped.inputs


class Reuse:
    """Decides, for the nodes of one run, what is restored; keeps the digests that needs."""

    def __init__(
        self,
        wiring: Wiring,
        elements: Elements,
        inputs: Inputs,
        *,
        params: Mapping[str, str],
        history: History,
        mode: ReuseMode,
    ) -> None:
        self._wiring = wiring
        self._elements = elements
        self._inputs = inputs
        self._history = history
        self._mode = mode
        self._maker = FactMaker(wiring, params)
        self._digests: list[str | None] = [None] * len(wiring.tasks)

    def decide(self, node: int) -> Decision:
        """Decide about a node whose inputs are all there."""
        task = self._elements.task_of(node)
        by_element = {}
        key = self._elements.key_of.get(node)
        if key is not None:
            by_element = {
                taken.name: self._inputs.element_digest(taken, key, self._digests)
                for taken in _mapped_inputs(self._wiring, task)
            }
        facts = self._maker.facts(task, self._digests, by_element)
        definition = self._wiring.tasks[task]
        element = self._elements.text_of(node)
        return decide(
            self._mode, definition._options, definition._name, element, facts, self._history
        )

    def note(self, node: int, digest: str) -> None:
        """Keep the digest of a node's result."""
        missing = node + 1 - len(self._digests)
        if missing > 0:
            self._digests.extend([None] * missing)
        self._digests[node] = digest

    def note_list(self, node: int, tree: Tree) -> None:
        """Keep the digest of a list that is not stored as such."""
        state = blake2b(digest_size=20)
        pending: list[Any] = [tree]
        while pending:
            item = pending.pop()
            if isinstance(item, list):
                state.update(b"[%d]" % len(item))
                pending += reversed(item)
            else:
                digest = self._digests[item] if item < len(self._digests) else None
                state.update(f"{digest};".encode())
        self.note(node, state.hexdigest())

    def own(self, node: int) -> TaskRecord | None:
        """Return what an earlier execution of the run left of a node."""
        name = self._wiring.tasks[self._elements.task_of(node)]._name
        return self._history.own.get((name, self._elements.text_of(node)))


def fingerprint_of(facts: str) -> str:
    """Return the fingerprint of a TaskRun's facts."""
    return blake2b(facts.encode(), digest_size=16).hexdigest()
