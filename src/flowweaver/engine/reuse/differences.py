"""How the facts of two TaskRuns of a task differ."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache

from flowweaver.facts import Change, FactKind, Facts
from flowweaver.fingerprint import CodePart, changed_parts
from flowweaver.records import TaskRecord

PartsOf = Callable[[str], tuple[CodePart, ...]]
"""Gives the parts of a code digest, as far as they are known."""

_BY_NAME = (FactKind.PARAMETER, FactKind.INPUT, FactKind.ORDER, FactKind.FILE)

_GIVEN = (FactKind.PARAMETER, FactKind.INPUT)


def differences(before: Facts, now: Facts, parts_of: PartsOf) -> tuple[Change, ...]:
    """Return how facts differ from older ones.

    Args:
        before: The older facts.
        now: The newer ones; where they tell nothing of a kind it is not compared.
        parts_of: Says which part of the code it was that changed.
    """
    found: list[Change] = []
    if before.version != now.version:
        found.append(Change(FactKind.VERSION, "", before.version, now.version))
    elif before.code != now.code:
        old, new = before.code or "", now.code or ""
        found += _code_changes(old, new, parts_of(old), parts_of(new))
    for kind in _BY_NAME:
        # A task that reads no files any more has none in its facts, once these are whole.
        is_gone = kind is FactKind.FILE and before.tell(kind) and now.tell(FactKind.INPUT)
        if now.tell(kind) or is_gone:
            found += _changes(kind, before, now)
    return tuple(found)


def is_same_element(left: TaskRecord, now: Facts) -> bool:
    """Whether an element takes what one took before it that had its place in the list."""
    before = Facts(left.facts)
    return all(before.of(kind) == now.of(kind) for kind in _GIVEN if now.tell(kind))


# Tasks by the thousand may share one function.
@lru_cache(maxsize=64)
def _code_changes(
    old: str, new: str, before: tuple[CodePart, ...], now: tuple[CodePart, ...]
) -> tuple[Change, ...]:
    olds = {part.name: part.digest for part in before}
    news = {part.name: part.digest for part in now}
    changed = [change.name for change in changed_parts(before, now)]
    if not changed:
        return (Change(FactKind.CODE, "", old or None, new or None),)
    keys = {part.name: part.key for part in before}
    keyed = {part.name for part in now if _is_of_other_key(part, keys)}
    # Whether these changed can't be told, and the other changes say enough.
    names = [name for name in changed if name not in keyed]
    kind = FactKind.CODE if names else FactKind.KEYED
    return tuple(Change(kind, name, olds.get(name), news.get(name)) for name in names or changed)


def _is_of_other_key(part: CodePart, keys: Mapping[str, str]) -> bool:
    return bool(part.key) and keys.get(part.name, "") not in ("", part.key)


def _changes(kind: FactKind, before: Facts, now: Facts) -> Iterator[Change]:
    """Yield what is different first, then what is new, then what is gone."""
    old, new = before.of(kind), now.of(kind)
    yield from (
        Change(kind, name, old[name], new[name])
        for name in new
        if name in old and old[name] != new[name]
    )
    yield from (Change(kind, name, None, new[name]) for name in new if name not in old)
    yield from (Change(kind, name, old[name], None) for name in old if name not in new)
