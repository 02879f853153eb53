"""A Dask cluster on this machine whose workers may be killed again and again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import dask
from distributed import LocalCluster


@contextmanager
def local_cluster(**options: Any) -> Iterator[LocalCluster]:
    """Give a cluster without a dashboard that starts killed workers again for as long as it is.

    Dask closes a worker for good that isn't there so long after it was lost: also one that came
    back and was killed again just then.
    """
    with (
        dask.config.set({"distributed.deploy.lost-worker-timeout": "1 day"}),
        LocalCluster(dashboard_address=None, **options) as cluster,
    ):
        yield cluster
