"""Values on their way through a store and back: kept exactly, refused by name, never changed."""

from __future__ import annotations

import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from hypothesis import HealthCheck, given, seed, settings

from flowweaver import SequentialExecutor, Task, UnstorableError, Workflow
from flowweaver.records import Changes, ClaimRequest, ResultRecord
from flowweaver.serialize import Signer, encode, needs_signature
from tests.faults.children import STORES
from tests.faults.kills import scratch
from tests.serialize.awkward import AWKWARD
from tests.serialize.sameness import same
from tests.serialize.test_round_trip import VALUES

KEPT, REFUSED, CHANGED = "kept exactly", "refused by name", "changed"

_BATCH = 250


class Recursive:
    def __reduce__(self) -> Any:
        return type(self), (Recursive(),)


class Raising:
    def __reduce__(self) -> Any:
        raise RuntimeError("not to be pickled")


UNSTORABLE: dict[str, Callable[[], Any]] = {
    "lock": threading.Lock,
    "generator": lambda: (number for number in range(3)),
    "open file": lambda: sys.__stdout__,
    "thread": lambda: threading.Thread(target=print),
    "pickling raises": Raising,
    "pickling recurses": Recursive,
    "module": lambda: threading,
    "100,000 levels": lambda: _nested(100_000),
    "lock deep inside": lambda: {"x": [1, (2, threading.Lock())]},
}

ARRAYS: dict[str, Any] = {
    "scalar": np.float32(1.5),
    "array": np.arange(6, dtype=np.int16).reshape(2, 3),
    "array of nan": np.array([np.nan, -0.0, np.inf]),
    "empty array": np.zeros((0, 3)),
    "array of dates": np.array(["2024-02-29", "NaT"], dtype="datetime64[D]"),
    "frame": pd.DataFrame({"a": [1, 2], "b": ["x", None]}),
}


def _nested(depth: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(depth):
        value = [value]
    return value


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, np.ndarray | np.generic):
        equal = np.array_equal(one, other, equal_nan=one.dtype.kind in "fM")
        return type(one) is type(other) and one.dtype == other.dtype and bool(equal)
    if isinstance(one, pd.DataFrame):
        return isinstance(other, pd.DataFrame) and one.equals(other)
    return same(one, other)


def give(value: Any) -> Any:
    return value


def awkward(store: str) -> tuple[Counter[str], list[str]]:
    """Send hand-made values through a workflow and a store, and read them in a run of its own."""
    values = {**AWKWARD, **ARRAYS}
    names = {f"v{number}": key for number, key in enumerate(values)}
    tasks = [Task(name, partial(give, values[key])) for name, key in names.items()]
    refused = dict(enumerate(UNSTORABLE))
    tasks += [Task(f"u{number}", UNSTORABLE[key]) for number, key in refused.items()]
    tasks = [task.with_options(version="1") for task in tasks]
    workflow = Workflow("awkward", tasks)
    outcomes: Counter[str] = Counter()
    changed = []
    with scratch() as directory:
        for _ in range(2):  # made the first time, restored the second
            kept = STORES[store](directory)
            run = SequentialExecutor(state_store=kept).execute(workflow, raise_on_failure=False)
            for name, key in names.items():
                outcomes[KEPT if _same(values[key], run[name]) else CHANGED] += 1
                changed += [] if _same(values[key], run[name]) else [f"{store}: {key}"]
            for number, key in refused.items():
                error = run.tasks[f"u{number}"].error
                named = error is not None and error.kind.endswith("UnstorableError")
                outcomes[REFUSED if named else CHANGED] += 1
                changed += [] if named else [f"{store}: {key} was not refused: {error}"]
            kept.close()
    return outcomes, changed


def generated(store: str, count: int, first_seed: int) -> tuple[Counter[str], list[str]]:
    """Send generated values through a store and back."""
    outcomes: Counter[str] = Counter()
    changed: list[str] = []
    batch: list[Any] = []

    @settings(
        max_examples=count,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @seed(first_seed)
    @given(VALUES)
    def collect(value: Any) -> None:
        batch.append(value)

    collect()
    with scratch() as directory:
        for start in range(0, len(batch), _BATCH):
            for value, back in _through(store, directory, batch[start : start + _BATCH]):
                if back is _NOT_STORED:
                    outcomes[REFUSED] += 1
                elif _same(value, back):
                    outcomes[KEPT] += 1
                else:
                    outcomes[CHANGED] += 1
                    changed.append(f"{store}: {value!r}")
    return outcomes, changed


_NOT_STORED = object()


def _through(store: str, directory: Path, values: Iterable[Any]) -> Iterable[tuple[Any, Any]]:
    """Yield each value with what a second process would read of it."""
    signer = Signer()
    encoded: list[tuple[Any, str | None]] = []
    records = []
    for value in values:
        try:
            made = encode(value)
        except UnstorableError:
            encoded.append((value, None))
            continue
        signature = signer.sign(made) if needs_signature(made.codec) else None
        records.append(ResultRecord(made, signature))
        encoded.append((value, made.digest))
    writer = STORES[store](directory)
    lease = writer.claim(ClaimRequest("generated", "k", new_run=True))
    writer.commit(lease, Changes(results=records))
    writer.release(lease)
    writer.close()
    reader = STORES[store](directory)
    for value, digest in encoded:
        if digest is None:
            yield value, _NOT_STORED
            continue
        record = reader.result(digest)
        yield value, signer.decode(record.encoded, record.signature)
    reader.close()
