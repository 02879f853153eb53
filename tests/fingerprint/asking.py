"""Ask fresh processes for fingerprints."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

_RUNNER = Path(__file__).with_name("runner.py")
_ROOT = Path(__file__).parents[2]


def ask(
    jobs: list[dict[str, str]], python: str = sys.executable, seed: str = "random"
) -> list[dict[str, Any]]:
    """Have a fresh process do the jobs."""
    paths = os.pathsep.join([str(_ROOT / "src"), str(_ROOT)])
    environment = {**os.environ, "PYTHONPATH": paths, "PYTHONHASHSEED": seed}
    done = subprocess.run(
        [python, str(_RUNNER)],
        input=json.dumps(jobs),
        capture_output=True,
        text=True,
        env=environment,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: list[dict[str, Any]] = json.loads(done.stdout.splitlines()[-1])
    return found
