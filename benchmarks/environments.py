"""Environments of their own for the peers, made on demand under `.bench/`."""

from __future__ import annotations

import subprocess
import sys
from functools import cache
from pathlib import Path

from benchmarks.model import Subject, Unavailable
from benchmarks.roster import ROOT

HOME = ROOT / ".bench"
INSTALL_SECONDS = 600


def make_home() -> Path:
    """Return the folder of the benchmark's own files, which git is told to overlook."""
    HOME.mkdir(exist_ok=True)
    (HOME / ".gitignore").write_text("*\n")
    return HOME


@cache
def python_of(subject: Subject) -> Path:
    """Return the interpreter that has the subject installed, after installing it if need be.

    Raises:
        Unavailable: It can't be installed here.
    """
    if not subject.requirements:
        return Path(sys.executable)
    folder = make_home() / subject.name
    python = folder / ("Scripts" if sys.platform == "win32" else "bin") / "python"
    stamp = folder / "installed.txt"
    wanted = f"{' '.join(subject.requirements)} on {sys.version}"
    is_pinned = all("==" in requirement for requirement in subject.requirements)
    if not (is_pinned and stamp.exists() and stamp.read_text() == wanted):
        print(f"installing {subject.label} into {folder.relative_to(ROOT)} ...", file=sys.stderr)
        _run([sys.executable, "-m", "venv", "--clear", "--without-pip", str(folder)])
        _run([
            *(sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet"),
            *("--disable-pip-version-check", *subject.requirements),
        ])  # fmt: skip
        stamp.write_text(wanted)
    return python


def _run(command: list[str]) -> None:
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=INSTALL_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        raise Unavailable(f"could not be installed within {INSTALL_SECONDS} s") from None
    if done.returncode:
        errors = [line for line in done.stderr.splitlines() if "ERROR" in line]
        told = errors or done.stderr.splitlines()[-1:] or ["no reason was given"]
        raise Unavailable(f"could not be installed: {told[-1].strip()}")
