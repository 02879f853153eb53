"""The command as a user starts it: a process of its own, in a folder of its own."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from textwrap import dedent
from typing import Any

from tests.observers.terminal import LIMIT_SECONDS, wait_until

COMMAND = [sys.executable, "-m", "flowweaver"]


class Started:
    """A command under way; what it prints goes to files, so that it is never held up."""

    def __init__(self, folder: Path, arguments: tuple[str, ...], **options: Any) -> None:
        number = len(list(folder.glob("*.stdout")))
        self._stdout = folder / f"{number}.stdout"
        self._stderr = folder / f"{number}.stderr"
        with self._stdout.open("wb") as out, self._stderr.open("wb") as err:
            self.process = subprocess.Popen(
                [*COMMAND, *arguments],
                cwd=folder,
                preexec_fn=_heed_signals,
                **{
                    "env": _surroundings(),
                    "stdin": subprocess.DEVNULL,
                    "stdout": out,
                    "stderr": err,
                    **options,
                },
            )

    @property
    def stdout(self) -> str:
        return self._stdout.read_text(encoding="utf-8")

    @property
    def stderr(self) -> str:
        return self._stderr.read_text(encoding="utf-8")

    def send(self, signum: int) -> None:
        self.process.send_signal(signum)

    def wait_for(self, text: str) -> None:
        """Wait until `text` is in the standard error."""
        wait_until(lambda: text in self.stderr or self.process.poll() is not None, text)
        assert text in self.stderr

    def end(self) -> int:
        """Wait for the end and return the exit code."""
        try:
            return self.process.wait(LIMIT_SECONDS)
        finally:
            self.process.kill()
            self.process.wait()


def _heed_signals() -> None:
    # Whoever runs the tests in the background may ignore Ctrl-C, which children inherit.
    signal.signal(signal.SIGINT, signal.default_int_handler)


def _surroundings() -> dict[str, str]:
    """Return the environment without the width of the terminal that the tests may run in."""
    return {name: value for name, value in os.environ.items() if name != "COLUMNS"}


class Project:
    """A user's folder with files of workflows."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._started: list[Started] = []

    def write(self, name: str, text: str) -> Path:
        """Write a file, dedented; its folder is made."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(text), encoding="utf-8")
        return path

    def run(
        self, *arguments: str, env: dict[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run ``flowweaver ARGUMENTS`` to its end."""
        return subprocess.run(
            [*COMMAND, *arguments],
            cwd=self.folder,
            env={**_surroundings(), **(env or {})},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            timeout=LIMIT_SECONDS,
        )

    def json(self, *arguments: str) -> Any:
        """Run ``flowweaver ARGUMENTS --json`` and return what it prints."""
        return json.loads(self.run(*arguments, "--json").stdout)

    def start(self, *arguments: str, **options: Any) -> Started:
        """Start ``flowweaver ARGUMENTS`` and go on."""
        started = Started(self.folder, arguments, **options)
        self._started.append(started)
        return started

    def close(self) -> None:
        """End whatever a failed test has left running."""
        for started in self._started:
            started.process.kill()
            started.process.wait()

    def touch(self, name: str) -> None:
        """Make a file that a body waits for."""
        (self.folder / name).touch()

    def wait_for(self, name: str) -> None:
        """Wait until a body has made the file."""
        wait_until((self.folder / name).exists, f"the file {name}")
