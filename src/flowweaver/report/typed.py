"""What a run was given, as it is typed at the command."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping, Sequence

from flowweaver.errors import FlowWeaverError
from flowweaver.records import RunRecord
from flowweaver.secret import Secret
from flowweaver.serialize import decode
from flowweaver.state_store import StateStore


class UntypableError(Exception):
    """A value that a run was given is no plain JSON; the message says which."""


def given_again(store: StateStore, run: RunRecord) -> Sequence[str]:
    """Return a run's parameters and overrides as the command `run` takes them.

    Secrets are left out: the workflow takes its own from the environment again, and the command
    says which others it needs.

    Raises:
        UntypableError: One is no plain JSON, or is not kept any more.
    """
    params = _texts(store, run.params, "Parameter")
    overrides = _texts(store, run.overrides, "What was given in place of")
    return [
        *typed("-p", params),
        *typed("--override", overrides),
    ]


def as_typed(words: Sequence[str]) -> str:
    """Return a command in one line; "--" is left out where nothing behind it begins with "-"."""
    if "--" in words:
        at = words.index("--")
        behind = words[at + 1 :]
        if not any(word.startswith("-") for word in behind):
            words = [*words[:at], *behind]
    return shlex.join(["flowweaver", *words])


def typed(option: str, texts: Mapping[str, str]) -> Sequence[str]:
    """Return texts as an option takes them: one that begins with "@" would name a file."""
    escaped = {name: f"@{text}" if text.startswith("@") else text for name, text in texts.items()}
    return [word for name, text in escaped.items() for word in (option, f"{name}={text}")]


def _texts(store: StateStore, digests: Mapping[str, str], what: str) -> dict[str, str]:
    found = {}
    for name, digest in digests.items():
        try:
            encoded = store.result(digest).encoded
            if encoded.codec == "tagged" and isinstance(decode(encoded), Secret):
                continue
        except FlowWeaverError as error:
            raise UntypableError(f"{what} {name!r} can't be read: {error}") from error
        if encoded.codec != "json":
            raise UntypableError(f"{what} {name!r} can't be typed")
        value = json.loads(bytes(encoded.data))
        found[name] = value if isinstance(value, str) else json.dumps(value)
    return found
