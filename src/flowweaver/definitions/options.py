"""How a task is to be run: its options, as immutable values."""

from __future__ import annotations

import inspect
import math
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields
from os import PathLike, fspath
from typing import TYPE_CHECKING, Any, Literal, TypedDict

from flowweaver.definitions.names import normal_name
from flowweaver.errors import DefinitionError, near_matches
from flowweaver.status import TaskStatus

if TYPE_CHECKING:
    import random

RetryOn = type[BaseException] | tuple[type[BaseException], ...] | Callable[[BaseException], bool]
Trigger = Literal["all_success", "all_done", "any_success", "any_failed"]
Effect = Literal["pure", "idempotent", "once"]
Combine = Literal["zip", "cross"]

TRIGGERS = ("all_success", "all_done", "any_success", "any_failed")
EFFECTS = ("pure", "idempotent", "once")
COMBINES = ("zip", "cross")


@dataclass(frozen=True, slots=True)
class Backoff:
    """How long to wait before the next attempt.

    The wait before attempt n+1 is ``initial * factor ** (n - 1)`` seconds, at most `cap`, and
    then up to `jitter` (a share between 0 and 1) shorter at random, so that many tasks failing
    together don't come back together.
    """

    initial: float = 0.0
    factor: float = 1.0
    cap: float | None = None
    jitter: float = 0.0

    def __post_init__(self) -> None:
        cap = 0.0 if self.cap is None else self.cap
        given = (self.initial, self.factor, self.jitter, cap)
        # Said so that NaN, for which no comparison holds, is refused too.
        if not all(isinstance(number, int | float) for number in given) or not (
            self.initial >= 0 and self.factor >= 1 and 0 <= self.jitter <= 1 and cap >= 0
        ):
            raise DefinitionError(
                f"backoff can't be {self}: initial and cap must be seconds >= 0, factor >= 1, "
                "jitter in 0..1"
            )

    @property
    def longest(self) -> float:
        """The longest wait there can be, in seconds."""
        if self.factor == 1:
            return min(self.initial, _LONGEST_WAIT)
        return _LONGEST_WAIT if self.cap is None else min(self.cap, _LONGEST_WAIT)

    def delay(self, attempt: int, rng: random.Random) -> float:
        """Return the seconds to wait after failed attempt number `attempt` (from 1)."""
        if not self.initial:
            return 0.0
        try:
            wait = self.initial * self.factor ** (attempt - 1)
        except OverflowError:
            wait = float("inf")
        cap = _LONGEST_WAIT if self.cap is None else min(self.cap, _LONGEST_WAIT)
        return min(wait, cap) * (1 - self.jitter * rng.random())


# A year: nothing is waited for longer, and no clock can be asked to wait much longer.
_LONGEST_WAIT = 366 * 86400.0


def fixed(seconds: float, *, jitter: float = 0.0) -> Backoff:
    """Wait the same number of seconds before each retry."""
    return Backoff(seconds, jitter=jitter)


def exponential(
    initial: float = 1.0, *, factor: float = 2.0, cap: float | None = 60.0, jitter: float = 0.1
) -> Backoff:
    """Wait `initial` seconds, then `factor` times longer before each further retry, up to `cap`."""
    return Backoff(initial, factor, cap, jitter)


@dataclass(frozen=True, slots=True)
class Each:
    """A mark on an input: one TaskRun per element of what `source` provides; see `each`."""

    source: str
    depth: int = 1


def each(source: str | Each) -> Each:
    """Map a task over the elements of a task's result or of a workflow parameter.

    ``inputs={"page": each("pages")}`` makes one TaskRun per element of ``pages``, at run time.
    Where ``pages`` is itself a mapped task, elements stay paired: the n-th TaskRun takes the
    n-th result as soon as it is there. ``each(each("pages"))`` goes one level deeper: one
    TaskRun per element of each element.
    """
    if isinstance(source, Each):
        return Each(source.source, source.depth + 1)
    if not isinstance(source, str):
        raise DefinitionError(f"each() takes the name of a task or parameter, not {source!r}")
    return Each(normal_name(source))


# Whose result each parameter takes, where the names differ.
Sources = tuple[tuple[str, str | Each], ...]
# What a task waits for besides what its parameters' names say: `depends_on` and `inputs`.
Edges = tuple[tuple[str, ...], Sources]
NO_EDGES: Edges = ((), ())


class MoreOptions(TypedDict, total=False):
    """The options of a task that are keywords wherever a task is made."""

    backoff: float | Backoff
    retry_on: RetryOn
    idle_timeout: float | None
    isolate: bool
    effect: Effect
    when: Callable[..., object] | None
    trigger: Trigger
    combine: Combine | None
    allow_failures: bool
    tags: Iterable[str]
    priority: float
    version: str | None
    cache: bool
    fresh_for: float | str | None
    files: Iterable[str | PathLike[str]]
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
        backoff: The wait before a retry; a number is fixed seconds.
        retry_on: Exception types worth a retry, or a predicate over the exception.
        timeout: Seconds an attempt may take, from the start of its body.
        idle_timeout: Seconds an attempt may go without a sign of life
            (`current_task().heartbeat()`).
        isolate: Run the body in a process of its own, which can be killed.
        effect: What the body does to the world besides returning. "pure": nothing; it may run
            again and its result serves other runs. "idempotent": it may run again, and each run
            wants it done. "once": an attempt that a crash cut short is not repeated until a
            person says so, and each run wants it done.
        when: A predicate, given its parameters by name like a body; if what it returns is false
            the task is skipped.
        trigger: What the direct dependencies must come to: "all_success", "all_done",
            "any_success" or "any_failed".
        combine: How several mapped inputs go together: "zip" or "cross".
        allow_failures: For a mapped task: failed elements are handed on as `Failure` values.
        tags: What an executor's `limits` and `rate` go by.
        priority: Seconds added to what the rest of the run is expected to wait for this task:
            of those that are ready, the one waited for longest goes first.
        version: Stands for the code: change it to have results made again.
        cache: Whether other runs may take this task's result instead of running it.
        fresh_for: How long they may: seconds, or text like "12h" or "1d".
        files: Paths of files the body reads; their content counts for reuse. A parameter
            annotated `InputFile` says so of the path it is given.
        resources: What an attempt takes of a worker on a cluster: "cpus", "gpu" and whatever
            else the cluster counts, as numbers, and "memory" in bytes or as text like "2GB".
            Executors on one machine take no notice of it.
        on_status_change: Called with the task's name and new status.
        on_retry: Called with the task's name and the number of the attempt that failed.
    """

    retries: int = 0
    backoff: Backoff = Backoff()
    retry_on: RetryOn = Exception
    timeout: float | None = None
    idle_timeout: float | None = None
    isolate: bool = False
    effect: Effect = "pure"
    when: Callable[..., object] | None = None
    trigger: Trigger = "all_success"
    combine: Combine | None = None
    allow_failures: bool = False
    tags: tuple[str, ...] = ()
    priority: float = 0.0
    version: str | None = None
    cache: bool = True
    fresh_for: float | None = None
    files: tuple[str, ...] = ()
    resources: Mapping[str, float] = field(default_factory=dict)
    on_status_change: Callable[[str, TaskStatus], object] | None = None
    on_retry: Callable[[str, int], object] | None = None

    def replace(self, task: str, changes: Mapping[str, Any]) -> TaskOptions:
        """Return a copy with `changes`, checked; `task` is named in errors."""
        values: dict[str, Any] = {}
        if self is not NO_OPTIONS:
            values = {name: getattr(self, name) for name in _OPTION_NAMES}
        for name, value in changes.items():
            if name not in _OPTION_NAMES:
                known = (*_OPTION_NAMES, "depends_on", "inputs")
                raise DefinitionError(
                    f"task {task!r} has no option {name!r}{near_matches(name, known)}"
                )
            values[name] = _CLEANERS[name](task, value) if name in _CLEANERS else value
        return TaskOptions(**values)


def _clean_retries(task: str, value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise DefinitionError(
            f"task {task!r}: retries must be a whole number from 0, not {value!r}"
        )
    return value


def _clean_backoff(task: str, value: Any) -> Backoff:
    if isinstance(value, Backoff):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        return fixed(value)
    raise DefinitionError(
        f"task {task!r}: backoff must be seconds or made by fixed() or exponential(), not {value!r}"
    )


def _clean_retry_on(task: str, value: Any) -> RetryOn:
    types = value if isinstance(value, tuple) else (value,)
    if all(isinstance(kind, type) and issubclass(kind, BaseException) for kind in types):
        return types
    if callable(value) and not isinstance(value, type):
        _check_plain(task, "retry_on", value)
        return value  # type: ignore[no-any-return]  # a predicate can't be checked further
    raise DefinitionError(
        f"task {task!r}: retry_on must be exception types or a predicate, not {value!r}"
    )


def _clean_seconds(task: str, value: Any) -> float | None:
    if value is None:
        return None
    if not isinstance(value, int | float) or isinstance(value, bool) or not value > 0:
        raise DefinitionError(f"task {task!r}: a limit is seconds above 0, not {value!r}")
    return None if value > _LONGEST_WAIT else float(value)


def _one_of(option: str, choices: tuple[object, ...]) -> Callable[[str, Any], Any]:
    def clean(task: str, value: Any) -> Any:
        if value not in choices:
            shown = ", ".join(repr(choice) for choice in choices)
            raise DefinitionError(f"task {task!r}: {option} must be one of {shown}, not {value!r}")
        return value

    return clean


def _clean_when(task: str, value: Any) -> Any:
    if value is not None and not callable(value):
        raise DefinitionError(f"task {task!r}: when must be a function, not {value!r}")
    _check_plain(task, "when", value)
    return value


def _check_plain(task: str, option: str, value: Any) -> None:
    if inspect.iscoroutinefunction(value) or inspect.iscoroutinefunction(
        getattr(value, "__call__", None)  # noqa: B004 - of an object, its method
    ):
        raise DefinitionError(
            f"task {task!r}: {option} must be a plain function; nobody awaits an async one"
        )


def _clean_names(task: str, value: Any) -> tuple[str, ...]:
    given = (value,) if isinstance(value, str) else value
    names = tuple(given) if isinstance(given, Iterable) else (given,)
    for name in names:
        if not isinstance(name, str):
            raise DefinitionError(f"task {task!r}: depends_on and tags take names, not {name!r}")
    return tuple(dict.fromkeys(map(normal_name, names)))


_SOURCES = (str, Each)


def _clean_inputs(task: str, value: Any) -> Sources:
    if type(value) is not dict and not isinstance(value, Mapping):
        raise DefinitionError(
            f"task {task!r}: inputs maps parameters to names of tasks or each(...), not {value!r}"
        )
    sources = tuple(value.items())
    is_plain = True
    for name, source in sources:
        is_text = type(source) is str
        is_plain = is_plain and is_text and source.isascii()
        if type(name) is not str or not (is_text or isinstance(source, _SOURCES)):
            raise DefinitionError(
                f"task {task!r}: inputs maps parameters to names of tasks or each(...), "
                f"not {name!r} to {source!r}"
            )
    if is_plain:
        return sources
    return tuple(
        (name, normal_name(source) if isinstance(source, str) else source)
        for name, source in sources
    )


def _clean_version(task: str, value: Any) -> str | None:
    if value is not None and not isinstance(value, str):
        raise DefinitionError(f"task {task!r}: a version is text, not {value!r}")
    return value


def _clean_hook(task: str, value: Any) -> Any:
    if value is not None and not callable(value):
        raise DefinitionError(f"task {task!r}: a hook must be callable, not {value!r}")
    _check_plain(task, "a hook", value)
    return value


def _clean_priority(task: str, value: Any) -> float:
    if not isinstance(value, int | float) or not math.isfinite(value):
        raise DefinitionError(f"task {task!r}: priority is a number of seconds, not {value!r}")
    return float(value)


def _clean_age(task: str, value: Any) -> float | None:
    if isinstance(value, str):
        return parse_age(value, f"task {task!r}: fresh_for")
    return _clean_seconds(task, value)


def parse_age(text: str, what: str) -> float:
    """Return the seconds that text like "90s", "15min", "12h", "1d" or "2w" says.

    Raises:
        DefinitionError: The text can't be read; `what` names the culprit.
    """
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*(s|min|h|d|w)\s*", text)
    if match is None:
        raise DefinitionError(f"{what} must be like '90s', '15min', '12h', '1d', not {text!r}")
    return float(match[1]) * _SECONDS[match[2]]


_SECONDS = {"s": 1, "min": 60, "h": 3600, "d": 86400, "w": 604800}


def _clean_files(task: str, value: Any) -> tuple[str, ...]:
    given = (value,) if isinstance(value, str | PathLike) else value
    paths = tuple(given) if isinstance(given, Iterable) else (given,)
    for path in paths:
        if not isinstance(path, str | PathLike):
            raise DefinitionError(f"task {task!r}: files takes paths, not {path!r}")
    return tuple(dict.fromkeys(map(fspath, paths)))


def _clean_resources(task: str, value: Any) -> dict[str, float]:
    if not isinstance(value, Mapping):
        raise DefinitionError(
            f"task {task!r}: resources are like {{'gpu': 1, 'memory': '2GB'}}, not {value!r}"
        )
    return {name: _amount(task, name, amount) for name, amount in value.items()}


def _amount(task: str, name: Any, amount: Any) -> float:
    if name == "memory" and isinstance(amount, str):
        match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([kKMGT]?i?B)\s*", amount)
        if match is not None and match[2] in _BYTES:
            return float(match[1]) * _BYTES[match[2]]
    elif isinstance(name, str) and isinstance(amount, int | float) and amount > 0:
        return float(amount)
    raise DefinitionError(
        f"task {task!r}: resource {name!r} must be a number above 0 (memory also text like "
        f"'500MB' or '2GiB'), not {amount!r}"
    )


_BYTES: dict[str, int] = {
    "B": 1,
    **{f"{prefix}B": 1000**power for power, prefix in enumerate("kMGT", 1)},
    **{f"{prefix}iB": 1024**power for power, prefix in enumerate("KMGT", 1)},
}


def clean_edges(
    task: str, depends_on: Iterable[str], inputs: Mapping[str, str | Each] | None
) -> Edges:
    """Return what was said of a task's dependencies, checked; `task` is named in errors."""
    if not depends_on and not inputs:
        return NO_EDGES
    names = _clean_names(task, depends_on) if depends_on else ()
    return names, _clean_inputs(task, inputs) if inputs else ()


_CLEANERS: dict[str, Callable[[str, Any], Any]] = {
    "retries": _clean_retries,
    "backoff": _clean_backoff,
    "retry_on": _clean_retry_on,
    "timeout": _clean_seconds,
    "idle_timeout": _clean_seconds,
    "isolate": _one_of("isolate", (False, True)),
    "allow_failures": _one_of("allow_failures", (False, True)),
    "cache": _one_of("cache", (False, True)),
    "effect": _one_of("effect", EFFECTS),
    "trigger": _one_of("trigger", TRIGGERS),
    "combine": _one_of("combine", (None, *COMBINES)),
    "when": _clean_when,
    "priority": _clean_priority,
    "tags": _clean_names,
    "fresh_for": _clean_age,
    "files": _clean_files,
    "resources": _clean_resources,
    "version": _clean_version,
    "on_status_change": _clean_hook,
    "on_retry": _clean_hook,
}
_OPTION_NAMES = tuple(item.name for item in fields(TaskOptions))

NO_OPTIONS = TaskOptions()
