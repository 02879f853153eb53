"""What executors, stores and observers are built from: all that a plug-in needs of the engine.

A plug-in imports from `flowweaver`, from here and from `flowweaver.errors`, `events`, `records`,
`serialize`, `status` and `testing`, and so do the executors, stores and observers that come with
FlowWeaver. Nothing else is public. Each name is imported when it is first asked for, so that a
worker process that only performs calls does not wait for the rest of the engine.
"""

from typing import TYPE_CHECKING

from flowweaver.lazy import lazy

if TYPE_CHECKING:
    from flowweaver.definitions.options import NO_OPTIONS, TaskOptions
    from flowweaver.definitions.signature import is_coroutine_function
    from flowweaver.definitions.task import Task
    from flowweaver.definitions.workflow import Workflow
    from flowweaver.engine.body.call import MISSING, Call, CallScope, perform
    from flowweaver.engine.body.capture import capturing
    from flowweaver.engine.body.failures import failure_of
    from flowweaver.engine.body.faults import Fault, fault_of, is_retryable, wait_after
    from flowweaver.engine.body.hearing import hear_bodies
    from flowweaver.engine.body.logs import LogBuffer
    from flowweaver.engine.executor import Executor, ExecutorOptions, Parameters
    from flowweaver.engine.left_tasks import end_tasks
    from flowweaver.engine.loop_thread import LoopThread
    from flowweaver.engine.options import ExecuteArguments
    from flowweaver.engine.protocols import Backend, Host
    from flowweaver.facts import Facts
    from flowweaver.forks import in_one_process, keep_free_in_copies, refuse_copy
    from flowweaver.main_module import call_script, script_name
    from flowweaver.masking import mask
    from flowweaver.names import task_run_name
    from flowweaver.reasons import unchanged_since
    from flowweaver.run import Run
    from flowweaver.serialize.describe import clean, shorten
    from flowweaver.serialize.encoded import Data, content_digest
    from flowweaver.serialize.held import Held
    from flowweaver.serialize.shared_memory import (
        MAPPED_FROM,
        FileMemory,
        file_memory,
        nameless_file,
        place_in_file,
        share_large,
    )
    from flowweaver.state_store import StateStore
    from flowweaver.which_run import info_of, run_to_continue
else:
    __getattr__ = lazy(
        __name__,
        {
            "facts": ("Facts",),
            "main_module": ("call_script", "script_name"),
            "masking": ("mask",),
            "names": ("task_run_name",),
            "reasons": ("unchanged_since",),
            "definitions.options": ("NO_OPTIONS", "TaskOptions"),
            "definitions.signature": ("is_coroutine_function",),
            "definitions.task": ("Task",),
            "definitions.workflow": ("Workflow",),
            "engine.body.call": ("MISSING", "Call", "CallScope", "perform"),
            "engine.body.capture": ("capturing",),
            "engine.body.failures": ("failure_of",),
            "engine.body.faults": ("Fault", "fault_of", "is_retryable", "wait_after"),
            "engine.body.hearing": ("hear_bodies",),
            "engine.body.logs": ("LogBuffer",),
            "engine.options": ("ExecuteArguments",),
            "engine.executor": ("Executor", "ExecutorOptions", "Parameters"),
            "forks": ("in_one_process", "keep_free_in_copies", "refuse_copy"),
            "run": ("Run",),
            "engine.left_tasks": ("end_tasks",),
            "engine.loop_thread": ("LoopThread",),
            "engine.protocols": ("Backend", "Host"),
            "state_store": ("StateStore",),
            "serialize.describe": ("clean", "shorten"),
            "serialize.encoded": ("Data", "content_digest"),
            "serialize.held": ("Held",),
            "serialize.shared_memory": (
                "MAPPED_FROM",
                "FileMemory",
                "file_memory",
                "nameless_file",
                "place_in_file",
                "share_large",
            ),
            "which_run": ("info_of", "run_to_continue"),
        },
    )

__all__ = [
    "MAPPED_FROM",
    "MISSING",
    "NO_OPTIONS",
    "Backend",
    "Call",
    "CallScope",
    "Data",
    "ExecuteArguments",
    "Executor",
    "ExecutorOptions",
    "Facts",
    "Fault",
    "FileMemory",
    "Held",
    "Host",
    "LogBuffer",
    "LoopThread",
    "Parameters",
    "Run",
    "StateStore",
    "Task",
    "TaskOptions",
    "Workflow",
    "call_script",
    "capturing",
    "clean",
    "content_digest",
    "end_tasks",
    "failure_of",
    "fault_of",
    "file_memory",
    "hear_bodies",
    "in_one_process",
    "info_of",
    "is_coroutine_function",
    "is_retryable",
    "keep_free_in_copies",
    "mask",
    "nameless_file",
    "perform",
    "place_in_file",
    "refuse_copy",
    "run_to_continue",
    "script_name",
    "share_large",
    "shorten",
    "task_run_name",
    "unchanged_since",
    "wait_after",
]
