"""Which run is meant: the one rule that claims, plans and all others go by."""

from __future__ import annotations

from collections.abc import Sequence

from flowweaver.blueprint import GRAPH_KEY, REWIRED_KEY
from flowweaver.errors import StoreError
from flowweaver.records import TARGETS_KEY, ClaimRequest, RunRecord


def run_to_continue(
    request: ClaimRequest, unfinished: Sequence[RunRecord], named: RunRecord | None
) -> RunRecord | None:
    """Return the run that a request continues; None if it is to make one.

    It is the run of the id that is asked for, whatever its status; without an id the newest that
    is unfinished, unless that is to be given up. It does not matter which part of the workflow is
    asked for, or was: a part goes on with the run of the whole, and the whole with that of a part.

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


def info_of(request: ClaimRequest, continued: RunRecord | None) -> dict[str, object]:
    """Return what a run is to keep as its `info` from a claim on.

    What was asked for adds up, so that a run is done once all is that was ever asked of it. A claim
    that says nothing of it leaves it as it was.

    Args:
        request: The claim.
        continued: The run that it continues, as it was; None if it makes one.
    """
    before = {} if continued is None else dict(continued.info)
    info = {**before, **request.info}
    now, earlier = request.info.get(TARGETS_KEY), before.get(TARGETS_KEY)
    if isinstance(now, list) and continued is not None:
        asked = [*earlier, *now] if isinstance(earlier, list) and now else []
        info[TARGETS_KEY] = list(dict.fromkeys(asked))
    if not info.get(TARGETS_KEY):
        info.pop(TARGETS_KEY, None)
    if continued is not None and before.get(GRAPH_KEY) != info.get(GRAPH_KEY):
        info[REWIRED_KEY] = True
    return info
