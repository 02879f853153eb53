"""The parallel example joins what it should, and starts tasks by readiness."""

import bz2
import gzip
import lzma
import threading
from types import ModuleType

import pytest

from flowweaver import Origin, ThreadedExecutor, Workflow
from tests.examples.loading import load_example, with_body

LIMIT = 30


@pytest.fixture
def example() -> ModuleType:
    return load_example("parallel_run.py")


def test_each_compressor_gives_the_text_back(example):
    run = ThreadedExecutor(max_workers=2).execute(example.parallel, {"megabytes": 1})
    assert len(run["text"]) == 1_000_000
    assert gzip.decompress(run["gzip"]) == run["text"]
    assert bz2.decompress(run["bzip2"]) == run["text"]
    assert lzma.decompress(run["xz"]) == run["text"]


def test_ranking_joins_all_checks_smallest_first(example):
    run = ThreadedExecutor(max_workers=2).execute(example.parallel, {"megabytes": 1})
    sizes = {f"check {method}": len(run[method]) / 1e6 for method in ("gzip", "bzip2", "xz")}
    assert run["ranking"] == sorted(sizes.items(), key=lambda item: item[1])


def test_damaged_packing_fails_its_check(example):
    with pytest.raises(ValueError, match="does not come back"):
        example.check(gzip.compress(b"something else"), b"text")


def test_a_check_starts_while_another_compressor_still_works(example):
    gzip_checked = threading.Event()

    def slow_xz(text):
        assert gzip_checked.wait(LIMIT), "the check of gzip waited for xz"
        return lzma.compress(text)

    def signalling_check(packed, text):
        gzip_checked.set()
        return example.check(packed, text)

    bodies = {"xz": slow_xz, "check gzip": signalling_check}
    tasks = [
        with_body(task, bodies.get(task.name, task.fn))
        for task in example.parallel.get_all_tasks().values()
    ]
    run = ThreadedExecutor(max_workers=2).execute(Workflow("parallel", tasks), {"megabytes": 1})
    assert len(run["ranking"]) == 3


def test_second_run_restores_every_task(example, store):
    executor = ThreadedExecutor(max_workers=2, state_store=store)
    first = executor.execute(example.parallel, {"megabytes": 1})
    second = executor.execute(example.parallel, {"megabytes": 1})
    assert {task_run.origin for task_run in second.tasks.values()} == {Origin.RESTORED}
    assert second["xz"] == first["xz"]
    assert second["ranking"] == first["ranking"]
