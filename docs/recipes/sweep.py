"""Try 200 configurations side by side, and only new ones the next time.

Each configuration is a TaskRun of its own: it is stored, retried and restored by itself. A wider
grid runs what it adds; `flowweaver show last score[17]` shows one of them.

    flowweaver run sweep.py -e processes
    flowweaver run sweep.py -e processes -p 'rates=[0.1, 0.2, 0.3]'
"""

import random
from itertools import product

from flowweaver import Workflow, each, task

RATES = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 0.8, 1.0]


@task
def grid(rates: list[float] = RATES, seeds: int = 25) -> list[dict[str, float]]:
    if not rates or seeds < 1:
        raise ValueError("there is nothing to try: give at least one rate and one seed")
    return [{"rate": rate, "seed": seed} for rate, seed in product(rates, range(seeds))]


@task(inputs={"config": each("grid")})
def score(config: dict[str, float]) -> float:
    """Walk down a slope; too short and too long steps both end far from the bottom."""
    place = random.Random(config["seed"]).uniform(-10, 10)
    for _ in range(20):
        place -= config["rate"] * 2 * place
    return abs(place)


@task
def best(grid: list[dict[str, float]], score: list[float]) -> dict[str, float]:
    by_rate: dict[float, list[float]] = {}
    for config, found in zip(grid, score, strict=True):
        by_rate.setdefault(config["rate"], []).append(found)
    means = {rate: sum(found) / len(found) for rate, found in by_rate.items()}
    rate = min(means, key=lambda one: means[one])
    return {"rate": rate, "score": means[rate]}


sweep = Workflow("sweep", [grid, score, best])
