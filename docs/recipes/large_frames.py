"""Frames of hundreds of megabytes: written once, mapped into memory by those who take them.

A frame that two tasks take is not copied for either of them; results are let go of as soon as
nobody takes them any more, and together they keep to the limit. 300 MB are 12,500,000 rows.

    python large_frames.py 12500000
"""

import sys

import numpy as np
import pandas as pd

from flowweaver import SQLiteStateStore, ThreadedExecutor, Workflow, task


@task
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
def by_sensor(readings: pd.DataFrame) -> pd.DataFrame:
    return readings.groupby("sensor", as_index=False)["value"].mean()


@task
def by_hour(readings: pd.DataFrame) -> pd.DataFrame:
    return readings.groupby("hour", as_index=False)["value"].max()


@task
def spread(by_sensor: pd.DataFrame, by_hour: pd.DataFrame) -> float:
    return float(by_hour["value"].max() - by_sensor["value"].min())


frames = Workflow("frames", [readings, by_sensor, by_hour, spread])

if __name__ == "__main__":
    executor = ThreadedExecutor(4, state_store=SQLiteStateStore("frames.db"))
    run = executor.execute(frames, {"rows": int(sys.argv[1])}, memory_limit="2GB")
    print(f"{run['spread']:.1f} degrees between the coldest sensor and the hottest hour")
    print(run.outcomes())
