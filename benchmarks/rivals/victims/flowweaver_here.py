"""The workflow on FlowWeaver, threads and SQLite."""

from __future__ import annotations

import work

from flowweaver import SQLiteStateStore, Task, ThreadedExecutor, Workflow, each


def numbers(load: int) -> list[int]:
    """Name the parts."""
    return list(range(load - 1, work.PARTS))


WORKFLOW = Workflow(
    "kill loop",
    [
        Task("load", work.load),
        numbers,
        Task("part", work.part, inputs={"number": each("numbers")}),
        Task("join", work.join, inputs={"values": "part"}),
        Task("check", work.check, inputs={"total": "join"}),
        Task("send", work.send, inputs={"total": "check"}),
    ],
)

if __name__ == "__main__":
    store = SQLiteStateStore(work.folder() / "state.db")
    run = ThreadedExecutor(work.WORKERS, state_store=store).execute(WORKFLOW)
    work.finished(run["send"])
