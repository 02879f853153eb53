"""The words of the benchmark: who is measured, what is measured, and what is to be reached."""

from __future__ import annotations

from dataclasses import dataclass


class Unavailable(Exception):
    """A subject can't be measured in this case; the text says why."""


@dataclass(frozen=True, slots=True)
class Subject:
    """Who is measured.

    Attributes:
        name: The module of its functions, under `benchmarks.subjects`, and its environment.
        label: How it is shown.
        requirements: What is installed for it, in an environment of its own; nothing where the
            project's environment serves.
        quick: Whether it is installed within seconds.
        more: What it does beside what is measured, that FlowWeaver does not.
    """

    name: str
    label: str
    requirements: tuple[str, ...] = ()
    quick: bool = True
    more: str = ""

    @property
    def is_peer(self) -> bool:
        """Whether it is another library."""
        return bool(self.more)


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a case: a function of a subject, called as ``function(size) -> value``.

    Attributes:
        subject: The subject's name.
        function: A function of its module, or of another as ``module.function``; the value it
            returns is in the case's unit.
        how: The variant or the settings, shown behind the subject's label.
        most: The largest size it is asked for, as a slow one would take minutes.
        rounds: At most how many rounds, for one that takes long to start.
    """

    subject: str
    function: str
    how: str = ""
    most: int | None = None
    rounds: int | None = None


@dataclass(frozen=True, slots=True)
class Target:
    """A figure to keep.

    The value of `entry`, at most `at_most`: as such, or over that of `against`, or, where
    `growth_from` is a size, over its own value at that size. It is judged at `size`, or at the
    largest size both were measured at.
    """

    entry: Entry
    at_most: float
    against: Entry | None = None
    growth_from: int | None = None
    size: int | None = None


@dataclass(frozen=True, slots=True)
class Case:
    """Something that is measured, of several, at several sizes.

    Attributes:
        name: What it is asked for by.
        title: What is measured, in words.
        unit: What the values are in.
        sizes: What the functions are called with.
        entries: Who is measured. The first that is of FlowWeaver is what others are shown over.
        targets: What is to be reached.
        of: What a size counts.
    """

    name: str
    title: str
    unit: str
    sizes: tuple[int, ...]
    entries: tuple[Entry, ...]
    targets: tuple[Target, ...] = ()
    of: str = "tasks"
