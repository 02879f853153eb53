"""What runs, plans and workflows look like to those who ask them: `flowweaver.shown` calls here."""

from __future__ import annotations

from collections.abc import Callable
from os import PathLike
from pathlib import Path
from typing import Any

from flowweaver.definitions.workflow import Workflow
from flowweaver.planned import Plan
from flowweaver.report import notebook
from flowweaver.report.page import report_page
from flowweaver.report.text import export_text
from flowweaver.report.view.assemble import DETAILS_IN_REPORT, View
from flowweaver.report.view.loose import source_of
from flowweaver.run import Run

_HTML: dict[type, Callable[[Any], str]] = {
    Run: notebook.run_html,
    Plan: notebook.plan_html,
    Workflow: notebook.workflow_html,
}
_TEXT: dict[type, Callable[[Any], str]] = {
    Run: notebook.run_text,
    Plan: notebook.plan_text,
    Workflow: lambda workflow: export_text(workflow).rstrip(),
}


def as_html(thing: Run | Plan | Workflow) -> str:
    """Return what a notebook shows."""
    return _of_its_kind(_HTML, thing)


def as_text(thing: Run | Plan | Workflow) -> str:
    """Return what `print` shows."""
    return _of_its_kind(_TEXT, thing)


def _of_its_kind(faces: dict[type, Callable[[Any], str]], thing: object) -> str:
    kind = next(kind for kind in type(thing).__mro__ if kind in faces)
    return faces[kind](thing)


def save_report(run: Run, path: str | PathLike[str]) -> Path:
    """Write the report of a run; return where it is."""
    target = Path(path)
    view = View(source_of(run)).as_json(details=DETAILS_IN_REPORT)
    target.write_text(report_page(view), encoding="utf-8")
    return target
