"""The results of a run: where each is, and a copy of it for whoever takes it."""

from __future__ import annotations

import json
import os
import re
from collections import OrderedDict
from hashlib import blake2b
from itertools import chain
from typing import Any
from weakref import WeakValueDictionary, ref

from flowweaver.engine.body.call import MISSING, Call
from flowweaver.engine.homes import Homes, TaskHome
from flowweaver.engine.proofs import NO_PROOF, Proof, place_of, proof_of
from flowweaver.engine.run_graph import RunGraph
from flowweaver.errors import NoResultError
from flowweaver.files.seen import is_read
from flowweaver.records import Failure, FileRecord, ResultRecord, TaskRecord
from flowweaver.serialize import (
    Encoded,
    Renamed,
    Signer,
    decode_trusted,
    digest_of,
    is_atomic,
    names_in,
    needs_signature,
)
from flowweaver.serialize.held import Held, is_to_be_held, listed, value_of
from flowweaver.state_store import StateStore

# Encoded results kept at hand for the tasks that take them; beyond it they are read back.
_CACHE_BYTES = 64 * 1024 * 1024
# Scalars that take no more than this need not be dropped where they are stored too.
_AT_HAND_BYTES = 1024


class _Absent:
    """Marks a node without a result."""


class _Dropped:
    """Marks a node whose result was dropped once all had taken it."""


class _Stored:
    """Marks a node whose result is in the store, under the digest that the graph has."""


class _Gathered:
    """The results of a mapped task's elements; `tree` has their nodes, nested as their keys."""

    __slots__ = ("tree",)

    def __init__(self, tree: list[Any]) -> None:
        self.tree = tree


class Results:
    """What each node returned.

    Without a store, values are held and shared as they are. With one, what can be changed is
    decoded anew for each that takes it: a body that changes its input changes nobody else's, and
    a resumed run sees what the first one saw. Their digests are noted in the graph.
    """

    __slots__ = (
        "_cache", "_cached_bytes", "_digests", "_graph", "_held", "_homes", "_looked_at",
        "_proofs", "_signer", "_store", "_workflow", "values",
    )  # fmt: skip

    def __init__(self, graph: RunGraph, store: StateStore | None, signer: Signer) -> None:
        self.values: list[Any] = [_Absent] * graph.size
        self._digests = graph.digests
        self._graph = ref(graph)
        self._homes = Homes(graph.wiring)
        self._workflow = graph.wiring.name
        self._proofs: dict[int, Proof] = {}
        self._store = store
        self._signer = signer
        self._cache: OrderedDict[str, Encoded] = OrderedDict()
        self._cached_bytes = 0
        self._looked_at: set[tuple[int, str]] = set()
        self._held: WeakValueDictionary[str, Held] = WeakValueDictionary()

    @property
    def store(self) -> StateStore | None:
        """Where they are kept, if they are."""
        return self._store

    def put(self, node: int, call: Call) -> ResultRecord:
        """Keep what a body returned, signed if need be; the answer is what the store is to keep."""
        encoded, value = call.encoded, call.value
        assert encoded is not None
        if node >= len(self.values):
            self._extend(node)
        if is_atomic(value) and len(encoded.data) <= _AT_HAND_BYTES:
            self.values[node] = value
        else:
            self.values[node] = _Stored
            self._remember(encoded)
        self._digests.note(node, encoded.digest, call.files, encoded.likeness)
        if call.seen:
            self._digests.seen[node] = call.seen
        if needs_signature(encoded.codec):
            place = place_of(call.scope.workflow, call.scope.run_id, call.task.name, call.element)
            call.signature = self._signer.sign(encoded, place)
            self._proofs[node] = Proof(call.signature, place)
        return ResultRecord(encoded)

    def put_gathered(self, node: int, tree: list[Any]) -> None:
        """Note that a node stands for the results of others, nested as `tree` has them."""
        self._extend(node)
        self.values[node] = _Gathered(tree)
        if self._store is not None:
            self._digests.note(node, self._digest_of_list(tree))

    def put_value(self, node: int, value: Any) -> None:
        """Keep a value that is in no store."""
        if node >= len(self.values):
            self._extend(node)
        self.values[node] = value

    def put_given(
        self, node: int, value: Any, encoded: Encoded, files: tuple[FileRecord, ...]
    ) -> None:
        """Keep a value as if it were stored, though it is not yet."""
        self.put_value(node, value)
        self._digests.note(node, encoded.digest, files, encoded.likeness)

    def put_failure(self, node: int, failure: Failure) -> None:
        """Keep the failure of an element, where that is taken in place of its result."""
        self.put_value(node, failure)
        if self._store is not None:
            self._digests.note(node, digest_of(str(failure)))

    def put_stored(self, node: int, record: TaskRecord) -> None:
        """Note that a node's result is in the store; it is read when asked for, not before."""
        if node >= len(self.values):
            self._extend(node)
        self.values[node] = _Stored
        assert record.digest is not None
        self._digests.note(node, record.digest, record.files, record.likeness)
        if record.seen:
            self._digests.seen[node] = record.seen
        if record.signature is not None:
            graph = self._graph()
            home = None if graph is None else self._homes.of(graph.owner(node))
            self._proofs[node] = proof_of(self._workflow, record, home)

    def is_signed_here(self, record: TaskRecord) -> bool:
        """Whether the signature of a result, if it has one, was made with the key that is here."""
        if record.signature is None or record.digest is None:
            return True
        return self._signer.fits(
            record.digest, record.signature, proof_of(self._workflow, record).place
        )

    def lacks(self, task: int, record: TaskRecord) -> str:
        """Return what of the project's a result names that is nowhere any more; "" if all is there.

        Of the results of one task that one run has made, one is looked at.
        """
        made = task, record.source_run or record.run_id
        if record.signature is None or record.digest is None or made in self._looked_at:
            return ""
        self._looked_at.add(made)
        home = self._homes.of(task)
        named = names_in(self.encoded(record.digest, proof_of(self._workflow, record)))
        return next(
            (f"{module}.{name}" for module, name in named if not home.has(module, name)), ""
        )

    def names(self, record: TaskRecord, place: str) -> bool:
        """Whether a result has the path of a place in it, or of what is there."""
        if record.digest is None:
            return False
        data = self.encoded(record.digest, proof_of(self._workflow, record)).data
        forms = {os.fsencode(place), json.dumps(place)[1:-1].encode()}
        return any(re.search(re.escape(form), data) for form in forms)

    @property
    def are_plain(self) -> bool:
        """Whether they are all there is to themselves: no file counts in any, none is signed."""
        digests = self._digests
        if self._proofs or digests.files:
            return False
        return not any(map(is_read, chain.from_iterable(digests.seen.values())))

    def drop(self, node: int) -> None:
        """Let go of a value nobody will take any more. What is stored can still be read."""
        if (
            self._store is None
            and self._is_there(node)
            and type(self.values[node]) is not _Gathered
        ):
            self.values[node] = _Dropped

    def get(self, node: int) -> Any:
        """Return the value for one taker.

        Raises:
            NoResultError: There is none.
            StoreError: It can't be read back as it was written.
        """
        value = self.take(node)
        if value is not MISSING:
            return value_of(value)
        if node < len(self.values) and self.values[node] is _Dropped:
            raise NoResultError("its result was dropped (drop_results=True) once it was used")
        raise NoResultError("it has not completed")

    def take(self, node: int) -> Any:
        """Return the value for one body, `MISSING` if there is none; raises as `get` does.

        A large one is `Held`, to be decoded where the body runs.
        """
        value = self.values[node] if node < len(self.values) else _Absent
        if value is _Stored:
            digest = self._digests.of_stored(node)
            assert digest is not None
            return self._taken(digest, self._proofs.get(node, NO_PROOF))
        if type(value) is _Gathered:
            return self._gather(value.tree)
        return MISSING if value is _Absent or value is _Dropped else value

    def kept_in(self, node: int) -> Renamed:
        """Return what modules were called when a node's result was kept, if that has changed."""
        home = self._proofs.get(node, NO_PROOF).home
        return home.kept_in if isinstance(home, TaskHome) else ()

    def rest(self) -> None:
        """Let go of what is only at hand for tasks to take: no more of them will."""
        self._cache.clear()
        self._cached_bytes = 0

    def _gather(self, tree: list[Any]) -> list[Any]:
        """Return the elements' results; those that were skipped are left out."""
        return listed([
            self._gather(item) if isinstance(item, list) else self._of_element(item)
            for item in tree
            if isinstance(item, list) or self._is_there(item)
        ])  # fmt: skip

    def _of_element(self, node: int) -> Any:
        value = self.take(node)
        return self.get(node) if value is MISSING else value

    def _taken(self, digest: str, proof: Proof) -> Any:
        held = self._held.get(digest)
        if held is not None:
            return held
        encoded = self.encoded(digest, proof)
        if not is_to_be_held(encoded):
            return decode_trusted(encoded, proof.home)
        # All who wait for their turn share the descriptors that it takes.
        self._held[digest] = held = Held(encoded)
        return held

    def _is_there(self, node: int) -> bool:
        return node < len(self.values) and self.values[node] is not _Absent

    def _extend(self, node: int) -> None:
        """Make room for a node that was added at run time."""
        missing = node + 1 - len(self.values)
        if missing > 0:
            self.values.extend([_Absent] * missing)

    def _digest_of_list(self, tree: list[Any]) -> str:
        """Return the digest of a list that is not stored as such."""
        state = blake2b(digest_size=20)
        pending: list[Any] = [tree]
        while pending:
            item = pending.pop()
            if isinstance(item, list):
                state.update(b"[%d]" % len(item))
                pending += reversed(item)
            else:
                state.update(f"{self._digests.of(item)};".encode())
        return state.hexdigest()

    def encoded(self, digest: str, proof: Proof = NO_PROOF) -> Encoded:
        """Return a stored value's bytes; its signature is checked before they are trusted."""
        known = self._cache.get(digest)
        if known is not None:
            self._cache.move_to_end(digest)
            return known
        assert self._store is not None
        record = self._store.result(digest)
        self._signer.verify(record.encoded, proof.signature or record.signature, proof.place)
        self._remember(record.encoded)
        return record.encoded

    def _remember(self, encoded: Encoded) -> None:
        # What a file is mapped to is its taker's own, to be changed at will.
        is_shared = isinstance(encoded.data, bytes) or encoded.data.readonly
        if not is_shared or encoded.digest in self._cache or len(encoded.data) > _CACHE_BYTES:
            return
        self._cache[encoded.digest] = encoded
        self._cached_bytes += len(encoded.data)
        while self._cached_bytes > _CACHE_BYTES:
            _, oldest = self._cache.popitem(last=False)
            self._cached_bytes -= len(oldest.data)
