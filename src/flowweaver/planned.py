"""What a run would do, task by task, and why: a plan as its users see it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypedDict

from flowweaver.cache_scope import CacheScope, ReuseMode
from flowweaver.names import shown_name, task_run_name
from flowweaver.reasons import Reason, words_of
from flowweaver.shown import Shown

Action = Literal["run", "restore", "override", "skip", "unknown"]


@dataclass(frozen=True, slots=True)
class PlannedTask:
    """What would become of one TaskRun.

    `action` is "override" where its result is given, "skip" where it would not come to start, and
    "unknown" where that, or whether it has to, depends on what an earlier task comes to, on its
    condition, or on a person. `why` is the reason for that, and `reason` the same in words.
    `run_id` is the run whose result would be restored. `diff` shows the lines of code that changed.
    `seconds` is how long it took when it last ran. `label` is what an element is called for people.
    """

    task: str
    element: str
    action: Action
    why: Reason
    run_id: str | None = None
    diff: str = ""
    seconds: float | None = None
    label: str = ""

    @property
    def name(self) -> str:
        """The task's name, with the element: ``page[3]``."""
        return task_run_name(self.task, self.element)

    @property
    def shown_name(self) -> str:
        """The name for people, with what an element is called: ``page[3] (Oslo)``."""
        return shown_name(self.task, self.element, self.label)

    @property
    def reason(self) -> str:
        """Why, in words."""
        return words_of(self.why)


@dataclass(frozen=True, slots=True, repr=False)
class Plan(Shown):
    """What a run would do.

    Attributes:
        workflow: The workflow's name.
        run_id: The unfinished run that would be continued; None for a new one.
        tasks: The TaskRuns in an order they could run in.
        unseen: By task, what of its code could not be seen.
        unfollowed: By task, parameters that are paths whose content counts only as far as the
            body is seen to read it.
        critical_path: The longest chain of what would or may run, by name, and its seconds as far
            as they are known.
    """

    workflow: str
    run_id: str | None
    tasks: tuple[PlannedTask, ...]
    unseen: Mapping[str, tuple[str, ...]]
    unfollowed: Mapping[str, tuple[str, ...]]
    critical_path: tuple[tuple[str, ...], float]

    @property
    def would_run(self) -> bool:
        """Whether anything would be executed."""
        return any(task.action == "run" for task in self.tasks)

    @property
    def may_run(self) -> bool:
        """Whether anything would be executed, or may be: what is "unknown" counts, too."""
        return any(task.action in ("run", "unknown") for task in self.tasks)

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

    def __repr__(self) -> str:
        counts = ", ".join(f"{count} {action}" for action, count in self.counts().items())
        return f"<Plan of {self.workflow!r}: {counts or 'no tasks'}>"


class PlanArguments(TypedDict, total=False):
    """What can be asked of a plan; the same words as for `execute`."""

    targets: Iterable[str] | None
    from_: Iterable[str]
    overrides: Mapping[str, Any] | None
    reuse: ReuseMode
    cache_scope: CacheScope | None
    force: Iterable[str]
    force_downstream: bool
    trust: str | Iterable[str]
    new_run: bool
    run_id: str | None
