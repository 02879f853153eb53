"""What can be said about a task besides its name and function, as immutable values."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields
from os import PathLike, fspath
from typing import Any, Literal, TypedDict

from flowweaver.definitions.edges import Each
from flowweaver.definitions.retry import (
    LONGEST_WAIT,
    NO_WAIT,
    AskBackoff,
    AskedBackoff,
    Backoff,
    RetryOn,
    fixed,
)
from flowweaver.definitions.signature import is_coroutine_function
from flowweaver.definitions.units import is_number, parse_duration, parse_size
from flowweaver.errors import DefinitionError, near_matches
from flowweaver.names import clean_names
from flowweaver.status import TaskStatus

Trigger = Literal["all_success", "all_done", "any_success", "any_failed"]
Effect = Literal["pure", "idempotent", "once", "once_per_run", "once_ever"]
Combine = Literal["zip", "cross"]

TRIGGERS = ("all_success", "all_done", "any_success", "any_failed")
EFFECTS = ("pure", "idempotent", "once", "once_per_run", "once_ever")
COMBINES = ("zip", "cross")


class MoreOptions(TypedDict, total=False):
    """The options of a task that are keywords wherever a task is made."""

    backoff: float | Backoff | AskBackoff
    retry_on: RetryOn
    idle_timeout: float | None
    isolate: bool
    effect: Effect
    effect_key: str | Iterable[str]
    when: Callable[..., object] | None
    trigger: Trigger
    combine: Combine | None
    allow_failures: bool
    element_name: str | None
    tags: Iterable[str]
    priority: float
    version: str | None
    trust: str | Iterable[str]
    cache: bool
    fresh_for: float | str | None
    files: Iterable[str | PathLike[str]]
    outputs: Iterable[str | PathLike[str]]
    keep: bool
    resources: Mapping[str, float | str]
    on_status_change: Callable[[str, TaskStatus], object] | None
    on_retry: Callable[[str, int], object] | None


class TaskArguments(MoreOptions, total=False):
    """The options of `Task(...)` besides its positional arguments."""

    depends_on: Iterable[str]
    inputs: Mapping[str, str | Each]


class AddArguments(MoreOptions, total=False):
    """The options of `Workflow.add_task(...)` besides its positional arguments."""

    retries: int
    timeout: float | None


class OptionArguments(TaskArguments, total=False):
    """All that can be said about a task by keyword; see `Task` and `TaskOptions`."""

    retries: int
    timeout: float | None


@dataclass(frozen=True, slots=True)
class TaskOptions:
    """What can be said about a task besides its name and function.

    Attributes:
        retries: How many times a failed attempt is repeated.
        backoff: The wait before a retry; a number is fixed seconds. A function is given the
            exception and the number of the attempt that failed, and returns seconds.
        retry_on: Exception types worth a retry, or a predicate over the exception.
        timeout: Seconds an attempt may take, from the start of its body.
        idle_timeout: Seconds an attempt may go without a sign of life
            (`current_task().heartbeat()`).
        isolate: Run the body in a process of its own, which can be killed.
        effect: What the body does to the world besides returning. "pure": nothing; it may run
            again and its result serves other runs. "idempotent": it may run again, and each run
            wants it done. "once_per_run" ("once" for short): an attempt that a crash cut short is
            not repeated until a person says so, and each run wants it done. "once_ever": the same,
            and no run of the workflow does it again for the same inputs.
        effect_key: The arguments that an effect which happens "once_ever" is known by: "order_id",
            or several; all of them if none is named.
        when: A predicate, given its parameters by name like a body; if what it returns is false
            the task is skipped.
        trigger: What the direct dependencies must come to: "all_success", "all_done",
            "any_success" or "any_failed".
        combine: How several mapped inputs go together: "zip" or "cross".
        allow_failures: For a mapped task: failed elements are handed on as `Failure` values.
        element_name: What elements of a mapped task are called for people, with their arguments
            in braces: ``"{city}"``; by what they are given if it is not said.
        tags: What an executor's `limits` and `rate` go by.
        priority: Seconds added to what the rest of the run is expected to wait for this task:
            of those that are ready, the one waited for longest goes first.
        version: Stands for the code: change it to have results made again.
        trust: Names of what can't be seen of the code, such as a connection, and yet is no reason
            to keep other runs from taking the result: "db.client", a module, or a type. Also paths
            of files that the body reads and that are no matter, or patterns of such.
        cache: Whether other runs may take this task's result instead of running it.
        fresh_for: How long they may: seconds, or text like "12h" or "1d".
        files: Paths of files the body reads; their content counts for reuse. A parameter
            annotated `InputFile` says so of the path it is given.
        outputs: Paths of files or folders the body makes, with its arguments in braces:
            ``"out/{city}.csv"``. They are part of its result, as are those whose paths it returns
            or is given as `OutputFile`: gone or changed, it is made again.
        keep: Whether the content of those files is kept in the store, and put back instead.
        resources: What an attempt takes of a worker on a cluster: "cpus", "gpu" and whatever
            else the cluster counts, as numbers, and "memory" in bytes or as text like "2GB".
            Executors on one machine take no notice of it.
        on_status_change: Called with the task's name and new status.
        on_retry: Called with the task's name and the number of the attempt that failed.
    """

    retries: int = 0
    backoff: Backoff = NO_WAIT
    retry_on: RetryOn = Exception
    timeout: float | None = None
    idle_timeout: float | None = None
    isolate: bool = False
    effect: Effect = "pure"
    effect_key: tuple[str, ...] = ()
    when: Callable[..., object] | None = None
    trigger: Trigger = "all_success"
    combine: Combine | None = None
    allow_failures: bool = False
    element_name: str | None = None
    tags: tuple[str, ...] = ()
    priority: float = 0.0
    version: str | None = None
    trust: tuple[str, ...] = ()
    cache: bool = True
    fresh_for: float | None = None
    files: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()
    keep: bool = False
    resources: Mapping[str, float] = field(default_factory=dict)
    on_status_change: Callable[[str, TaskStatus], object] | None = None
    on_retry: Callable[[str, int], object] | None = None

    @property
    def acts_once(self) -> bool:
        """Whether an attempt that was cut short must not be repeated by itself."""
        return self.effect in ("once", "once_ever")

    def replace(self, task: str, changes: Mapping[str, Any]) -> TaskOptions:
        """Return a copy with `changes`, checked; `task` is named in errors."""
        values: dict[str, Any] = {}
        if self is not NO_OPTIONS:
            values = {name: getattr(self, name) for name in _OPTION_NAMES}
        for name, value in changes.items():
            check = _CHECKS.get(name)
            if check is None:
                known = (*_OPTION_NAMES, "depends_on", "inputs")
                raise DefinitionError(
                    f"Task {task!r} has no option {name!r}{near_matches(name, known)}"
                )
            values[name] = check(f"Task {task!r}: {name}", value)
        made = TaskOptions(**values)
        if made.effect_key and made.effect != "once_ever":
            raise DefinitionError(
                f"Task {task!r}: effect_key says what an effect is known by that happens only "
                "once; say effect='once_ever', too."
            )
        return made


# Each check takes the words that name task and option, and the value given; it returns the value
# as it is kept.


def _retries(what: str, value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise DefinitionError(f"{what} must be a whole number from 0, not {value!r}.")
    return value


def _backoff(what: str, value: Any) -> Backoff:
    if isinstance(value, Backoff):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool) and value >= 0:
        return fixed(value)
    if callable(value) and not isinstance(value, type):
        return AskedBackoff(ask=_function(what, value))
    raise DefinitionError(
        f"{what} must be seconds from 0, made by fixed() or exponential(), or a function of the "
        f"exception and the attempt's number that returns seconds, not {value!r}."
    )


def _retry_on(what: str, value: Any) -> RetryOn:
    types = value if isinstance(value, tuple) else (value,)
    if all(isinstance(kind, type) and issubclass(kind, BaseException) for kind in types):
        return types
    if not callable(value) or isinstance(value, type):
        raise DefinitionError(f"{what} must be exception types or a predicate, not {value!r}.")
    return _function(what, value)  # type: ignore[no-any-return]  # what it takes can't be seen


def _limit(what: str, value: Any) -> float | None:
    if value is None:
        return None
    seconds = _seconds(what, value)
    return None if seconds > LONGEST_WAIT else seconds


def _seconds(what: str, value: Any) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool) or not value > 0:
        raise DefinitionError(f"{what} must be a number of seconds above 0, not {value!r}.")
    try:
        return float(value)
    except OverflowError:  # a whole number beyond all others
        return math.inf


def _age(what: str, value: Any) -> float | None:
    if isinstance(value, str):
        value = parse_duration(value, what)
    if value is None:
        return None
    seconds = _seconds(what, value)
    return None if math.isinf(seconds) else seconds


def _one_of(*choices: object) -> Callable[[str, Any], Any]:
    def check(what: str, value: Any) -> Any:
        if value not in choices:
            shown = ", ".join(map(repr, choices))
            raise DefinitionError(f"{what} must be one of {shown}, not {value!r}.")
        return value

    return check


def _effect(what: str, value: Any) -> str:
    checked: str = _one_of(*EFFECTS)(what, value)
    return "once" if checked == "once_per_run" else checked


def _function(what: str, value: Any) -> Any:
    if value is not None and not callable(value):
        raise DefinitionError(f"{what} must be a function, not {value!r}.")
    if is_coroutine_function(value):
        raise DefinitionError(f"{what} must be a plain function; nobody awaits an async one.")
    return value


def _version(what: str, value: Any) -> str | None:
    if value is not None and not isinstance(value, str):
        raise DefinitionError(f"{what} must be text, not {value!r}.")
    return value


def _element_name(what: str, value: Any) -> str | None:
    if value is not None and (not isinstance(value, str) or not value.strip()):
        raise DefinitionError(f"{what} must be text like '{{city}}', not {value!r}.")
    return value


def _priority(what: str, value: Any) -> float:
    if not isinstance(value, int | float) or not abs(value) <= sys.float_info.max:
        raise DefinitionError(f"{what} must be a number of seconds, not {value!r}.")
    return float(value)


def _files(what: str, value: Any) -> tuple[str, ...]:
    given = (value,) if isinstance(value, str | PathLike) else value
    paths = tuple(given) if isinstance(given, Iterable) else (given,)
    for path in paths:
        if not isinstance(path, str | PathLike):
            raise DefinitionError(f"{what} takes paths, not {path!r}.")
    return tuple(dict.fromkeys(map(fspath, paths)))


def _resources(what: str, value: Any) -> dict[str, float]:
    if not isinstance(value, Mapping):
        raise DefinitionError(f"{what} must be like {{'gpu': 1, 'memory': '2GB'}}, not {value!r}.")
    return {name: _amount(f"{what}[{name!r}]", name, amount) for name, amount in value.items()}


def _amount(what: str, name: Any, amount: Any) -> float:
    if name == "memory":
        return float(parse_size(amount, what))
    if not isinstance(name, str) or not is_number(amount) or amount <= 0:
        raise DefinitionError(f"{what} must be a number above 0, not {amount!r}.")
    return float(amount)


_FLAG = _one_of(False, True)
_CHECKS: dict[str, Callable[[str, Any], Any]] = {
    "retries": _retries,
    "backoff": _backoff,
    "retry_on": _retry_on,
    "timeout": _limit,
    "idle_timeout": _limit,
    "isolate": _FLAG,
    "effect": _effect,
    "effect_key": clean_names,
    "when": _function,
    "trigger": _one_of(*TRIGGERS),
    "combine": _one_of(None, *COMBINES),
    "allow_failures": _FLAG,
    "element_name": _element_name,
    "tags": clean_names,
    "priority": _priority,
    "version": _version,
    "trust": clean_names,
    "cache": _FLAG,
    "fresh_for": _age,
    "files": _files,
    "outputs": _files,
    "keep": _FLAG,
    "resources": _resources,
    "on_status_change": _function,
    "on_retry": _function,
}
_OPTION_NAMES = tuple(item.name for item in fields(TaskOptions))

NO_OPTIONS = TaskOptions()
