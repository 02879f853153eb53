"""What is known of TaskRuns before anything runs: what there is of them, and what has changed."""

from __future__ import annotations

from functools import cached_property

from flowweaver.engine.reuse.decide import Decision, Reuse, Wish, asks_anew, decide, refusal
from flowweaver.engine.reuse.differences import differences
from flowweaver.engine.run_graph import RunGraph
from flowweaver.facts import Change, Facts
from flowweaver.fingerprint import CodePart, diff_parts
from flowweaver.reasons import Reason
from flowweaver.records import TaskRecord
from flowweaver.status import TaskStatus


class Known:
    """What holds of the nodes of one plan whatever their inputs come to.

    Args:
        graph: The graph of the run that is planned.
        reuse: Decides what that run would restore.
        wish: What is wanted of earlier results.
    """

    def __init__(self, graph: RunGraph, reuse: Reuse, wish: Wish) -> None:
        self._graph = graph
        self._reuse = reuse
        self._history = reuse.history
        self._wish = wish
        self._statics: dict[int, Facts] = {}
        self._diffs: dict[tuple[str, str], str] = {}

    def looks_back(self, node: int) -> bool:
        """Whether a run would look for what was done already."""
        return self._history.has_earlier or self._graph.options(node).effect == "once_ever"

    def is_open_to_others(self, node: int) -> bool:
        """Whether a result of another TaskRun would be taken for that of a node."""
        task, _ = self._graph.identity(node)
        return task not in self._wish.force and self._refusal(node) is None

    def decision(self, node: int) -> Decision:
        """Return what is decided about a node whatever its inputs come to."""
        # Facts without inputs equal none that are kept, and serve only to tell what changed.
        facts = Facts("{}") if self.before(node) is None else self._static(node)
        options, code = self._graph.options(node), self._reuse.code
        identity, objection = self._graph.identity(node), self._objection(node)
        effects, history = self._reuse.effects, self._history
        return decide(self._wish, options, identity, facts, history, code, objection, effects)

    def depends(self, node: int) -> bool:
        """Whether it takes a node's inputs to know if it would be restored."""
        key, wish, history = self._graph.identity(node), self._wish, self._history
        if key[0] in wish.force:
            return False
        if self._graph.options(node).effect == "once_ever":
            return True
        if wish.mode == "completed":
            return False
        own = history.own.get(key)
        if own is not None and own.status is TaskStatus.COMPLETED:
            if asks_anew(self._graph.options(node), own, wish.now) is not None:
                return False
            if not self.changes(node, own):
                return True
        elif self._refusal(node) is not None:
            return False
        if not history.has_earlier:
            return False
        code = self._static(node).code
        return code is None or bool(history.code(code))

    def before(self, node: int) -> TaskRecord | None:
        """Return the last record of a node that says what its result depended on."""
        key = self._graph.identity(node)
        own = self._history.own.get(key)
        return own if own is not None and own.facts else self._history.last.get(key)

    def seconds(self, node: int) -> float | None:
        """Return how long a node took when it last ran; None if that is not known.

        Of a mapped task whose elements nobody knows yet, it is what the longest of them took.
        """
        key = self._graph.identity(node)
        last = self._history.last.get(key) or self._history.own.get(key)
        seconds = None if last is None else last.duration
        if seconds is None and not key[1] and not self._graph.elements(node):
            return self._longest.get(key[0])
        return seconds

    @cached_property
    def _longest(self) -> dict[str, float]:
        """By mapped task, how long an element took at most when it last ran."""
        found: dict[str, float] = {}
        for (task, element), record in self._history.last.items():
            if element and record.duration is not None:
                found[task] = max(found.get(task, 0.0), record.duration)
        return found

    def changes(self, node: int, before: TaskRecord) -> tuple[Change, ...]:
        """Return how what is known of a node's facts differs from those of a record."""
        return differences(Facts(before.facts), self._static(node), self.parts)

    def diff(self, node: int, before: TaskRecord | None) -> str:
        """Return the lines of code that changed since a record was made."""
        if before is None or not before.facts:
            return ""
        old, new = Facts(before.facts).code, self._static(node).code
        if old is None or new is None or old == new:
            return ""
        if (old, new) not in self._diffs:
            self._diffs[old, new] = diff_parts(self.parts(old), self.parts(new))
        return self._diffs[old, new]

    def parts(self, digest: str) -> tuple[CodePart, ...]:
        """Return the parts of code, of now or of earlier runs, by its digest."""
        return self._reuse.code.parts_of(digest) or self._history.code(digest)

    def _static(self, node: int) -> Facts:
        """Return what is known of a node's facts before its inputs are there."""
        task = self._graph.owner(node)
        if task not in self._statics:
            self._statics[task] = self._reuse.maker.static(task)
        return self._statics[task]

    def _objection(self, node: int) -> str | None:
        return self._reuse.code.objection(self._graph.tasks[self._graph.owner(node)])

    def _refusal(self, node: int) -> Reason | None:
        return refusal(self._wish, self._graph.options(node), self._objection(node))
