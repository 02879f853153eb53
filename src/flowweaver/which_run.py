"""Which run is meant: the one rule that claims, plans and all others go by."""

from __future__ import annotations

from collections.abc import Sequence

from flowweaver.errors import StoreError
from flowweaver.records import ClaimRequest, RunRecord


def run_to_continue(
    request: ClaimRequest, unfinished: Sequence[RunRecord], named: RunRecord | None
) -> RunRecord | None:
    """Return the run that a request continues; None if it is to make one.

    It is the run of the id that is asked for, whatever its status; without an id the newest that
    is unfinished, unless that is to be given up.

    Args:
        request: What is wanted.
        unfinished: The unfinished runs of its workflow and key, newest first.
        named: The run of the id that is asked for, if there is one.

    Raises:
        StoreError: The run of that id is of another workflow or other parameters.
    """
    if request.run_id is None:
        return None if request.new_run or not unfinished else unfinished[0]
    if named is not None and (named.workflow, named.key) != (request.workflow, request.key):
        raise StoreError(
            f"Run {named.id} belongs to workflow {named.workflow!r} with other parameters or "
            f"under another name than {request.workflow!r}; give another run id, or none."
        )
    return named
