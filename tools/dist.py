"""Build the sdist and the wheel so that anyone gets the same bytes, and try them.

``python -m tools.dist`` does it all; ``python -m tools.dist try FOLDER`` only runs a first workflow
with the wheel that is there already.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
import tarfile
import tempfile
import zipfile
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

ROOT = Path(__file__).parents[1]
_NEVER_PACKED = ("tests", "simulation", "benchmarks", "tools")
_ALWAYS_PACKED = (
    "flowweaver/py.typed",
    "flowweaver/cli/template/pipeline.py.txt",
    "flowweaver/report/static/vendor/LICENSES.txt",
    "/sboms/flowweaver.cdx.json",
    "/licenses/LICENSE",
)


def main(arguments: Sequence[str]) -> None:
    """Build into ``dist/``, or try a wheel."""
    if arguments and arguments[0] == "try":
        (wheel,) = Path(arguments[1]).glob("*.whl")
        try_wheel(wheel)
        return
    built = build_twice(ROOT / "dist")
    run(sys.executable, "-m", "twine", "check", "--strict", *built)
    wheel = built[0]
    run(sys.executable, "-m", "check_wheel_contents", wheel)
    check_contents(wheel)
    try_wheel(wheel)


def build_twice(target: Path) -> list[Path]:
    """Build from here, and once more from the sdist that came of it; both must be the same.

    Raises:
        SystemExit: They are not.
    """
    for old in target.glob("*"):
        old.unlink()
    first = build(ROOT, target)
    with tempfile.TemporaryDirectory() as folder:
        sdist = first[1]
        with tarfile.open(sdist) as archive:
            archive.extractall(folder, filter="data")
        second = build(Path(folder, sdist.name.removesuffix(".tar.gz")), Path(folder, "again"))
        for path, again in zip(first, second, strict=True):
            if digest(path) != digest(again):
                sys.exit(f"{path.name} is not the same when it is built again from its sdist.")
            print(f"{digest(path)}  {path.name}")
    return first


def build(source: Path, target: Path) -> list[Path]:
    """Build with what is installed here; return the wheel and the sdist."""
    when = os.environ.get("SOURCE_DATE_EPOCH") or last_change()
    hatchling = [sys.executable, "-m", "hatchling", "build"]
    run(*hatchling, "--directory", target, cwd=source, quiet=True, SOURCE_DATE_EPOCH=when)
    return [next(target.glob("*.whl")), next(target.glob("*.tar.gz"))]


def last_change() -> str:
    """Return when the last commit was made, which all that is packed is dated by."""
    return run("git", "log", "-1", "--format=%ct", cwd=ROOT, quiet=True).strip()


def digest(path: Path) -> str:
    """Return the SHA-256 of a file."""
    return sha256(path.read_bytes()).hexdigest()


def check_contents(wheel: Path) -> None:
    """Raise `SystemExit` if the wheel has what it must not have, or lacks what it must have."""
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    extra = [name for name in names if set(_NEVER_PACKED) & set(name.split("/"))]
    missing = [end for end in _ALWAYS_PACKED if not any(name.endswith(end) for name in names)]
    if extra or missing:
        sys.exit(f"{wheel.name} must not hold {extra}, and lacks {missing}.")


def try_wheel(wheel: Path) -> None:
    """Install a wheel alone into an empty environment and run a first workflow with it."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        programs = environment(folder / "environment", wheel)
        flowweaver = program(programs, "flowweaver")
        run(flowweaver, "init", "demo", cwd=folder)
        for origin in ("executed", "restored"):
            done = run(flowweaver, "run", "pipeline.py", "--json", cwd=folder / "demo", quiet=True)
            tasks = json.loads(done)["tasks"]
            if {task["origin"] for task in tasks} != {origin}:
                sys.exit(f"The tasks of a first workflow were not all {origin}: {done}")
    print(f"{wheel.name} alone runs a first workflow, and restores it.")


def environment(folder: Path, wheel: Path) -> Path:
    """Make an environment that has the wheel and what it needs; return where its programs are."""
    run(sys.executable, "-m", "venv", "--without-pip", folder)
    programs = Path(sysconfig.get_path("scripts", "venv", vars={"base": str(folder)}))
    pip = (sys.executable, "-m", "pip", "--python", program(programs, "python"))
    run(*pip, "install", "--quiet", "--constraint", ROOT / "constraints.txt", wheel)
    return programs


def program(folder: Path, name: str) -> Path:
    """Return where a program of an environment is on this system."""
    return folder / (name + (sysconfig.get_config_var("EXE") or ""))


def run(
    *command: str | Path, cwd: Path | None = None, quiet: bool = False, **variables: str
) -> str:
    """Run a command and return what it printed, which is shown unless `quiet`.

    Raises:
        SystemExit: It failed; what it said is shown.
    """
    # Without PYTHONPATH, which would let another FlowWeaver be found than the wheel's.
    inherited = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        command,
        check=False,
        cwd=cwd,
        env=inherited | variables,
        capture_output=True,
        encoding="utf-8",
    )
    if done.returncode:
        sys.exit(f"{done.stdout}{done.stderr}{command[0]} failed ({done.returncode}).")
    if not quiet:
        print(done.stdout, end="")
    return done.stdout


if __name__ == "__main__":
    main(sys.argv[1:])
