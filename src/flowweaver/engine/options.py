"""How a workflow is executed or planned: what can be asked for, and what holds if nothing is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Self, TypedDict, get_args

from flowweaver.cache_scope import CacheScope, ReuseMode, check_scope
from flowweaver.definitions.units import parse_size
from flowweaver.engine.stop import Stop
from flowweaver.errors import DefinitionError, near_matches
from flowweaver.names import clean_names

if TYPE_CHECKING:
    from flowweaver.engine.body.around import Around
    from flowweaver.events import Observer

OnFailure = Literal["continue", "stop"]
Schedule = Literal["learned", "fifo"]

GRACE_SECONDS = 10.0
"""How long running bodies may take to finish once a run is asked to stop."""

_LONGEST_RUN_ID = 255


class ExecuteArguments(TypedDict, total=False):
    """The keyword arguments of `execute`, for type checkers; `ExecuteOptions` has the defaults."""

    run_id: str | None
    new_run: bool
    targets: Iterable[str] | None
    from_: Iterable[str]
    overrides: Mapping[str, Any] | None
    fork_of: str | None
    reuse: ReuseMode
    cache_scope: CacheScope | None
    force: Iterable[str]
    force_downstream: bool
    trust: str | Iterable[str]
    on_failure: OnFailure
    raise_on_failure: bool
    drop_results: bool
    memory_limit: int | str | None
    schedule: Schedule
    observers: tuple[Observer | str, ...]
    around: tuple[Around, ...]
    progress: bool | None
    wait: float | None
    take_over: bool
    stop: Stop | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecuteOptions:
    """What was asked for; `Executor.execute` says what each option means.

    Every default of `execute`, of `plan` and of the command's options stands here.

    Raises:
        DefinitionError: An option can't be used.
    """

    run_id: str | None = None
    new_run: bool = False
    targets: Iterable[str] | None = None
    from_: Iterable[str] = ()
    overrides: Mapping[str, Any] | None = None
    fork_of: str | None = None
    reuse: ReuseMode = "unchanged"
    cache_scope: CacheScope | None = None
    force: Iterable[str] = ()
    force_downstream: bool = False
    trust: str | Iterable[str] = ()
    on_failure: OnFailure = "continue"
    raise_on_failure: bool = True
    drop_results: bool = False
    memory_limit: int | str | None = None
    schedule: Schedule = "learned"
    observers: tuple[Observer | str, ...] = ()
    around: tuple[Around, ...] = ()
    progress: bool | None = None
    wait: float | None = 0.0
    take_over: bool = False
    stop: Stop | None = None

    def __post_init__(self) -> None:
        for name, kind in CHOICES.items():
            if getattr(self, name) not in get_args(kind):
                known = ", ".join(get_args(kind))
                raise DefinitionError(
                    f"{name} must be one of {known}, not {getattr(self, name)!r}."
                )
        if self.cache_scope is not None:
            check_scope(self.cache_scope)
        if self.run_id is not None:
            _check_run_id(self.run_id)
        wait = self.wait
        if wait is not None and (not isinstance(wait, int | float) or not wait >= 0):
            raise DefinitionError(f"wait is a number of seconds, or None for ever, not {wait!r}.")
        if self.stop is not None and not isinstance(self.stop, Stop):
            raise TypeError(f"stop takes a flowweaver.Stop, not {self.stop!r}.")
        clean_names("trust", self.trust)
        if self.overrides is not None and not isinstance(self.overrides, Mapping):
            raise TypeError(f"overrides maps tasks to values by name, not {self.overrides!r}.")
        if self.memory_limit is not None:
            parse_size(self.memory_limit, "memory_limit")

    @classmethod
    def of(cls, arguments: Mapping[str, Any], asker: str, known: Iterable[str]) -> Self:
        """Return the options that keyword arguments of `asker` ask for.

        Raises:
            TypeError: None of those it knows has a name.
        """
        known = tuple(known)
        for name in arguments:
            if name not in known:
                raise TypeError(f"{asker}() has no argument {name!r}{near_matches(name, known)}")
        return cls(**arguments)


CHOICES: Mapping[str, Any] = {"reuse": ReuseMode, "on_failure": OnFailure, "schedule": Schedule}
"""The options that take one of a few words, and those words' types."""


def _check_run_id(run_id: object) -> None:
    # An id is printed, typed at a prompt and part of idempotency keys; "last" is the command's.
    fits = isinstance(run_id, str) and run_id.isprintable() and len(run_id) <= _LONGEST_RUN_ID
    if not fits or not str(run_id).strip() or run_id == "last":
        raise DefinitionError(
            f"A run's id is printable text of at most {_LONGEST_RUN_ID} characters, but not 'last' "
            f"(which means the last run): {run_id!r}."
        )
