"""The user's own traceback: without the frames of FlowWeaver and of the import machinery."""

from __future__ import annotations

from pathlib import Path
from traceback import FrameSummary, StackSummary, TracebackException

_OWN_FOLDER = str(Path(__file__).parents[1])


def user_trace(error: BaseException) -> str:
    """Return the traceback of `error` and of what caused it, the user's frames only."""
    shown = TracebackException.from_exception(error, compact=True)
    pending: list[TracebackException | None] = [shown]
    while pending:
        part = pending.pop()
        if part is not None:
            part.stack = StackSummary.from_list([f for f in part.stack if _is_users(f)])
            pending += [part.__cause__, part.__context__, *(part.exceptions or ())]
    lines = list(shown.format())
    if not shown.stack and lines and lines[0].startswith("Traceback"):
        lines = lines[1:]  # a syntax error has a place of its own and no frames
    return "".join(lines)


def user_place(error: BaseException) -> str:
    """Return where in the user's code `error` came up ("pipeline.py, line 3"), or ""."""
    stack = TracebackException.from_exception(error, compact=True).stack
    frames = [frame for frame in stack if _is_users(frame)]
    return f"{frames[-1].filename}, line {frames[-1].lineno}" if frames else ""


def _is_users(frame: FrameSummary) -> bool:
    name = frame.filename
    if name.startswith((_OWN_FOLDER, "<frozen importlib")):
        return False
    return not name.endswith(("/importlib/__init__.py", "\\importlib\\__init__.py"))
