"""Values given in place of what tasks would return."""

from __future__ import annotations

from typing import Any

from flowweaver.definitions.task import Task
from flowweaver.engine.body.call import Call, CallScope
from flowweaver.engine.body.outputs import files_of
from flowweaver.serialize import Encoded, encode


class Override:
    """A value given in place of what one task would return; encoded when that is asked for."""

    __slots__ = ("_encoded", "value")

    def __init__(self, value: Any) -> None:
        self.value = value
        self._encoded: Encoded | None = None

    def encoded(self, task: str) -> Encoded:
        """Return the value as it is stored.

        Raises:
            UnstorableError: Names the task and the place inside the value.
        """
        if self._encoded is None:
            self._encoded = encode(self.value, root=f"override of {task!r}")
        return self._encoded

    def as_call(self, scope: CallScope, node: int, task: Task[..., Any]) -> Call:
        """Return the value as if a body had returned it: an attempt that was none."""
        call = Call(scope, node, task, "", 0, {})
        call.value = self.value
        if scope.storing:
            call.encoded = self.encoded(task.name)
            call.files = files_of(task, {}, self.value, call.encoded.codec)
        return call
