"""The command ``python -m benchmarks.traces FOLDER``: makespan on recorded real workflows.

Each workflow is executed twice on threads, its bodies sleeping as long as the tasks ran, scaled.
The second run knows from the store how long each task took in the first, and orders what is ready
by it. Makespans are shown over max(critical path, work / workers), which no schedule is below.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import fmean
from time import perf_counter

from benchmarks.arguments import whole_number
from benchmarks.environments import make_home
from benchmarks.wfformat import Trace, TraceError, read_trace, simulated_makespan, workflow_of
from flowweaver import SQLiteStateStore, ThreadedExecutor

AT_MOST = 1.1


@dataclass(frozen=True, slots=True)
class Makespans:
    """Of one trace: its bound in seconds as slept, and makespans over it.

    `listed` is the better of two simulated list schedules that know all run times: the longest
    remaining path first, and the longest task first.
    """

    trace: str
    tasks: int
    bound: float
    first: float
    second: float
    listed: float


def measured(trace: Trace, workers: int, seconds: float) -> Makespans:
    """Execute a trace twice, scaled so that its bound is so many seconds."""
    scaled = trace.scaled(seconds / (trace.bound(workers) or 1.0))
    bound = scaled.bound(workers)
    listed = min(
        simulated_makespan(scaled, workers, priority)
        for priority in (scaled.ranks(), scaled.seconds)
    )
    with tempfile.TemporaryDirectory(dir=make_home(), prefix="trace-") as folder:
        store = SQLiteStateStore(Path(folder) / "state.db", "process")
        first, second = (_executed(scaled, workers, store) for _ in range(2))
        store.close()
    return Makespans(
        trace.name, len(trace.seconds), bound, first / bound, second / bound, listed / bound
    )


def _executed(trace: Trace, workers: int, store: SQLiteStateStore) -> float:
    workflow = workflow_of(trace)
    workflow.compile()
    started = perf_counter()
    ThreadedExecutor(workers, state_store=store).execute(workflow, reuse="never")
    return perf_counter() - started


def _warm_up() -> None:
    """Import what an execution imports, which is no part of a makespan."""
    measured(Trace("warm-up", {"only": 1.0}, {"only": ()}), workers=1, seconds=0.001)


def text(found: Sequence[Makespans]) -> str:
    """Write a table, and whether the second runs are as short as can be asked for."""
    width = max(len(one.trace) for one in found)
    lines = [f"{'trace':<{width}}{'tasks':>7}{'first':>8}{'second':>8}{'best list schedule':>20}"]
    lines += [
        f"{one.trace:<{width}}{one.tasks:>7}{one.first:>8.3f}{one.second:>8.3f}{one.listed:>20.3f}"
        for one in found
    ]
    means = [fmean(getattr(one, name) for one in found) for name in ("first", "second", "listed")]
    lines.append(f"{'mean':<{width}}{'':>7}{means[0]:>8.3f}{means[1]:>8.3f}{means[2]:>20.3f}")
    reachable = max(AT_MOST, means[2])
    kept = "kept" if means[1] <= reachable else "MISSED"
    lines.append(f"[{kept}] mean of the second runs over the bound at most {reachable:.3g}")
    return "\n".join(lines)


def main(arguments: list[str] | None = None) -> int:
    """Execute all traces of a folder and print what came out."""
    asked = _parser().parse_args(arguments)
    paths = sorted(asked.folder.glob("*.json"))
    if not paths:
        print(f"{asked.folder} has no *.json: name a folder of WfFormat files", file=sys.stderr)
        return 2
    found = []
    try:
        _warm_up()
        for path in paths:
            print(f"executing {path.name} twice ...", file=sys.stderr)
            found.append(measured(read_trace(path), asked.workers, asked.seconds))
    except TraceError as error:
        print(error, file=sys.stderr)
        return 2
    print(f"makespan over max(critical path, work / {asked.workers} workers)")
    print(text(found))
    if asked.json:
        asked.json.write_text(json.dumps([asdict(one) for one in found], indent=1) + "\n")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.traces",
        description="Execute recorded workflows (WfFormat) twice and compare with the bound.",
    )
    parser.add_argument("folder", type=Path, help="where the *.json of the traces are")
    parser.add_argument("--workers", type=whole_number, default=8, help="threads (default: 8)")
    parser.add_argument(
        "--seconds", type=float, default=4.0, help="what each bound is scaled to (default: 4)"
    )
    parser.add_argument("--json", type=Path, metavar="FILE")
    return parser


if __name__ == "__main__":
    sys.exit(main())
