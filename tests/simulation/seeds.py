"""What becomes of a workflow in a faulty world, seed by seed, compared with an undisturbed run."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from flowweaver.engine.options import ExecuteArguments
from flowweaver.engine.resolution import is_unresolved, resolve
from flowweaver.errors import NoResultError
from flowweaver.names import task_run_name
from flowweaver.run import Run
from flowweaver.status import RunStatus, TaskStatus
from flowweaver.stores.memory import MemoryStateStore
from tests.simulation.process import Process
from tests.simulation.watch import ViolationError, Watch
from tests.simulation.workflows import Body, Outside, random_workflow
from tests.simulation.world import NO_FAULTS, Setting, World, random_faults

_MOST_STEPS = 5_000
_MOST_DISTURBED = 8
_MOST_SWEPT = 400
_SWEPT_EACH = 50
_JUMP_SECONDS = (-3600.0, 3600.0, -86400.0, 1.0)

Outcome = Mapping[str, tuple[TaskStatus, str]]


@dataclass(slots=True)
class Tally:
    """What was simulated: workflows, executions, kills, bodies started, and started again."""

    workflows: int = 0
    executions: int = 0
    kills: int = 0
    bodies: int = 0
    repeated: int = 0

    def add(self, other: Tally) -> None:
        """Add another's figures."""
        self.workflows += other.workflows
        self.executions += other.executions
        self.kills += other.kills
        self.bodies += other.bodies
        self.repeated += other.repeated


def simulate(seed: int) -> Tally:
    """Put the workflow of a seed through the faults of that seed.

    Every fiftieth seed is killed at every step in turn; the others at random, among other faults.

    Raises:
        ViolationError: Something that must hold did not; the message names the seed.
    """
    try:
        if seed % _SWEPT_EACH == 0:
            return _Sweep(seed).run()
        return _Story(seed).run()
    except Exception as error:
        raise ViolationError(
            f"seed {seed}: {error}\nreplay it: python -m tests.simulation --seed {seed} --count 1"
        ) from error


class _Story:
    """A workflow in a faulty world: disturbed executions, then one that is left in peace."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.rng = random.Random(-1 - seed)
        self.simulated = random_workflow(seed)
        self.outside = Outside()
        for task in self.simulated.workflow.get_all_tasks().values():
            assert isinstance(task.fn, Body)
            task.fn.outside = self.outside
        self.disk = MemoryStateStore() if self.rng.random() < 0.95 else None
        self.world = World(self.rng, random_faults(self.rng))
        if self.disk is None:
            faults = replace(NO_FAULTS, double=0.2)
            self.world = World(self.rng, faults)
        self.costs_attempts = self.world.faults.cost_attempts
        self.watch = Watch(self.simulated, self.disk, by_name=not self.costs_attempts)
        self.tally = Tally(workflows=1)

    def run(self) -> Tally:
        if self.disk is not None:
            for _ in range(self.rng.randint(1, _MOST_DISTURBED)):
                self._disturbed()
        self.outside.repaired = True
        self._settle()
        self.tally.bodies, self.tally.repeated = self.watch.started, self.watch.repeated
        return self.tally

    def _disturbed(self) -> None:
        if self.world.happens(self.world.faults.jump):
            self.world.offset += self.rng.choice(_JUMP_SECONDS)
        if self.world.happens(0.1):
            self.outside.repaired = True
        processes = [self._process(self._setting())]
        _Driver(self.world, processes, self._rival, self.tally).drive()

    def _settle(self) -> None:
        """Execute in peace until the run has ended, then compare it."""
        undisturbed = _undisturbed(self.seed)
        self.world.faults = NO_FAULTS
        run = self._in_peace()
        if self.disk is not None and _resolve_all(self.disk, run, self.watch):
            run = self._in_peace()
        if self.costs_attempts and run.status is RunStatus.FAILED:
            run = self._in_peace()  # its budget of retries was used up before
        _compare(_outcome(run), undisturbed)
        if self.disk is not None and _is_all_done(run):
            self._check_restores(run)

    def _in_peace(self) -> Run:
        process = self._process(self._setting())
        _Driver(self.world, [process], None, self.tally).drive()
        if process.run is None:
            raise ViolationError(f"an execution in peace was {process.over}")
        return process.run

    def _check_restores(self, run: Run) -> None:
        """A run after one that completed restores what does nothing to the world."""
        before = self.outside.calls
        again = self._in_peace()
        _compare(_outcome(again), _outcome(run))
        tasks = self.simulated.workflow.get_all_tasks().values()
        pure = all(task.options.effect == "pure" for task in tasks)
        if pure and self.outside.calls != before:
            raise ViolationError("a run after a completed one did not restore all")

    def _process(self, setting: Setting) -> Process:
        self.tally.executions += 1
        return Process(self.world, self.simulated, self.disk, self.watch, setting)

    def _rival(self) -> Process:
        setting = self._setting()
        arguments: ExecuteArguments = {**setting.arguments, "take_over": self.rng.random() < 0.7}
        return self._process(replace(setting, arguments=arguments))

    def _setting(self) -> Setting:
        rng = self.rng
        arguments: ExecuteArguments = {"raise_on_failure": False}
        arguments["on_failure"] = rng.choice(("continue", "continue", "stop"))
        if self.world.faults is NO_FAULTS:
            arguments["on_failure"] = "continue"
        arguments["drop_results"] = self.disk is not None and rng.random() < 0.2
        inline = rng.random() < 0.3
        return Setting(
            capacity=1 if inline else rng.randint(1, 8),
            inline=inline,
            prefetch=rng.random() < 0.5,
            limits={"one": 1} if rng.random() < 0.3 else {},
            rate={"rated": "20/s"} if rng.random() < 0.3 else {},
            arguments=arguments,
        )


class _Sweep(_Story):
    """A workflow that is killed at its first step, its second, and so on, before and after."""

    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        self.disk = MemoryStateStore()
        self.world = World(self.rng)
        self.costs_attempts = False
        self.watch = Watch(self.simulated, self.disk, by_name=True)
        self.setting = self._setting()

    def run(self) -> Tally:
        tally = Tally()
        for step in range(_MOST_SWEPT):
            for moment in ("before", "after"):
                story = _Sweep(self.seed)
                killed = story._killed_at(step, moment)
                tally.add(story.tally)
                if not killed:
                    return tally
        return tally

    def _killed_at(self, step: int, moment: str) -> bool:
        process = self._process(self.setting)
        driver = _Driver(self.world, [process], None, self.tally)
        driver.drive(fatal_step=step, fatal=moment)
        self.outside.repaired = True
        self._settle()
        self.tally.bodies, self.tally.repeated = self.watch.started, self.watch.repeated
        return process.over == "killed"


class _Driver:
    """Takes the steps of processes in one world until all are over."""

    def __init__(self, world: World, processes: list[Process], rival: Any, tally: Tally) -> None:
        self.world = world
        self.processes = processes
        self.rival = rival
        self.tally = tally

    def drive(self, fatal_step: int = -1, fatal: str = "") -> None:
        for process in self.processes:
            process.start()
        for number in range(_MOST_STEPS):
            going = [process for process in self.processes if not process.over]
            if not going:
                break
            ready = [process for process in going if not process.is_waiting]
            if not ready:
                self._wait(going)
                continue
            process = self.world.rng.choice(ready)
            process.step(fatal if number >= fatal_step >= 0 else "")
            self._disturb(process)
        else:
            raise ViolationError(f"the run has not ended after {_MOST_STEPS} steps")
        self.tally.kills += sum(process.over == "killed" for process in self.processes)

    def _wait(self, going: list[Process]) -> None:
        moments = [self.world.next_moment(), *(process.wakes_at for process in going)]
        known = [moment for moment in moments if moment is not None and moment < float("inf")]
        for process in going:
            if process.is_hopeless:
                process.kill()  # as a person would
                return
        if known:
            self.world.pass_until(min(known))
        elif all(process.has_lost for process in going):
            going[0].kill()
        else:
            raise ViolationError("the run waits for ever")

    def _disturb(self, process: Process) -> None:
        world, faults = self.world, self.world.faults
        if process.over:
            return
        if world.happens(faults.kill / 4):
            process.kill()
        elif world.happens(faults.press / 4):
            process.press()
        elif self.rival is not None and len(self.processes) < 3 and world.happens(faults.rival / 8):
            rival = self.rival()
            rival.start()
            self.processes.append(rival)
            if rival.over != "locked":
                for other in self.processes[:-1]:
                    other.superseded = True


def _undisturbed(seed: int) -> Outcome:
    """Return what becomes of a seed's workflow where all goes well."""
    simulated = random_workflow(seed)
    outside = Outside(repaired=True)
    for task in simulated.workflow.get_all_tasks().values():
        assert isinstance(task.fn, Body)
        task.fn.outside = outside
    disk = MemoryStateStore()
    world = World(random.Random(seed))
    watch = Watch(simulated, disk, by_name=True)
    setting = Setting(arguments={"raise_on_failure": False})
    process = Process(world, simulated, disk, watch, setting)
    _Driver(world, [process], None, Tally()).drive()
    assert process.run is not None
    return _outcome(process.run)


def _outcome(run: Run) -> Outcome:
    """Return status and result of each TaskRun."""
    outcome = {}
    for task_run in run.tasks.values():
        for each in (task_run, *task_run.elements):
            try:
                result = repr(each.result)
            except NoResultError:
                result = ""
            outcome[each.name] = (each.status, result)
    return outcome


def _is_all_done(run: Run) -> bool:
    """Whether a run after this one has nothing left to do."""
    elements = [element for task_run in run.tasks.values() for element in task_run.elements]
    tolerated = any(element.status is TaskStatus.FAILED for element in elements)
    return run.status is RunStatus.COMPLETED and not tolerated


def _compare(found: Outcome, expected: Outcome) -> None:
    if found.keys() != expected.keys():
        raise ViolationError(f"there are {sorted(found)}, undisturbed {sorted(expected)}")
    for name, outcome in expected.items():
        if found[name] != outcome:
            raise ViolationError(f"{name} came to {found[name]}, undisturbed to {outcome}")


def _resolve_all(disk: MemoryStateStore, run: Run, watch: Watch) -> bool:
    """Say of all that may have acted that it is to be tried again; return whether any was."""
    records = [record for record in disk.tasks(run.id) if is_unresolved(record)]
    if not records:
        return False
    for record in records:
        name = task_run_name(record.task, record.element)
        resolve(disk, run.id, name, done=False)
        watch.resolved((record.run_id, record.task, record.element))
    return True
