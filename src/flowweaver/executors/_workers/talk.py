"""The conversation of a worker and its supervisor about one batch of calls."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from itertools import islice
from operator import itemgetter
from time import monotonic
from typing import Any, Protocol

from flowweaver.errors import FlowWeaverError, TaskTimeoutError
from flowweaver.executors._workers.batch import Batch
from flowweaver.executors._workers.handle import WorkerHandle
from flowweaver.executors._workers.logs import hear as hear_log
from flowweaver.executors._workers.outcome import Outcome, hear, pack_error
from flowweaver.executors._workers.packing import pack
from flowweaver.executors._workers.session import Dispatch, Request, is_limited
from flowweaver.executors._workers.wire import Message
from flowweaver.plugins import Call

# How long a worker may take to import and unpickle what a call with a time limit needs: that time
# is not part of the body's, but it must have an end.
_LOADING_SECONDS = 60.0
# How often the supervisor looks into a worker's tray while it has several calls.
_LOOK_EVERY_SECONDS = 0.002
# After so long the calls that a worker has not begun are taken back: they were expected to be
# short, and are not.
_LONGEST_BATCH_SECONDS = 0.02


class Office(Protocol):
    """Who is told what becomes of calls."""

    lock: threading.Lock

    def finish(self, batch: Batch, endings: Iterable[tuple[Call, Outcome]]) -> None:
        """Hand in the outcomes of the first calls of a batch."""

    def give_back(self, batch: Batch, *, keep: int = 0) -> None:
        """Have others perform the calls of a batch that were not begun."""


class Talk:
    """The supervisor's side of the conversation.

    It answers what bodies ask, takes in the outcomes of calls, and sees to it that a long call
    holds up neither the outcomes before it nor the calls behind it.
    """

    def __init__(
        self, worker: WorkerHandle, batch: Batch, dispatch: Dispatch, request: Request, to: Office
    ) -> None:
        self._worker = worker
        self._batch = batch
        self._dispatch = dispatch
        self._request = request
        self._office = to
        self._ended = 0
        # Messages that came by the tray ahead of earlier ones still on the wire, or the reverse.
        self._early: list[Message] = []
        self._is_one_of_several = len(request.items) > 1
        # When the batch was sent, and since when the first of its calls may be under way.
        self._sent = self._since = monotonic()

    def listen(self) -> Message:
        """Return the worker's last word on the batch: "done", "over" or "refused"."""
        if not self._is_one_of_several:
            self._show_first()
        while True:
            message = self._next()
            match message[0]:
                case "done":
                    self._take_in([message])
                    if not (self._batch.calls or self._batch.is_cut):
                        return message
                case "over" | "refused":
                    return message
                case "began":
                    self._take_in([message])
                case "log":
                    hear_log(message[1])
                case _:
                    self._answer(*message)

    def _next(self) -> Message:
        while True:
            try:
                return self._worker.receive(self._patience())
            except TimeoutError:
                pass
            finally:
                if tray := self._worker.tray.collect():
                    self._take_in(tray)
            self._look()

    def _current(self) -> tuple[Call | None, bool]:
        """Return the call that is under way or next, and whether there are more."""
        with self._office.lock:
            calls = self._batch.calls
            return (calls[0] if calls else None), len(calls) > 1

    def _patience(self) -> float | None:
        current, has_more = self._current()
        if has_more:
            return _LOOK_EVERY_SECONDS
        if current is None or not is_limited(current) or current.started is not None:
            return None
        return _LOOK_EVERY_SECONDS if self._is_one_of_several else _LOADING_SECONDS

    def _look(self) -> None:
        """See to a worker that has said nothing for a while."""
        now = monotonic()
        current, has_more = self._current()
        if current is not None and current.started is None:
            if not is_limited(current):
                current.started = self._since
            elif now - self._since >= _LOADING_SECONDS:
                raise TaskTimeoutError(
                    f"A worker process did not get task {current.name!r} and its arguments loaded "
                    f"within {_LOADING_SECONDS:g} s."
                )
        if has_more and now - self._sent >= _LONGEST_BATCH_SECONDS:
            self._office.give_back(self._batch, keep=1)

    def _show_first(self) -> None:
        current, _ = self._current()
        if current is not None and not is_limited(current):
            current.started = self._since

    def _take_in(self, messages: list[Message]) -> None:
        """Take in the starts and ends of calls, in the order in which they were sent."""
        said = self._in_order(messages)
        with self._office.lock:
            calls = list(islice(self._batch.calls, len(said)))
        endings: list[tuple[Call, Outcome]] = []
        for kind, number, content in said:
            call = calls[len(endings)]
            if kind == "began":
                call.started = content
            else:
                self._dispatch.accepted(self._worker, self._request.items[number].function)
                endings.append((call, hear(content, call)))
        if endings:
            self._ended += len(endings)
            self._since = monotonic()
            self._office.finish(self._batch, endings)

    def _in_order(self, messages: list[Message]) -> list[Message]:
        """Return the messages whose turn it is; the others wait for what comes the other way."""
        self._early = sorted([*self._early, *messages], key=itemgetter(1))
        said, due = [], self._ended
        for message in self._early:
            if message[1] > due:
                break
            said.append(message)
            due += message[0] == "done"
        del self._early[: len(said)]
        return said

    def _answer(self, verb: str, *details: Any) -> None:
        call, _ = self._current()
        if call is None:
            return  # from a thread that a body has left behind
        link = call.scope.link
        if verb == "beat":
            link.beat(call)
        else:
            self._worker.wire.send(_answer(link, call, *details))


def _answer(link: Any, call: Call, verb: str, *details: Any) -> Message:
    try:
        return "answer", True, getattr(link, verb)(call, *details)
    except Exception as error:
        text = FlowWeaverError(f"{type(error).__name__}: {error}")
        return "answer", False, pack_error(error) or pack(text)
