"""A target for the command: an example whose bodies leave a journal and can die where told.

Environment: EXAMPLE is ``file.py:workflow``, JOURNAL the file each started body appends its task's
name to, and KILL (optional) a place, such as ``before load`` or ``after load``, where the process
kills itself.
"""

import functools
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from flowweaver import Task, Workflow
from tests.examples.loading import load_example, with_body


def kill_if_told(place: str) -> None:
    if os.environ.get("KILL") == place:
        os.kill(os.getpid(), signal.SIGKILL)


@contextmanager
def witnessed(name: str) -> Iterator[None]:
    with open(os.environ["JOURNAL"], "a") as journal:  # noqa: PTH123  # O_APPEND: one line, one write
        journal.write(f"{name}\n")
        journal.flush()
        os.fsync(journal.fileno())
    kill_if_told(f"before {name}")
    yield
    kill_if_told(f"after {name}")


def journaled(task: Task[..., Any]) -> Callable[..., Any]:
    name, fn = task.name, task.fn
    if task.is_async():

        @functools.wraps(fn)
        async def body(*args: Any, **kwargs: Any) -> Any:
            with witnessed(name):
                return await fn(*args, **kwargs)

    else:

        @functools.wraps(fn)
        def body(*args: Any, **kwargs: Any) -> Any:
            with witnessed(name):
                return fn(*args, **kwargs)

    return body


def witness(example: Workflow) -> Workflow:
    """Return the same workflow with journaled bodies."""
    return Workflow(
        example.name, [with_body(t, journaled(t)) for t in example.get_all_tasks().values()]
    )


file, _, attribute = os.environ["EXAMPLE"].partition(":")
workflow = witness(getattr(load_example(file), attribute))
