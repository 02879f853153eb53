"""A fan-out of tasks that do nothing: on Dask and on Ray beside each engine alone, and here.

Run it as ``python -m benchmarks.clusters [tasks]``; it starts clusters of two slots here.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from time import perf_counter, sleep

from flowweaver import (
    AsyncExecutor,
    DaskExecutor,
    Executor,
    ProcessExecutor,
    RayExecutor,
    SequentialExecutor,
    Task,
    ThreadedExecutor,
    Workflow,
    each,
)
from flowweaver.testing.bodies import give

_PLACES = 2
_SECONDS = 0.005

Body = Callable[[int], int]


def work(value: int) -> int:
    """Return the number after a while, as a short body of some use would."""
    sleep(_SECONDS)
    return value


def fan_out(executor: Executor, body: Body, count: int) -> None:
    """Run a workflow that maps a task over so many numbers."""
    numbers = Task("numbers", partial(give, list(range(count))))
    run = executor.execute(
        Workflow("fan-out", [numbers, Task("same", body, inputs={"value": each("numbers")})])
    )
    assert len(run["same"]) == count


def seconds(work: Callable[[], object]) -> float:
    """Return how long `work` takes."""
    began = perf_counter()
    work()
    return perf_counter() - began


def on_dask(body: Body, count: int) -> tuple[float, float]:
    """Return the seconds of FlowWeaver and of Dask alone, which comes first: undisturbed."""
    from distributed import Client, LocalCluster

    with (
        LocalCluster(n_workers=_PLACES, threads_per_worker=1, dashboard_address=None) as cluster,
        Client(cluster) as client,
    ):

        def alone(count: int) -> object:
            return client.gather(client.map(body, range(count), pure=False))

        alone(100)
        bare = seconds(lambda: alone(count))
        executor = DaskExecutor(client)
        fan_out(executor, body, 100)
        return seconds(lambda: fan_out(executor, body, count)), bare


def on_ray(body: Body, count: int) -> tuple[float, float]:
    """Return the seconds of FlowWeaver and of Ray alone, which comes first: undisturbed."""
    import ray

    ray.init(address="local", num_cpus=_PLACES, include_dashboard=False, logging_level="ERROR")
    remote = ray.remote(body)

    def alone(count: int) -> object:
        return ray.get([remote.remote(number) for number in range(count)])

    alone(100)
    bare = seconds(lambda: alone(count))
    executor = RayExecutor()
    fan_out(executor, body, 100)
    ours = seconds(lambda: fan_out(executor, body, count))
    ray.shutdown()
    return ours, bare


def here(count: int) -> dict[str, float]:
    """Return the seconds of the executors that stay on this machine."""
    executors: dict[str, Executor] = {
        "sequential": SequentialExecutor(),
        "threads": ThreadedExecutor(_PLACES),
        "async": AsyncExecutor(_PLACES),
        "processes": ProcessExecutor(_PLACES),
    }
    for executor in executors.values():
        fan_out(executor, give, 100)
    return {name: seconds(partial(fan_out, it, give, count)) for name, it in executors.items()}


def main() -> None:
    """Measure and print."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    for engine, measure in (("Dask", on_dask), ("Ray", on_ray)):
        for body, number in ((give, count), (work, count // 10)):
            ours, bare = measure(body, number)
            print(
                f"{engine}, {body.__name__}: {number} tasks in {ours:.2f} s "
                f"({number / ours:.0f} a second), {bare:.2f} s alone: {ours / bare:.2f} x"
            )
    for name, took in here(count).items():
        print(f"{name}: {count} tasks in {took:.2f} s ({count / took:.0f} a second)")


if __name__ == "__main__":
    main()
