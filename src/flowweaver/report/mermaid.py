"""A workflow as a Mermaid diagram: as text, in a file, in the browser."""

from __future__ import annotations

import html
import logging
import tempfile
from collections.abc import Iterator
from pathlib import Path

from flowweaver.definitions.workflow import Workflow
from flowweaver.errors import DefinitionError
from flowweaver.report.escape import for_mermaid
from flowweaver.report.palette import STATUS_COLOURS, last_statuses
from flowweaver.status import TaskStatus

ORIENTATIONS = ("TD", "TB", "BT", "LR", "RL")

_log = logging.getLogger("flowweaver")


def export_mermaid(workflow: Workflow, orientation: str = "TD") -> str:
    """Return the workflow as a Mermaid graph, coloured by its last run in this process.

    Nodes are numbered ``t0``, ``t1``, ... in the order their tasks were added; names appear in
    labels only, escaped.

    Args:
        workflow: What to show.
        orientation: "TD" or "TB" (top down), "BT", "LR" or "RL".

    Raises:
        DefinitionError: (a `ValueError`) The orientation is unknown.
    """
    direction = orientation.upper()
    if direction not in ORIENTATIONS:
        raise DefinitionError(
            f"orientation must be one of {', '.join(ORIENTATIONS)}, not {orientation!r}"
        )
    return "\n".join([f"graph {direction}", *_body(workflow), ""])


def _body(workflow: Workflow) -> Iterator[str]:
    wiring = workflow.compile()
    for node, task in enumerate(wiring.tasks):
        yield f'    t{node}["{for_mermaid(task.name)}"]'
    for node, before in enumerate(wiring.preds):
        for pred in before:
            yield f"    t{pred} --> t{node}"
    yield from _classes(last_statuses(workflow))


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

    The page takes Mermaid from a public network; without one it shows the diagram's text.
    """
    import webbrowser

    page = _PAGE.format(
        title=html.escape(workflow.name),
        diagram=html.escape(export_mermaid(workflow, orientation)),
        script=_SCRIPT,
        digest=_DIGEST,
    )
    with tempfile.NamedTemporaryFile(
        "w", encoding="utf-8", prefix="flowweaver_", suffix=".html", delete=False
    ) as file:
        file.write(page)
    path = Path(file.name)
    webbrowser.open(path.as_uri())
    _log.info("opened the diagram of workflow %r from %s", workflow.name, path)
    return path


# The exact version and its digest: a page must not run what somebody puts in its place later.
_SCRIPT = "https://cdn.jsdelivr.net/npm/mermaid@11.17.2/dist/mermaid.min.js"
_DIGEST = "sha384-EOXBFmc3gx5mb+vn0vPvvGqACToJD24hhacX5Yx+8NUUQrHIle/Qi5Bg9o3zKwW2"

_PAGE = """\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>{title}</title>
<style>body {{ font-family: sans-serif; margin: 2rem; }}</style>
</head>
<body>
<h1>{title}</h1>
<pre class="mermaid">
{diagram}</pre>
<script src="{script}" integrity="{digest}" crossorigin="anonymous"></script>
<script>
mermaid.initialize({{
  startOnLoad: true, securityLevel: "strict", maxTextSize: 50000000, maxEdges: 1000000
}});
</script>
</body>
</html>
"""
