"""A job for cron: at most one at a time, continued where the last night ended, with exit codes.

    15 2 * * *  cd /srv/job && .venv/bin/python cron_job.py >> job.log 2>&1

It ends with 0 if all is done or another one is at it, and with 1 if something failed: the next
start goes on with that day's run, and what is done is not done again. Another line of the crontab,
`flowweaver gc --keep-age 30d`, keeps the store small.
"""

import logging
import sys
from datetime import date
from pathlib import Path

from flowweaver import (
    RunLockedError,
    SQLiteStateStore,
    ThreadedExecutor,
    Workflow,
    WorkflowFailed,
    task,
)


@task(retries=2, backoff=0.1, timeout=600)
def export(day: date) -> list[str]:
    logging.info("exporting %s", day)
    return Path("rows.txt").read_text().splitlines()


@task(effect="idempotent")
def deliver(export: list[str], day: date) -> str:
    target = Path(f"delivered-{day}.txt")
    target.write_text("\n".join(sorted(export)))
    return str(target)


nightly = Workflow("nightly job", [export, deliver])


def main(day: date) -> int:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    executor = ThreadedExecutor(4, state_store=SQLiteStateStore("job.db"), observers=("log",))
    try:
        executor.execute(nightly, {"day": day})
    except RunLockedError as error:
        logging.info("left to the one that is at it: %s", error)
    except WorkflowFailed as error:
        logging.error("%s", error)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(date.fromisoformat(sys.argv[1]) if len(sys.argv) > 1 else date.today()))
