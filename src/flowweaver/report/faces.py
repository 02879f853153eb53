"""What runs, plans and workflows look like to those who ask them: `flowweaver.shown` calls here."""

from __future__ import annotations

from os import PathLike
from pathlib import Path

from flowweaver.report.page import report_page
from flowweaver.report.view.assemble import DETAILS_IN_REPORT, View
from flowweaver.report.view.loose import source_of
from flowweaver.run import Run


def save_report(run: Run, path: str | PathLike[str]) -> Path:
    """Write the report of a run; return where it is."""
    target = Path(path)
    view = View(source_of(run)).as_json(details=DETAILS_IN_REPORT)
    target.write_text(report_page(view), encoding="utf-8")
    return target
