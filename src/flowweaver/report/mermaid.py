"""A workflow as a Mermaid diagram: as text, in a file, in the browser."""

from __future__ import annotations

import html
import logging
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from flowweaver.definitions.part import part_of
from flowweaver.definitions.wiring import Wiring
from flowweaver.definitions.workflow import Workflow
from flowweaver.errors import DefinitionError
from flowweaver.report.escape import for_mermaid
from flowweaver.report.palette import STATUS_COLOURS, last_statuses
from flowweaver.report.svg import graph_svg
from flowweaver.status import TaskStatus

ORIENTATIONS = ("TD", "TB", "BT", "LR", "RL")

_log = logging.getLogger("flowweaver")


def export_mermaid(
    workflow: Workflow, orientation: str = "TD", targets: Iterable[str] | None = None
) -> str:
    """Return the workflow as a Mermaid graph, coloured by its last run in this process.

    Nodes are numbered ``t0``, ``t1``, ... in the order their tasks were added; names appear in
    labels only, escaped.

    Args:
        workflow: What to show.
        orientation: "TD" or "TB" (top down), "BT", "LR" or "RL".
        targets: Show only these tasks and what they need.

    Raises:
        DefinitionError: (a `ValueError`) The orientation is unknown.
    """
    direction = orientation.upper()
    if direction not in ORIENTATIONS:
        raise DefinitionError(
            f"orientation must be one of {', '.join(ORIENTATIONS)}, not {orientation!r}."
        )
    wiring = part_of(workflow.compile(), targets).wiring
    return "\n".join([f"graph {direction}", *_body(workflow, wiring), ""])


def _body(workflow: Workflow, wiring: Wiring) -> Iterator[str]:
    for node, task in enumerate(wiring.tasks):
        yield f'    t{node}["{for_mermaid(task.name)}"]'
    for node, before in enumerate(wiring.preds):
        for pred in before:
            yield f"    t{pred} --> t{node}"
    yield from _classes(last_statuses(workflow, wiring.index))


def _classes(statuses: list[TaskStatus]) -> Iterator[str]:
    members: dict[TaskStatus, list[str]] = {}
    for node, status in enumerate(statuses):
        members.setdefault(status, []).append(f"t{node}")
    for status, nodes in members.items():
        colours = STATUS_COLOURS[status]
        style = f"fill:{colours.fill},stroke:{colours.line},color:{colours.ink}"
        yield f"    classDef {status.value} {style}"
        yield f"    class {','.join(nodes)} {status.value}"


def save_mermaid(workflow: Workflow, filepath: str | Path, orientation: str = "TD") -> None:
    """Write the workflow to a file as a Mermaid graph; see `export_mermaid`.

    Raises:
        OSError: The file can't be written.
    """
    text = export_mermaid(workflow, orientation)
    Path(filepath).write_text(text, encoding="utf-8")
    _log.info("wrote the diagram of workflow %r to %s", workflow.name, filepath)


def view_mermaid(workflow: Workflow, orientation: str = "TD") -> Path:
    """Open the workflow's diagram in the default browser; return the page's temporary file.

    The page is complete: it needs no network. Below the diagram stands its Mermaid text.

    Raises:
        DefinitionError: (a `ValueError`) The orientation is unknown.
    """
    import webbrowser

    text = export_mermaid(workflow, orientation)
    page = _PAGE.format(
        title=html.escape(workflow.name),
        diagram=_picture(workflow, downwards=orientation.upper() not in ("LR", "RL")),
        text=html.escape(text),
    )
    with tempfile.NamedTemporaryFile(
        "w", encoding="utf-8", prefix="flowweaver_", suffix=".html", delete=False
    ) as file:
        file.write(page)
    path = Path(file.name)
    webbrowser.open(path.as_uri())
    _log.info("opened the diagram of workflow %r from %s", workflow.name, path)
    return path


def _picture(workflow: Workflow, *, downwards: bool) -> str:
    wiring = workflow.compile()
    outcomes = [
        _SHOWN.get(status, status.value) for status in last_statuses(workflow, wiring.index)
    ]
    names = [task.name for task in wiring.tasks]
    return graph_svg(names, wiring.preds, outcomes, downwards=downwards)


_SHOWN = {TaskStatus.COMPLETED: "executed"}

_PAGE = """\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>{title}</title>
<style>
:root {{ color-scheme: light dark; }}
body {{ font-family: system-ui, sans-serif; margin: 2rem; }}
pre {{ overflow: auto; }}
</style>
</head>
<body>
<h1>{title}</h1>
{diagram}
<details><summary>As Mermaid</summary><pre class="mermaid">
{text}</pre></details>
</body>
</html>
"""
