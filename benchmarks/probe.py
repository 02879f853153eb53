"""What runs in a process of its own: one function of one subject, once.

``python -m benchmarks.probe MODULE FUNCTION SIZE ANSWER`` writes ``{"value": ...}`` or
``{"skipped": "..."}`` to the file ANSWER; whatever the subject prints is no part of it.
"""

from __future__ import annotations

import json
import sys
from importlib import import_module
from pathlib import Path

from benchmarks.model import Unavailable


def main(arguments: list[str]) -> None:
    """Measure, and write the answer."""
    module, function, size, answer = arguments
    subject = import_module(f"benchmarks.subjects.{module}")
    told: dict[str, float | str]
    try:
        told = {"value": float(getattr(subject, function)(int(size)))}
    except Unavailable as error:
        told = {"skipped": str(error)}
    Path(answer).write_text(json.dumps(told))


if __name__ == "__main__":
    main(sys.argv[1:])
