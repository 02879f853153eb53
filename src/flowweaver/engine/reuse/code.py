"""The code of a run's tasks: its digest for the facts, its text for whoever asks what changed."""

from __future__ import annotations

import json
from collections.abc import Callable
from hashlib import blake2b
from typing import Any

from flowweaver.definitions.task import Task
from flowweaver.fingerprint import CodeFingerprint, CodePart, fingerprint_callable, forget_values


class CodeBook:
    """The fingerprints of tasks' functions and conditions, by digest, looked at once a run."""

    def __init__(self) -> None:
        forget_values()  # lists and objects may have been changed in place since the last run
        self._digests: dict[tuple[int, int], str] = {}
        self._kept: set[str] = set()
        self._fingerprints: dict[str, tuple[CodeFingerprint, ...]] = {}

    def digest_of(self, task: Task[..., Any]) -> str:
        """Return the digest of a task's code: its function and, if it has one, its condition."""
        fn, when = task.fn, task.options.when
        key = (id(fn), id(when))
        known = self._digests.get(key)
        if known is None:
            known = self._digests[key] = self._look(fn, when)
        return known

    def parts_of(self, digest: str) -> tuple[CodePart, ...]:
        """Return the parts of the code that has a digest; none if it is none of ours."""
        fingerprints = self._fingerprints.get(digest, ())
        return tuple([part for fingerprint in fingerprints for part in fingerprint.parts])

    def text_of(self, digest: str) -> str | None:
        """Return what is kept in the store under a digest; None if it is none of ours."""
        fingerprints = self._fingerprints.get(digest)
        if fingerprints is None:
            return None
        parts = [
            [part.name, part.digest, part.text]
            for fingerprint in fingerprints
            for part in fingerprint.parts
        ]
        unseen = [words for fingerprint in fingerprints for words in fingerprint.unseen]
        return json.dumps({"parts": parts, "unseen": unseen}, ensure_ascii=True)

    def unkept(self, task: Task[..., Any]) -> tuple[str, str] | None:
        """Return digest and text of a task's code, the first time it is asked for."""
        digest = self.digest_of(task)
        if digest in self._kept:
            return None
        self._kept.add(digest)
        return digest, self.text_of(digest) or ""

    def unseen(self, task: Task[..., Any]) -> tuple[str, ...]:
        """Return what could not be seen of a task's code, in words."""
        found = self._fingerprints[self.digest_of(task)]
        return tuple(words for fingerprint in found for words in fingerprint.unseen)

    def _look(self, fn: Callable[..., Any], when: Callable[..., Any] | None) -> str:
        found = [fingerprint_callable(fn)]
        digest = found[0].digest
        if when is not None:
            found.append(fingerprint_callable(when))
            both = f"{digest} when {found[1].digest}".encode()
            digest = blake2b(both, digest_size=16).hexdigest()
        self._fingerprints[digest] = tuple(found)
        return digest


def parts_from(text: str | None) -> tuple[CodePart, ...]:
    """Return the parts of a code text kept in a store; nothing if it was not kept."""
    if text is None:
        return ()
    return tuple(CodePart(*part) for part in json.loads(text)["parts"])
