"""What all tests share."""

import gc
import os
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from xdist.remote import Producer
from xdist.scheduler import LoadFileScheduling

from flowweaver.masking import masker

# Fixtures for all that want real services; each is started when it is first asked for.
from tests.services.chromium import chromium, tab
from tests.services.pgbouncer import pgbouncer
from tests.services.postgres import postgres, postgres_server

# Before any test imports the parts without the kit.
pytest.register_assert_rewrite("flowweaver.testing.store_parts")

# What can't be tried, or even imported, elsewhere: disks that fail and processes that are watched
# as only Linux lets one, then pseudo-terminals, forks and worker processes.
collect_ignore_glob: list[str] = []
if sys.platform != "linux":
    collect_ignore_glob += [
        "faults/*",
        "stores/test_failing_disks.py",
        "stores/common/test_disk.py",
    ]
if sys.platform == "darwin":
    collect_ignore_glob += ["portability/*"]
if sys.platform == "win32":
    collect_ignore_glob += ["acceptance/*", "cli/*", "executors/*", "observers/*", "plugin/*"]
    collect_ignore_glob += ["examples/*", "stores/test_*", "stores/*/*", "benchmarks/*", "ui/*"]
    collect_ignore_glob += ["serialize/test_keyfile.py"]

# No test asserts a timing, those of Hypothesis included: machines that run tests are busy.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")


# Ray's workers let all others go first (niceness 15): beside these tests they hardly came to work.
os.environ["RAY_worker_niceness"] = "0"  # noqa: SIM112  # its spelling

# Files that start a Ray or a Dask cluster of their own. One worker has them all: of two at once,
# calls run into their time limits.
CLUSTERED = (
    "executors/test_ray.py",
    "executors/test_dask.py",
    "acceptance/test_secrets.py",
    "acceptance/test_anywhere.py",
)

# Files whose tests take a minute or more, few as they are. They are begun first, as whoever had one
# of them last would work alone; the others follow by how many tests they have.
LONG = (
    "engine/test_interrupts.py",
    "examples/test_every_example.py",
    "plugin/test_installed.py",
    "acceptance/test_secrets_in_passing.py",
    "cli/test_signals.py",
    "stores/postgres/test_runners.py",
    "stores/postgres/test_under_fire.py",
    "engine/test_code_in_data.py",
    "engine/test_cutoff_at_random.py",
    "engine/test_unchanged_at_random.py",
    "fingerprint/test_mutations.py",
    "acceptance/test_moved.py",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put what takes long first, and refuse names that differ in each process that runs tests."""
    named = [item.nodeid for item in items if " at 0x" in item.nodeid]
    if named:
        raise pytest.UsageError(f"Give parameters a name that stays (ids=): {named}")
    counts = Counter(item.path for item in items)
    folder = Path(__file__).parent
    first = {folder / file: place for place, file in enumerate((*CLUSTERED, *LONG))}
    items.sort(key=lambda item: (first.get(item.path, len(first)), -counts[item.path], item.path))


class Scheduling(LoadFileScheduling):
    """Gives a worker all tests of a file, so that what they share is started once."""

    def _split_scope(self, nodeid: str) -> str:
        file = super()._split_scope(nodeid)
        return "clusters" if file.removeprefix("tests/") in CLUSTERED else file


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Scheduling:
    """Hand out whole files, in the order that they are in here."""
    config.option.loadscopereorder = False
    return Scheduling(config, log)


def pytest_xdist_auto_num_workers() -> int:
    """Have twice as many workers as processors: for much of their time, tests wait."""
    return 2 * (os.cpu_count() or 1)


def pytest_collection_finish() -> None:
    """Have no collection of garbage look through the tests, and what they import, each time."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def secrets_of_one_test() -> Iterator[None]:
    """Forget the secrets of a test, which would be masked in what others say."""
    known = dict(masker._known)
    yield
    if known.keys() != masker._known.keys():
        masker._known = known
        masker._version += 1


__all__ = ["chromium", "pgbouncer", "postgres", "postgres_server", "tab"]
