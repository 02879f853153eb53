"""Hostile names: refused when they are given, or inert wherever a name can come to stand."""

from __future__ import annotations

import contextlib
import html
import io
import re
import webbrowser
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from pathlib import Path
from unittest.mock import patch

from flowweaver import (
    DefinitionError,
    SequentialExecutor,
    Task,
    Workflow,
    export_mermaid,
    view_mermaid,
)
from flowweaver.cli import main
from flowweaver.report.dot import export_dot
from flowweaver.report.text import export_text
from tests.faults.children import STORES

HOSTILE = [
    "",
    " ",
    "x" * 255,
    "x" * 10_000,
    "../../x",
    "/etc/passwd",
    "..",
    "C:\\Windows\\x",
    "CON",
    "a\0b",
    "a\nb",
    "a\r\nError: all is lost",
    "a\tb",
    "\x1b[31mred\x1b[0m",
    "\x1b]0;title\x07",
    "\x9b31m",
    "\u202egnp.exe",
    "\u200fright to left",
    "\u2028line",
    "zero\u200bwidth",
    "\ud800",
    "🦊 emoji",
    "caf\u00e9",
    "cafe\u0301",
    "<img src=x onerror=alert(1)>",
    "<script>alert(1)</script>",
    "</pre></title><script>alert(1)</script>",
    "&lt;b&gt;",
    '"]; click A "javascript:alert(1)"',
    "]-->t0",
    "end",
    "%%{init: {}}%%",
    "classDef x fill:red",
    "`**bold**`",
    "#quot;",
    'a"; rm [label="x',
    "a\\",
    "a\\n\\l",
    "__proto__",
    "constructor",
    "__class__",
    "Robert'); DROP TABLE task;--",
    "'; SELECT 1",
    "%s %(x)s {0} {x!r} ${x} $(x)",
    "null",
    "NaN",
    "[red]markup[/red]",
    "[link=http://x]y[/link]",
    "--help",
    "-rf",
    "a[3]",
    "a.b",
    "*",
    "日本語",
]

Check = Callable[[Workflow, Path], str | None]


def one() -> int:
    return 1


def hostile_names(directory: Path) -> tuple[int, int, list[str]]:
    """Give each hostile name to a task and its workflow: how many refused, inert, and harmful."""
    refused, inert, harmful = 0, 0, []
    for number, name in enumerate(HOSTILE):
        try:
            workflow = Workflow(name, [Task(name, one)])
        except DefinitionError as error:
            refused += 1
            if not _is_printable(str(error)):
                harmful.append(f"{name!r}: the error prints it as it is")
            continue
        folder = directory / str(number)
        folder.mkdir()
        found = [f"{name!r}: {wrong}" for wrong in _wrongs(workflow, folder)]
        harmful += found
        inert += not found
    return refused, inert, harmful


def _wrongs(workflow: Workflow, folder: Path) -> Iterator[str]:
    for check in (_stores, _mermaid, _dot, _terminal, _html):
        wrong = check(workflow, folder)
        if wrong is not None:
            yield wrong


def _is_printable(text: str) -> bool:
    return all(line.isprintable() for line in text.split("\n"))


def _stores(workflow: Workflow, folder: Path) -> str | None:
    (own,) = workflow.get_all_tasks()
    for kind in ("sqlite", "json"):
        place = folder / kind
        for _ in range(2):
            store = STORES[kind](place)
            run = SequentialExecutor(state_store=store).execute(workflow)
            stored = [record.task for record in store.tasks(run.id)]
            if run[own] != 1 or stored != [own] or store.runs(workflow.name)[0].id != run.id:
                return f"{kind} has {stored}"
            store.close()
        left = {path.name for path in folder.rglob("*")} - {"sqlite", "json"}
        if left - {"state.db", "state.json"}:
            return f"files {left}"
    return None


_NODE = re.compile(r'    t0\["(?:\w|[ \-.,()/]|#\d+;)*"\]')


def _mermaid(workflow: Workflow, folder: Path) -> str | None:
    lines = export_mermaid(workflow).splitlines()
    return None if len(lines) == 4 and _NODE.fullmatch(lines[1]) else f"Mermaid {lines}"


_DOT_STRING = re.compile(r'"(?:[^"\\\n]|\\\\|\\")*"')


def _dot(workflow: Workflow, folder: Path) -> str | None:
    lines = export_dot(workflow).splitlines()
    bare = [_DOT_STRING.sub("S", line) for line in lines]
    expected = [
        "digraph S {",
        "    node [shape=box, style=S, fontname=S];",
        "    t0 [label=S, fillcolor=S, color=S, fontcolor=S];",
        "}",
    ]
    return None if bare == expected else f"DOT {bare}"


def _terminal(workflow: Workflow, folder: Path) -> str | None:
    said = io.StringIO()
    store = str(folder / "sqlite" / "state.db")
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        for command in (["runs"], ["show", "last"]):
            with contextlib.suppress(SystemExit):
                main([*command, "--store", store])
    text = said.getvalue() + export_text(workflow)
    (own,) = workflow.get_all_tasks()
    if not _is_printable(text):
        return f"the terminal gets {text!r}"
    return None if own[:20] in text or len(own) > 20 else f"the terminal shows {text!r}"


# A page with a picture of one task, and the text of its diagram.
_PAGE = [
    *("html", "head", "meta", "meta", "title", "style", "body", "h1"),
    *("svg", "g", "g", "title", "rect", "text", "text", "details", "summary", "pre"),
]


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)


def _html(workflow: Workflow, folder: Path) -> str | None:
    with patch.object(webbrowser, "open"):
        page = view_mermaid(workflow)
    text = page.read_text(encoding="utf-8")
    page.unlink()
    tags = _Tags()
    tags.feed(text)
    if tags.tags != _PAGE:
        return f"HTML has {tags.tags}"
    return None if html.escape(workflow.name) in text else "HTML does not show it"
