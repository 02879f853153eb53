"""A task: a named function with its options."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any, Generic, ParamSpec, TypeVar, Unpack, overload

from flowweaver.errors import DefinitionError
from flowweaver.names import check_name
from flowweaver.policies import (
    NO_EDGES,
    NO_OPTIONS,
    Each,
    Edges,
    OptionArguments,
    TaskArguments,
    TaskOptions,
    clean_edges,
)
from flowweaver.signature import read_signature
from flowweaver.status import TaskStatus

if TYPE_CHECKING:
    from flowweaver.workflow import Workflow

P = ParamSpec("P")
R = TypeVar("R")

_LIKE_ITS_FUNCTION = (*functools.WRAPPER_ASSIGNMENTS, "__defaults__", "__kwdefaults__")


class Task(Generic[P, R]):
    """A named function with its options; a definition that holds no state of any run.

    A task is still callable as its function. One function can serve under several names.

    Args:
        name: Any printable text of at most 255 characters; kept in Unicode's NFC form.
        fn: A sync or async function, or any callable that takes its parameters by name.
        retries: How many times a failed attempt is repeated.
        timeout: Seconds an attempt may take.
        **options: `depends_on`: tasks that must be done first; a ``**kwargs`` function takes
            their results. `inputs`: whose result a parameter takes, where the names differ. All
            others are those of `TaskOptions`.

    Raises:
        DefinitionError: The name, function or an option can't be used.
    """

    __slots__ = (
        "__dict__",
        "__weakref__",
        "_depends_on",
        "_fn",
        "_inputs",
        "_name",
        "_options",
        "_signature",
        "_workflow",
    )

    _workflow: Workflow | None

    def __init__(
        self,
        name: str,
        fn: Callable[P, R],
        retries: int = 0,
        timeout: float | None = None,
        **options: Unpack[TaskArguments],
    ) -> None:
        self._name = check_name(name, "task")
        if not callable(fn):
            raise DefinitionError(f"task {name!r}: {fn!r} is not callable; give it a function")
        self._fn: Callable[P, R] = fn._fn if isinstance(fn, Task) else fn
        self._signature = read_signature(self._fn)
        if self._signature.is_generator:
            raise DefinitionError(
                f"task {name!r}: a generator's values can't be kept; return a list instead"
            )
        self._workflow = None
        self._depends_on, self._inputs = NO_EDGES
        self._options = NO_OPTIONS
        if options:
            self._depends_on, self._inputs = clean_edges(
                name, options.pop("depends_on", ()), options.pop("inputs", None)
            )
        if options or retries or type(retries) is not int or timeout is not None:
            given = {**options, "retries": retries, "timeout": timeout}
            self._options = NO_OPTIONS.replace(name, given)

    @property
    def name(self) -> str:
        """The task's name, unique in its workflow."""
        return self._name

    @property
    def fn(self) -> Callable[P, R]:
        """The function as it was given."""
        return self._fn

    @property
    def depends_on(self) -> tuple[str, ...]:
        """Tasks that must be done first, besides those its parameters name."""
        return self._depends_on

    @property
    def inputs(self) -> dict[str, str | Each]:
        """Whose result its parameters take, where the names differ."""
        return dict(self._inputs)

    @property
    def options(self) -> TaskOptions:
        """How it is to be run."""
        return self._options

    def with_options(
        self, name: str | None = None, **options: Unpack[OptionArguments]
    ) -> Task[P, R]:
        """Return a task of the same function with another name or other options."""
        return self._derived(self._fn, self._name if name is None else name, options)

    def _derived(
        self, fn: Callable[..., Any], name: str, options: Mapping[str, Any]
    ) -> Task[Any, Any]:
        twin: Task[Any, Any] = Task(name, fn)
        twin._depends_on, twin._inputs = self._depends_on, self._inputs
        twin._options = self._options
        if options:
            others = dict(options)
            depends_on = others.pop("depends_on", self._depends_on)
            inputs = others.pop("inputs", dict(self._inputs))
            twin._depends_on, twin._inputs = clean_edges(name, depends_on, inputs)
            twin._options = self._options.replace(name, others) if others else self._options
        twin.__dict__.update(self.__dict__)
        if "__wrapped__" in twin.__dict__:
            twin.__dict__["__wrapped__"] = fn
        return twin

    def is_async(self) -> bool:
        """Whether the function is a coroutine function."""
        return self._signature.is_coroutine

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Call the function, outside of any run."""
        return self._fn(*args, **kwargs)

    def __get__(self, instance: object, owner: type | None = None) -> Task[..., R]:
        """Bind a task that was made of a method, as a function would be bound."""
        bind = getattr(type(self._fn), "__get__", None)
        if instance is None or bind is None:
            return self
        return self._derived(bind(self._fn, instance, owner), self._name, {})

    def __repr__(self) -> str:
        return f"<Task {self._name!r}>"

    def __reduce__(self) -> tuple[Any, ...]:
        # By reference, as functions are, where this task has the place of its function.
        module, name = getattr(self._fn, "__module__", None), getattr(self._fn, "__qualname__", "")
        there = _find(module, name) if module and module != "__main__" else None
        if there is self:
            return _load, (module, name)
        # `pickle` finds the decorated task, not its function, in the function's place.
        stands_for_it = isinstance(there, Task) and there._fn is self._fn
        fn = there if stands_for_it else self._fn
        attributes = {**self.__dict__, "__wrapped__": None} if self.__dict__ else {}
        return _rebuild, (
            self._name,
            fn,
            self._options,
            (self._depends_on, self._inputs),
            attributes,
        )

    @property
    def status(self) -> TaskStatus:
        """Where this task stands in the last run of its workflow."""
        if self._workflow is None:
            return TaskStatus.PENDING
        return self._workflow.get_task_status(self._name) or TaskStatus.PENDING

    @property
    def result(self) -> Any:
        """What this task returned in the last run of its workflow; None if it did not."""
        return None if self._workflow is None else self._workflow.get_task_result(self._name)

    @property
    def error(self) -> str | None:
        """Why this task failed in the last run of its workflow; None if it did not."""
        last = None if self._workflow is None else self._workflow.last_run
        failure = last.tasks[self._name].error if last and self._name in last.tasks else None
        return None if failure is None else failure.message or failure.kind


def _find(module: str, qualname: str) -> Any:
    try:
        found: Any = sys.modules.get(module) or import_module(module)
        for part in qualname.split("."):
            found = getattr(found, part)
    except (ImportError, AttributeError):
        return None
    return found


def _load(module: str, qualname: str) -> Task[Any, Any]:
    found = _find(module, qualname)
    if not isinstance(found, Task):
        raise AttributeError(f"the task {qualname!r} is not in module {module!r} any more")
    return found


def _rebuild(
    name: str,
    fn: Callable[..., Any],
    options: TaskOptions,
    edges: Edges,
    attributes: dict[str, Any],
) -> Task[Any, Any]:
    task: Task[Any, Any] = Task(name, fn)
    task._options = options
    task._depends_on, task._inputs = edges
    task.__dict__.update(attributes)
    if "__wrapped__" in attributes:
        task.__dict__["__wrapped__"] = task._fn
    return task


def name_of(fn: Any) -> str:
    while isinstance(fn, functools.partial):
        fn = fn.func
    return getattr(fn, "__name__", None) or type(fn).__name__


@overload
def task(name: Callable[P, R], /) -> Task[P, R]: ...


@overload
def task(
    name: str | None = None, **options: Unpack[OptionArguments]
) -> Callable[[Callable[P, R]], Task[P, R]]: ...


def task(name: Any = None, **options: Unpack[OptionArguments]) -> Any:
    """Make a task of a function: ``@task`` or ``@task(retries=3, timeout=30)``.

    The task is called, inspected and type-checked as the function it was made of.

    Args:
        name: The task's name, if it is not to be the function's.
        **options: See `TaskOptions`.
    """

    def decorate(fn: Callable[P, R]) -> Task[P, R]:
        made = Task(name_of(fn) if name is None else name, fn, **options)
        functools.update_wrapper(made, made._fn, _LIKE_ITS_FUNCTION)
        return made

    if callable(name):
        fn, name = name, None
        return decorate(fn)
    return decorate
