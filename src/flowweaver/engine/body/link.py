"""What a running body can say to the run: signs of life, and state for its next attempt."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, MutableMapping
from threading import Lock
from time import monotonic
from typing import Any

from flowweaver.engine.body.call import Call
from flowweaver.errors import UnstorableError
from flowweaver.forks import refuse_copy
from flowweaver.masking import mask, masker
from flowweaver.records import Changes, Lease, StateRecord
from flowweaver.serialize import Encoded, decode, encode
from flowweaver.serialize.culprit import SECRET_REASON
from flowweaver.state_store import StateStore


class LocalLink:
    """The link of bodies in the runner's own process."""

    def __init__(self, store: StateStore | None, lease: Lease | None) -> None:
        self._store = store
        self._lease = lease
        self._kept: dict[tuple[str, str], dict[str, Encoded]] = {}
        self._lock = Lock()
        self._pid = os.getpid()

    def beat(self, call: Call) -> None:
        """Note the time."""
        refuse_copy(self._pid, call.name)
        call.beat = monotonic()

    def load_state(self, call: Call) -> Mapping[str, Encoded]:
        """Return the items in the store, or in memory where there is none."""
        refuse_copy(self._pid, call.name)
        key = (call.task.name, call.element)
        with self._lock:
            if key not in self._kept:
                self._kept[key] = self._read(*key)
            return dict(self._kept[key])

    def save_state(self, call: Call, name: str, value: Encoded | None) -> None:
        """Commit the item on its own, at once."""
        refuse_copy(self._pid, call.name)
        if call.over:
            return  # a body that was left behind must not disturb the attempt that came after
        key = (call.task.name, call.element)
        self.load_state(call)
        if self._store is not None and self._lease is not None:
            record = StateRecord(self._lease.run.id, *key, name, value)
            self._store.commit(self._lease, Changes(state=[record]))
        with self._lock:
            if value is None:
                self._kept[key].pop(name, None)
            else:
                self._kept[key][name] = value

    def _read(self, task: str, element: str) -> dict[str, Encoded]:
        if self._store is None or self._lease is None:
            return {}
        return dict(self._store.state(self._lease.run.id, task, element))


class TaskState(MutableMapping[str, Any]):
    """What a task keeps for its next attempt: durable from assignment, gone with the run.

    Items are plain values (no pickle): job ids, cursors, counts.
    """

    def __init__(self, call: Call) -> None:
        self._call = call
        self._link = call.scope.link

    def __getitem__(self, name: str) -> Any:
        return decode(self._link.load_state(self._call)[name])

    def __setitem__(self, name: str, value: Any) -> None:
        root = f"state[{mask(repr(name))}]"
        if masker.is_in(name.encode("utf-8", "surrogatepass")):
            raise UnstorableError(root, SECRET_REASON)
        encoded = encode(value, allow_pickle=False, root=root)
        self._link.save_state(self._call, name, encoded)

    def __delitem__(self, name: str) -> None:
        if name not in self._link.load_state(self._call):
            raise KeyError(name)
        self._link.save_state(self._call, name, None)

    def __iter__(self) -> Iterator[str]:
        return iter(self._link.load_state(self._call))

    def __len__(self) -> int:
        return len(self._link.load_state(self._call))
