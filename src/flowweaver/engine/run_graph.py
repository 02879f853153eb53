"""The graph of one run: what each node is, those added while it runs included."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Any

from flowweaver.definitions.options import TaskOptions, Trigger
from flowweaver.definitions.task import Task
from flowweaver.definitions.wiring import Wiring
from flowweaver.engine.element_names import element_label
from flowweaver.engine.files import digest_with
from flowweaver.names import shown_name, task_run_name
from flowweaver.records import FileRecord

Key = tuple[int, ...]

# In larger fan-outs, completed elements keep their names only where names were asked for.
_MOST_NAMED = 1_000


class Role(Enum):
    """What a node that is not simply run is for.

    A MAPPED node stands for all elements of a task and is final when they are; a GROUP for those
    under one prefix of their keys. A GROWTH adds elements once it is known how many there are.
    """

    MAPPED = "mapped"
    GROUP = "group"
    GROWTH = "growth"


class Digests(list[str | None]):
    """By node, what its result is known by to those who take it, as far as it is stored.

    It is the digest that equal results share, and of its files too where it has some. `files` and
    `likenesses` hold what it is made of besides the digest of the stored result. `seen` is what
    bodies were seen to read, which is no part of it.
    """

    def __init__(self, size: int) -> None:
        super().__init__([None] * size)
        self.files: dict[int, tuple[FileRecord, ...]] = {}
        self.seen: dict[int, tuple[FileRecord, ...]] = {}
        self.likenesses: dict[int, str] = {}
        self._stored: dict[int, str] = {}

    def note(
        self, node: int, digest: str, files: tuple[FileRecord, ...] = (), likeness: str = ""
    ) -> None:
        """Keep the digest of a node's stored result, its files and its likeness."""
        missing = node + 1 - len(self)
        if missing > 0:
            self.extend([None] * missing)
        if files or likeness or node in self._stored:
            self.files[node], self.likenesses[node] = files, likeness
            self._stored[node] = digest
            digest = digest_with(likeness or digest, files)
        self[node] = digest

    def of(self, node: int) -> str | None:
        """Return what a node's result is known by, None if there is none that is stored."""
        return self[node] if node < len(self) else None

    def of_stored(self, node: int) -> str | None:
        """Return the digest of a node's stored result alone."""
        return self._stored.get(node) or self.of(node)


class RunGraph:
    """Answers for the nodes of one run: whose they are, what they are called, what they wait for.

    Nodes are small integers: first the workflow's tasks, then those that are added at run time.

    Attributes:
        wiring: The workflow's own graph.
        size: How many nodes are the workflow's own: all below this number.
        tasks: The workflow's tasks.
        children: By mapped or group node, the nodes it stands for.
        own_succs: By node of the workflow's own, those of them that wait for it.
        added_succs: By any node, the added ones that wait for it, and the groups it belongs to.
        counts: By mapped node, how many elements there are by now.
        digests: By node, what its result is known by, as far as it is stored.
        labels: By node, what elements are called for people, as far as that is known.
    """

    __slots__ = (
        "__weakref__", "_keys", "_owners", "_preds", "_roles",
        "added_succs", "children", "counts", "digests", "labels", "own_succs", "size", "tasks",
        "wiring",
    )  # fmt: skip

    def __init__(self, wiring: Wiring) -> None:
        self.wiring = wiring
        self.tasks = wiring.tasks
        self.size = len(wiring.tasks)
        self.children: dict[int, list[int]] = {node: [] for node in wiring.mapped}
        self.counts = dict.fromkeys(wiring.mapped, 0)
        self.digests = Digests(self.size)
        self.labels: dict[int, str] = {}
        self.own_succs: Sequence[Sequence[int]] = wiring.succs
        self.added_succs: dict[int, list[int]] = {}
        # What is known of added nodes, in lists and not an object each: elements come by the
        # million.
        self._owners: list[int] = []
        self._preds: list[Sequence[int]] = []
        self._roles: list[Role | None] = []
        self._keys: list[Key] = []

    def __len__(self) -> int:
        return self.size + len(self._owners)

    # Whose a node is -----------------------------------------------------------------------

    def owner(self, node: int) -> int:
        """Return the node of the whole task that this one belongs to."""
        return node if node < self.size else self._owners[node - self.size]

    def task(self, node: int) -> Task[..., Any]:
        """Return the definition of the task that a node belongs to."""
        return self.tasks[self.owner(node)]

    def options(self, node: int) -> TaskOptions:
        """Return the options of that task."""
        return self.tasks[self.owner(node)].options

    def role(self, node: int) -> Role | None:
        """Return what a node is for, if it is not simply run."""
        if node < self.size:
            return Role.MAPPED if node in self.children else None
        return self._roles[node - self.size]

    def is_shown(self, node: int) -> bool:
        """Whether a node is a TaskRun, and not only a help to count elements."""
        return node < self.size or self._roles[node - self.size] is None

    # What it is called ---------------------------------------------------------------------

    def key(self, node: int) -> Key:
        """Return the key of an element, or the prefix that a helper is for; () of a whole task."""
        return () if node < self.size else self._keys[node - self.size]

    def element(self, node: int) -> str:
        """Return the key of an element as text: "3", or "3.1"; "" for all that is none."""
        if node < self.size:
            return ""
        added = node - self.size
        return ".".join(map(str, self._keys[added])) if self._roles[added] is None else ""

    def identity(self, node: int) -> tuple[str, str]:
        """Return what tells a TaskRun from all others of its run: its task's name, its element."""
        if node < self.size:
            return self.tasks[node].name, ""
        return self.task(node).name, self.element(node)

    def name(self, node: int) -> str:
        """Return the name of a node's task, with its element: ``page[3]``."""
        return task_run_name(*self.identity(node))

    def shown_name(self, node: int) -> str:
        """Return that name for people, with what the element is called: ``page[3] (Oslo)``."""
        return shown_name(*self.identity(node), self.labels.get(node, ""))

    def label_by(self, node: int, arguments: Mapping[str, Any]) -> None:
        """Note what an element is called for people, by what it is given."""
        task = self.owner(node)
        taken = (each.name for each in self.wiring.mapped[task].inputs)
        label = element_label(self.options(task).element_name, arguments, taken)
        if label:
            self.labels[node] = label

    def is_named(self, node: int) -> bool:
        """Whether what an element is called for people is kept with what became of it.

        It is kept where names were asked for, or where there are not many elements.
        """
        task = self.owner(node)
        return self.options(task).element_name is not None or self.counts[task] <= _MOST_NAMED

    # What it waits for ---------------------------------------------------------------------

    def preds(self, node: int) -> Sequence[int]:
        """Return the nodes that this one waits for, or waited for."""
        return self.wiring.preds[node] if node < self.size else self._preds[node - self.size]

    def succs(self, node: int) -> Sequence[int]:
        """Return the nodes that wait for this one."""
        succs = self.own_succs[node] if node < self.size else ()
        if self.added_succs and (added := self.added_succs.get(node)):
            return [*succs, *added]
        return succs

    def tolerates(self, node: int) -> bool:
        """Whether a node is an element whose failure, should it fail, stands for its result."""
        return node >= self.size and self.is_shown(node) and self.options(node).allow_failures

    def elements(self, node: int) -> list[int]:
        """Return the elements that a mapped or group node stands for."""
        return [child for child in self.children.get(node, ()) if self.is_shown(child)]

    def trigger(self, node: int) -> Trigger:
        """Return what a node's predecessors must come to for it to start."""
        return "all_success" if self.role(node) is Role.GROWTH else self.options(node).trigger

    def dispensable(self, node: int) -> set[int]:
        """Return the tasks without whose results a node can do, should they be skipped."""
        task, wiring = self.owner(node), self.wiring
        takes = wiring.takes(task)
        needed = {source for name, source in takes if not wiring.has_default(task, name)}
        if (mapped := wiring.mapped.get(task)) is not None:
            needed.update(taken.node for taken in mapped.inputs if taken.node is not None)
        return {source for _, source in takes} - needed

    # What becomes of it --------------------------------------------------------------------

    def add(
        self,
        owner: int,
        preds: Sequence[int],
        groups: Sequence[int],
        role: Role | None,
        key: Key,
    ) -> int:
        """Add a node of the task `owner`, behind `preds`; return it.

        The mapped and group nodes it belongs to wait for it; it waits for those it is linked to.
        """
        node = len(self)
        self._owners.append(owner)
        self._preds.append(preds)
        self._roles.append(role)
        self._keys.append(key)
        if role is None:
            self.counts[owner] += 1
        for group in groups:
            self.children[group].append(node)
        if groups:
            self.added_succs[node] = list(groups)
        if role is Role.GROUP:
            self.children[node] = []
        return node

    def link(self, node: int, succ: int) -> None:
        """Have `succ` wait for a node."""
        self.added_succs.setdefault(node, []).append(succ)

    def seal(self) -> None:
        """From now on what becomes of a node is of no matter to others."""
        self.own_succs, self.added_succs = [()] * len(self), {}

    def digest(self, node: int) -> str | None:
        """Return what a node's result is known by, None if there is none that is stored."""
        return self.digests.of(node)
