"""The other Pythons that are on this machine."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

_SUPPORTED = range(11, 16)


@cache
def other_pythons() -> tuple[str, ...]:
    """Return one interpreter for each version that FlowWeaver supports, but this one."""
    minors = [minor for minor in _SUPPORTED if minor != sys.version_info.minor]
    found = (next(filter(_works, _candidates(minor)), None) for minor in minors)
    return tuple(python for python in found if python)


def _candidates(minor: int) -> Iterator[str]:
    """Yield what stands on the path, and what was installed beside this Python."""
    if on_path := shutil.which(f"python3.{minor}"):
        yield on_path
    beside = Path(sys.base_prefix).parent
    yield from map(str, sorted(beside.glob(f"*3.{minor}*/bin/python3")))


def _works(python: str) -> bool:
    return subprocess.run([python, "-c", ""], capture_output=True, check=False).returncode == 0
