"""Execute random programs, many in one fresh process: each symbol is a task.

Reads from stdin, as JSON, the path of a store and a list of jobs: names, folders, symbols. Writes
for each symbol how its result came, what it was and what calling it gives.
"""

from __future__ import annotations

import importlib
import json
import logging
import sys
import warnings
from pathlib import Path
from typing import Any

from flowweaver import SequentialExecutor, SQLiteStateStore, Task, Workflow


def answers(name: str, folder: Path, symbols: list[str], store: SQLiteStateStore) -> dict[str, Any]:
    """Execute one program; return what came of each of its symbols."""
    sys.path.insert(0, str(folder))
    importlib.invalidate_caches()
    try:
        modules = {each.partition("_")[0] for each in symbols}
        loaded = {module: importlib.import_module(module) for module in sorted(modules)}
        targets = {each: getattr(loaded[each.partition("_")[0]], each) for each in symbols}
        workflow = Workflow(name, [Task(each, target) for each, target in targets.items()])
        run = SequentialExecutor(state_store=store).execute(workflow)
        return {
            each: [str(run.tasks[each].origin.value), run[each], target(), run.tasks[each].reason]
            for each, target in targets.items()
        }
    finally:
        del sys.path[0]
        for module in modules:
            sys.modules.pop(module, None)


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    logging.getLogger("flowweaver").setLevel(logging.CRITICAL)
    request = json.load(sys.stdin)
    kept = SQLiteStateStore(request["store"], durability="process")
    found = [
        answers(job["name"], Path(job["folder"]), job["symbols"], kept) for job in request["jobs"]
    ]
    kept.close()
    json.dump(found, sys.stdout)
