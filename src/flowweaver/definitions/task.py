"""A task: a named function with its options."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Iterable, Mapping
from importlib import import_module
from types import FunctionType
from typing import TYPE_CHECKING, Any, Generic, Never, ParamSpec, TypeVar, Unpack, overload

from flowweaver.definitions.edges import NO_EDGES, Each, Edges, Sources, clean_edges
from flowweaver.definitions.last_runs import last_run_with
from flowweaver.definitions.options import NO_OPTIONS, OptionArguments, TaskArguments, TaskOptions
from flowweaver.definitions.signature import Signature, read_signature
from flowweaver.definitions.templates import check_template
from flowweaver.errors import DefinitionError
from flowweaver.introspection import evaluated_annotations
from flowweaver.names import check_name
from flowweaver.status import TaskStatus

P = ParamSpec("P")
R = TypeVar("R")
V = TypeVar("V")

if TYPE_CHECKING:
    from flowweaver.run import TaskRun

    class _ReadOnly(Generic[V]):
        """What type checkers know of the slots of a task: they can be read and not set."""

        def __get__(self, task: object, owner: type | None = None) -> V: ...

        def __set__(self, task: object, value: Never) -> None: ...


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
        "depends_on",
        "fn",
        "name",
        "options",
        "signature",
        "sources",
    )

    name: _ReadOnly[str]
    """The task's name, unique in its workflow."""
    fn: _ReadOnly[Callable[P, R]]
    """The function as it was given."""
    options: _ReadOnly[TaskOptions]
    """How it is to be run."""
    depends_on: _ReadOnly[tuple[str, ...]]
    """Tasks that must be done first, besides those its parameters name."""
    sources: _ReadOnly[Sources]
    """Whose result its parameters take, where the names differ, in pairs; see `inputs`."""
    signature: _ReadOnly[Signature]
    """What its function takes and gives."""

    def __init__(
        self,
        name: str,
        fn: Callable[P, R],
        retries: int = 0,
        timeout: float | None = None,
        **options: Unpack[TaskArguments],
    ) -> None:
        edges, finished = NO_EDGES, NO_OPTIONS
        if options:
            edges = clean_edges(name, options.pop("depends_on", ()), options.pop("inputs", None))
        if options or retries or type(retries) is not int or timeout is not None:
            given = {**options, "retries": retries, "timeout": timeout}
            finished = NO_OPTIONS.replace(name, given)
        self._define(name, fn, finished, edges)

    @classmethod
    def of(
        cls, name: str, fn: Callable[P, R], options: TaskOptions, edges: Edges = NO_EDGES
    ) -> Task[P, R]:
        """Make a task with options and edges that have been checked before."""
        made = cls.__new__(cls)
        made._define(name, fn, options, edges)
        return made

    def _define(self, name: str, fn: Callable[P, R], options: TaskOptions, edges: Edges) -> None:
        if not callable(fn):
            raise DefinitionError(f"Task {name!r}: {fn!r} is not callable; give it a function.")
        plain: Callable[P, R] = fn.fn if isinstance(fn, Task) else fn
        signature = read_signature(plain)
        if signature.is_generator:
            raise DefinitionError(
                f"Task {name!r}: a generator's values can't be kept; return a list instead."
            )
        if options.element_name is not None:
            check_template(name, "element_name", options.element_name, signature)
        for path in options.outputs:
            check_template(name, "outputs", path, signature)
        _set_name(self, check_name(name, "task"))
        _set_fn(self, plain)
        _set_options(self, options)
        _set_depends_on(self, edges[0])
        _set_sources(self, edges[1])
        _set_signature(self, signature)

    def __setattr__(self, attribute: str, value: object) -> None:
        if attribute in _READ_ONLY:
            raise AttributeError(
                f"Task {self.name!r} is a definition, so its {attribute} can't be set. Make "
                "another with with_options()."
            )
        object.__setattr__(self, attribute, value)

    @property
    def inputs(self) -> dict[str, str | Each]:
        """Whose result its parameters take, where the names differ."""
        return dict(self.sources)

    def with_options(
        self, name: str | None = None, **options: Unpack[OptionArguments]
    ) -> Task[P, R]:
        """Return a task of the same function with another name or other options."""
        return self._derived(self.fn, self.name if name is None else name, options)

    def _derived(
        self, fn: Callable[..., Any], name: str, options: Mapping[str, Any]
    ) -> Task[Any, Any]:
        edges, finished = (self.depends_on, self.sources), self.options
        if options:
            others = dict(options)
            depends_on = others.pop("depends_on", self.depends_on)
            edges = clean_edges(name, depends_on, others.pop("inputs", self.inputs))
            finished = finished.replace(name, others) if others else finished
        twin: Task[Any, Any] = Task.of(name, fn, finished, edges)
        twin.__dict__.update(self.__dict__)
        if "__wrapped__" in twin.__dict__:
            twin.__dict__["__wrapped__"] = fn
        return twin

    def is_async(self) -> bool:
        """Whether the function is a coroutine function."""
        return self.signature.is_coroutine

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Call the function, outside of any run."""
        return self.fn(*args, **kwargs)

    def __get__(self, instance: object, owner: type | None = None) -> Task[..., R]:
        """Bind a task that was made of a method, as a function would be bound."""
        bind = getattr(type(self.fn), "__get__", None)
        if instance is None or bind is None:
            return self
        return self._derived(bind(self.fn, instance, owner), self.name, {})

    def __repr__(self) -> str:
        return f"<Task {self.name!r}>"

    def __reduce__(self) -> tuple[Any, ...]:
        # By reference, as functions are, where this task has the place of its function.
        module, name = getattr(self.fn, "__module__", None), getattr(self.fn, "__qualname__", "")
        there = _find(module, name) if module and module != "__main__" else None
        if there is self:
            return _load, (module, name)
        # `pickle` finds the decorated task, not its function, in the function's place.
        stands_for_it = isinstance(there, Task) and there.fn is self.fn
        fn = there if stands_for_it else self.fn
        attributes = {**self.__dict__, "__wrapped__": None} if self.__dict__ else {}
        return _rebuild, (
            self.name,
            fn,
            self.options,
            (self.depends_on, self.sources),
            attributes,
        )

    @property
    def status(self) -> TaskStatus:
        """Where this task stands in the last run of its workflow."""
        found = self._last()
        return TaskStatus.PENDING if found is None else found.status

    @property
    def result(self) -> Any:
        """What this task returned in the last run of its workflow; None if it did not."""
        found = self._last()
        is_there = found is not None and found.status is TaskStatus.COMPLETED
        return found.result if found is not None and is_there else None

    @property
    def error(self) -> str | None:
        """Why this task failed in the last run of its workflow; None if it did not."""
        found = self._last()
        failure = None if found is None else found.error
        return None if failure is None else failure.message or failure.kind

    def _last(self) -> TaskRun | None:
        run = last_run_with(self)
        return None if run is None else run.tasks.get(self.name)


# The slots of what a task is defined by. They are read as plain attributes, which is what running
# millions of tasks takes; they are set once, here, and `__setattr__` lets nobody set them again.
_READ_ONLY = ("name", "fn", "options", "depends_on", "sources", "signature")
_set_name, _set_fn, _set_options, _set_depends_on, _set_sources, _set_signature = (
    vars(Task)[slot].__set__ for slot in _READ_ONLY
)


def _find(module: str, qualname: str) -> Any:
    try:
        found: Any = sys.modules.get(module) or import_module(module)
        for part in qualname.split("."):
            found = getattr(found, part)
    except (ImportError, AttributeError):
        return None
    return found


def _load(module: str, qualname: str) -> Task[Any, Any]:
    if module not in sys.modules:
        import_module(module)  # where it can't be, it is the one to name
    found = _find(module, qualname)
    if not isinstance(found, Task):
        raise AttributeError(f"The task {qualname!r} is not in module {module!r} any more.")
    return found


def _rebuild(
    name: str,
    fn: Callable[..., Any],
    options: TaskOptions,
    edges: Edges,
    attributes: dict[str, Any],
) -> Task[Any, Any]:
    task: Task[Any, Any] = Task.of(name, fn, options, edges)
    task.__dict__.update(attributes)
    if "__wrapped__" in attributes:
        task.__dict__["__wrapped__"] = task.fn
    return task


def name_of(fn: Any) -> str:
    """Return what a function is called, or anything that is called like one."""
    while isinstance(fn, functools.partial):
        fn = fn.func
    return getattr(fn, "__name__", None) or type(fn).__name__


@overload
def task(
    fn: Callable[P, R], /, *, name: str | None = None, **options: Unpack[OptionArguments]
) -> Task[P, R]: ...


@overload
def task(
    fn: str | None = None, /, *, name: str | None = None, **options: Unpack[OptionArguments]
) -> Callable[[Callable[P, R]], Task[P, R]]: ...


def task(fn: Any = None, /, *, name: str | None = None, **options: Unpack[OptionArguments]) -> Any:
    """Make a task of a function: ``@task``, ``@task(retries=3, timeout=30)``, ``task(fn, ...)``.

    The task is called, inspected and type-checked as the function it was made of.

    Args:
        fn: The function, where it is not decorated; or the task's name.
        name: The task's name, if it is not to be the function's.
        **options: See `TaskOptions`.
    """
    if fn is not None and not callable(fn):
        if not isinstance(fn, str):
            raise DefinitionError(f"task() takes a function, or the name of the task, not {fn!r}.")
        if name is not None:
            raise DefinitionError(f"task() takes one name, not both {fn!r} and {name!r}.")
        fn, name = None, fn

    def decorate(fn: Callable[P, R]) -> Task[P, R]:
        made = Task(name_of(fn) if name is None else name, fn, **options)
        functools.update_wrapper(made, made.fn, _LIKE_ITS_FUNCTION)
        if isinstance(made.fn, FunctionType):  # of which those of Python 3.14 on copy none
            made.__annotations__ = evaluated_annotations(made.fn)
        return made

    return decorate if fn is None else decorate(fn)


def listed(tasks: Iterable[V], workflow: str) -> Iterable[V]:
    """Return the tasks that a workflow is given; raises `DefinitionError` if they are no list."""
    if not isinstance(tasks, Iterable):
        raise DefinitionError(f"Workflow {workflow!r} takes a list of tasks, not {tasks!r}.")
    return tasks
