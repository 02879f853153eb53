"""The code of a run's tasks: its digest for the facts, its text for whoever asks what changed."""

from __future__ import annotations

import json
import zlib
from base64 import b85decode, b85encode
from collections.abc import Callable, Iterable
from functools import cached_property
from hashlib import blake2b
from typing import Any

from flowweaver.definitions.task import Task
from flowweaver.fingerprint import CodeFingerprint, CodePart, fingerprint_callable, forget_values
from flowweaver.fingerprint.owners import project_of_code


class CodeBook:
    """The fingerprints of tasks' functions and conditions, by digest, looked at once a run.

    Objects count by what they hold when the run begins: all are looked at before any body runs.

    Args:
        samples: A task of each kind there is; see `kinds_of`.
        trust: Vouches for what can't be seen in any task, as a task's own does for what is in it.
    """

    def __init__(self, samples: Iterable[Task[..., Any]], trust: tuple[str, ...] = ()) -> None:
        forget_values()  # lists and objects may have been changed in place since the last run
        self._digests: dict[tuple[int, int], str] = {}
        self._kept: set[str] = set()
        # What no attempt has asked for yet, by function and condition.
        self._not_asked_for: set[tuple[int, int]] = set()
        self._fingerprints: dict[str, tuple[CodeFingerprint, ...]] = {}
        self._trust = trust
        self._unseen: dict[tuple[int, int], tuple[str, ...]] = {}
        self._vouched: dict[tuple[int, int], str] = {}
        self._functions: dict[int, Callable[..., Any]] = {}
        for task in samples:
            self._functions[id(task.fn)] = task.fn
            self._not_asked_for.add((id(task.fn), id(task.options.when)))
            self._look_at((id(task.fn), id(task.options)), task)

    @cached_property
    def projects(self) -> frozenset[str]:
        """The folders of the projects that the tasks' functions are in."""
        return frozenset(map(project_of_code, self._functions.values())) - {""}

    def digest_of(self, task: Task[..., Any]) -> str:
        """Return the digest of a task's code: its function and, if it has one, its condition."""
        fn, when = task.fn, task.options.when
        key = (id(fn), id(when))
        known = self._digests.get(key)
        if known is None:
            known = self._digests[key] = self._look(fn, when)
        return known

    def parts_of(self, digest: str) -> tuple[CodePart, ...]:
        """Return the parts of the code with a digest; none if it is not ours."""
        fingerprints = self._fingerprints.get(digest, ())
        return tuple([part for fingerprint in fingerprints for part in fingerprint.parts])

    def text_of(self, digest: str) -> str | None:
        """Return what is kept in the store under a digest; None if it is not ours."""
        fingerprints = self._fingerprints.get(digest)
        if fingerprints is None:
            return None
        parts = [
            [part.name, part.digest, part.text, part.key]
            for fingerprint in fingerprints
            for part in fingerprint.parts
        ]
        unseen = [str(each) for fingerprint in fingerprints for each in fingerprint.unseen]
        return _packed(json.dumps({"parts": parts, "unseen": unseen}, ensure_ascii=True))

    def unkept(self, task: Task[..., Any]) -> tuple[str, str] | None:
        """Return digest and text of a task's code, the first time it is asked for."""
        if not self._not_asked_for:  # as soon as a task of each kind has come by
            return None
        kind = id(task.fn), id(task.options.when)
        if kind not in self._not_asked_for:
            return None
        self._not_asked_for.remove(kind)
        digest = self.digest_of(task)
        if digest in self._kept:
            return None
        self._kept.add(digest)
        return digest, self.text_of(digest) or ""

    def unseen(self, task: Task[..., Any]) -> tuple[str, ...]:
        """Return in words what can't be seen of a task's code and nobody has vouched for."""
        return self._unseen.get((id(task.fn), id(task.options)), ()) if self._unseen else ()

    def vouched(self, task: Task[..., Any]) -> str:
        """Return in words what can't be seen of a task's code and somebody has vouched for."""
        return self._vouched.get((id(task.fn), id(task.options)), "") if self._vouched else ""

    def is_doubtful(self, task: Task[..., Any]) -> bool:
        """Whether there is anything to be said of what can't be seen of a task's code."""
        return bool(self.unseen(task) or self.vouched(task))

    def objection(self, task: Task[..., Any]) -> str | None:
        """Return why other runs can't take a task's result for what its code would give."""
        words = self.unseen(task) if self._unseen else ()
        if not words:
            return None
        return f"not all that it reaches can be seen: {_some(words)} ({_REMEDY})"

    def warning(self, tasks: Iterable[Task[..., Any]]) -> str | None:
        """Return what whoever runs these tasks is to know about what can't be seen of them."""
        if not self._unseen:
            return None
        unseen = {task.name: words for task in tasks if (words := self.unseen(task))}
        told = "; ".join(f"{name}: {_some(words)}" for name, words in list(unseen.items())[:_MOST])
        more = f"; and {len(unseen) - _MOST} more" if len(unseen) > _MOST else ""
        return (
            "Other runs won't take the results of tasks of which not all that they reach can be "
            f"seen: {told}{more} ({_REMEDY})."
        )

    def _look_at(self, kind: tuple[int, int], task: Task[..., Any]) -> None:
        """Look at a task's code, and note what can't be seen of it."""
        if task.options.version is not None:
            return
        trust = task.options.trust + self._trust
        found = self._fingerprints[self.digest_of(task)]
        unseen = [each for fingerprint in found for each in fingerprint.unseen]
        if doubtful := [each for each in unseen if not each.is_vouched_for(trust)]:
            self._unseen[kind] = tuple(map(str, doubtful))
        elif unseen:
            self._vouched[kind] = _some(tuple(map(str, unseen)))

    def _look(self, fn: Callable[..., Any], when: Callable[..., Any] | None) -> str:
        found = [fingerprint_callable(fn)]
        digest = found[0].digest
        if when is not None:
            found.append(fingerprint_callable(when))
            both = f"{digest} when {found[1].digest}".encode()
            digest = blake2b(both, digest_size=16).hexdigest()
        self._fingerprints[digest] = tuple(found)
        return digest


_MOST = 3
_REMEDY = "vouch for it with trust= or version="


def _some(words: tuple[str, ...]) -> str:
    more = f" and {len(words) - _MOST} more" if len(words) > _MOST else ""
    return f"{', '.join(words[:_MOST])}{more}"


def parts_from(text: str | None) -> tuple[CodePart, ...]:
    """Return the parts of a code text kept in a store; nothing if none makes sense."""
    try:
        found = json.loads(_unpacked(text or "{}")).get("parts", ())
        return tuple(CodePart(*map(_text, part)) for part in found)
    except (ValueError, TypeError, AttributeError, RecursionError, zlib.error):
        return ()


_PACKED = "zlib:"
# Each task keeps all that it reaches, so of helpers that many tasks call there are many copies.
_PACKED_FROM = 2_000
# What a damaged or forged text unpacks to at most.
_LONGEST = 100_000_000


def _packed(text: str) -> str:
    if len(text) < _PACKED_FROM:
        return text
    return _PACKED + b85encode(zlib.compress(text.encode())).decode()


def _unpacked(text: str) -> str:
    if not text.startswith(_PACKED):
        return text
    data = b85decode(text.removeprefix(_PACKED))
    return zlib.decompressobj().decompress(data, _LONGEST).decode()


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"not text: {value!r:.80}")
    return value
