"""Runs, plans and workflows as a notebook shows them, and as print does. No script is in them."""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence

from flowweaver.definitions.blueprints import blueprint_of
from flowweaver.definitions.workflow import Workflow
from flowweaver.names import shown_name
from flowweaver.observers.style import block, one_line, seconds
from flowweaver.planned import Plan
from flowweaver.report.counts import COUNTED, counts_in_words
from flowweaver.report.svg import graph_svg
from flowweaver.report.text import export_text
from flowweaver.report.view.assemble import View
from flowweaver.report.view.loose import source_of
from flowweaver.run import Run

_MOST_ROWS = 30
_MOST_BOXES = 60


def run_html(run: Run) -> str:
    """Return a run: where it stands, what failed, its graph and its tasks."""
    view = View(source_of(run)).as_json(rows=_MOST_ROWS)
    head = view["run"]
    took = f", {seconds(head['seconds'])}" if "seconds" in head else ""
    parts = [
        f"<p><strong>{_text(head['workflow'])}</strong> {_text(head['status'])}{took} "
        f"<small>{_text(head['id'])}</small><br>{_text(counts_in_words(view['counts']))}</p>"
    ]
    for failure in view["failures"][:3]:
        told = f"{failure['kind']}: {failure['message']}"
        parts.append(f"<p>✕ <strong>{_text(_called(failure))}</strong> {_text(told, 500)}</p>")
    tasks = view["tasks"]
    if len(tasks) <= _MOST_BOXES:
        notes = [_note(task) for task in tasks]
        preds = run.blueprint.preds
        known = [preds[place] if place < len(preds) else () for place in range(len(tasks))]
        outcomes = [task["outcome"] for task in tasks]
        parts.append(graph_svg([task["name"] for task in tasks], known, outcomes, notes))
    rows = (
        (task["name"], task["outcome"].replace("_", " "), _note(task), task.get("purpose", ""))
        for task in tasks
    )
    parts.append(_table(("task", "outcome", "", ""), rows, len(tasks)))
    return _wrapped(parts)


def run_text(run: Run) -> str:
    """Return a run in a few lines: where it stands, what failed, its tasks."""
    view = View(source_of(run)).as_json(rows=1)
    head, tasks = view["run"], view["tasks"]
    took = f" in {seconds(head['seconds'])}" if "seconds" in head else ""
    lines = [f"{head['workflow']}: {head['status']}{took}: {counts_in_words(view['counts'])}"]
    lines[0] += f" (run {head['id']})"
    lines += [f"  {task['name']}  {task['outcome']}  {_note(task)}" for task in tasks[:_MOST_ROWS]]
    if len(tasks) > _MOST_ROWS:
        lines.append(f"  and {len(tasks) - _MOST_ROWS} tasks more")
    lines += [f"  {_called(each)}: {each['kind']}: {each['message']}" for each in view["failures"]]
    return "\n".join(one_line(line.rstrip()) for line in lines)


def plan_html(plan: Plan) -> str:
    """Return a plan: what would run, be restored or skipped, and why."""
    counts = ", ".join(f"{count} {action}" for action, count in plan.counts().items())
    what = f"continues run {plan.run_id}" if plan.run_id else "a new run"
    head = f"<p><strong>{_text(plan.workflow)}</strong> {_text(what)}: {counts or 'no tasks'}</p>"
    rows = [(task.shown_name, task.action, task.reason) for task in plan]
    rows.sort(key=lambda row: row[1] == "restore")
    diffs = list(dict.fromkeys(task.diff for task in plan if task.diff))[:3]
    shown = [f"<pre>{html.escape(block(diff))}</pre>" for diff in diffs]
    return _wrapped([head, _table(("task", "action", "why"), rows, len(rows)), *shown])


def plan_text(plan: Plan) -> str:
    """Return a plan as lines."""
    counts = ", ".join(f"{count} {action}" for action, count in plan.counts().items())
    lines = [f"plan of {plan.workflow}: {counts or 'no tasks'}"]
    tasks = sorted(plan, key=lambda task: task.action == "restore")
    lines += [f"  {task.action:8} {task.shown_name}: {task.reason}" for task in tasks[:_MOST_ROWS]]
    if len(tasks) > _MOST_ROWS:
        lines.append(f"  and {len(tasks) - _MOST_ROWS} more")
    return "\n".join(map(one_line, lines))


def workflow_html(workflow: Workflow) -> str:
    """Return a workflow: its parameters and its graph."""
    kept = blueprint_of(workflow.compile())
    needs = [f"{name}{'' if required else ' (optional)'}"
             for name, required in workflow.parameters.items()]  # fmt: skip
    count = len(kept.tasks)
    told = f"{count} task{'' if count == 1 else 's'}"
    head = f"<p><strong>{_text(workflow.name)}</strong> {told}"
    head += f"; parameters: {_text(', '.join(needs))}</p>" if needs else "</p>"
    if count > _MOST_BOXES:
        return _wrapped([head, f"<pre>{html.escape(export_text(workflow)[:5000])}</pre>"])
    notes = ["each element" if place in kept.mapped else "" for place in range(count)]
    return _wrapped([head, graph_svg(kept.tasks, kept.preds, (), notes)])


def _called(failure: dict[str, str]) -> str:
    """Return what that is called which failed, with what its element is called."""
    return shown_name(failure["name"], "", failure.get("label", ""))


def _note(task: dict[str, object]) -> str:
    """Return of a task its elements by outcome, or how long it took."""
    counts = task.get("counts")
    if isinstance(counts, dict) and counts:
        return ", ".join(f"{counts[key]:,} {key}" for key in COUNTED if counts.get(key))
    took = task.get("seconds")
    return seconds(took) if isinstance(took, float) else ""


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]], total: int) -> str:
    shown = list(rows)[:_MOST_ROWS]
    cells = "".join(f"<tr>{''.join(map(_cell, row))}</tr>" for row in shown)
    more = f"<p>and {total - len(shown)} more</p>" if total > len(shown) else ""
    head = "".join(f'<th style="text-align:left">{html.escape(name)}</th>' for name in heads)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{cells}</tbody></table>{more}"


def _cell(text: str) -> str:
    return f'<td style="text-align:left">{_text(text, 200)}</td>'


def _text(text: str, limit: int = 120) -> str:
    return html.escape(one_line(text, limit))


def _wrapped(parts: Iterable[str]) -> str:
    return f'<div style="overflow-x:auto">{"".join(parts)}</div>'
