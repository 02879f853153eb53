"""Snapshots of threads that collect no garbage, for Python before 3.11.9."""

import gc
import subprocess
import sys

import pytest

from flowweaver.executors._cluster.frames import keep_garbage_out_of_frames

pytestmark = pytest.mark.skipif(sys.version_info >= (3, 11, 9), reason="Python does so itself")

# Threads end all the time beside snapshots that make finalizers run.
PROFILED = """
import gc, os, sys, threading
from time import monotonic
from flowweaver.executors._cluster.frames import keep_garbage_out_of_frames

class Node:
    def __del__(self):
        for _ in range(200):
            pass

def begin_and_end():
    while True:
        thread = threading.Thread(target=int)
        thread.start()
        thread.join()

keep_garbage_out_of_frames()
gc.set_threshold(50, 5, 5)
sys.setswitchinterval(1e-5)
for _ in range(3):
    threading.Thread(target=begin_and_end, daemon=True).start()
over = monotonic() + 3
while monotonic() < over:
    one, other = Node(), Node()
    one.other, other.other = other, one
    del one, other
    assert threading.get_ident() in sys._current_frames()
os.write(1, b"alive")
os._exit(0)
"""


def test_process_that_is_profiled_goes_on_while_threads_end():
    ended = subprocess.run(
        [sys.executable, "-c", PROFILED], capture_output=True, text=True, timeout=60
    )
    assert ended.stdout == "alive", ended.stderr


@pytest.fixture
def current_frames(monkeypatch):
    monkeypatch.setattr(sys, "_current_frames", sys._current_frames)


def test_it_is_done_once(current_frames):
    keep_garbage_out_of_frames()
    there = sys._current_frames
    keep_garbage_out_of_frames()
    assert sys._current_frames is there


@pytest.mark.parametrize("enabled", [True, False])
def test_collection_is_left_as_it_was(current_frames, enabled):
    keep_garbage_out_of_frames()
    (gc.enable if enabled else gc.disable)()
    try:
        sys._current_frames()
        assert gc.isenabled() is enabled
    finally:
        gc.enable()
