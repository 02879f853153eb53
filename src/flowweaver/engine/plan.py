"""The plan: what a run would do, task by task, and why.

It is made by the very parts a run is made of: the scheduler says whose inputs are there, and the
decision about each is the run's own. What would be executed is not, so what comes after it is
known only as far as it does not depend on what that returns.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypedDict, Unpack

from flowweaver import graph
from flowweaver.engine.code import parts_from
from flowweaver.engine.elements import Elements, MappingError
from flowweaver.engine.facts import differences
from flowweaver.engine.inputs import Inputs
from flowweaver.engine.parameters import check_parameters, encode_parameters, key_of
from flowweaver.engine.protocols import StateStore
from flowweaver.engine.results import Gathered, Results
from flowweaver.engine.reuse import Decision, History, Reuse, ReuseMode, Wish, forced
from flowweaver.engine.scheduler import Scheduler
from flowweaver.errors import UndecodableError
from flowweaver.fingerprint import CodePart, diff_parts
from flowweaver.records import RunRecord, TaskRecord
from flowweaver.serialize import Signer
from flowweaver.status import TaskStatus
from flowweaver.wiring import Wiring

Action = Literal["run", "restore", "skip", "unknown"]


@dataclass(frozen=True, slots=True)
class PlannedTask:
    """What would become of one TaskRun.

    `action` is "unknown" where it depends on what an earlier task returns. `run_id` is the run
    whose result would be restored. `diff` shows the lines of code that changed. `seconds` is how
    long it took when it last ran.
    """

    task: str
    element: str
    action: Action
    reason: str
    run_id: str | None = None
    diff: str = ""
    seconds: float | None = None

    @property
    def name(self) -> str:
        """The task's name, with the element: ``page[3]``."""
        return f"{self.task}[{self.element}]" if self.element else self.task


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run would do.

    Attributes:
        workflow: The workflow's name.
        run_id: The unfinished run that would be continued; None for a new one.
        tasks: The TaskRuns in an order they could run in.
        unseen: By task, what of its code could not be seen.
        critical_path: The longest chain of what would or may run, by name, and its seconds as far
            as they are known.
    """

    workflow: str
    run_id: str | None
    tasks: tuple[PlannedTask, ...]
    unseen: Mapping[str, tuple[str, ...]]
    critical_path: tuple[tuple[str, ...], float]

    @property
    def would_run(self) -> bool:
        """Whether anything would be executed."""
        return any(task.action == "run" for task in self.tasks)

    def counts(self) -> dict[Action, int]:
        """Return how many TaskRuns there are of each action."""
        return dict(Counter(task.action for task in self.tasks))

    def makespan(self, workers: int) -> float:
        """Return the least seconds a run could take on so many workers, by earlier durations."""
        work = sum(task.seconds or 0.0 for task in self.tasks if task.action in ("run", "unknown"))
        return max(self.critical_path[1], work / workers)

    def __getitem__(self, name: str) -> PlannedTask:
        for task in self.tasks:
            if task.name == name:
                return task
        raise KeyError(name)

    def __iter__(self) -> Iterator[PlannedTask]:
        return iter(self.tasks)

    def __len__(self) -> int:
        return len(self.tasks)


class PlanArguments(TypedDict, total=False):
    """What can be asked of a plan; the same words as for `execute`."""

    reuse: ReuseMode
    force: Iterable[str]
    force_downstream: bool
    new_run: bool


def make_plan(
    wiring: Wiring,
    params: Mapping[str, Any],
    store: StateStore,
    **wished: Unpack[PlanArguments],
) -> Plan:
    """Return what executing the workflow now would do; nothing is run or written.

    Raises:
        ParameterError: The parameters don't fit.
        StoreError: The store can't be read.
    """
    check_parameters(wiring, params)
    encoded = encode_parameters(params)
    new_run = wished.get("new_run", False)
    run = None if new_run else unfinished_run(store, wiring.name, key_of(encoded))
    own = store.tasks(run.id) if run is not None else ()
    run_id = "" if run is None else run.id
    downstream = wished.get("force_downstream", False)
    force = forced(wiring, wished.get("force", ()), downstream=downstream)
    wish = Wish(wished.get("reuse", "unchanged"), force)
    history = History(store, wiring.name, run_id, own, wiring.index)
    digests = {name: value.digest for name, value in encoded.items()}
    return Planner(wiring, params, store, digests, history, wish).plan(run)


def unfinished_run(store: StateStore, workflow: str, key: str) -> RunRecord | None:
    """Return the run that executing the workflow with these parameters would continue."""
    for run in store.runs(workflow):
        if run.key == key:
            return run if run.status.is_unfinished else None
    return None


class Planner:
    """Walks through a workflow as a run would, without running anything."""

    def __init__(
        self,
        wiring: Wiring,
        params: Mapping[str, Any],
        store: StateStore,
        digests: Mapping[str, str],
        history: History,
        wish: Wish,
    ) -> None:
        self._wiring = wiring
        self._wish = wish
        self._history = history
        self._scheduler = Scheduler(wiring)
        self._elements = Elements(wiring, self._scheduler)
        self._results = Results(len(wiring.tasks), store, Signer())
        self._inputs = Inputs(wiring, self._results, self._elements, params, copying=True)
        self._reuse = Reuse(
            wiring, self._elements, self._inputs, params=digests, history=history, wish=wish
        )
        self._planned: dict[int, PlannedTask] = {}

    def plan(self, run: RunRecord | None) -> Plan:
        """Walk through the workflow as a run would."""
        while True:
            self._settle()
            node = self._scheduler.take()
            if node is None:
                break
            self._decide(node)
        for node in self._wiring.order:
            if node not in self._planned:
                self._planned[node] = self._foresee(node)
        wiring = self._wiring
        unseen = {
            task.name: words
            for task in wiring.tasks
            if task._options.version is None and (words := self._reuse.code.unseen(task))
        }
        place = {node: place for place, node in enumerate(wiring.order)}
        nodes = sorted(self._planned, key=lambda node: (place[self._elements.task_of(node)], node))
        return Plan(
            wiring.name,
            None if run is None else run.id,
            tuple(self._planned[node] for node in nodes),
            unseen,
            self._critical_path(),
        )

    def _settle(self) -> None:
        scheduler = self._scheduler
        while scheduler.settled or scheduler.growing:
            settled, scheduler.settled = scheduler.settled, []
            for node in settled:
                if scheduler.status[node] is TaskStatus.COMPLETED:
                    tree = self._elements.tree(node)
                    self._results.put_gathered(node, Gathered(tree))
                    self._reuse.note_list(node, tree)
                    if self._elements.is_shown(node):
                        count = len(self._elements.children_of(node))
                        self._planned[node] = self._entry(
                            node, "restore", f"all of its {count} elements are"
                        )
            growing, scheduler.growing = scheduler.growing, []
            for growth in growing:
                self._grow(growth)

    def _grow(self, growth: int) -> None:
        try:
            self._elements.grow(growth, self._inputs.length_of)
        except (MappingError, UndecodableError) as error:
            task = self._elements.task_of(growth)
            self._planned[task] = self._entry(task, "run", f"it would fail: {error}")

    def _decide(self, node: int) -> None:
        decision = self.decision(node)
        self._scheduler.ended(node)
        record = decision.record
        if record is not None:
            if record.digest is not None:
                self._results.put_stored(node, record.digest)
                self._reuse.note(node, record.digest)
            self._scheduler.completed(node)
            origin = record.source_run or record.run_id
            self._planned[node] = self._entry(node, "restore", decision.reason, run_id=origin)
            return
        definition = self._wiring.tasks[self._elements.task_of(node)]
        # Whether its condition is met is the condition's to say, and a plan runs no code.
        action: Action = "unknown" if definition._options.when is not None else "run"
        diff = self._diff(node, decision.before)
        self._planned[node] = self._entry(node, action, decision.reason, diff=diff)

    def decision(self, node: int) -> Decision:
        """Return what a run would decide about a node whose inputs are there."""
        return self._reuse.decide(node)

    def _foresee(self, node: int) -> PlannedTask:
        """Say what is known of a task whose inputs are not all there."""
        definition = self._wiring.tasks[node]
        if definition._name in self._wish.force:
            return self._entry(node, "run", "forced")
        last = self._last(node)
        if last is None and node not in self._wiring.mapped:
            action: Action = "unknown" if definition._options.when is not None else "run"
            return self._entry(node, action, "never ran")
        waits = [
            self._wiring.tasks[pred].name
            for pred in self._wiring.preds[node]
            if self._scheduler.status[pred] is not TaskStatus.COMPLETED
        ]
        reason = "depends on what " + ", ".join(f"`{name}`" for name in waits[:3]) + " gives"
        children = self._elements.children_of(node)
        running = [child for child in children if self._planned[child].action == "run"]
        if running:
            return self._entry(node, "run", f"{len(running)} of its {len(children)} elements are")
        if last is None:
            return self._entry(node, "unknown", reason)
        static = self._reuse.maker.static(node)
        changed = differences(last.facts, static, self._parts)
        diff = self._diff(node, last)
        if changed:
            reason = "; ".join(changed)
        is_new_code = bool(static["code"]) and not self._history.code(static["code"])
        certain = bool(changed) and is_new_code and definition._options.when is None
        return self._entry(node, "run" if certain else "unknown", reason, diff=diff)

    def _last(self, node: int) -> TaskRecord | None:
        name = self._wiring.tasks[node]._name
        return self._history.own.get((name, "")) or self._history.last.get((name, ""))

    def _entry(
        self, node: int, action: Action, reason: str, *, run_id: str | None = None, diff: str = ""
    ) -> PlannedTask:
        name = self._wiring.tasks[self._elements.task_of(node)].name
        element = self._elements.text_of(node)
        last = self._history.last.get((name, element)) or self._history.own.get((name, element))
        seconds = None if last is None else last.duration
        return PlannedTask(name, element, action, reason, run_id, diff, seconds)

    def _diff(self, node: int, before: TaskRecord | None) -> str:
        """Return the lines of code that changed since a record was made."""
        if before is None or not before.facts:
            return ""
        old = code_in(before.facts)
        new = self._reuse.maker.static(self._elements.task_of(node))["code"]
        if old is None or new is None or old == new:
            return ""
        return diff_parts(self._parts(old), self._parts(new))

    def _parts(self, digest: str) -> tuple[CodePart, ...]:
        return parts_from(self._reuse.code.text_of(digest)) or self._history.code(digest)

    def _critical_path(self) -> tuple[tuple[str, ...], float]:
        wiring = self._wiring
        durations = [0.0] * len(wiring.tasks)
        for node, planned in self._planned.items():
            if planned.action in ("run", "unknown"):
                task = self._elements.task_of(node)
                durations[task] = max(durations[task], planned.seconds or 0.0)
        path = graph.critical_path(wiring.succs, wiring.order, durations)
        busy = [node for node in path if durations[node]]
        return tuple(wiring.names(busy)), sum(durations[node] for node in busy)


def code_in(facts: str) -> str | None:
    """Return the digest of the code in facts; None where a version stands for it."""
    digest: str | None = json.loads(facts).get("code")
    return digest
