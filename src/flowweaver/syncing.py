"""Names in a directory, forced onto the disk."""

import os
import sys
from pathlib import Path


def sync_directory(path: Path) -> None:
    """Have what was renamed, linked or made in a directory survive a power cut.

    Windows can't open a directory, and need not.
    """
    if sys.platform == "win32":
        return
    fd = os.open(path, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
