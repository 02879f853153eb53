"""The workflow on DBOS and SQLite; the parts are child workflows, to go side by side."""

from __future__ import annotations

import logging

import work
from dbos import DBOS, SetWorkflowID

logging.disable()
_WORKFLOW_ID = "kill loop"
_QUEUE = "parts"

DBOS(
    config={
        "name": "kill-loop",
        "system_database_url": f"sqlite:///{work.folder()}/dbos.sqlite",
        "run_admin_server": False,
    }
)
load = DBOS.step(name="load")(work.load)
one = DBOS.step(name="part")(work.part)
join = DBOS.step(name="join")(work.join)
check = DBOS.step(name="check")(work.check)
send = DBOS.step(name="send")(work.send)


@DBOS.workflow()
def part(number: int) -> int:
    """Do one of eight."""
    return one(number)


@DBOS.workflow()
def everything() -> int:
    """Do all the work."""
    load()
    parts = DBOS.retrieve_queue(_QUEUE)
    handles = [parts.enqueue(part, number) for number in range(work.PARTS)]
    return send(check(join([handle.get_result() for handle in handles])))


if __name__ == "__main__":
    DBOS.launch()
    DBOS.register_queue(_QUEUE, worker_concurrency=work.WORKERS, polling_interval_sec=0.05)
    # The id is that of a run that may be there: then it is recovered, and this waits for it.
    with SetWorkflowID(_WORKFLOW_ID):
        handle = DBOS.start_workflow(everything)
    work.finished(handle.get_result())
    DBOS.destroy()
