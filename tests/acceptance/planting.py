"""Secrets that are planted, and how they are found in what a run leaves and a command says."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from urllib.parse import quote

from tests.cli.command import COMMAND

NIGHTLY = Path(__file__).with_name("secret_nightly.py")
PLANTED = {
    "PLANTED_PASSWORD": "planted-passw0rd",
    "PLANTED_DEFAULT": "planted default & more/of=it",
    "PLANTED_MODULE": "plänted \"module\" 'token'\\n",
    "PLANTED_BEARER": "planted.bearer.token",
    "PLANTED_KEY": "-----BEGIN KEY-----\nplantedMIIEpAIBAA\nplantedu1SU1LfVLP\n-----END KEY-----",
    "PLANTED_ODD": "planted-odd",
}
LIMIT_SECONDS = 240


def tells() -> list[bytes]:
    """Return what gives a secret away: it, its lines, and what they are usually written as."""
    found = set()
    for secret in PLANTED.values():
        for text in {secret, *secret.splitlines()}:
            if "KEY-----" in text and "\n" not in text:
                continue
            found |= {text, quote(text), quote(text, safe=""), json.dumps(text)[1:-1]}
            found |= {
                repr(text)[1:-1],
                text.encode().hex(),
                base64.b64encode(text.encode()).decode(),
            }
            found |= {repr(text.encode())[2:-1], json.dumps(text, ensure_ascii=False)[1:-1]}
            # Half of one is one too many.
            found |= {text[: max(9, len(text) - 4)]}
    return [text.encode(encoding) for text in found for encoding in ("utf-8", "utf-16-le")]


TELLS = tells()


def found_in(data: bytes) -> list[str]:
    """Return where a secret stands in bytes, with what is around it."""
    hits = []
    for tell in TELLS:
        place = data.find(tell)
        if place >= 0:
            hits.append(f"{tell!r} in ...{data[max(0, place - 120) : place + 120]!r}")
    return hits


def hits_in(folder: Path) -> dict[str, list[str]]:
    """Return where secrets stand in the files of a folder, by file."""
    files = [path for path in folder.rglob("*") if path.is_file() and path.name != NIGHTLY.name]
    assert files
    found = {str(path): found_in(path.read_bytes()) for path in files}
    found |= {f"name of {path}": found_in(os.fsencode(path)) for path in files}
    return {place: hits for place, hits in found.items() if hits}


class Planted:
    """A folder in which the workflow was run, and what was said there."""

    def __init__(self, folder: Path, store: str) -> None:
        self.folder, self.store = folder, store
        self.said: dict[str, bytes] = {}
        shutil.copy(NIGHTLY, folder)

    def start(self, *words: str, knowing: bool, typed: str = "", **environment: str) -> int:
        """Start a program there; one that is `knowing` has the secrets in its environment."""
        plain = {key: value for key, value in os.environ.items() if key not in PLANTED}
        known = PLANTED if knowing else {}
        done = subprocess.run(
            words,
            cwd=self.folder,
            env={**plain, **known, **environment},
            input=typed.encode(),
            capture_output=True,
            timeout=LIMIT_SECONDS,
        )
        call = f"{'knowing' if knowing else 'not knowing'}: {' '.join(words[1:])}{environment}"
        self.said[call] = done.stdout + b"\n" + done.stderr
        return done.returncode

    def drive(self, executor: str) -> None:
        """Execute the workflow twice by the script itself."""
        code = self.start(sys.executable, NIGHTLY.name, executor, self.store, knowing=True)
        assert code == 0, self.said

    def command(self, *words: str, knowing: bool = False) -> int:
        """Start the command there."""
        return self.start(*COMMAND, *words, knowing=knowing)

    def hits(self) -> dict[str, list[str]]:
        """Return where secrets stand in what was said and in what was left."""
        said = {place: hits for place, data in self.said.items() if (hits := found_in(data))}
        return said | hits_in(self.folder)
