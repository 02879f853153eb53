"""One execution in a simulated process of its own, taken step by step."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from flowweaver.engine.body.call import Call
from flowweaver.engine.inbox import Inbox
from flowweaver.engine.options import ExecuteOptions
from flowweaver.engine.runner import Runner, Step
from flowweaver.errors import RunLockedError, StoreWriteError, SupersededError
from flowweaver.records import Changes
from flowweaver.run import Run
from flowweaver.stores.memory import MemoryStateStore
from tests.simulation.backend import SimulatedBackend, SimulatedExecutor
from tests.simulation.disk import FaultyStore, Killed
from tests.simulation.watch import Watch
from tests.simulation.workflows import Simulated
from tests.simulation.world import Setting, World

_PATIENCE_SECONDS = 100.0


class Process:
    """A process that executes the workflow.

    Attributes:
        over: How it ended: "finished", "killed", "failed to commit", "superseded" or "locked";
            "" while it goes on.
        run: What `execute` would have returned.
        wakes_at: When it is to go on though nothing arrives; None if it need not wait.
        superseded: Whether another process has taken the run over.
    """

    def __init__(
        self,
        world: World,
        simulated: Simulated,
        disk: MemoryStateStore | None,
        watch: Watch,
        setting: Setting,
    ) -> None:
        self._world = world
        self._watch = watch
        self._inbox = Inbox()
        self._store = None if disk is None else FaultyStore(disk, world, watch.written)
        self._executor = SimulatedExecutor(world, setting, self._store, self._began)
        self._execution = self._executor._execution(
            simulated.workflow, simulated.params, ExecuteOptions(**setting.arguments)
        )
        self._runner: Runner | None = None
        self._backend: SimulatedBackend | None = None
        self._steps: Iterator[Step] | None = None
        self.over = ""
        self.run: Run | None = None
        self.wakes_at: float | None = None
        self.superseded = False

    def start(self) -> None:
        """Claim the run and stand ready for the first step."""
        self._guarded(self._open)

    def step(self, fatal: str = "") -> None:
        """Take a step: commit, or start to wait. `fatal` kills at it, "before" or "after"."""
        if self._store is not None:
            self._store.fatal = fatal
        self._guarded(self._step)
        if fatal and not self.over:
            self.kill()

    def kill(self) -> None:
        """End the process here and now; the system frees its locks."""
        self._end("killed")

    def press(self) -> None:
        """Press Ctrl-C."""
        if self._runner is not None:
            self._runner.press()

    @property
    def is_waiting(self) -> bool:
        """Whether there is nothing to do until something arrives, or the time has come."""
        return self.wakes_at is not None and not self._inbox and self._world.now < self.wakes_at

    @property
    def has_lost(self) -> bool:
        """Whether it may wait for something that will never arrive."""
        return self._backend is not None and self._backend.lost_at is not None

    @property
    def is_hopeless(self) -> bool:
        """Whether it has waited long enough for something that will never arrive."""
        lost_at = None if self._backend is None else self._backend.lost_at
        return lost_at is not None and self._world.now - lost_at > _PATIENCE_SECONDS

    def _open(self) -> None:
        runner = self._execution.open(self._inbox)
        if isinstance(runner, Run):
            self.run = runner
            self._end("finished")
            return
        self._runner = runner
        self._backend = self._executor.backend(self._inbox.put)
        runner.open(self._backend)
        self._steps = runner.steps()

    def _step(self) -> None:
        assert self._runner is not None
        assert self._steps is not None
        self.wakes_at = None
        self._execution.commit_starts(self._runner.starts)
        step = next(self._steps, self)
        if step is self:
            self._finish()
        elif isinstance(step, Changes):
            self._execution.commit(step)
        else:
            assert step is None or isinstance(step, float)
            self.wakes_at = float("inf") if step is None else self._world.now + step

    def _finish(self) -> None:
        assert self._runner is not None
        self.run = self._runner.run
        self._end("finished")

    def _began(self, call: Call) -> None:
        assert self._runner is not None
        self._watch.began(self._runner, call, superseded=self.superseded)

    def _guarded(self, do: Callable[[], None]) -> None:
        try:
            do()
        except Killed:
            self._end("killed")
        except RunLockedError:
            self._end("locked")
        except SupersededError:
            self._end("superseded")
        except StoreWriteError:
            self._end("failed to commit")

    def _end(self, how: str) -> None:
        if self._backend is not None:
            self._backend.close()
        if self._store is not None:
            self._store.close()
        self.over = how
