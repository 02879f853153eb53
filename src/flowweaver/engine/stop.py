"""Asking a run to stop from outside."""

from __future__ import annotations

from typing import Protocol


class Stoppable(Protocol):
    """What can be asked to stop: a runner."""

    def stop(self) -> None:
        """Start nothing more."""
        ...

    def give_up(self) -> None:
        """Don't wait for what runs either."""
        ...


class Stop:
    """Asks a run to stop from outside: from another thread or a signal handler.

    Given to `execute(stop=...)`. The first `set` is like one Ctrl-C: nothing more is started and
    what runs gets the executor's grace. The second gives up what still runs.
    """

    def __init__(self) -> None:
        self._runner: Stoppable | None = None
        self._asked = 0

    @property
    def is_set(self) -> bool:
        """Whether it was asked."""
        return self._asked > 0

    def set(self) -> None:
        """Ask, once or again."""
        self._asked += 1
        if self._runner is not None:
            self._pass_on(self._runner)

    def attach(self, runner: Stoppable) -> None:
        """Pass on to `runner` what was and what will be asked."""
        self._runner = runner
        if self._asked:
            self._pass_on(runner)

    def _pass_on(self, runner: Stoppable) -> None:
        if self._asked > 1:
            runner.give_up()
        else:
            runner.stop()
