"""The workflow on Luigi: what is done is what has its file; four worker processes."""

from __future__ import annotations

import logging
import sys
from typing import Any

import luigi
import work

logging.disable()


class Step(luigi.Task):
    """A task whose result is a file, moved to its name when it is written."""

    def output(self) -> Any:
        """Name the file."""
        return luigi.LocalTarget(str(work.folder() / "out" / self.task_id))

    def taken(self) -> list[int]:
        """Return what the tasks before returned."""
        before = luigi.task.flatten(self.input())
        return [int(target.open().read()) for target in before]

    def put(self, value: int) -> None:
        """Write the file."""
        with self.output().open("w") as file:
            file.write(str(value))


class Load(Step):
    """Come first."""

    def run(self) -> None:
        """Do the work."""
        self.put(work.load())


class Part(Step):
    """Be one of eight."""

    number = luigi.IntParameter()

    def requires(self) -> Any:
        """Name the task before."""
        return Load()

    def run(self) -> None:
        """Do the work."""
        self.put(work.part(self.number))


class Join(Step):
    """Take all parts."""

    def requires(self) -> Any:
        """Name the tasks before."""
        return [Part(number) for number in range(work.PARTS)]

    def run(self) -> None:
        """Do the work."""
        self.put(work.join(self.taken()))


class Check(Step):
    """Come next to last."""

    def requires(self) -> Any:
        """Name the task before."""
        return Join()

    def run(self) -> None:
        """Do the work."""
        self.put(work.check(self.taken()[0]))


class Send(Step):
    """Come last."""

    def requires(self) -> Any:
        """Name the task before."""
        return Check()

    def run(self) -> None:
        """Do the work."""
        self.put(work.send(self.taken()[0]))


if __name__ == "__main__":
    last = Send()
    if not luigi.build([last], local_scheduler=True, workers=work.WORKERS, no_lock=True):
        sys.exit(1)
    work.finished(int(last.output().open().read()))
