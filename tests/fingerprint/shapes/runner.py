"""Execute the programs of the catalogue, many in one fresh process.

Reads from stdin, as JSON, the path of a store and a list of jobs: names, folders. Each program's
function `run` is executed as the one task of a workflow with that store. Writes as many answers to
stdout: how its result came, what it was and what calling the function gives.
"""

from __future__ import annotations

import importlib
import json
import logging
import sys
import time
import warnings
from pathlib import Path
from typing import Any

from flowweaver import SequentialExecutor, SQLiteStateStore, Task, Workflow


def answer(name: str, folder: Path, store: SQLiteStateStore) -> dict[str, Any]:
    """Execute one program; return what came of it."""
    paths = [str(folder), str(folder / "site-packages")]
    known = {*sys.modules}
    sys.path[:0] = paths
    importlib.invalidate_caches()
    try:
        target = importlib.import_module("steps").run
        started = time.process_time()
        workflow = Workflow(name, [Task("run", target)], cache_scope="workflow")
        plan = workflow.plan(state_store=store)
        looked = time.process_time() - started
        run = SequentialExecutor(state_store=store).execute(workflow)
        task = run.tasks["run"]
        return {
            "how": task.origin.value if task.origin else "failed",
            "reason": task.reason,
            "unseen": list(plan.unseen.get("run", ())),
            "result": repr(run["run"]),
            "fresh": repr(target()),
            "seconds": looked,
        }
    except Exception as error:
        return {"how": "failed", "error": f"{type(error).__name__}: {error}"}
    finally:
        sys.path[:] = sys.path[len(paths) :]
        for module in {*sys.modules} - known:
            if str(folder) in str(getattr(sys.modules[module], "__file__", "")):
                del sys.modules[module]


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    logging.getLogger("flowweaver").setLevel(logging.CRITICAL)
    request = json.load(sys.stdin)
    kept = SQLiteStateStore(request["store"], durability="process")
    answers = [answer(job["name"], Path(job["folder"]), kept) for job in request["jobs"]]
    kept.close()
    json.dump(answers, sys.stdout)
