"""Frames of hundreds of megabytes: written once, mapped into memory by those who take them.

A frame that is given as a parameter, or that two tasks take, is not copied for any of them; results
are let go of as soon as nobody takes them any more, and together they keep to the limit.

    python large_frames.py             # 12,500,000 rows: a frame of 300 MB
    python large_frames.py 20000
"""

import sys

import numpy as np
import pandas as pd

from flowweaver import SQLiteStateStore, ThreadedExecutor, Workflow, task


def readings(rows: int) -> pd.DataFrame:
    random = np.random.default_rng(1)
    return pd.DataFrame(
        {
            "sensor": random.integers(0, 100, rows),
            "hour": np.arange(rows) % 24,
            "value": random.normal(20.0, 5.0, rows),
        }
    )


@task
def fahrenheit(readings: pd.DataFrame) -> pd.DataFrame:
    return readings.assign(value=readings["value"] * 1.8 + 32)


@task
def by_sensor(fahrenheit: pd.DataFrame) -> pd.DataFrame:
    return fahrenheit.groupby("sensor", as_index=False)["value"].mean()


@task
def by_hour(fahrenheit: pd.DataFrame) -> pd.DataFrame:
    return fahrenheit.groupby("hour", as_index=False)["value"].max()


@task
def spread(by_sensor: pd.DataFrame, by_hour: pd.DataFrame) -> float:
    return float(by_hour["value"].max() - by_sensor["value"].min())


frames = Workflow("frames", [fahrenheit, by_sensor, by_hour, spread])

if __name__ == "__main__":
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 12_500_000
    executor = ThreadedExecutor(4, state_store=SQLiteStateStore("frames.db"))
    run = executor.execute(frames, {"readings": readings(rows)}, memory_limit="2GB")
    print(f"{run['spread']:.1f} degrees between the coldest sensor and the hottest hour")
    print(run.outcomes())
