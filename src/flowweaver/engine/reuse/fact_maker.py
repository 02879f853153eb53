"""Facts: what the result of a TaskRun depends on, as JSON text; and how two of them differ."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from hashlib import blake2b
from typing import Any

from flowweaver.definitions.file_uses import FileUse, file_uses
from flowweaver.definitions.task import Task
from flowweaver.definitions.wiring import MappedInput, Wiring
from flowweaver.engine.reuse.code import CodeBook
from flowweaver.files.content import content_digest
from flowweaver.fingerprint import CodePart, changed_parts
from flowweaver.records import TaskRecord

# What facts have besides code and version, and the word for one of them.
_KINDS = (
    ("params", "parameter"),
    ("inputs", "input"),
    ("after", "dependency"),
    ("files", "file"),
)


class FactMaker:
    """Writes the facts of each TaskRun of one run.

    All that does not depend on results is put together once a task; what remains for each
    TaskRun is to join the digests of its inputs, since a restored run does little else.
    """

    def __init__(self, wiring: Wiring, params: Mapping[str, str], code: CodeBook) -> None:
        self._wiring = wiring
        self._params = params
        self._code = code
        self._heads: list[str | None] = [None] * len(wiring.tasks)
        self._keys: list[tuple[str, ...]] = [()] * len(wiring.tasks)
        self._of_conditions: dict[int, tuple[int, ...]] = {}
        self._after: dict[int, Sequence[tuple[str, int]]] = {}
        self._reads: dict[int, tuple[FileUse, ...]] = {}
        self._shapes: dict[object, tuple[str, tuple[FileUse, ...]]] = {}

    def facts(
        self,
        task: int,
        digests: Sequence[str | None],
        by_element: Mapping[str, str],
        arguments: Callable[[], Mapping[str, Any]],
    ) -> str:
        """Return the facts of a TaskRun.

        Args:
            task: The task's node.
            digests: Those of the results by node.
            by_element: Those of what a mapped task takes by element, by parameter.
            arguments: Gives the body's arguments, for those that are files to be read.
        """
        head = self._heads[task]
        if head is None:
            head = self._prepare(task)
        nodes = self._wiring.take_nodes[task]
        if task in self._of_conditions:
            nodes += self._of_conditions[task]
        keys = self._keys[task]
        parts = [f'{keys[place]}"{digests[pred]}"' for place, pred in enumerate(nodes)]
        if by_element:
            parts += [f'{_key(name)}"{digest}"' for name, digest in by_element.items()]
        text = f"{head}{', '.join(parts)}}}"
        if (after := self._after.get(task)) is not None:
            order = ", ".join([f'{key}"{digests[pred]}"' for key, pred in after])
            text += f', "after": {{{order}}}'
        if task in self._reads:
            text += f', "files": {json.dumps(self._files(task, arguments))}'
        return text + "}"

    def static(self, task: int) -> dict[str, Any]:
        """Return what is known of a task's facts before any of its inputs is."""
        head = self._heads[task] or self._prepare(task)
        known: dict[str, Any] = json.loads(head + "}}")
        del known["inputs"]
        return known

    def _prepare(self, task: int) -> str:
        wiring = self._wiring
        definition = wiring.tasks[task]
        uses, names, nodes = (
            wiring.uses.get(task, ()),
            wiring.take_names[task],
            wiring.take_nodes[task],
        )
        if (condition := wiring.conditions.get(task)) is not None:
            uses += condition.uses
            names += tuple(name for name, _ in condition.takes)
            self._of_conditions[task] = tuple(pred for _, pred in condition.takes)
            nodes += self._of_conditions[task]
        self._keys[task] = _keys(names)
        if len(wiring.preds[task]) > len(nodes) or task in wiring.mapped:
            self._note_order(task, set(nodes))
        # Tasks by the thousand may share function and options.
        shape = (id(definition.fn), id(definition.options), uses)
        if shape not in self._shapes:
            self._shapes[shape] = (self._head(definition, uses), _read_by(definition.fn))
        head, reads = self._shapes[shape]
        if reads or definition.options.files:
            self._reads[task] = reads
        self._heads[task] = head
        return head

    def _head(self, definition: Task[..., Any], uses: Sequence[tuple[str, str]]) -> str:
        version = definition.options.version
        code = f'"{self._code.digest_of(definition)}"' if version is None else "null"
        params = {name: self._params[use] for name, use in uses if use in self._params}
        return (
            f'{{"code": {code}, "version": {"null" if version is None else json.dumps(version)}, '
            f'"params": {json.dumps(params) if params else "{}"}, "inputs": {{'
        )

    def _note_order(self, task: int, known: set[int]) -> None:
        """Keep what a task only waits for, besides what it takes."""
        wiring = self._wiring
        known.update(taken.node for taken in mapped_inputs(wiring, task) if taken.node is not None)
        order_only = [pred for pred in wiring.preds[task] if pred not in known]
        if order_only:
            self._after[task] = [
                (f"{json.dumps(wiring.tasks[pred].name)}: ", pred) for pred in order_only
            ]

    def _files(self, task: int, arguments: Callable[[], Mapping[str, Any]]) -> dict[str, str]:
        found = {path: content_digest(path) for path in self._wiring.tasks[task].options.files}
        if uses := self._reads[task]:
            given = arguments()
            for use in uses:
                for name, path in use.paths(given):
                    found[f"{name}={path}"] = content_digest(path)
        return found


def _read_by(fn: Callable[..., Any]) -> tuple[FileUse, ...]:
    return tuple(use for use in file_uses(fn) if use.kind == "read")


def mapped_inputs(wiring: Wiring, task: int) -> Sequence[MappedInput]:
    """Return what a task takes by element; nothing if it is not mapped."""
    mapped = wiring.mapped.get(task)
    return () if mapped is None else mapped.inputs


def _key(name: str) -> str:
    """Return a name as the key of a JSON object."""
    return json.dumps(name) + ": "


@lru_cache(maxsize=4096)
def _keys(names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(_key(name) for name in names)


class Facts:
    """What a TaskRun's result depends on, and the digest of it, worked out when asked for."""

    __slots__ = ("_fingerprint", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self._fingerprint: str | None = None

    @property
    def fingerprint(self) -> str:
        """The digest of the text."""
        if self._fingerprint is None:
            self._fingerprint = blake2b(self.text.encode(), digest_size=16).hexdigest()
        return self._fingerprint

    def are_of(self, record: TaskRecord) -> bool:
        """Whether these are the facts of an earlier TaskRun."""
        if record.facts == self.text:  # which is quicker to see than to digest
            self._fingerprint = record.fingerprint
            return True
        return record.fingerprint == self.fingerprint


def differences(
    before: str | Mapping[str, Any],
    now: str | Mapping[str, Any],
    code: Callable[[str], tuple[CodePart, ...]],
) -> list[str]:
    """Return in words how two facts of one task differ.

    Args:
        before: The older facts.
        now: The newer ones; kinds they don't have are not compared.
        code: Gives the parts of a code digest, as far as they are known.
    """
    old, new = _loaded(before), _loaded(now)
    found = []
    if old.get("version") != new.get("version"):
        found.append(f"version changed: {old.get('version')!r} -> {new.get('version')!r}")
    elif old.get("code") != new.get("code"):
        found.append(_code_change(code(old.get("code") or ""), code(new.get("code") or "")))
    for kind, word in _KINDS:
        if kind in new or (kind == "files" and kind in old and "inputs" in new):
            found += _changes(word, old.get(kind, {}), new.get(kind, {}))
    return found


# Tasks by the thousand may share one function.
@lru_cache(maxsize=64)
def _code_change(old: tuple[CodePart, ...], new: tuple[CodePart, ...]) -> str:
    changed = [change.name for change in changed_parts(old, new)]
    keys = {part.name: part.key for part in old}
    elsewhere = [p.name for p in new if p.name in changed and _is_of_other_key(p, keys)]
    names = [name for name in changed if name not in elsewhere] or changed
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    listed = f"{', '.join(names[:3])}{more}"
    if len(elsewhere) == len(changed) > 0:
        return (
            "whether it changed can't be told without the key that its last result was made "
            f"with: {listed} (give all machines the same FLOWWEAVER_KEY)"
        )
    return f"code changed: {listed}" if changed else "code changed"


def _is_of_other_key(part: CodePart, keys: Mapping[str, str]) -> bool:
    return bool(part.key) and keys.get(part.name, "") not in ("", part.key)


def _loaded(facts: str | Mapping[str, Any]) -> Mapping[str, Any]:
    if isinstance(facts, str):
        loaded: dict[str, Any] = json.loads(facts or "{}")
        return loaded
    return facts


def _changes(word: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    changed = [f"{word} `{name}` changed" for name in new if name in old and old[name] != new[name]]
    added = [f"{word} `{name}` is new" for name in new if name not in old]
    gone = [f"{word} `{name}` is gone" for name in old if name not in new]
    return changed + added + gone
