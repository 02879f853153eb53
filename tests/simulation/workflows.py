"""Random workflows whose results can be told from their seed, however they are disturbed."""

from __future__ import annotations

import inspect
import random
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from zlib import crc32

from flowweaver.definitions.edges import Each, each
from flowweaver.definitions.retry import exponential, fixed
from flowweaver.definitions.task import Task
from flowweaver.definitions.wiring import Wiring
from flowweaver.definitions.workflow import Workflow
from flowweaver.engine.body.current import current_task
from flowweaver.errors import UnstorableError
from flowweaver.records import Failure

_FALSY: tuple[Any, ...] = (None, 0, "", False, 0.0, [], {}, (), b"", set())
_TRIGGERS = ("all_done", "any_success", "any_failed")
_MOST_TASKS = 9


class Odd(BaseException):
    """No `Exception`, as a user's library may have it."""


@dataclass(slots=True)
class Outside:
    """What bodies act on and find when they run: it outlives every process.

    Attributes:
        repaired: Whether what was broken has been repaired.
        failures: How many times each TaskRun has failed that fails at first.
        calls: How many bodies were called.
    """

    repaired: bool = False
    failures: Counter[tuple[str, str]] = field(default_factory=Counter)
    calls: int = 0


@dataclass(frozen=True, slots=True)
class Nature:
    """How a body behaves; which share of its TaskRuns fails is in percent.

    Attributes:
        depth: How many levels of lists it returns.
        flaky: How many attempts of a flaky TaskRun fail.
        flaky_share: How many TaskRuns are flaky.
        broken_share: How many fail until they are repaired.
        doomed_share: How many fail for ever.
        skipped_share: How many have a condition that is not met.
        seconds: About how long an attempt takes.
    """

    depth: int = 0
    flaky: int = 0
    flaky_share: int = 0
    broken_share: int = 0
    doomed_share: int = 0
    skipped_share: int = 0
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Simulated:
    """A workflow to simulate, with what a check needs to know of it.

    Attributes:
        workflow: The workflow.
        params: Its parameters.
        ancestors: All that a task depends on, directly or not, by name.
        whole: The tasks, none of them mapped, whose whole result a task waits for, by name.
        paired: The mapped task whose elements those of a task are paired with, by name, and how
            many indices their keys have.
        strict: The tasks that start only when all these are completed.
    """

    workflow: Workflow
    params: Mapping[str, Any]
    ancestors: Mapping[str, frozenset[str]]
    whole: Mapping[str, frozenset[str]]
    paired: Mapping[str, tuple[str, int]]
    strict: frozenset[str]


class Body:
    """A body with parameters of any names, which returns what its arguments decide."""

    def __init__(self, name: str, parameters: list[inspect.Parameter], nature: Nature) -> None:
        self.__name__ = name
        self.__signature__ = inspect.Signature(parameters)
        self.nature = nature
        self.outside = Outside()

    def __call__(self, **arguments: Any) -> Any:
        """Return or raise what the arguments decide."""
        self.outside.calls += 1
        token = _token(self.__name__, arguments)
        self._fail_if_due(token)
        return _value(token, self.nature.depth)

    def _fail_if_due(self, token: int) -> None:
        nature, share = self.nature, token % 100
        if share < nature.flaky_share:
            failures, key = self.outside.failures, (self.__name__, current_task().element)
            if failures[key] < nature.flaky:
                failures[key] += 1
                raise ConnectionError(f"{self.__name__} is flaky")
        share = token // 100 % 100
        broken = share < nature.broken_share and not self.outside.repaired
        if broken or token // 10_000 % 100 < nature.doomed_share:
            raise _ERRORS[token % len(_ERRORS)](self.__name__)


class Condition:
    """A condition on one parameter, or on none."""

    def __init__(self, name: str, parameters: list[inspect.Parameter], share: int) -> None:
        self.__name__ = f"{name}_wanted"
        self.__signature__ = inspect.Signature(parameters)
        self._share = share

    def __call__(self, **arguments: Any) -> bool:
        """Return what the arguments decide."""
        return _token(self.__name__, arguments) % 100 >= self._share


_ERRORS: tuple[Callable[[str], BaseException], ...] = (
    ValueError,
    SystemExit,
    Odd,
    lambda name: UnstorableError(name, "made up"),
)


def _token(name: str, arguments: Mapping[str, Any]) -> int:
    plain = [(key, _plain(arguments[key])) for key in sorted(arguments)]
    return crc32(repr((name, plain)).encode())


def _plain(value: Any) -> Any:
    """Leave out of a value what tells one failed attempt from another."""
    if isinstance(value, Failure):
        return value.kind
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return sorted(value) if isinstance(value, set) else value


def _value(token: int, depth: int) -> Any:
    if depth:
        count = token % 4
        return [_value(crc32(b"%d %d" % (token, place)), depth - 1) for place in range(count)]
    if token % 3 == 0:
        return _FALSY[token // 3 % len(_FALSY)]
    return token if token % 3 == 1 else {"at": (token, str(token)), "flag": token % 2 == 0}


def random_workflow(seed: int) -> Simulated:
    """Return the workflow of a seed: always the same, in objects of its own."""
    return _Maker(random.Random(seed)).make(f"simulated {seed}")


class _Maker:
    """Makes one random workflow, task by task."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.names: list[str] = []
        self.levels: dict[str, int] = {}  # of lists in what a task's takers get
        self.keys: dict[str, int] = {}  # length of the keys of a mapped task's elements
        self.whole: dict[str, frozenset[str]] = {}
        self.ancestors: dict[str, frozenset[str]] = {}
        self.tolerant: set[str] = set()
        self.strict: set[str] = set()
        self.troubled = rng.random() < 0.5
        self.params = {"items": list(range(rng.randrange(4))), "factor": rng.choice((0, 2, "x"))}

    def make(self, name: str) -> Simulated:
        tasks = [self._task(f"t{place}") for place in range(self.rng.randint(1, _MOST_TASKS))]
        workflow = Workflow(name, tasks)
        wiring = workflow.compile()
        params = {name: self.params[name] for name in wiring.parameters}
        strict = frozenset(self.strict)
        paired = dict(self._paired(wiring))
        return Simulated(workflow, params, self.ancestors, self.whole, paired, strict)

    def _paired(self, wiring: Wiring) -> Iterator[tuple[str, tuple[str, int]]]:
        """Which mapped tasks wait for one element each of another, and how long its key is."""
        for node, mapped in wiring.mapped.items():
            (taken, *others) = mapped.inputs
            if not others and taken.levels and taken.parameter not in self.tolerant:
                yield wiring.tasks[node].name, (taken.parameter, taken.levels)

    def _task(self, name: str) -> Task[..., Any]:
        rng = self.rng
        inputs: dict[str, str | Each] = {}
        parameters: list[inspect.Parameter] = []
        order_only: list[str] = []
        mapped: list[str] = []
        for source in self._sources():
            how = rng.random()
            if how < 0.45 and len(mapped) < 2 and self._can_map(source, mapped):
                mapped.append(source)
                inputs[f"each_{source}"] = self._each(source)
                parameters.append(_parameter(f"each_{source}"))
            elif how < 0.85 or source in self.params:
                inputs.update({f"of_{source}": source} if source in self.names else {})
                named = f"of_{source}" if source in self.names else source
                default = rng.choice((inspect.Parameter.empty, inspect.Parameter.empty, "none"))
                parameters.append(_parameter(named, default))
            else:
                order_only.append(source)
        nature = self._nature(rng.random() < 0.4)
        options = self._options(nature, parameters, mapped)
        parameters.sort(key=lambda parameter: parameter.default is not parameter.empty)
        body = Body(name, parameters, nature)
        task = Task(name, body, depends_on=order_only, inputs=inputs, **options)
        self._note(task, nature, mapped)
        return task

    def _sources(self) -> list[str]:
        recent = self.names[-4:]
        chosen = [name for name in recent if self.rng.random() < 0.5]
        older = self.names[:-4]
        if older and self.rng.random() < 0.3:
            chosen.append(self.rng.choice(older))
        if self.rng.random() < 0.2:
            chosen.append(self.rng.choice(("items", "factor")))
        self.rng.shuffle(chosen)
        return chosen

    def _can_map(self, source: str, mapped: list[str]) -> bool:
        if source == "factor":
            return False
        deep = sum(self.keys.get(other, 1) for other in (*mapped, source))
        return deep <= 2 and (source == "items" or self.levels[source] > 0)

    def _each(self, source: str) -> Each:
        own = self.keys.get(source, 0)
        if own:
            deepest = own + 1 if self.levels[source] > own and own < 2 else own
            depth = self.rng.randint(own, deepest)
        else:
            depth = 1 if source == "items" or self.levels[source] < 2 else self.rng.randint(1, 2)
        taken = each(source)
        for _ in range(depth - 1):
            taken = each(taken)
        return taken

    def _nature(self, makes_list: bool) -> Nature:
        rng, troubled = self.rng, self.troubled
        return Nature(
            depth=rng.randint(1, 2) if makes_list else 0,
            flaky=rng.randint(1, 2),
            flaky_share=rng.choice((0, 0, 30, 100)),
            broken_share=rng.choice((0, 0, 0, 20, 100)) if troubled else 0,
            doomed_share=rng.choice((0, 0, 0, 0, 30)) if troubled else 0,
            skipped_share=rng.choice((0, 0, 0, 30, 100)),
            seconds=rng.choice((0.0, 0.001, 0.05, 0.5)),
        )

    def _options(
        self, nature: Nature, parameters: list[inspect.Parameter], mapped: list[str]
    ) -> dict[str, Any]:
        rng = self.rng
        options: dict[str, Any] = {"version": "1", "retries": nature.flaky}
        options["backoff"] = rng.choice((fixed(0), fixed(3), exponential(1, jitter=0)))
        options["effect"] = rng.choice(("pure", "pure", "pure", "pure", "idempotent", "once"))
        if rng.random() < 0.3:
            options[rng.choice(("timeout", "idle_timeout"))] = rng.choice((2.0, 5.0))
        if rng.random() < 0.2:
            options["trigger"] = rng.choice(_TRIGGERS)
        if rng.random() < 0.3:
            options["tags"] = rng.choice((("one",), ("rated",), ("one", "rated")))
        if len(mapped) == 2:
            options["combine"] = rng.choice(("zip", "cross"))
        options["allow_failures"] = bool(mapped) and rng.random() < 0.3
        if nature.skipped_share:
            name = f"w{len(self.names)}"
            options["when"] = Condition(name, parameters[:1], nature.skipped_share)
        return options

    def _note(self, task: Task[..., Any], nature: Nature, mapped: list[str]) -> None:
        name, options = task.name, task.options
        sources = set(task.depends_on)
        key_length = 0
        for source in task.inputs.values():
            taken = source.source if isinstance(source, Each) else source
            if taken in self.names:
                sources.add(taken)
            if isinstance(source, Each):
                depth = max(source.depth, self.keys.get(taken, 0))
                cross = options.combine == "cross"
                key_length = key_length + depth if cross else max(key_length, depth)
        if mapped:
            self.keys[name] = key_length
        if options.allow_failures:
            self.tolerant.add(name)
        self.levels[name] = key_length + nature.depth
        self.whole[name] = frozenset(source for source in sources if source not in self.keys)
        above = [self.ancestors[source] for source in sources]
        self.ancestors[name] = frozenset(sources).union(*above)
        defaults = any(
            parameter.default is not parameter.empty
            for parameter in inspect.signature(task.fn).parameters.values()
        )
        if options.trigger == "all_success" and not defaults:
            self.strict.add(name)
        self.names.append(name)


def _parameter(name: str, default: Any = inspect.Parameter.empty) -> inspect.Parameter:
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default)
