"""Reuse: whether a TaskRun needs to be executed, and why.

The decision is one function, used by the run and by the plan alike. What it rests on is the
fingerprint: a digest of the facts that a result depends on.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, Literal

from flowweaver.engine.protocols import StateStore
from flowweaver.records import TaskRecord
from flowweaver.status import TaskStatus
from flowweaver.wiring import Wiring

ReuseMode = Literal["unchanged", "completed", "never"]
REUSE_MODES = ("unchanged", "completed", "never")

# How many runs back a plan looks for the last time a task ran.
_RUNS_BACK = 20


@dataclass(frozen=True, slots=True)
class Decision:
    """What is done about a TaskRun: restore `record`, or execute it if None; and why."""

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

    def decide(self, task: str, element: str, facts: str, mode: ReuseMode) -> Decision:
        """Decide what is done about one TaskRun whose inputs are all known."""
        key = (task, element)
        own, last = self.own.get(key), self.last.get(key)
        return decide(mode, facts, own, last, lambda print_: self.find(task, print_))


def decide(
    mode: ReuseMode,
    facts: str,
    own: TaskRecord | None,
    last: TaskRecord | None,
    find: Callable[[str], TaskRecord | None],
) -> Decision:
    """Decide whether a TaskRun with these facts is restored or executed.

    Args:
        mode: "unchanged" restores by fingerprint, "completed" by name alone, "never" nothing
            but what this very run has done already.
        facts: What the result depends on.
        own: The TaskRun's record in this run, if an earlier execution of the run left one.
        last: The last completed record of the same task in an earlier run.
        find: Looks for a completed TaskRun by fingerprint in all runs.
    """
    print_ = fingerprint_of(facts)
    by_name = mode == "completed"
    if (
        own is not None
        and own.status is TaskStatus.COMPLETED
        and (by_name or own.fingerprint == print_)
    ):
        return Decision("finished earlier in this run", own)
    if mode == "never":
        return Decision("reuse is off")
    if last is not None and (by_name or last.fingerprint == print_):
        return Decision(f"unchanged since run {last.source_run or last.run_id}", last)
    if (found := find(print_)) is not None:
        return Decision(f"the same as in run {found.source_run or found.run_id}", found)
    return Decision(_why(facts, own, last))


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


def fingerprint_of(facts: str) -> str:
    """Return the fingerprint of a node's facts."""
    return blake2b(facts.encode(), digest_size=16).hexdigest()


class FactMaker:
    """Writes the facts of each node as JSON text.

    All that does not depend on results is put together once; what remains for each TaskRun is to
    join the digests of its inputs, since a restored run of many tasks does little else.
    """

    def __init__(self, wiring: Wiring, params: Mapping[str, str]) -> None:
        self._heads: list[str] = []
        self._inputs: list[Sequence[tuple[str, int]]] = []
        self._after: dict[int, Sequence[tuple[str, int]]] = {}
        for node, task in enumerate(wiring.tasks):
            used = {
                name: params[source]
                for name, source in wiring.uses.get(node, ())
                if source in params
            }
            static = {"version": task.options.version, "params": used}
            self._heads.append(json.dumps(static)[:-1] + ', "inputs": {')
            takes = wiring.takes[node]
            self._inputs.append([(f"{json.dumps(name)}: ", pred) for name, pred in takes])
            taken = {pred for _, pred in takes}
            order_only = [pred for pred in wiring.preds[node] if pred not in taken]
            if order_only:
                self._after[node] = [
                    (f"{json.dumps(wiring.tasks[pred].name)}: ", pred) for pred in order_only
                ]

    def facts(self, node: int, digests: Sequence[str | None]) -> str:
        """Return the facts of a node; `digests` are those of the results by node."""
        text = self._heads[node] + _join(self._inputs[node], digests)
        after = self._after.get(node)
        return f'{text}}}, "after": {{{_join(after, digests)}}}}}' if after else text + "}}"


def _join(sources: Sequence[tuple[str, int]], digests: Sequence[str | None]) -> str:
    return ", ".join([f'{key}"{digests[pred]}"' for key, pred in sources])
