"""joblib: short calls in batches on worker processes; functions cached in files."""

from __future__ import annotations

from benchmarks.subjects.clock import import_milliseconds, microseconds_each
from benchmarks.subjects.floors import PROCESSES, step


def process_map(size: int) -> float:
    """Map a function over a list in warm processes."""
    from joblib import Parallel, delayed

    with Parallel(PROCESSES) as parallel:
        parallel(delayed(step)(number) for number in range(PROCESSES))

        def work() -> object:
            return parallel(delayed(step)(number) for number in range(size))

        return microseconds_each(work, size)


def chain_cached(size: int) -> float:
    """Call a cached function with the result of the call before."""
    from joblib import Memory

    cached = Memory("cache", verbose=0).cache(following)

    def work() -> None:
        value = 0
        for _ in range(size):
            value = cached(value)

    return microseconds_each(work, size)


def following(x: int) -> int:
    """Give another value for each, so that each is kept."""
    return x + 1


def restore(size: int) -> float:
    """Call it again with the same arguments."""
    chain_cached(size)
    return chain_cached(size)


def import_it(size: int) -> float:
    """What a user imports, over bare Python."""
    return import_milliseconds("from joblib import Memory, Parallel, delayed", size)
