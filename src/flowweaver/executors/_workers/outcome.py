"""The outcome of a call, on its way from the worker to the runner."""

from __future__ import annotations

from dataclasses import dataclass, replace
from time import monotonic
from typing import Any

from flowweaver.errors import UnstorableError
from flowweaver.executors._workers.identity import Errand
from flowweaver.executors._workers.packing import UnsendableError, pack, unpack
from flowweaver.executors._workers.script import MAIN_AGAIN
from flowweaver.executors._workers.wire import Message, Packed, beside
from flowweaver.plugins import MISSING, Call, Fault, failure_of, fault_of, wait_after
from flowweaver.records import Failure, FileRecord
from flowweaver.serialize import Encoded, decode_trusted

# Of an exception larger than this only the text travels.
_LARGEST_ERROR_BYTES = 1_000_000


class WorkerTraceback(Exception):
    """Shows the traceback of a worker process as the cause of an exception raised there."""

    def __str__(self) -> str:
        return f"\n\n{self.args[0]}"


@dataclass(slots=True)
class Outcome:
    """The outcome fields of a `Call`, kept apart until it is certain that they count."""

    started: float | None = None
    duration: float = 0.0
    value: Any = MISSING
    encoded: Encoded | None = None
    files: tuple[FileRecord, ...] = ()
    seen: tuple[FileRecord, ...] = ()
    fault: Fault | None = None
    interrupted: bool = False
    skipped: bool = False
    skip_reason: str | None = None
    died: bool = False
    log: str = ""

    def put_into(self, call: Call) -> None:
        """Write the fields."""
        if self.started is not None:
            call.started = self.started
        call.duration = self.duration
        call.value = self.value
        call.encoded = self.encoded
        call.files = self.files
        call.seen = self.seen
        call.fault = self.fault
        call.interrupted = self.interrupted
        call.skipped = self.skipped
        call.skip_reason = self.skip_reason
        call.died = self.died
        if self.log and call.log is not None:
            call.log.write(self.log)


def failed(error: BaseException, *, trace: str = "") -> Outcome:
    """Return the outcome of a call that failed for a reason no further attempt would change."""
    failure = failure_of(error)
    return Outcome(fault=Fault(replace(failure, trace=trace or failure.trace), error))


def died(call: Call, failure: Failure, error: BaseException) -> Outcome:
    """Return the outcome of a call whose worker ended under it."""
    wait = wait_after(error, call.task.options.backoff, call.attempt)
    return Outcome(fault=Fault(failure, error, retryable=True, wait=wait), died=True)


def tell(call: Call, errand: Errand, *, storing: bool, in_main_again: bool) -> Message:
    """Return the message that tells the supervisor of a call performed here.

    `errand` says who is to read it. A result for a store is encoded here, off the runner's
    processor, unless only the supervisor's process knows its type by the right name.
    """
    report = _report(call, errand, storing, in_main_again)
    if call.started is not None:
        call.duration = monotonic() - call.started
    log = "" if call.log is None else call.log.text()
    return ("done", report[0], call.started, call.duration, log, call.seen, *report[1:])


def tell_value(packed: Packed) -> Message:
    """Return the message of a worker that returned a value, which is at hand here."""
    return "done", "value", None, 0.0, "", (), packed


def value_in(message: Message) -> Any:
    """Return the result that a worker told of; it must have come to one."""
    _, kind, _, _, _, _, *details = message
    if kind != "encoded":
        return unpack(details[0])
    codec, data, digest, *_ = details
    return decode_trusted(Encoded(codec, bytes(data), digest))


def _report(call: Call, errand: Errand, storing: bool, in_main_again: bool) -> Message:
    if call.fault is not None:
        return _failure_report(call, call.fault, errand)
    if call.skipped:
        return "skipped", call.skip_reason
    refusal: BaseException | None = None
    try:
        if storing and not in_main_again:
            call.keep(call.value)
            assert call.encoded is not None
            kept = call.encoded
            return "encoded", kept.codec, beside(kept.data), kept.digest, kept.likeness, call.files
    except UnstorableError as error:
        refusal = error
    except BaseException as error:
        fault = fault_of(error, call.task.options, call.attempt)
        return _failure_report(call, fault, errand)
    try:
        return ("unstored" if storing else "value"), pack(call.value, errand)
    except BaseException as error:
        why = refusal or _unsendable_result(call, f"it can't be pickled ({_text(error)})")
        return _failure_report(call, Fault(failure_of(why), why), errand)


def _failure_report(call: Call, fault: Fault, errand: Errand) -> Message:
    failure = fault.failure
    if failure.kind.startswith(f"{MAIN_AGAIN}."):
        failure = replace(failure, kind=failure.kind.partition(".")[2])
    error = pack_error(fault.error, errand)
    return "failed", failure, fault.retryable, call.interrupted, fault.wait, error


def pack_error(error: BaseException | None, errand: Errand = Errand.REPLY) -> Packed | None:
    """Return an exception packed, or None if it would not arrive as it is."""
    try:
        packed = pack(error, errand)
        if len(packed[0]) <= _LARGEST_ERROR_BYTES and type(unpack(packed)) is type(error):
            return packed
    except BaseException:
        pass  # its own code may raise anything; then its text alone travels
    return None


def hear(message: Message, call: Call) -> Outcome:
    """Return the outcome that a worker reported; never raises."""
    _, kind, started, duration, log, seen, *details = message
    match kind:
        case "value":
            outcome = _returned(call, *details)
        case "encoded":
            codec, data, digest, likeness, files = details
            encoded = Encoded.verified(codec, _kept(data), digest, likeness)
            outcome = Outcome(encoded=encoded, files=files)
        case "unstored":
            outcome = _kept_here(call, _returned(call, *details))
        case "skipped":
            outcome = Outcome(skipped=True, skip_reason=details[0])
        case _:
            outcome = _raised(*details)
    outcome.started = started
    outcome.duration = duration
    outcome.log = log
    outcome.seen = seen
    return outcome


def _kept(data: bytes | memoryview) -> bytes | memoryview:
    """Return bytes that came beside a message in a form that nobody can change, without a copy."""
    return data if isinstance(data, bytes) else memoryview(data).toreadonly()


def _returned(call: Call, packed: Packed) -> Outcome:
    try:
        return Outcome(value=unpack(packed))
    except BaseException as error:
        return failed(_unsendable_result(call, f"it can't be unpickled here ({_text(error)})"))


def _kept_here(call: Call, outcome: Outcome) -> Outcome:
    if outcome.fault is None:
        if not call.take_up():
            return Outcome(fault=call.fault)
        try:
            call.keep(outcome.value)
            outcome.encoded, outcome.files = call.encoded, call.files
        except BaseException as error:
            return failed(error)
    return outcome


def _raised(
    failure: Failure,
    retryable: bool,
    interrupted: bool,
    wait: float | None,
    packed: Packed | None,
) -> Outcome:
    error: BaseException = WorkerTraceback(failure.trace)
    if packed is not None:
        try:
            cause, error = error, unpack(packed)
            error.__cause__ = cause
        except BaseException:
            error = WorkerTraceback(failure.trace)
    return Outcome(fault=Fault(failure, error, retryable, wait), interrupted=interrupted)


def _unsendable_result(call: Call, reason: str) -> UnsendableError:
    return UnsendableError(
        f"The result of task {call.name!r} can't come back from its worker process: {reason}; "
        "return plain data instead."
    )


def _text(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"
