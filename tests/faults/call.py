"""Call something of the harness in a fresh process, which may fork: it has no threads."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict, is_dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

_ROOT = Path(__file__).parents[2]
_LIMIT_SECONDS = 240.0


def in_fresh_process(function: Callable[..., Any], *arguments: object, **named: object) -> Any:
    """Return what a function of a module of the harness returns, as JSON has it.

    Raises:
        AssertionError: It raised; the message has the traceback.
    """
    asked = json.dumps([function.__module__, function.__name__, arguments, named])
    done = subprocess.run(
        [sys.executable, "-m", "tests.faults.call", asked],
        cwd=_ROOT,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=_LIMIT_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    return json.loads(done.stdout.splitlines()[-1])


def _main() -> None:
    module, name, arguments, named = json.loads(sys.argv[1])
    answer = getattr(import_module(module), name)(*arguments, **named)
    # On a line of its own, whatever bodies have printed.
    print("\n" + json.dumps(asdict(answer) if is_dataclass(answer) else answer))


if __name__ == "__main__":
    _main()
