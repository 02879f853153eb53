"""The hook that hears what bodies open is in nobody's way."""

from __future__ import annotations

import subprocess
import sys

TRACING = """
import sys, threading
from flowweaver.engine.body.hearing import hear_bodies

hear_bodies()
failed = []
sys.setswitchinterval(1e-6)

def trace(frame, event, arg):
    return None

def switch():
    for _ in range(3_000):
        try:
            sys.settrace(trace)
            sys.settrace(None)
        except RuntimeError as error:
            failed.append(error)

threads = [threading.Thread(target=switch) for _ in range(8)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(failed)
"""


def test_debuggers_set_their_trace_functions_in_many_threads_at_once() -> None:
    done = subprocess.run([sys.executable, "-c", TRACING], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("[]\n", "")
