"""Plan and run the targets of edits, many in one fresh process; see test_reuse.py.

Reads jobs as JSON from stdin (folder, target, how, workflow) with the store's path as argument;
writes what was planned, what was done and what came out.
"""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path
from typing import Any

from flowweaver import SequentialExecutor, SQLiteStateStore, StateStore, Task, Workflow
from tests.fingerprint.runner import called, loaded


def answer(job: dict[str, str], store: StateStore) -> dict[str, Any]:
    """Plan and run a workflow of one task whose body is the target."""
    folder = Path(job["folder"])
    paths = [str(folder), str(folder / "site-packages")]
    known = {*sys.modules}
    main = sys.modules["__main__"]
    sys.path[:0] = paths
    try:
        target = loaded(folder, job)
        workflow = Workflow(
            job["workflow"], [Task("edited", body_of(target))], cache_scope="workflow"
        )
        plan = workflow.plan(state_store=store)
        planned = plan["edited"]
        run = SequentialExecutor(state_store=store).execute(workflow)
        origin = run.tasks["edited"].origin
        return {
            "action": planned.action,
            "reason": planned.reason,
            "unseen": [*plan.unseen.get("edited", ())],
            "origin": origin and origin.value,
            "result": run["edited"],
            "fresh": called(target),
        }
    finally:
        sys.path[:] = sys.path[len(paths) :]
        sys.modules["__main__"] = main
        for name in {*sys.modules} - known:
            del sys.modules[name]
        importlib.invalidate_caches()


def body_of(target: Any) -> Any:
    """Return a body that reaches the target and returns what it gives as text."""

    def body() -> str:
        return called(target)

    return body


if __name__ == "__main__":
    store = SQLiteStateStore(sys.argv[1], durability="process")
    json.dump([answer(job, store) for job in json.load(sys.stdin)], sys.stdout)
