"""Progress for whoever calls `execute`: on request, and by default in a notebook."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from flowweaver.engine.execution import ExecuteArguments
from flowweaver.lazy import late

_progress = late("observers.progress", "progress")
_in_notebook = late("observers.notebook", "in_notebook")
_notebook_progress = late("observers.notebook", "NotebookProgress")


@contextmanager
def watched(arguments: ExecuteArguments) -> Iterator[ExecuteArguments]:
    """Show how a run goes on meanwhile, where that is asked for; yield what else was asked for."""
    rest: Any = dict(arguments)
    wanted = rest.pop("progress", None)
    is_notebook = wanted is not False and "IPython" in sys.modules and _in_notebook()
    if not is_notebook and not wanted:
        yield rest
        return
    with _notebook_progress() if is_notebook else _progress() as shown:
        rest["observers"] = (*rest.get("observers", ()), shown)
        yield rest
