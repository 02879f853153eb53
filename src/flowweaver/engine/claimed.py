"""A run that this process holds in a store: what is written of it, until it is let go."""

from __future__ import annotations

import threading
from dataclasses import replace

from flowweaver.blueprint import GRAPH_KEY
from flowweaver.definitions.blueprints import blueprint_digest, blueprint_text
from flowweaver.definitions.wiring import Wiring
from flowweaver.engine.starts import Starts
from flowweaver.fingerprint import settle_values
from flowweaver.records import Changes, ClaimRequest, Lease
from flowweaver.state_store import StateStore

# How long a commit of starts waits for one that is under way.
_MOMENT_SECONDS = 0.1


class Claimed:
    """A run in its store, from the claim until it is let go.

    Attributes:
        store: Where it is.
        lease: The claim.
    """

    __slots__ = ("_broken", "_committing", "lease", "store")

    def __init__(self, store: StateStore, request: ClaimRequest) -> None:
        self.store = store
        self.lease: Lease = store.claim(request)
        # An interrupt may leave it locked: then this thread can go on, and starts stay unnoted.
        self._committing = threading.RLock()
        self._broken: Exception | None = None

    def commit(self, changes: Changes) -> None:
        """Write changes; raise what a commit of starts has failed of, if one has."""
        with self._committing:
            if self._broken is not None:
                raise self._broken
            self.store.commit(self.lease, changes)

    def commit_starts(self, starts: Starts, now: float) -> None:
        """Write the starts of attempts that last, from any thread; `commit` fails once this does.

        Nothing is written while a commit goes on: the next look will do.
        """
        if not self._committing.acquire(timeout=_MOMENT_SECONDS):
            return
        try:
            changes = starts.lasting(now)
            if changes is not None:
                self.store.commit(self.lease, changes)
        except Exception as error:
            self._broken = error
            raise
        finally:
            self._committing.release()

    def keep_graph(self, wiring: Wiring) -> str:
        """Have the store keep the graph of what the run does; return what it is kept under."""
        graph = blueprint_digest(wiring)
        if self.store.code(graph) is None:
            self.store.commit(self.lease, Changes(code={graph: blueprint_text(wiring)}))
        return graph

    def widen(self, wiring: Wiring) -> None:
        """Have a run that is more than what is asked for this time keep the graph of all of it."""
        graph = self.keep_graph(wiring)
        info = {**self.lease.run.info, GRAPH_KEY: graph, "tasks": len(wiring.tasks)}
        run = replace(self.lease.run, info=info)
        self.store.commit(self.lease, Changes(run=run))
        self.lease = self.lease._replace(run=run)

    def release(self) -> None:
        """Let go of the run."""
        settle_values()
        self.store.release(self.lease)
