"""The plan: what a run would do, task by task, and why.

It is made by the very parts a run is made of: the scheduler says whose inputs are there, and the
decision about each is the run's own. What would be executed is not, so what comes after it is
known only as far as it does not depend on what that returns. It is planned as if all that would
be executed completed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, Unpack

from flowweaver import graph
from flowweaver.definitions.kinds import kinds_of
from flowweaver.definitions.wiring import Wiring
from flowweaver.engine.body.outputs import files_of
from flowweaver.engine.clock import SYSTEM_CLOCK, Clock
from flowweaver.engine.invocation import Invocation
from flowweaver.engine.options import ExecuteOptions
from flowweaver.engine.plan.doubts import Doubts
from flowweaver.engine.plan.foresight import DONE, OPEN, TRIED, Fate, Foresight, ends_of
from flowweaver.engine.plan.known import Known
from flowweaver.engine.plan.unfollowed import unfollowed_paths
from flowweaver.engine.resolution import is_unresolved, unresolved
from flowweaver.engine.reuse.code import CodeBook
from flowweaver.engine.reuse.decide import Decision
from flowweaver.engine.reuse.differences import is_same_element
from flowweaver.engine.setting import Setting
from flowweaver.planned import Action, Plan, PlanArguments, PlannedTask
from flowweaver.reasons import Reason, ReasonKind, because
from flowweaver.records import RunRecord, TaskRecord
from flowweaver.state_store import StateStore, check_store
from flowweaver.status import TaskStatus


def make_plan(
    wiring: Wiring,
    params: Mapping[str, Any] | None,
    store: StateStore,
    clock: Clock = SYSTEM_CLOCK,
    **wished: Unpack[PlanArguments],
) -> Plan:
    """Return what executing the workflow now would do; nothing is run or written.

    Raises:
        ParameterError: The parameters don't fit.
        StoreError: The store can't be read.
        TypeError: There is no store.
    """
    check_store(store, "state_store")
    options = ExecuteOptions.of(wished, "plan", PlanArguments.__annotations__)
    invocation = Invocation(wiring, params, options, clock)
    run = invocation.run_in(store)
    own = () if run is None else store.tasks(run.id)
    return Planner(invocation, store, run, own).plan()


class Planner:
    """Walks through a workflow as a run would, without running anything."""

    def __init__(
        self,
        invocation: Invocation,
        store: StateStore,
        run: RunRecord | None,
        own: Iterable[TaskRecord],
    ) -> None:
        self._setting = setting = Setting.of(invocation, store)
        self._run = run
        self._wiring = invocation.wiring
        self._graph = setting.graph
        self._overrides = invocation.overrides
        run_id, wish = "" if run is None else run.id, invocation.wish
        code = CodeBook(kinds_of(self._wiring).samples, wish.trust)
        self._reuse = setting.reuse(invocation, store, run_id, own, code)
        self._known = Known(setting.graph, self._reuse, wish)
        self._foresight = Foresight(setting.graph, setting.scheduler)
        self._doubts = Doubts(setting.graph, self._foresight)
        self._planned: dict[int, PlannedTask] = {}
        self._alike: dict[tuple[int, str], str] = {}

    def plan(self) -> Plan:
        """Walk through the workflow as a run would."""
        self._take_overrides()
        self._walk()
        for task in self._wiring.order:
            for element in self._graph.elements(task):
                self._foresee(element)
            if task in self._wiring.mapped:
                self._foresee_list(task)
            else:
                self._foresee(task)
        wiring = self._wiring
        unseen = {
            task.name: words for task in wiring.tasks if (words := self._reuse.code.unseen(task))
        }
        place = {node: place for place, node in enumerate(wiring.order)}
        nodes = sorted(self._planned, key=lambda node: (place[self._graph.owner(node)], node))
        return Plan(
            wiring.name,
            None if self._run is None else self._run.id,
            tuple(self._planned[node] for node in nodes),
            unseen,
            unfollowed_paths(wiring),
            self._critical_path(),
        )

    # As far as inputs are there ------------------------------------------------------------

    def _take_overrides(self) -> None:
        for node, override in self._overrides.items():
            task = self._graph.task(node)
            encoded = override.encoded(task.name)
            files = files_of(task, {}, override.value, encoded.codec)
            self._setting.scheduler.withdraw(node)
            self._setting.results.put_given(node, override.value, encoded, files)
            self._setting.scheduler.completed(node)
            self._planned[node] = self._entry(node, "override", because(ReasonKind.OVERRIDDEN))

    def _walk(self) -> None:
        while True:
            for settled, error in self._setting.settling.settle():
                if error is not None:
                    task = self._graph.owner(settled)
                    why = because(ReasonKind.WOULD_FAIL, str(error))
                    self._planned[task] = self._entry(task, "run", why)
            node = self._setting.scheduler.draw()
            if node is None:
                return
            if self._takes_failures(node):
                self._setting.scheduler.ended(node)
            else:
                self._decide(node)

    def _takes_failures(self, node: int) -> bool:
        """Whether it comes after a list with failures in it, whose words only a run knows."""
        graph, status = self._graph, self._setting.scheduler.status
        lists = [pred for pred in graph.preds(graph.owner(node)) if pred in self._wiring.mapped]
        came_to = {status[element] for task in lists for element in graph.elements(task)}
        return any(each.is_final for each in came_to - {TaskStatus.COMPLETED})

    def _decide(self, node: int) -> None:
        decision = self.decision(node)
        self._setting.scheduler.ended(node)
        record = decision.record
        if node >= self._graph.size and self._graph.is_named(node):
            self._name(node, decision)
        if record is not None:
            if record.digest is not None:
                self._setting.results.put_stored(node, record)
            self._setting.scheduler.completed(node)
        self._foresight.note(node, self._carry_out(node, decision))
        if record is None and self._known.looks_back(node):
            self._note_twin(node, decision.facts.fingerprint)

    def _name(self, node: int, decision: Decision) -> None:
        """Note what an element is called for people: as when it ran, or by what it is given."""
        record, before = decision.record, decision.before
        if record is None and before is not None and is_same_element(before, decision.facts):
            record = before
        if record is not None and record.label:
            self._graph.labels[node] = record.label
        else:
            self._graph.label_by(node, self._setting.inputs.named_by(node))

    def _note_twin(self, node: int, fingerprint: str) -> None:
        """Leave a node open that would find the result of an element just like it, done first.

        A first run looks for nothing, and so executes all of them.
        """
        task, name = self._graph.owner(node), self._planned[node].name
        first = self._alike.setdefault((task, fingerprint), name)
        if first != name:
            self._unless(node, because(ReasonKind.UNLESS_TWIN, first))

    def _unless(self, node: int, remark: Reason) -> None:
        """Leave a node open that first looks for results of other elements."""
        planned = self._planned[node]
        if planned.action == "run" and self._known.is_open_to_others(node):
            why = planned.why.with_remark(remark)
            self._planned[node] = replace(planned, action="unknown", why=why)

    def decision(self, node: int) -> Decision:
        """Return what a run would decide about a node whose inputs are there."""
        return self._reuse.decide(node)

    def _carry_out(self, node: int, decision: Decision) -> Fate:
        """Plan a node as was decided; return what it may come to."""
        record, options = decision.record, self._graph.options(node)
        if record is not None:
            origin = record.source_run or record.run_id
            self._planned[node] = self._entry(node, "restore", decision.reason, run_id=origin)
            return DONE
        action: Action = "run"
        why = decision.reason
        fate = OPEN if why.kind is ReasonKind.SKIPPED_ITSELF else TRIED
        left = self._reuse.own(node)
        if options.acts_once and left is not None and is_unresolved(left):
            cause = left.failure or f"attempt {left.attempts} was cut short"
            why = because(ReasonKind.UNRESOLVED, unresolved(cause).message)
            action, fate = "unknown", OPEN
        elif options.when is not None:
            # Only the condition can say whether it is met, and a plan runs no code.
            action, why, fate = "unknown", self._doubts.conditional(node, why), OPEN
        diff = self._known.diff(node, decision.before)
        self._planned[node] = self._entry(node, action, why, diff=diff)
        return fate

    # Beyond that ---------------------------------------------------------------------------

    def _foresee(self, node: int) -> None:
        """Plan a node whose inputs are not all there, by what holds whatever they come to."""
        if node in self._planned:
            return
        if (status := self._setting.scheduler.status[node]).is_final:
            self._planned[node] = self._skipped(node, frozenset({status}))
            return
        verdicts = self._foresight.verdicts(node)
        ends = ends_of(verdicts)
        if None not in verdicts:
            self._planned[node] = self._skipped(node, ends)
            fate = ends
        elif TaskStatus.SKIPPED in ends or self._known.depends(node):
            fate = ends | self._leave_open(node, may_skip=TaskStatus.SKIPPED in ends)
        else:
            fate = ends | self._carry_out(node, self._known.decision(node))
            if self._known.looks_back(node) and self._has_siblings(node):
                self._unless(node, because(ReasonKind.UNLESS_SIBLING))
        self._foresight.note(node, fate)

    def _has_siblings(self, node: int) -> bool:
        """Whether other elements of a node's task may take what it takes, which is not known."""
        graph, task = self._graph, self._graph.owner(node)
        is_element = task in self._wiring.mapped and task != node
        return is_element and (len(graph.elements(task)) > 1 or self._foresight.is_growing(task))

    def _leave_open(self, node: int, *, may_skip: bool) -> Fate:
        """Plan a node of which too little is known; return what it may come to if it starts."""
        before = self._known.before(node)
        changes = self._known.changes(node, before) if before else ()
        if may_skip or not changes:
            why = self._doubts.open(node, may_skip=may_skip)
        else:
            why = Reason(ReasonKind.CHANGED, changes=changes)
        diff = self._known.diff(node, before)
        self._planned[node] = self._entry(
            node, "unknown", self._doubts.conditional(node, why), diff=diff
        )
        return TRIED if self._graph.options(node).when is None else OPEN

    def _foresee_list(self, task: int) -> None:
        """Plan a mapped task as a whole, once its elements are, as far as there are any yet."""
        if task in self._planned:
            return
        elements = self._graph.elements(task)
        actions = Counter(self._planned[element].action for element in elements)
        fate = self._foresight.fate(task)
        action: Action = "unknown"
        is_whole = not self._foresight.is_growing(task)
        none_left = is_whole and 0 < actions["skip"] == len(elements)
        if actions["run"] or any(self._surely_runs(element) for element in elements):
            action = "run"
        elif (none_left and not self._graph.options(task).allow_failures) or (
            TaskStatus.COMPLETED not in fate and not actions["unknown"]
        ):
            self._planned[task] = self._skipped(task, fate)
            return
        elif is_whole and not actions["unknown"] and not none_left:
            action = "restore"
        if actions[action] or action == "restore":
            share = "all" if actions[action] == len(elements) else str(actions[action])
            why = because(ReasonKind.SOME_ELEMENTS, share, str(len(elements)))
        else:
            why = self._doubts.open(task, may_skip=TaskStatus.SKIPPED in fate)
        self._planned[task] = self._entry(task, action, why)

    def _surely_runs(self, element: int) -> bool:
        """Whether an element is executed, or another one in its place."""
        remarks = self._planned[element].why.remarks
        return any(remark.kind is ReasonKind.UNLESS_SIBLING for remark in remarks)

    # What is said of a node ----------------------------------------------------------------

    def _skipped(self, node: int, fate: Fate) -> PlannedTask:
        return self._entry(node, "skip", self._doubts.left_out(node, fate))

    def _entry(
        self, node: int, action: Action, why: Reason, *, run_id: str | None = None, diff: str = ""
    ) -> PlannedTask:
        name, element = self._graph.identity(node)
        seconds = self._known.seconds(node)
        label = self._graph.labels.get(node) or (self._label_before(node) if element else "")
        return PlannedTask(name, element, action, why, run_id, diff, seconds, label)

    def _label_before(self, node: int) -> str:
        """Return what an element was called whose inputs nobody knows yet, if it is still that."""
        before = self._known.before(node)
        if before is None or not before.label:
            return ""
        pairs = [pred for pred in self._graph.preds(node) if pred >= self._graph.size]
        return before.label if all(map(self._keeps_its_place, pairs)) else ""

    def _keeps_its_place(self, node: int) -> bool:
        """Whether an element is called as the one that had its place in the list before."""
        before, planned = self._known.before(node), self._planned.get(node)
        return before is None or planned is None or before.label == planned.label

    def _critical_path(self) -> tuple[tuple[str, ...], float]:
        wiring = self._wiring
        durations = [0.0] * len(wiring.tasks)
        for node, planned in self._planned.items():
            if planned.action in ("run", "unknown"):
                task = self._graph.owner(node)
                durations[task] = max(durations[task], planned.seconds or 0.0)
        path = graph.critical_path(wiring.succs, wiring.order, durations)
        busy = [node for node in path if durations[node]]
        return tuple(wiring.names(busy)), sum(durations[node] for node in busy)
