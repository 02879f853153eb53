"""``flowweaver plan`` and ``accept``: what a run would do, and taking an edit as harmless."""

from __future__ import annotations

from collections.abc import Iterator
from textwrap import indent
from typing import TYPE_CHECKING, Any

import click

from flowweaver.cli.asking import (
    executor_options,
    param_options,
    target_argument,
    targets_argument,
    task_argument,
    wish_options,
)
from flowweaver.cli.output import print_json, say, say_lines
from flowweaver.cli.store import open_history, store_option

if TYPE_CHECKING:
    from flowweaver.planned import Plan, PlannedTask

# What `plan --check` exits with when something would run.
_WOULD_RUN = 3
_MOST_TASKS = 500


@click.command("plan", short_help="Say what a run would do, and why.")
@target_argument
@targets_argument
@param_options
@wish_options
@executor_options("For the expected makespan.")
@store_option("Where earlier runs are kept.")
@click.option("--check", is_flag=True, help="Exit with 3 if anything would or may run.")
@click.option("--json", "as_json", is_flag=True, help="Print the plan as JSON.")
def plan_command(
    target: str,
    params: tuple[str, ...],
    secrets: tuple[str, ...],
    overrides: tuple[str, ...] | None,
    executor_name: str,
    workers: int | None,
    store_url: str,
    check: bool,
    as_json: bool,
    **wish: Any,
) -> int:
    """Say for each task of TARGET what a run would do: run, restore, override or skip it, and why.

    With TASK only that task and what it needs is planned; there can be several.
    What depends on a task that would run is "unknown" as long as nobody knows what that returns.
    Nothing is run or written.
    """
    from flowweaver.cli.executors import make_executor
    from flowweaver.cli.parameters import read_overrides, read_parameters
    from flowweaver.cli.targets import load_workflow

    workflow = load_workflow(target)
    values = read_parameters(params, workflow.compile(), secrets)
    wish["overrides"] = read_overrides(overrides, workflow.compile())
    plan = workflow.plan(values, state_store=open_history(store_url), **wish)
    executor = make_executor(executor_name, workers)
    places: int = workers or getattr(executor, "max_workers", None) or 1
    warnings = executor.unenforced_limits(workflow, wish["targets"], wish["from_"])
    if as_json:
        print_json(_as_json(plan, places, warnings))
    else:
        _print(plan, places, warnings)
    return _WOULD_RUN if check and plan.may_run else 0


def _as_json(plan: Plan, places: int, warnings: list[str]) -> dict[str, Any]:
    path, seconds = plan.critical_path
    return {
        "workflow": plan.workflow,
        "run_id": plan.run_id,
        "counts": plan.counts(),
        "critical_path": {"tasks": list(path), "seconds": seconds},
        "makespan": plan.makespan(places),
        "unseen": {name: list(words) for name, words in plan.unseen.items()},
        "unfollowed": {name: list(paths) for name, paths in plan.unfollowed.items()},
        "warnings": warnings,
        "tasks": [
            {
                "task": task.task,
                "element": task.element,
                **({"label": task.label} if task.label else {}),
                "action": task.action,
                "reason": task.reason,
                "run_id": task.run_id,
                "diff": task.diff,
                "seconds": task.seconds,
            }
            for task in plan
        ],
    }


def _print(plan: Plan, places: int, warnings: list[str]) -> None:
    if plan.run_id is not None:
        say(f"continues run {plan.run_id}")
    shown: set[str] = set()
    tasks = _most_telling(plan)
    for task in tasks:
        say(f"{task.action:8} {task.shown_name}: {task.reason}")
        if task.diff and task.diff not in shown:
            shown.add(task.diff)
            say_lines(indent(task.diff, "    "))
    if len(tasks) < len(plan):
        say(f"{len(plan) - len(tasks)} tasks more; --json lists all")
    say(", ".join(f"{count} {action}" for action, count in plan.counts().items()))
    path, seconds = plan.critical_path
    if seconds:
        say(f"critical path: {' -> '.join(path[:10])}, {seconds:.3g} s")
        say(f"at least {plan.makespan(places):.3g} s on {places} workers")
    for line in (*_gaps(plan), *(f"warning: {warning}" for warning in warnings)):
        say(line)


def _gaps(plan: Plan) -> Iterator[str]:
    """Yield what a change of would not be noticed."""
    for name, words in plan.unseen.items():
        yield from (f"not seen of {name}: {each}" for each in words)
    for name, parameters in plan.unfollowed.items():
        listed = " and ".join(parameters)
        yield (
            f"not followed by {name}, except where its body is seen to read it: the content at "
            f"{listed}, which is no InputFile"
        )


def _most_telling(plan: Plan) -> list[PlannedTask]:
    """Return as many tasks as can be read, what would be restored last of all."""
    if len(plan) <= _MOST_TASKS:
        return list(plan)
    return sorted(plan, key=lambda task: task.action == "restore")[:_MOST_TASKS]


@click.command("accept", short_help="Take an edit as harmless.")
@target_argument
@task_argument("tasks", nargs=-1, metavar="[TASK]...")
@param_options
@store_option("Where the results are kept.")
@click.option("--json", "as_json", is_flag=True, help="Print what was accepted as JSON.")
def accept_command(
    target: str,
    tasks: tuple[str, ...],
    params: tuple[str, ...],
    secrets: tuple[str, ...],
    store_url: str,
    as_json: bool,
) -> int:
    """Take the present code of TARGET's tasks as equal to what made their stored results.

    Without TASK all tasks are taken so; of a mapped one, 'page[3]' means one element. It is
    written down who said so and when. A task whose inputs or parameters changed is refused.
    """
    from flowweaver.cli.parameters import read_parameters
    from flowweaver.cli.targets import load_workflow
    from flowweaver.engine.plan.accept import accept

    workflow = load_workflow(target)
    values = read_parameters(params, workflow.compile(), secrets)
    outcome = accept(workflow.compile(), values, open_history(store_url), tasks)
    if as_json:
        print_json(
            {
                "run_id": outcome.run_id,
                "accepted": list(outcome.accepted),
                "refused": {name: str(why) for name, why in outcome.refused.items()},
            }
        )
        return 1 if outcome.refused else 0
    for name in outcome.accepted:
        say(f"accepted {name}")
    for name, why in outcome.refused.items():
        say(f"refused {name}: {why}")
    if not outcome.accepted and not outcome.refused:
        say("nothing to accept: no task's code differs from what made its result")
    return 1 if outcome.refused else 0
