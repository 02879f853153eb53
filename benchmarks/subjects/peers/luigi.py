"""Luigi with its local scheduler; what is done is what has a target."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import luigi

from benchmarks.subjects.clock import import_milliseconds, microseconds_each

logging.disable()
_done: set[int] = set()


class Remembered(luigi.Task):
    """A task of a chain whose being done is kept in memory."""

    number = luigi.IntParameter()

    def requires(self) -> Any:
        """Name the task before."""
        return Remembered(self.number - 1) if self.number else []

    def complete(self) -> bool:
        """Say whether it was run."""
        return self.number in _done

    def run(self) -> None:
        """Do nothing."""
        _done.add(self.number)


class Alone(Remembered):
    """One that depends on no other."""

    def requires(self) -> Any:
        """Name none."""
        return []


class Fan(luigi.WrapperTask):
    """What requires all of a fan-out."""

    size = luigi.IntParameter()

    def requires(self) -> Any:
        """Name all."""
        return [Alone(number) for number in range(self.size)]


class Written(luigi.Task):
    """A task of a chain whose result is a file."""

    number = luigi.IntParameter()

    def requires(self) -> Any:
        """Name the task before."""
        return Written(self.number - 1) if self.number else []

    def output(self) -> Any:
        """Name the file."""
        return luigi.LocalTarget(f"{self.number}.txt")

    def run(self) -> None:
        """Write the file."""
        with self.output().open("w") as file:
            file.write("0")


def _built(task: Any, size: int) -> float:
    return microseconds_each(
        lambda: luigi.build([task], local_scheduler=True, workers=1, no_lock=True), size
    )


def chain(size: int) -> float:
    """A chain, remembered in memory."""
    return _built(Remembered(size - 1), size)


def fan(size: int) -> float:
    """A fan-out in one worker, as its workers are processes."""
    return _built(Fan(size), size)


def chain_files(size: int) -> float:
    """A chain, one file a task, moved to its name when written and not synced."""
    taken = _built(Written(size - 1), size)
    assert Path(f"{size - 1}.txt").exists()
    return taken


def restore(size: int) -> float:
    """Ask for the last of a finished chain: it asks for that one's file only."""
    chain_files(size)
    return chain_files(size)


def import_it(size: int) -> float:
    """What a user imports, over bare Python."""
    return import_milliseconds("import luigi", size)
