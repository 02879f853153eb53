"""What the commands share in reading their arguments."""

from __future__ import annotations

import argparse


def whole_number(given: str) -> int:
    """Return a number from 1, or have the command say what it was given instead."""
    if not given.isdecimal() or int(given) < 1:
        raise argparse.ArgumentTypeError(f"{given!r} is no whole number from 1")
    return int(given)
