"""Progress for whoever calls `execute`: on request, and by default in a notebook."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from flowweaver.engine.options import ExecuteOptions
from flowweaver.lazy import late

_progress = late("observers.progress", "progress")
_in_notebook = late("observers.notebook", "in_notebook")
_notebook_progress = late("observers.notebook", "NotebookProgress")


@contextmanager
def watched(options: ExecuteOptions) -> Iterator[ExecuteOptions]:
    """Show how a run goes on meanwhile, where that is asked for; yield options that see to it."""
    wanted = options.progress
    is_notebook = wanted is not False and "IPython" in sys.modules and _in_notebook()
    if not is_notebook and not wanted:
        yield options
        return
    with _notebook_progress() if is_notebook else _progress() as shown:
        yield replace(options, observers=(*options.observers, shown))
