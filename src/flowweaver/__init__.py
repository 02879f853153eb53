"""FlowWeaver: run a graph of Python functions so that nothing is done twice and nothing is lost."""

from typing import TYPE_CHECKING

from flowweaver.errors import (
    ClusterLostError,
    CommandError,
    DefinitionError,
    FileConflictError,
    FlowWeaverError,
    MissingOutputError,
    NoResultError,
    ParameterError,
    RunLockedError,
    SecretError,
    StoreCorruptError,
    StoreError,
    StoreVersionError,
    StoreWriteError,
    SupersededError,
    TaskExitError,
    TaskTimeoutError,
    TypeClashWarning,
    UndecodableError,
    UnknownNameError,
    UnstorableError,
)
from flowweaver.lazy import lazy as _lazy
from flowweaver.raised import Retry, Skip
from flowweaver.status import Origin, RunStatus, TaskStatus
from flowweaver.version import __version__ as __version__

if TYPE_CHECKING:
    from flowweaver.definitions.edges import each
    from flowweaver.definitions.options import TaskOptions
    from flowweaver.definitions.retry import Backoff, exponential, fixed
    from flowweaver.definitions.task import Task, task
    from flowweaver.definitions.workflow import Workflow
    from flowweaver.engine.body.around import Around
    from flowweaver.engine.body.current import CurrentTask, current_task
    from flowweaver.engine.executor import Executor
    from flowweaver.engine.history.fork import fork
    from flowweaver.engine.history.past import load_run
    from flowweaver.engine.history.replay import replay
    from flowweaver.engine.stop import Stop
    from flowweaver.events import Event, EventKind, Observer
    from flowweaver.executors.dask import DaskExecutor
    from flowweaver.executors.local import AsyncExecutor, SequentialExecutor, ThreadedExecutor
    from flowweaver.executors.process import ProcessExecutor
    from flowweaver.executors.ray import RayExecutor
    from flowweaver.files.input import InputFile
    from flowweaver.files.output import OutputFile
    from flowweaver.planned import Plan, PlannedTask
    from flowweaver.records import Failure
    from flowweaver.report.mermaid import export_mermaid, save_mermaid, view_mermaid
    from flowweaver.run import Run, TaskRun, WorkflowFailed
    from flowweaver.secret import Secret, secret_env
    from flowweaver.state_store import StateStore
    from flowweaver.steps import shell
    from flowweaver.stores.jsonl.store import JSONStateStore
    from flowweaver.stores.memory import MemoryStateStore
    from flowweaver.stores.postgres.store import PostgresStateStore
    from flowweaver.stores.sqlite.store import SQLiteStateStore
else:
    # What is raised is imported at once; all else when it is asked for, so that neither a command
    # that shows a run nor a program that may make one waits for what it does not use.
    __getattr__ = _lazy(
        __name__,
        {
            "definitions.edges": ("each",),
            "definitions.options": ("TaskOptions",),
            "definitions.retry": ("Backoff", "exponential", "fixed"),
            "definitions.task": ("Task", "task"),
            "definitions.workflow": ("Workflow",),
            "engine.body.around": ("Around",),
            "engine.body.current": ("CurrentTask", "current_task"),
            "engine.stop": ("Stop",),
            "engine.executor": ("Executor",),
            "files.input": ("InputFile",),
            "files.output": ("OutputFile",),
            "engine.history.fork": ("fork",),
            "engine.history.replay": ("replay",),
            "engine.history.past": ("load_run",),
            "planned": ("Plan", "PlannedTask"),
            "state_store": ("StateStore",),
            "run": ("Run", "TaskRun", "WorkflowFailed"),
            "events": ("Event", "EventKind", "Observer"),
            "executors.dask": ("DaskExecutor",),
            "executors.local": ("AsyncExecutor", "SequentialExecutor", "ThreadedExecutor"),
            "executors.process": ("ProcessExecutor",),
            "executors.ray": ("RayExecutor",),
            "records": ("Failure",),
            "report.mermaid": ("export_mermaid", "save_mermaid", "view_mermaid"),
            "secret": ("Secret", "secret_env"),
            "steps": ("shell",),
            "stores.jsonl.store": ("JSONStateStore",),
            "stores.memory": ("MemoryStateStore",),
            "stores.postgres.store": ("PostgresStateStore",),
            "stores.sqlite.store": ("SQLiteStateStore",),
        },
    )

# What is raised, or caught, is called by the name that it is imported by.
for _public in [*globals().values()]:
    if isinstance(_public, type) and issubclass(_public, BaseException):
        _public.__module__ = __name__

__all__ = [
    "Around",
    "AsyncExecutor",
    "Backoff",
    "ClusterLostError",
    "CommandError",
    "CurrentTask",
    "DaskExecutor",
    "DefinitionError",
    "Event",
    "EventKind",
    "Executor",
    "Failure",
    "FileConflictError",
    "FlowWeaverError",
    "InputFile",
    "JSONStateStore",
    "MemoryStateStore",
    "MissingOutputError",
    "NoResultError",
    "Observer",
    "Origin",
    "OutputFile",
    "ParameterError",
    "Plan",
    "PlannedTask",
    "PostgresStateStore",
    "ProcessExecutor",
    "RayExecutor",
    "Retry",
    "Run",
    "RunLockedError",
    "RunStatus",
    "SQLiteStateStore",
    "Secret",
    "SecretError",
    "SequentialExecutor",
    "Skip",
    "StateStore",
    "Stop",
    "StoreCorruptError",
    "StoreError",
    "StoreVersionError",
    "StoreWriteError",
    "SupersededError",
    "Task",
    "TaskExitError",
    "TaskOptions",
    "TaskRun",
    "TaskStatus",
    "TaskTimeoutError",
    "ThreadedExecutor",
    "TypeClashWarning",
    "UndecodableError",
    "UnknownNameError",
    "UnstorableError",
    "Workflow",
    "WorkflowFailed",
    "current_task",
    "each",
    "exponential",
    "export_mermaid",
    "fixed",
    "fork",
    "load_run",
    "replay",
    "save_mermaid",
    "secret_env",
    "shell",
    "task",
    "view_mermaid",
]


def __dir__() -> list[str]:
    return __all__
