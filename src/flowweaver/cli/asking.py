"""The options that `run`, `plan` and `accept` share; what holds without them is the library's."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any, TypeVar, get_args

import click

from flowweaver.cache_scope import CacheScope
from flowweaver.engine.options import CHOICES, ExecuteOptions

F = TypeVar("F", bound=Callable[..., Any])

DEFAULTS = ExecuteOptions()
"""What holds where nothing is asked for."""


def _completed(by: str) -> Callable[[click.Context, click.Parameter, str], list[Any]]:
    def complete(ctx: click.Context, parameter: click.Parameter, begun: str) -> list[Any]:
        found: list[Any] = getattr(import_module("flowweaver.cli.completing"), by)(
            ctx, parameter, begun
        )
        return found

    return complete


_run_completed, _task_completed = _completed("complete_run"), _completed("complete_task")

target_argument = click.argument("target", shell_complete=_completed("complete_target"))
"""The workflow that is meant."""


def run_argument(name: str = "run_id", **options: Any) -> Callable[[F], F]:
    """Return the argument for a run."""
    return click.argument(name, shell_complete=_run_completed, **{"metavar": "RUN", **options})


def task_argument(name: str = "task_name", **options: Any) -> Callable[[F], F]:
    """Return the argument for a task, of the run or the target that stands before it."""
    return click.argument(name, shell_complete=_task_completed, **{"metavar": "TASK", **options})


def choice_option(name: str, help_text: str) -> Callable[[F], F]:
    """Return the option for a choice among the few words that `ExecuteOptions` takes for it."""
    return click.option(
        f"--{name.replace('_', '-')}",
        type=click.Choice(get_args(CHOICES[name])),
        default=getattr(DEFAULTS, name),
        show_default=True,
        help=help_text,
    )


def param_options(command: F) -> F:
    """Add the options for the workflow's parameters."""
    params = click.option(
        "-p",
        "--param",
        "params",
        multiple=True,
        metavar="NAME=VALUE",
        help="A parameter of the workflow, read as its annotation says; NAME=@FILE reads JSON.",
    )
    return params(secret_option(command))


def secret_option(command: F) -> F:
    """Add the option for parameters that are secrets."""
    return click.option(
        "--secret",
        "secrets",
        multiple=True,
        metavar="NAME=VARIABLE",
        help="A parameter that is a secret, taken from an environment variable.",
    )(command)


def executor_options(workers_help: str) -> Callable[[F], F]:
    """Return what adds the options for where tasks run, and how many at once."""

    def add(command: F) -> F:
        workers = click.option("-w", "--workers", type=click.IntRange(min=1), help=workers_help)
        executor = click.option(
            "-e",
            "--executor",
            "executor_name",
            default="threads",
            show_default=True,
            metavar="NAME[://ADDRESS]",
            callback=_without_workers_of_others,
            help="sequential, threads, async, processes, or one that an installed package brings.",
        )
        return executor(workers(command))

    return add


def _without_workers_of_others(ctx: click.Context, _: click.Parameter, executor: str) -> str:
    """Let workers that settings give to whatever executor be no matter where there is but one."""
    if executor == "sequential" and isinstance(ctx.default_map, dict):
        ctx.default_map.pop("workers", None)
    return executor


def targets_argument(command: F) -> F:
    """Add the argument for the tasks that are asked for; None for all."""
    return click.argument(
        "targets",
        nargs=-1,
        metavar="[TASK]...",
        shell_complete=_task_completed,
        callback=lambda _context, _parameter, names: names or None,
    )(command)


def override_option(command: F) -> F:
    """Add the option for values in place of what tasks would return; None for none."""
    return click.option(
        "--override",
        "overrides",
        multiple=True,
        metavar="TASK=VALUE",
        callback=lambda _context, _parameter, items: items or None,
        help="Take a value in place of what a task would return; TASK=@FILE reads JSON.",
    )(command)


def wish_options(command: F) -> F:
    """Add the options that say what is to be done: which run is meant, which results it takes."""
    options = (
        click.option(
            "--from",
            "from_",
            multiple=True,
            metavar="TASK",
            help="Execute that task and all behind it afresh, and nothing that these don't need.",
        ),
        click.option(
            "--cache-scope",
            type=click.Choice(get_args(CacheScope)),
            help="Whose results are taken: store (default), of other tasks and workflows with the "
            "same code and inputs, too; workflow, not; if not said, as the workflow says.",
        ),
        choice_option("reuse", "Which earlier results are restored instead of made again."),
        click.option(
            "--force",
            multiple=True,
            metavar="TASK",
            shell_complete=_task_completed,
            help="Execute that task come what may.",
        ),
        click.option(
            "--force-downstream", is_flag=True, help="And all that depend on what is forced."
        ),
        click.option(
            "--trust",
            multiple=True,
            metavar="NAME",
            help="Vouch for what can't be seen of the code: db.client, a module, or a type.",
        ),
        click.option("--new-run", is_flag=True, help="Give up an unfinished run and start afresh."),
        click.option(
            "--run-id", metavar="ID", help="Continue the run of that id; a new one gets it."
        ),
    )
    for option in reversed(options):
        command = option(command)
    return override_option(command)
