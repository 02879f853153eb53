"""Completion in the shell: what may follow in place of a target, a run or a task.

Nothing of the user's is imported or run for it: targets are read as text, and tasks are those of
the store and those that the text names. Whatever goes wrong, there is nothing to offer.
"""

from __future__ import annotations

import ast
import os
from collections.abc import Callable, Iterable, Iterator
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.shell_completion import CompletionItem, get_completion_class

from flowweaver.cli.output import Problem, say_lines
from flowweaver.parsing import parsed

if TYPE_CHECKING:
    from flowweaver.state_store import StateStore

SHELLS = ("bash", "zsh", "fish")
_VARIABLE = "_FLOWWEAVER_COMPLETE"
_MOST_RUNS = 50

Offer = tuple[str, str]
"""What may follow, and a word on it."""
Offering = Callable[[click.Context, str], Iterable[Offer]]
Completing = Callable[[click.Context, click.Parameter, str], list[CompletionItem]]


# Click takes the paragraph after a backspace as it is.
_HELP = """Print the script that makes SHELL complete commands, options, targets, runs and tasks.

\b
bash:  eval "$(flowweaver completion bash)"    in ~/.bashrc
zsh:   eval "$(flowweaver completion zsh)"     in ~/.zshrc
fish:  flowweaver completion fish | source     in ~/.config/fish/config.fish
"""


@click.command("completion", short_help="Print what makes a shell complete.", help=_HELP)
@click.argument("shell", type=click.Choice(SHELLS))
def completion_command(shell: str) -> None:
    """Print a shell's script."""
    root = click.get_current_context().find_root()
    maker = get_completion_class(shell)
    if maker is None:
        raise Problem(f"click {click.__version__} knows no completion for {shell}.")
    say_lines(maker(root.command, {}, "flowweaver", _VARIABLE).source())


def _offered(offering: Offering) -> Completing:
    @wraps(offering)
    def complete(ctx: click.Context, _: click.Parameter, begun: str) -> list[CompletionItem]:
        try:
            found = dict(offering(ctx, begun))
        except Exception:  # a shell's prompt is no place for messages
            return []
        return [
            CompletionItem(name, help=word)
            for name, word in found.items()
            if name.startswith(begun)
        ]

    return complete


@_offered
def complete_target(ctx: click.Context, begun: str) -> Iterator[Offer]:  # noqa: ARG001
    """Offer folders, Python files, and the workflows that a file names."""
    path, colon, _ = begun.partition(":")
    if colon:
        yield from ((f"{path}:{name}", "workflow") for name in _workflows_in(Path(path)))
        return
    folder = Path(begun).parent if not begun.endswith("/") else Path(begun)
    for item in sorted(folder.iterdir()):
        if item.is_dir() and not item.name.startswith((".", "__")):
            yield f"{item}/", "folder"
        elif item.suffix == ".py":
            yield str(item), "file"
            names = _workflows_in(item)
            if len(names) > 1:
                yield from ((f"{item}:{name}", "workflow") for name in names)


@_offered
def complete_run(ctx: click.Context, begun: str) -> Iterator[Offer]:  # noqa: ARG001
    """Offer the newest runs of the store, and "last"."""
    yield "last", "the newest run"
    for run in _store_of(ctx).runs(limit=_MOST_RUNS):
        yield run.id, f"{run.workflow}, {run.status.value}"


@_offered
def complete_task(ctx: click.Context, begun: str) -> Iterator[Offer]:
    """Offer the tasks of the run, or of the target, that the command line names."""
    from flowweaver.cli.store import open_run

    if any(
        isinstance(each, click.Argument) and each.name == "run_id" for each in ctx.command.params
    ):
        run = open_run(_store_of(ctx), ctx.params["run_id"])
        yield from ((name, task.status.value) for name, task in run.tasks.items())
        if begun.rstrip("[") in run.tasks or "[" in begun:
            elements = run.tasks[begun.partition("[")[0]].elements
            yield from ((element.name, element.status.value) for element in elements[:_MOST_RUNS])
        return
    target = ctx.params.get("target") or _target_typed()
    yield from ((name, "task") for name in _tasks_in(Path(target.partition(":")[0])))


def _target_typed() -> str:
    """Return the first word that looks like a file: an option that lacks its value ends parsing."""
    words = os.environ.get("COMP_WORDS", "").split()
    return next(word for word in words if ".py" in word)


def _store_of(ctx: click.Context) -> StateStore:
    from flowweaver.cli.store import DEFAULT_STORE, open_history, refuse_nothing

    store = open_history(ctx.params.get("store_url") or DEFAULT_STORE)
    refuse_nothing(store)
    return store


def _workflows_in(path: Path) -> list[str]:
    """Return the names at module level that are workflows, or functions that return one."""
    return [name for node in _tree(path).body for name in _workflow_names(node)]


def _workflow_names(node: ast.stmt) -> Iterator[str]:
    if isinstance(node, ast.FunctionDef) and node.returns is not None:
        if _last_name(node.returns) == "Workflow":
            yield node.name
    elif isinstance(node, ast.Assign | ast.AnnAssign) and isinstance(node.value, ast.Call):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        if _last_name(node.value.func) == "Workflow":
            yield from (target.id for target in targets if isinstance(target, ast.Name))


def _tasks_in(path: Path) -> list[str]:
    """Return the names of functions in a file that are decorated as tasks."""
    functions = (
        node
        for node in ast.walk(_tree(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    )
    return [node.name for node in functions if any(map(_makes_task, node.decorator_list))]


def _makes_task(decorator: ast.expr) -> bool:
    called = decorator.func if isinstance(decorator, ast.Call) else decorator
    return bool(_last_name(called) == "task")


def _last_name(node: ast.expr) -> Any:
    if isinstance(node, ast.Constant):
        return node.value
    return getattr(node, "attr", None) or getattr(node, "id", None)


def _tree(path: Path) -> ast.Module:
    return parsed(path.read_text(encoding="utf-8"))
