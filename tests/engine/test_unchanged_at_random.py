"""With the seal and without: random workflows, edits, files, times and wishes."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import count
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from flowweaver import (
    MemoryStateStore,
    Origin,
    SequentialExecutor,
    Task,
    Workflow,
    current_task,
    each,
)
from flowweaver.engine.unchanged import Unchanged
from flowweaver.files.seen import is_left
from tests.engine.scheduling import TRIGGERS


def double(number: int) -> int:
    return 2 * number


def computing(version: int) -> Any:
    def compute(**inputs: Any) -> int:
        return version // 2 + _sum(inputs.values())  # an edit may change no result

    return compute


def breaking(version: int) -> Any:
    def breaks(**inputs: Any) -> int:
        raise ValueError(version)

    return breaks


def ticking(version: int) -> Any:
    def tick(**inputs: Any) -> int:
        with Path("ticks").open("a") as file:
            file.write("x")
        return Path("ticks").stat().st_size + _sum(inputs.values()) + version

    return tick


def making(version: int) -> Any:
    def make(**inputs: Any) -> Path:
        path = Path(f"made {current_task().name}")
        path.write_text(f"{version} {_sum(inputs.values())}")
        return path

    return make


def reading(version: int) -> Any:
    def read(**inputs: Any) -> int:
        return int(Path("in").read_text()) + _sum(inputs.values()) + version

    return read


def _sum(values: Any) -> int:
    return sum(value if isinstance(value, int) else 0 for value in values)


def is_flagged() -> bool:
    return Path("flag").exists()


def listed(t0: Any, size: int) -> list[int]:
    return list(range(size))


KINDS: dict[str, tuple[Callable[[int], Any], dict[str, Any]]] = {
    "plain": (computing, {}),
    "ticking": (ticking, {}),
    "made": (making, {}),
    "reading": (reading, {"files": ["in"]}),
    "outputs": (making, {}),
    "uncached": (ticking, {"cache": False}),
    "fresh": (ticking, {"fresh_for": 1000}),
    "done": (ticking, {"effect": "idempotent"}),
    "maybe": (computing, {"when": is_flagged, "trust": ["pathlib"]}),
}
STEADY = ("plain", "ticking")
DOINGS = (
    "nothing", "nothing", "nothing", "edit", "rewrite", "parameter", "in", "made", "flag",
    "later", "force", "never", "completed", "drop newest", "drop oldest", "failing", "breaking",
    "trigger", "trigger",
)  # fmt: skip


class _World:
    """A store and a folder; what is done to one world is done to the other, but for the seal."""

    def __init__(self, folder: Path, is_sealing: bool, most_own: int) -> None:
        folder.mkdir()
        self.folder, self.is_sealing, self.most_own = folder, is_sealing, most_own
        self.store = MemoryStateStore()
        self.sealed = 0
        self.ids = map("run {}".format, count())
        (folder / "in").write_text("1")

    @contextmanager
    def entered(self, *, later: bool) -> Iterator[None]:
        before = Path.cwd()
        os.chdir(self.folder)
        moved = SimpleNamespace(time=lambda: time.time() + 5000 * later)
        since = Unchanged.since if self.is_sealing else lambda *_: None
        carried = Unchanged.carried if self.is_sealing else lambda *_: None
        try:
            with (
                patch("flowweaver.engine.reuse.decide.time", moved),
                patch("flowweaver.stores.common.leases.new_run_id", lambda _: next(self.ids)),
                patch.object(Unchanged, "since", since),
                patch.object(Unchanged, "carried", carried),
                patch("flowweaver.engine.reuse.seal.WORTH", 1),
                patch("flowweaver.engine.carried.WORTH", 1),
                patch("flowweaver.engine.carried._MOST_OWN", self.most_own),
            ):
                yield
        finally:
            os.chdir(before)

    def upset(self, doing: str) -> None:
        runs = self.store.runs()
        if doing == "in":
            (self.folder / "in").write_text(str(len(runs)))
        elif doing == "made":
            for path in self.folder.glob("made*"):
                path.unlink()
        elif doing == "flag":
            flag = self.folder / "flag"
            flag.unlink() if flag.exists() else flag.touch()
        elif doing.startswith("drop") and runs:
            self.store.delete([runs[0 if doing == "drop newest" else -1].id])

    def outcome(self, made: Workflow, size: int, doing: str) -> Any:
        wishes: dict[str, Any] = {"force": {"force": ["t0"]}}
        wish = wishes.get(doing, {"reuse": doing} if doing in ("never", "completed") else {})
        with self.entered(later=doing == "later"):
            plan = made.plan({"size": size}, state_store=self.store, **wish)
            executor = SequentialExecutor(state_store=self.store)
            run = executor.execute(made, {"size": size}, raise_on_failure=False, **wish)
            planned = {task.name: task.action for task in plan}
            for name, task in run.tasks.items():
                if planned[name] == "restore":
                    assert task.origin is Origin.RESTORED, name
                elif planned[name] == "run":
                    assert task.origin is not Origin.RESTORED, name
            self.sealed += self.store.run(run.id).base is not None
            return (
                run.status,
                run.outcomes(),
                run.counts(),
                {name: _told(task) for name, task in run.tasks.items()},
                {name: run[name] for name, task in run.tasks.items() if task.status == "completed"},
                sorted(map(_kept, self.store.tasks(run.id))),
            )


# A result that is shared is taken from the newest run that has a row for it; a run that was
# restored as a whole has none of its own, so it is another run that is named then.
_NAMED = re.compile(r"(taken from `\w+` of workflow random in run )run \d+")


def _told(task: Any) -> tuple[Any, ...]:
    record = task.record
    reason = _NAMED.sub(r"\1...", str(task.reason))
    return task.status, task.origin, reason, record.digest, record.source_run, record.files


def _kept(record: Any) -> tuple[str, ...]:
    times = {"started_at": 0.0, "finished_at": 0.0, "duration": 0.0, "failure": None}
    # What a file system says of a file that was left is another in another world.
    seen = tuple((each.path, "" if is_left(each) else each.digest) for each in record.seen)
    record = replace(record, **times, seen=seen)
    return (record.task, record.element, _NAMED.sub(r"\1...", repr(record)))


@example(
    kinds=["plain", "plain"],
    joined=[set()] * 8,
    is_mapping=True,
    most_own=2000,
    triggers=["all_success"] * 8,
    doings=[("edit", 1), ("nothing", 0), ("edit", 0)],
)
@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    kinds=st.one_of(
        st.lists(st.sampled_from(STEADY), min_size=2, max_size=8),
        st.lists(st.sampled_from([*STEADY, *KINDS]), min_size=1, max_size=4),
    ),
    joined=st.lists(st.sets(st.integers(1, 3), max_size=2), min_size=8, max_size=8),
    is_mapping=st.booleans(),
    most_own=st.sampled_from([2, 2000]),
    triggers=st.lists(st.sampled_from([*TRIGGERS, *TRIGGERS[:1] * 5]), min_size=8, max_size=8),
    doings=st.lists(st.tuples(st.sampled_from(DOINGS), st.integers(0, 7)), max_size=8),
)
def test_with_the_seal_comes_what_comes_without(
    kinds: list[str],
    joined: list[set[int]],
    is_mapping: bool,
    most_own: int,
    triggers: list[str],
    doings: list[tuple[str, int]],
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    folder = tmp_path_factory.mktemp("worlds")
    worlds = [
        _World(folder / "with", True, most_own),
        _World(folder / "without", False, most_own),
    ]
    versions, size = [0] * len(kinds), 2
    for doing, which in [("nothing", 0), *doings, ("nothing", 0)]:
        versions[which % len(kinds)] += {"edit": 1, "rewrite": 2}.get(doing, 0)
        size += doing == "parameter"
        if doing == "trigger":
            old = TRIGGERS.index(triggers[which])
            triggers = [*triggers[:which], TRIGGERS[old - 1], *triggers[which + 1 :]]
        made = Workflow("random")
        for place, kind in enumerate(kinds):
            body, options = KINDS[kind]
            before = [f"t{place - back}" for back in joined[place] if back <= place]
            if kind == "outputs":
                options = {"outputs": [f"made t{place}"]}
            if doing == "breaking" and place == which % len(kinds):
                body = breaking
            options = {**options, "trigger": triggers[place]}
            made.add_task(Task(f"t{place}", body(versions[place]), depends_on=before, **options))
        made.add_task(listed)
        if is_mapping:
            made.add_task(double, inputs={"number": each("listed")})
        if doing == "failing":
            made.add_task(lambda t0: 1 // 0, name="failing")
        for world in worlds:
            world.upset(doing)
        outcomes = [world.outcome(made, size, doing) for world in worlds]
        assert outcomes[0] == outcomes[1]
    assert worlds[1].sealed == 0
