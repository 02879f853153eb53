"""A process that works on a run until it is killed.

``python -m tests.stores.children URL [PACE [rollback]]``: with a PACE that is not empty it waits
for a line before each commit; with `rollback` it uses SQLite's rollback journal.
"""

from __future__ import annotations

import sys

from flowweaver.records import ClaimRequest
from flowweaver.stores import open_store
from flowweaver.stores.sqlite import journal
from tests.stores.filling import commit_task


def main(url: str, *pace: str) -> None:
    """Commit one task after the other, and print each once it is committed."""
    if "rollback" in pace:
        journal.wanted_mode = lambda path: "persist"
    store = open_store(url)
    lease = store.claim(ClaimRequest("killed", "k"))
    print("claimed", lease.run.id, len(lease.tasks), flush=True)
    for number in range(len(lease.tasks), 100_000):
        if pace and pace[0]:
            sys.stdin.readline()
        commit_task(store, lease, number)
        print(number, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
