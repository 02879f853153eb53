"""What a worker takes over from the supervisor's process before it works for a run."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from flowweaver.executors._workers import modules
from flowweaver.executors._workers.logs import Levels
from flowweaver.executors._workers.modules import Meant
from flowweaver.executors._workers.script import MainSource
from flowweaver.plugins import CallScope, call_script, script_name


@dataclass(frozen=True, slots=True)
class Setup:
    """The run a worker works for, and the surroundings that bodies find in the caller's process.

    `number` tells setups apart. `main` says where the main module is to be run from again, None if
    it need not be; `script` is the name that others import it by; `meant` is what is loaded of the
    project. Values of context variables don't travel: few could, and which is hard to tell.
    """

    number: int
    workflow: str
    run_id: str
    storing: bool
    logging: bool
    spool: Path | None
    main: MainSource | None
    script: str
    meant: Meant
    levels: Levels
    argv: list[str]
    cwd: Path | None
    environ: Mapping[str, str]
    path: list[str]
    recursion_limit: int

    @classmethod
    def here(cls, number: int, scope: CallScope, main: MainSource | None) -> Setup:
        """Return what a worker is to take over from this process as it is now."""
        return cls(
            number,
            scope.workflow,
            scope.run_id,
            scope.storing,
            scope.logging,
            scope.spool,
            main,
            script_name(),
            modules.here.meant(),
            Levels(),
            list(sys.argv),
            _current_directory(),
            dict(os.environ),
            list(sys.path),
            sys.getrecursionlimit(),
        )

    def take_over(self) -> None:
        """Make this process like the one that `here` was called in."""
        self.levels.take_over()
        call_script(self.script)
        sys.argv[:] = self.argv
        sys.path[:] = self.path
        sys.setrecursionlimit(self.recursion_limit)
        if self.cwd is not None:
            os.chdir(self.cwd)
        for name in os.environ.keys() - self.environ.keys():
            del os.environ[name]
        for name, value in self.environ.items():
            if os.environ.get(name) != value:
                os.environ[name] = value


def _current_directory() -> Path | None:
    try:
        return Path.cwd()
    except OSError:
        return None  # it was deleted
