"""What is said at the end of a run: what failed and why, what was done, where the results are."""

from __future__ import annotations

import shlex

from flowweaver.cli.mapped import tasks_of
from flowweaver.cli.output import print_error, say
from flowweaver.cli.store import DEFAULT_STORE
from flowweaver.observers.style import at_length, in_short, one_line, seconds, why
from flowweaver.records import Failure
from flowweaver.report.counts import counts_in_words, counts_of
from flowweaver.run import Run, TaskRun
from flowweaver.status import RunStatus, TaskStatus, came_to

_MOST_FAILURES = 10


def print_failures(run: Run) -> None:
    """Print message and traceback of tasks that failed to standard error, the first few whole.

    What failed because of others (a mapped task whose elements did) is not among them.
    """
    failed = [task for task in _failed(run) if not _is_allowed(run, task)]
    for task in failed[:_MOST_FAILURES]:
        failure = task.error
        print_error(
            f"task {_named(task)} failed{_told_attempts(task)}"
            + ("" if failure is None else f": {in_short(failure)}"),
            "" if failure is None else at_length(failure),
        )
    if len(failed) > _MOST_FAILURES:
        print_error(
            f"{len(failed) - _MOST_FAILURES} more tasks failed; `flowweaver show` lists them"
        )


def print_allowed_failures(run: Run) -> None:
    """Print to standard error which elements failed that were allowed to, the first few."""
    allowed = [task for task in _failed(run) if _is_allowed(run, task)]
    for task in allowed[:_MOST_FAILURES]:
        say(f"{task.shown_name} failed, as is allowed{_reason(task.error)}", err=True)
    if len(allowed) > _MOST_FAILURES:
        say(f"{len(allowed) - _MOST_FAILURES} more elements failed, as is allowed", err=True)


def _failed(run: Run) -> list[TaskRun]:
    return [task for task in tasks_of(run) if _failed_itself(task)] if _any_failed(run) else []


def _named(task: TaskRun) -> str:
    return f"{task.name!r} ({task.label})" if task.label else repr(task.name)


def _is_allowed(run: Run, task: TaskRun) -> bool:
    return bool(task.element) and run.tasks[task.task].status is TaskStatus.COMPLETED


def _told_attempts(task: TaskRun) -> str:
    """Return how often it failed in a row; what failed in earlier executions is of no account."""
    failures = task.record.failures
    return f" after {failures} attempts" if failures > 1 else ""


def _reason(failure: Failure | None) -> str:
    return "" if failure is None else f": {why(failure)}"


def _any_failed(run: Run) -> bool:
    return TaskStatus.FAILED.value in run.outcomes() or TaskStatus.FAILED in run.counts()


def _failed_itself(task: TaskRun) -> bool:
    return task.status is TaskStatus.FAILED and not (task.error and task.error.causes)


def summary(run: Run, store_url: str | None, again: str) -> str:
    """Return what a run came to, in two lines or so; `again` says what continues it."""
    name, took = one_line(run.workflow), seconds(run.duration)
    counts, status = counts_of(run), came_to(run.counts())
    if status is RunStatus.COMPLETED and 0 < counts["total"] == counts["restored"]:
        first = (
            f"{name}: nothing to do: {_all(counts['total'])} restored from {_sources(run)} "
            f"(run {run.id}, {took})"
        )
    else:
        told = counts_in_words(counts)
        first = f"{name}: {status.value} in {took}: {told} (run {run.id})"
    return "\n".join(map(one_line, [first, *_what_next(run, store_url, again)]))


def _sources(run: Run) -> str:
    """Return the runs that executed what a run has restored."""
    done = (task for task in tasks_of(run) if not task.is_mapped)
    sources = list(dict.fromkeys(task.source_run or run.id for task in done))
    more = f" and {len(sources) - 1} more" if len(sources) > 1 else ""
    return f"run {sources[0]}{more}"


def _all(count: int) -> str:
    return "its only task" if count == 1 else f"all {count} tasks"


def _what_next(run: Run, store_url: str | None, again: str) -> list[str]:
    if store_url is None:
        return ["kept in memory only; without `--store memory:` its results would be kept"]
    option = "" if store_url == DEFAULT_STORE else f" --store {shlex.quote(store_url)}"
    lines = [f"results: flowweaver show {shlex.quote(run.id)}{option}"]
    if came_to(run.counts()) is not RunStatus.COMPLETED:
        lines.append(f"{again} continues it: what is completed is not run again")
    elif run.status is not RunStatus.COMPLETED:
        lines.append("the run has more tasks, which are not done: without task names it goes on")
    return lines
