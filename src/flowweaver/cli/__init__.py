"""The command `flowweaver`: a thin face, one file per group of commands."""

from flowweaver.cli.app import main

__all__ = ["main"]
