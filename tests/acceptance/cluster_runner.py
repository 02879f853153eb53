"""A runner on a cluster, with its state in Postgres, that the tests kill.

``python -m tests.acceptance.cluster_runner ENGINE ADDRESS STORE JOURNAL TASKS``: the workflow is
that of `tests.stores.runners`, whose bodies note themselves in the file JOURNAL.
"""

from __future__ import annotations

import sys

from flowweaver import DaskExecutor, RayExecutor
from flowweaver.stores import open_store
from tests.stores.runners import workflow_of

ENGINES = {"dask": DaskExecutor, "ray": RayExecutor}


def main(engine: str, address: str, store: str, journal: str, tasks: str) -> None:
    """Execute the workflow once."""
    executor = ENGINES[engine](address, state_store=open_store(store))
    executor.execute(workflow_of(journal, int(tasks)), {"key": "k"})


if __name__ == "__main__":
    main(*sys.argv[1:])
