"""joblib: short calls in batches on worker processes."""

from __future__ import annotations

from benchmarks.subjects.clock import microseconds_each
from benchmarks.subjects.floors import PROCESSES, step


def process_map(size: int) -> float:
    """Map a function over a list in warm processes."""
    from joblib import Parallel, delayed

    with Parallel(PROCESSES) as parallel:
        parallel(delayed(step)(number) for number in range(PROCESSES))

        def work() -> object:
            return parallel(delayed(step)(number) for number in range(size))

        return microseconds_each(work, size)
