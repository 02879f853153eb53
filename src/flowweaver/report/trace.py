"""A run in the trace format of Chrome, which Perfetto and speedscope open too.

Complete events ("X") in microseconds since the run began, a thread for each lane of the timeline:
it is called by its worker, where that is known.
"""

from __future__ import annotations

from typing import Any

from flowweaver.names import shown_name, task_run_name


def trace_json(view: dict[str, Any]) -> dict[str, Any]:
    """Return the trace of a run, given its View."""
    rows, run = view["rows"], view["run"]
    names = [task["name"] for task in view["tasks"]]
    path = set(view["times"]["critical_path"])
    workers, order = view["times"]["workers"], view["times"]["order"]
    threads = {lane: number for number, lane in enumerate(order, 1)}
    events: list[dict[str, Any]] = [
        {"ph": "M", "pid": 1, "name": "process_name", "args": {"name": _title(run)}},
        *({"ph": "M", "pid": 1, "tid": number, "name": "thread_name",
           "args": {"name": workers[lane] or f"lane {number}"}}
          for lane, number in threads.items()),
    ]  # fmt: skip
    for place, start in enumerate(rows["start"]):
        if start is None or rows["seconds"][place] is None:
            continue
        task, element = names[rows["task"][place]], rows["element"][place]
        name = task_run_name(task, element)
        events.append(
            {
                "ph": "X",
                "pid": 1,
                "tid": threads[rows["lane"][place]],
                "ts": round(start * 1e6),
                "dur": round(rows["seconds"][place] * 1e6),
                "name": shown_name(task, element, rows["label"][place]),
                "cat": task,
                "args": {
                    "outcome": view["outcomes"][rows["outcome"][place]],
                    "attempts": rows["attempts"][place],
                    "why": rows["words"][rows["why"][place]],
                    "critical": name in path,
                },
            }
        )
    return {
        "traceEvents": events,
        "displayTimeUnit": "ms",
        "otherData": {"run": run["id"], "workflow": run["workflow"], "began": run["began"]},
    }


def _title(run: dict[str, Any]) -> str:
    return f"{run['workflow']} {run['id']}"
