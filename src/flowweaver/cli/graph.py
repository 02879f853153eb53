"""``flowweaver graph``: the tasks of a workflow and what each waits for."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from flowweaver.cli.asking import target_argument, targets_argument
from flowweaver.cli.output import Problem, print_json, say_lines, stdout_kept_clean

if TYPE_CHECKING:
    from flowweaver.definitions.wiring import ParameterUse, Wiring
    from flowweaver.definitions.workflow import Workflow

Targets = tuple[str, ...] | None


@click.command("graph", short_help="Show the tasks of a workflow and what each waits for.")
@target_argument
@targets_argument
@click.option(
    "--from",
    "from_",
    multiple=True,
    metavar="TASK",
    help="Show that task and all behind it, and what these need, as run --from would do them.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "mermaid", "dot", "json"]),
    default="text",
    show_default=True,
    help="text for reading, mermaid or dot for drawing, json for programs.",
)
@click.option("--json", "as_json", is_flag=True, help="The same as --format json.")
@click.option(
    "-o",
    "--output",
    "path",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write to a file instead.",
)
def graph_command(
    target: str,
    targets: Targets,
    from_: tuple[str, ...],
    form: str,
    as_json: bool,
    path: Path | None,
) -> None:
    """Show the tasks of the workflow TARGET and what each waits for. Nothing is run.

    With TASK only that task and what it needs is shown; there can be several.
    """
    from flowweaver.cli.targets import load_workflow
    from flowweaver.definitions.part import part_of

    with stdout_kept_clean():
        workflow = load_workflow(target)
    if from_:
        targets = part_of(workflow.compile(), targets, from_).targets or None
    text = _TEXTS["json" if as_json else form](workflow, targets)
    if path is None:
        say_lines(text.removesuffix("\n"))
        return
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise Problem(f"{path} can't be written: {error.strerror or error}.") from None


def _as_text(workflow: Workflow, targets: Targets) -> str:
    from flowweaver.report.text import export_text

    return export_text(workflow, targets)


def _as_mermaid(workflow: Workflow, targets: Targets) -> str:
    from flowweaver.report.mermaid import export_mermaid

    return export_mermaid(workflow, targets=targets)


def _as_dot(workflow: Workflow, targets: Targets) -> str:
    from flowweaver.report.dot import export_dot

    return export_dot(workflow, targets)


def _as_json(workflow: Workflow, targets: Targets) -> str:
    from io import StringIO

    from flowweaver.definitions.part import part_of

    wiring = part_of(workflow.compile(), targets).wiring
    shape = {
        "workflow": workflow.name,
        "parameters": [_parameter(wiring, use) for use in wiring.parameters.values()],
        "tasks": [
            {"task": task.name, "depends_on": wiring.names(wiring.preds[node])}
            for node, task in enumerate(wiring.tasks)
        ],
    }
    text = StringIO()
    print_json(shape, text)
    return text.getvalue()


def _parameter(wiring: Wiring, use: ParameterUse) -> dict[str, object]:
    """Return a parameter, with what its first user says of it."""
    from flowweaver.cli.conversion import shown
    from flowweaver.cli.sources import stands_in_source
    from flowweaver.definitions.annotations import annotations_of
    from flowweaver.engine.parameters import takers
    from flowweaver.engine.secrets import asks_for_secret
    from flowweaver.introspection import signature_of

    told: dict[str, object] = {"name": use.name, "required": use.required}
    node, name = use.users[0]
    fn = wiring.tasks[node].fn
    annotations = annotations_of(fn)
    if asks_for_secret(taker.annotation for taker in takers(wiring, use)):
        return {**told, "annotation": shown(annotations[name]), "secret": True}
    if name in annotations:
        told["annotation"] = shown(annotations[name])
    default = getattr(signature_of(fn).parameters.get(name), "default", None)
    if isinstance(default, bool | int | float | str) and stands_in_source(fn, name):
        told["default"] = default if isinstance(default, str) else json.dumps(default)
    return told


_TEXTS: dict[str, Callable[[Workflow, Targets], str]] = {
    "text": _as_text,
    "mermaid": _as_mermaid,
    "dot": _as_dot,
    "json": _as_json,
}
