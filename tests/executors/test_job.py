"""A job of a cluster, performed here: what it says of its calls while they run."""

from __future__ import annotations

from contextvars import copy_context
from pathlib import Path
from typing import Any

import pytest

from flowweaver import Task
from flowweaver.engine.body.call import Call, CallScope
from flowweaver.engine.body.link import LocalLink
from flowweaver.executors._cluster.job import perform_job
from flowweaver.executors._cluster.parcels import Packing
from flowweaver.executors._cluster.shelf import Shelf
from flowweaver.executors._workers.packing import Packer
from flowweaver.executors._workers.wire import Message
from flowweaver.testing.bodies import await_note, note


class Told:
    """A channel that keeps what it is told, and notes that it was told of a start."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.starts: list[Message] = []

    def tell(self, message: Message) -> None:
        assert message[0] == "began"
        self.starts.append(message)
        note(str(self._folder), "told")

    def ask(self, message: Message) -> Any:
        raise AssertionError(message)


def goes_on_until_told(folder: str) -> None:
    await_note(folder, "told")


def ends_at_once(folder: str) -> None:
    pass


def performed(folder: Path, *tasks: Task[..., None]) -> list[Message]:
    """Perform a call of each task as one job; return what was told of starts."""
    scope = CallScope("w", "r", LocalLink(None, None), storing=False, context=copy_context())
    calls = [Call(scope, n, each, "", 1, {"folder": str(folder)}) for n, each in enumerate(tasks)]
    shelf = Shelf(lambda data: data, lambda reference: True)
    channel = Told(folder)
    perform_job(Packing(Packer(), shelf, shared=False).ship("job", calls).payload, channel)
    return channel.starts


def test_start_of_a_body_that_goes_on_is_told_while_it_runs(tmp_path: Path) -> None:
    ((_, number, _, seconds),) = performed(tmp_path, Task("t", goes_on_until_told))
    assert number == 0
    assert seconds > 0


@pytest.mark.parametrize(
    "options", [{"timeout": 60}, {"idle_timeout": 60}, {"isolate": True}, {"effect": "once"}]
)
def test_start_of_a_body_that_may_be_given_up_or_not_repeated_is_told_at_once(
    tmp_path: Path, options: dict[str, Any]
) -> None:
    ((*_, seconds),) = performed(tmp_path, Task("t", ends_at_once, **options))
    assert seconds == 0


def test_starts_of_several_are_not_told(tmp_path: Path) -> None:
    assert performed(tmp_path, Task("a", ends_at_once), Task("b", ends_at_once)) == []
