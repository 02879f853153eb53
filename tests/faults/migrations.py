"""Stores of an older schema, and journals worth compacting: victims that change their files."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from flowweaver.stores.jsonl import store as json_store
from flowweaver.stores.sqlite import schema
from tests.faults.children import DONE, Victim, run

NEXT_VERSION = (
    "CREATE TABLE later (id INTEGER PRIMARY KEY, note TEXT NOT NULL)",
    "ALTER TABLE run ADD COLUMN later TEXT NOT NULL DEFAULT ''",
    "CREATE INDEX later_by_note ON later (note)",
    "INSERT INTO later (note) SELECT id FROM run",
)


def migrating(directory: Path) -> Victim:
    """Return a victim whose store has runs under the present schema, opened by a later one."""
    other = Victim(directory, "sqlite", workflow="small", params=_other(directory), arm=_forget)
    assert run(other) == DONE
    return Victim(directory, "sqlite", workflow="small")


@contextmanager
def later_schema() -> Iterator[None]:
    """Have this process, and children it forks, know one more version of the schema."""
    schema.MIGRATIONS = (*schema.MIGRATIONS, NEXT_VERSION)
    try:
        yield
    finally:
        _forget()


def _forget() -> None:
    schema.MIGRATIONS = schema.MIGRATIONS[:-1]


def compacting(directory: Path) -> Victim:
    """Return a victim whose store is compacted by the next claim."""
    assert run(Victim(directory, "json", workflow="small", params=_other(directory))) == DONE
    return Victim(directory, "json", workflow="small", arm=compact_always)


def compact_always() -> None:
    """Have this process compact the journal at every claim."""
    json_store._WORTH_COMPACTING = 0
    json_store.Content.is_mostly_past = property(lambda self: True)  # type: ignore[assignment]


def _other(directory: Path) -> dict[str, str]:
    """Return the parameters of a run of its own, so that the victim's has all to do."""
    return {"journal": str(directory / "other journal")}
