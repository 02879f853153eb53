"""Looking back: ``explain``, ``logs``, ``diff``, ``replay`` and ``resolve``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from textwrap import indent
from typing import TYPE_CHECKING, Any

import click

from flowweaver.cli.asking import run_argument, secret_option, task_argument
from flowweaver.cli.mapped import tasks_named, told
from flowweaver.cli.output import Problem, print_json, say, say_lines
from flowweaver.cli.store import find_run, open_history, open_run, store_option
from flowweaver.report.counts import display_name

if TYPE_CHECKING:
    from flowweaver.engine.history.compare import Earlier
    from flowweaver.records import TaskRecord
    from flowweaver.state_store import StateStore

_MOST_NAMED = 10


@click.command("explain", short_help="Say why a task ran, or did not.")
@run_argument()
@task_argument()
@store_option("Where the run is kept.")
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
def explain_command(run_id: str, task_name: str, store_url: str, as_json: bool) -> None:
    """Say why TASK was executed, restored or skipped in RUN, and what its result depended on.

    That is its code or version, parameters, inputs and files, what its body was seen to read
    without being given it, and the lines of code that changed since it was completed before.
    """
    from flowweaver.engine.history.compare import Earlier

    store = open_history(store_url)
    run = open_run(store, run_id)
    earlier = Earlier(store, run.record)
    found, shown = [], set[str]()
    for record in map(told, tasks_named(run, task_name)):
        explained = _explained(store, earlier, record)
        found.append(explained)
        if not as_json:
            _print_explained(record, explained, shown)
    if as_json:
        print_json(found)


def _explained(store: StateStore, earlier: Earlier, record: TaskRecord) -> dict[str, Any]:
    from flowweaver.cli.shapes import read_as_json
    from flowweaver.engine.history.compare import changed_code
    from flowweaver.facts import Facts

    before, acceptance = earlier.completed(record), earlier.acceptance(record)
    return {
        "task": record.task,
        "element": record.element,
        "status": record.status.value,
        "origin": None if record.origin is None else record.origin.value,
        "reason": record.reason,
        "acceptance": None if acceptance is None else acceptance.reason,
        "source_run": record.source_run,
        "compared_with": None if before is None else before.run_id,
        "facts": dict(Facts(record.facts).told()) if record.facts else None,
        "read": read_as_json(record),
        "diff": "" if before is None else changed_code(store, before, record),
    }


def _print_explained(record: TaskRecord, explained: Mapping[str, Any], shown: set[str]) -> None:
    """Print why a TaskRun came out as it did; `shown` are the diffs that stand above."""
    from flowweaver.facts import Facts
    from flowweaver.files.seen import read_in_words
    from flowweaver.reasons import words_of_facts
    from flowweaver.status import TaskStatus

    if record.status is TaskStatus.UPSTREAM_FAILED and record.failure is not None:
        say(f"{display_name(record)} was not executed {record.failure.message}")
    else:
        say(f"{display_name(record)} {_how(record)}")
    if explained["acceptance"]:
        say(f"    its code was {explained['acceptance']}")
    if record.facts:
        words = words_of_facts(Facts(record.facts))
        more = [f"{len(words) - _MOST_NAMED} more"] if len(words) > _MOST_NAMED else []
        say(f"    it depends on {', '.join(words[:_MOST_NAMED] + more)}")
    if read := read_in_words(record.seen, _MOST_NAMED):
        say(f"    its body was seen to read {', '.join(read)}")
    if explained["diff"] and explained["diff"] not in shown:
        shown.add(explained["diff"])
        say_lines(explained["diff"])


def _how(record: TaskRecord) -> str:
    """Return what became of a TaskRun, and why it came to that."""
    from flowweaver.status import TaskStatus

    why = record.reason or "no reason kept"
    if record.origin is not None:
        return f"was {record.origin.value}: {why}"
    if record.status is TaskStatus.FAILED and record.failure is not None:
        return f"was executed: {why}; it failed: {record.failure.kind}: {record.failure.message}"
    is_final = record.status.is_final
    return f"{'was' if is_final else 'is'} {record.status.value}: {why}"


@click.command("logs", short_help="Show what bodies printed and logged.")
@run_argument()
@task_argument(metavar="[TASK]", required=False)
@store_option("Where the run is kept.")
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
def logs_command(run_id: str, task_name: str | None, store_url: str, as_json: bool) -> None:
    """Show what the bodies of RUN printed and logged, attempt by attempt.

    Attempts that failed or were killed have theirs, too, and so have elements: 'page[3]'. Programs
    that a body starts are heard where it has a process to itself. Of what RUN restored, it is what
    they printed when they ran, in an earlier run.
    """
    from flowweaver.cli.shapes import attempt_as_json
    from flowweaver.engine.history.logs import Logs
    from flowweaver.engine.history.pages import Pages

    store = open_history(store_url)
    run = open_run(store, run_id)
    if task_name is None:
        wanted = Logs(store, run.record, lambda: Pages(store, run.id))
    else:
        named = [task.record for task in tasks_named(run, task_name)]
        wanted = Logs(store, run.record, lambda: named)
    found = []
    for name, attempt in wanted:
        source = None if attempt.run_id == run.id else attempt.run_id
        told = {"task": attempt.task, **attempt_as_json(attempt), "log": attempt.log}
        found.append({**told, "restored_from": source})
        if not as_json:
            restored = f", restored from run {source}" if source else ""
            say(f"--- {name}, attempt {attempt.number}{restored}")
            say_lines(attempt.log.rstrip("\n"))
    if as_json:
        print_json(found)
        return
    for source in wanted.deleted:
        say(f"what was executed in run {source} is not kept: that run was deleted")
    if not found and not wanted.deleted:
        say("nothing was printed or logged")


@click.command("diff", short_help="Show how two runs differ.")
@run_argument("first")
@run_argument("second")
@store_option("Where the runs are kept.")
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
def diff_command(first: str, second: str, store_url: str, as_json: bool) -> None:
    """Show what differed between two runs: code, parameters, inputs, results, statuses."""
    from dataclasses import asdict

    from flowweaver.engine.history.compare import compare_runs
    from flowweaver.reasons import words_of_changes

    store = open_history(store_url)
    found = compare_runs(store, find_run(store, first), find_run(store, second))
    if as_json:
        told = [(difference, words_of_changes(difference.changes)) for difference in found]
        print_json([{**asdict(difference), "changes": words} for difference, words in told])
        return
    shown: set[str] = set()
    for difference in found:
        words = words_of_changes(difference.changes)
        if difference.only_in is not None:
            words.append(f"only in run {difference.only_in}")
        if difference.statuses is not None:
            words.append(" -> ".join(difference.statuses))
        if difference.result_changed:
            words.append("its result differs")
        say(f"{difference.shown_name}: {'; '.join(words)}")
        if difference.diff and difference.diff not in shown:
            shown.add(difference.diff)
            say_lines(indent(difference.diff, "    "))
    if not found:
        say("the runs don't differ")


@click.command("replay", short_help="Run one body again on its stored inputs.")
@run_argument()
@task_argument()
@click.option("--target", help="Where the code is; if it is not said, you are asked.")
@store_option("Where the run is kept.")
@secret_option
@click.option("--pdb", is_flag=True, help="Stop in the debugger at the body's first line.")
def replay_command(
    run_id: str,
    task_name: str,
    target: str | None,
    store_url: str,
    secrets: tuple[str, ...],
    pdb: bool,
) -> int:
    """Call the body of TASK, as the code is now, on the inputs it had in RUN; write nothing.

    TASK may be an element of a fan-out: 'page[3]'. Secrets are not kept: they are given again.
    """
    from flowweaver.cli.debugging import debugged
    from flowweaver.cli.parameters import read_secrets
    from flowweaver.cli.targets import load_workflow
    from flowweaver.cli.traces import user_trace
    from flowweaver.cli.trust import agreed_target
    from flowweaver.engine.history.replay import replay
    from flowweaver.errors import FlowWeaverError

    store = open_history(store_url)
    run = find_run(store, run_id)
    workflow = load_workflow(target or agreed_target(run))
    given = read_secrets(secrets)
    try:
        value = replay(workflow, store, run.id, task_name, given, debug=debugged if pdb else None)
    except FlowWeaverError:
        raise
    except Exception as error:
        say_lines(user_trace(error), err=True)
        return 1
    say_lines(repr(value))
    return 0


@click.command("resolve", short_help="Say what became of an attempt that may have acted.")
@run_argument()
@task_argument()
@click.option("--done", is_flag=True, help="It acted: take it as completed.")
@click.option("--retry", is_flag=True, help="It did not: run it again.")
@click.option("--result", metavar="JSON", help="With --done: what the task is taken to return.")
@store_option("Where the run is kept.")
def resolve_command(
    run_id: str, task_name: str, done: bool, retry: bool, result: str | None, store_url: str
) -> None:
    """Say what became of TASK, whose effect must happen once and whose attempt was cut short."""
    from flowweaver.engine.resolution import resolve

    if done == retry:
        raise Problem("Say either --done, if the task acted, or --retry, if it did not.")
    if retry and result is not None:
        raise Problem("--result goes with --done; what is run again returns its own.")
    try:
        value = None if result is None else json.loads(result)
    except ValueError as error:
        raise Problem(f"--result is no JSON: {error}.") from None
    store = open_history(store_url)
    run = find_run(store, run_id)
    record = resolve(store, run.id, task_name, done=done, result=value)
    say(f"{display_name(record)} of run {run.id} is {record.reason}")
