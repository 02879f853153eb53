"""The report: one run in one HTML file, which opens from disk with the network off.

The file holds the View as JSON, the scripts and the styles. A Content-Security-Policy allows
these very texts, by their digests, and nothing else: whatever a task's name, result or log holds
can't become code, and no address is ever asked for anything.
"""

from __future__ import annotations

import html
import json
from base64 import b64encode
from hashlib import sha256
from typing import Any

from flowweaver.report import assets

_PAGE = """\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<meta name="generator" content="FlowWeaver {version}">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
<noscript><p>This report is drawn by its own script. Its data stand below as JSON.</p></noscript>
<div id="page"></div>
<script type="application/json" id="view">{view}</script>
<script>{library}</script>
<script type="module">{script}</script>
</body>
</html>
"""


def report_page(view: dict[str, Any]) -> str:
    """Return the report of a run as HTML."""
    library, script, style = assets.vendored(), assets.script("report.js"), assets.style()
    policy = (
        f"default-src 'none'; script-src {_hash(library)} {_hash(script)}; "
        f"style-src {_hash(style)}; base-uri 'none'; form-action 'none'"
    )
    run = view["run"]
    return _PAGE.format(
        policy=policy,
        version=html.escape(view["made_by"]),
        title=html.escape(f"{run['workflow']} {run['status']} · {run['id']}"),
        style=style,
        view=embedded(view),
        library=library,
        script=script,
    )


def embedded(value: object) -> str:
    """Return JSON for the inside of a script element: nothing in it can end that element."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def _hash(text: str) -> str:
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"
