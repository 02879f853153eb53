"""The facts that the result of a TaskRun depends on, as text; their layout is known here alone.

They are JSON: by kind of fact, a digest for each thing of that kind. It is written by hand, since
a run whose tasks are all restored does little else.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from enum import Enum
from hashlib import blake2b
from typing import Any, NamedTuple

_EFFECT = ', "effect": '


class FactKind(Enum):
    """What a fact is about; its value is its place in the text."""

    __hash__ = object.__hash__  # see TaskStatus

    CODE = "code"
    VERSION = "version"
    PARAMETER = "params"
    INPUT = "inputs"
    ORDER = "after"
    FILE = "files"
    # No place of its own: part of the code whose digest was made with another key.
    KEYED = "keyed"


class Change(NamedTuple):
    """One fact in which two TaskRuns of a task differ.

    `name` is that of the parameter, input, task waited for, file, or part of the code; "" where
    there is but one of the kind, or where it can't be told which part. `old` and `new` are the
    digests, or the versions; None where there is none.
    """

    kind: FactKind
    name: str
    old: str | None
    new: str | None


class Facts:
    """What a TaskRun's result depends on, and the digest of it, worked out when asked for."""

    __slots__ = ("_fingerprint", "_read", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self._fingerprint: str | None = None
        self._read: dict[str, Any] | None = None

    @property
    def fingerprint(self) -> str:
        """The digest of the text."""
        if self._fingerprint is None:
            self._fingerprint = blake2b(self.text.encode(), digest_size=16).hexdigest()
        return self._fingerprint

    def are(self, text: str, fingerprint: str | None) -> bool:
        """Whether these are the facts of an earlier TaskRun, given by its text and its digest."""
        if text == self.text:  # which is quicker to see than to digest
            self._fingerprint = fingerprint
            return True
        return fingerprint == self.fingerprint

    @property
    def code(self) -> str | None:
        """The digest of the task's code; None where a version stands for it."""
        code = self.told().get("code")
        return code if isinstance(code, str) else None

    @property
    def version(self) -> str | None:
        """What the task gave as its version."""
        version: str | None = self.told().get("version")
        return version

    @property
    def are_of_lasting_effect(self) -> bool:
        """Whether they are of an effect that happens once for ever."""
        return _EFFECT in self.text

    def tell(self, kind: FactKind) -> bool:
        """Whether anything is known about facts of a kind."""
        return kind.value in self.told()

    def of(self, kind: FactKind) -> Mapping[str, str]:
        """Return the digests of parameters, inputs, tasks waited for, or files, by name."""
        found = self.told().get(kind.value)
        return found if isinstance(found, dict) else {}

    def told(self) -> Mapping[str, Any]:
        """Return all facts, for people and programs to look at."""
        if self._read is None:
            try:
                read = json.loads(self.text or "{}")
            except (ValueError, RecursionError):
                read = {}
            self._read = read if isinstance(read, dict) else {}
        return self._read


def beginning(
    code: str | None, version: str | None, params: Mapping[str, str], effect: str = ""
) -> str:
    """Return what can be said of a task's facts before any of its results are there."""
    return (
        f'{{"code": {"null" if code is None else json.dumps(code)}, '
        f'"version": {"null" if version is None else json.dumps(version)}, '
        f'"params": {json.dumps(params) if params else "{}"}'
        f"{effect and _EFFECT + json.dumps(effect)}"
    )


def partial(begun: str) -> Facts:
    """Return facts that say nothing but their beginning."""
    return Facts(begun + "}")


def key(name: str) -> str:
    """Return what introduces the digest of a result that is taken under a name."""
    return json.dumps(name) + ": "


def whole(
    begun: str,
    inputs: Iterable[str],
    order: Iterable[str] = (),
    files: Mapping[str, str] | None = None,
) -> str:
    """Return the text of facts.

    Args:
        begun: Their beginning.
        inputs: The results that are taken: a `key` with a digest in quotes.
        order: Those that are only waited for, likewise.
        files: The digests of files by name, for a task that reads some.
    """
    text = f'{begun}, "inputs": {{{", ".join(inputs)}}}'
    if order:
        text += f', "after": {{{", ".join(order)}}}'
    if files is not None:
        text += f', "files": {json.dumps(files)}'
    return text + "}"
