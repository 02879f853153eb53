"""A workflow whose bodies say their secret; one waits to be ended, and one fails."""

from __future__ import annotations

import time
from pathlib import Path

from flowweaver import Secret, Workflow, current_task, task


@task
def before(password: Secret[str]) -> int:
    value = password.reveal()
    headers = {"Authorization": f"Bearer {value}"}
    return len(headers)


@task
def fails(password: Secret[str]) -> None:
    value = password.reveal()
    raise RuntimeError(f"refused with {value}")


@task
def waiting(password: Secret[str], before: int) -> None:
    value = password.reveal()
    print(f"waiting with {value}", flush=True)
    current_task().state["step"] = before
    Path("begun").touch()
    end = time.monotonic() + 120
    while time.monotonic() < end:
        time.sleep(0.02)
    raise RuntimeError(value)


workflow = Workflow("waiting", [before, waiting, fails])
