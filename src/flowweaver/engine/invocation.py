"""A workflow with its parameters, as it is to be executed, planned or accepted."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

from flowweaver.definitions.part import part_again, part_of
from flowweaver.definitions.wiring import Wiring
from flowweaver.engine.clock import SYSTEM_CLOCK, Clock
from flowweaver.engine.options import ExecuteOptions
from flowweaver.engine.overriding import Override
from flowweaver.engine.parameters import check_parameters, encode_parameters, key_of
from flowweaver.engine.proofs import signature_of
from flowweaver.engine.reuse.decide import Wish
from flowweaver.engine.reuse.earlier import History
from flowweaver.engine.secrets import check_given, digest_that_counts, missing_secrets
from flowweaver.errors import UnknownNameError
from flowweaver.names import clean_names, normal_name
from flowweaver.records import ClaimRequest, ResultRecord, RunRecord
from flowweaver.secret import Secret
from flowweaver.serialize import Encoded, Signer, is_atomic
from flowweaver.state_store import StateStore
from flowweaver.status import TaskStatus
from flowweaver.which_run import run_to_continue

# To copy larger parameters for each body could take longer than what the bodies do.
_MOST_COPIED_BYTES = 64 * 1024


class Invocation:
    """A workflow with its parameters, checked; what of it needs a store is made when asked for.

    Attributes:
        whole: The workflow.
        wiring: The part of it that is asked for.
        targets: The tasks that are asked for; none if that is all of it.
        params: The parameters, those included that only the rest of the workflow takes.
        options: What else is asked for.
        wish: What is wanted of earlier results.

    Raises:
        ParameterError: The parameters don't fit, or there is no task to be asked for or forced.
    """

    def __init__(
        self,
        whole: Wiring,
        params: Mapping[str, Any] | None,
        options: ExecuteOptions,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        if params is not None and not isinstance(params, Mapping):
            raise TypeError(f"params maps parameters to values by name, not {params!r}.")
        part = part_of(
            whole,
            options.targets,
            options.from_,
            options.force,
            downstream=options.force_downstream,
            given=options.overrides or (),
        )
        self.whole = whole
        self.wiring = part.wiring
        self.targets = part.targets
        self.params = check_parameters(whole, dict(params or {}), part.wiring)
        self.options = options
        self.signer = Signer()
        trust = whole.trust + clean_names("trust", options.trust)
        scope = options.cache_scope or whole.cache_scope
        self.wish = Wish(options.reuse, part.afresh, trust, clock.wall, scope)

    @cached_property
    def overrides(self) -> Mapping[int, Override]:
        """The values given in place of tasks, by node."""
        given = self.options.overrides or {}
        return {
            self.wiring.index[normal_name(name)]: Override(value) for name, value in given.items()
        }

    def digests_of_overrides(self) -> dict[str, str]:
        """Return what stored values are given in place of tasks, by name.

        Raises:
            UnstorableError: Names the task and the place inside the value.
        """
        tasks, given = self.wiring.tasks, self.overrides
        return {tasks[node].name: given[node].encoded(tasks[node].name).digest for node in given}

    @cached_property
    def _apart(self) -> Mapping[str, tuple[Encoded, tuple[Secret[Any], ...]]]:
        return encode_parameters(self.params)

    @cached_property
    def _encoded(self) -> Mapping[str, Encoded]:
        return {name: encoded for name, (encoded, _) in self._apart.items()}

    @cached_property
    def copied(self) -> tuple[str, ...]:
        """The parameters of which each body gets a copy of its own: small ones that can change."""
        return tuple(
            name
            for name, (encoded, _) in self._apart.items()
            if not is_atomic(self.params[name]) and len(encoded.data) <= _MOST_COPIED_BYTES
        )

    @cached_property
    def known_by(self) -> Mapping[str, str]:
        """What tasks know the parameters by: digests by name, the same for equal values.

        A secret's value is part of it only if it counts.
        """
        return {name: digest_that_counts(*apart) for name, apart in self._apart.items()}

    def check_secrets(self, store: StateStore | None) -> None:
        """Check that all secrets are given, but for those whose tasks may be restored.

        Raises:
            ParameterError: A secret is missing without which a body can't be called.
        """
        missing = missing_secrets(self.params)
        if missing:
            check_given(self.wiring, missing, self._restorable(store).__contains__)

    def _restorable(self, store: StateStore | None) -> set[str]:
        """Return the tasks of which there is a result that may be restored."""
        if store is None:
            return set()
        run = self.run_in(store)
        own = [] if run is None else store.tasks(run.id)
        run_id = "" if run is None else run.id
        history = History(store, self.wiring, run_id, own)
        found = {record.task for record in own if record.status is TaskStatus.COMPLETED}
        if self.wish.mode != "never":
            found |= {task for task, _ in history.last}
        return found - self.wish.force

    def request(self, info: Mapping[str, object]) -> ClaimRequest:
        """Return the claim of the run that is meant; `info` is kept with it for people.

        A run is known by its workflow, its parameters and what is given in place of tasks,
        whichever part is asked for.
        """
        options, signer = self.options, self.signer
        return ClaimRequest(
            workflow=self.wiring.name,
            key=key_of(self._encoded, self.digests_of_overrides()),
            run_id=options.run_id,
            new_run=options.new_run,
            wait=options.wait,
            take_over=options.take_over,
            params={name: value.digest for name, value in self._encoded.items()},
            results=tuple(
                ResultRecord(value, signature_of(value, signer)) for value in self._encoded.values()
            ),
            info=info,
        )

    def scope_of(self, run: RunRecord) -> Wiring:
        """Return all that a run was ever asked for."""
        return part_again(self.whole, run.targets, run.overrides)

    def run_in(self, store: StateStore) -> RunRecord | None:
        """Return the run that a claim would continue now; None if it would make one.

        Raises:
            StoreError: The run of the id asked for is another's.
        """
        request = self.request({})
        unfinished = store.unfinished(request.workflow, request.key)
        return run_to_continue(request, unfinished, _named(store, request.run_id))


def _named(store: StateStore, run_id: str | None) -> RunRecord | None:
    try:
        return None if run_id is None else store.run(run_id)
    except UnknownNameError:
        return None
