"""Keeping a store's SQLite file small and sound: deleting, sweeping, checking, describing."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from flowweaver.stores.common.columns import digest_of, key_of
from flowweaver.stores.common.disk import file_system
from flowweaver.stores.common.locks import any_held
from flowweaver.stores.common.results import ResultFiles, Unused
from flowweaver.stores.common.tables import words
from flowweaver.stores.sqlite import rows, schema
from flowweaver.stores.sqlite.database import Database
from flowweaver.stores.sqlite.journal import log_size
from flowweaver.stores.sqlite.queries import own_rows, sizes, stored_run
from flowweaver.stores.sqlite.writes import hand_on


def delete_runs(db: sqlite3.Connection, run_ids: Sequence[str], store: Path) -> None:
    """Delete the rows of runs, and of results that only they referred to."""
    freed: set[str] = set()
    for run_id in run_ids:
        found = stored_run(db, run_id)
        if found is None:
            continue
        hand_on(db, found, but=run_ids)
        freed.update(found.run.params.values())
        for row in own_rows(db, found):
            freed.update(rows.results_of(run_id, row))
        db.execute(schema.DELETE_TASKS, rows.span(found.number))
        db.execute(schema.DELETE_ATTEMPTS, rows.span(found.number))
        db.execute(schema.DELETE_STATE, (found.number,))
        db.execute(schema.DELETE_RUN, (found.number,))
    if not any_held(store):
        named = _named(db, ())
        unused = (digest for digest, _ in _unreferenced(db, named) if digest in freed)
        _drop(db, schema.DROP_RESULT, map(key_of, unused))


def unused(db: sqlite3.Connection, files: ResultFiles, store: Path) -> Unused:
    """Return what nothing refers to; nothing while anybody works on a run.

    Who does may be about to refer to results of earlier runs.
    """
    if any_held(store):
        return Unused()
    code = code_sizes(db)
    named = _named(db, code)
    stored = sizes(db, on_disk := files.sizes())
    return Unused(
        dict(_unreferenced(db, named)),
        {digest: size for digest, size in on_disk.items() if digest not in stored},
        {digest: size for digest, size in code.items() if digest not in named},
    )


def drop_unused(db: sqlite3.Connection, files: ResultFiles, store: Path) -> Unused:
    """Delete the rows that nothing refers to; return what there was."""
    found = unused(db, files, store)
    _drop(db, schema.DROP_RESULT, map(key_of, found.results))
    _drop(db, schema.DROP_CODE, found.code)
    return found


def remove_orphans(db: sqlite3.Connection, files: ResultFiles) -> None:
    """Remove files that belong to no result; in a transaction, so that none is being committed."""
    large = {digest_of(key) for (key,) in db.execute(schema.RESULTS_IN_FILES)}
    files.remove(digest for digest in files.sizes() if digest not in large)


def shrink(db: sqlite3.Connection) -> None:
    """Have most of the file given back to the disk if most of it is free and nobody reads."""
    (free,) = db.execute("PRAGMA freelist_count").fetchone()
    (pages,) = db.execute("PRAGMA page_count").fetchone()
    if 2 * free > pages:
        with suppress(sqlite3.OperationalError):
            db.execute("VACUUM")


def describe(database: Database, files: ResultFiles) -> dict[str, object]:
    """Return versions, journal mode and sizes."""

    def look(db: sqlite3.Connection) -> dict[str, object]:
        return {
            "schema": db.execute("PRAGMA user_version").fetchone()[0],
            "journal_mode": database.journal_mode(),
            "runs": db.execute(schema.RUN_COUNT).fetchone()[0],
            "bytes": database.path.stat().st_size,
            "log_bytes": log_size(database.path),
        }

    sizes = files.sizes()
    return {
        "sqlite": sqlite3.sqlite_version,
        "file_system": file_system(database.path),
        "large_results": len(sizes),
        "large_results_bytes": sum(sizes.values()),
        **database.read(look, {"bytes": 0, "runs": 0}),
    }


def _named(db: sqlite3.Connection, code: Collection[str]) -> set[str]:
    """Return what runs refer to but as the result of a TaskRun, and what of `code` they name.

    All rows that could refer to anything are verified: what a damaged one says is not let go of.
    """
    named: set[str] = set()
    facts = ""
    for run_row in db.execute(schema.RUNS, (-1,)).fetchall():
        found = rows.run_record(run_row)
        named.update(found.run.params.values())
        named.update(word for word in words(str(found.run.info)) if word in code)
        # What a run has from its base is the base's, which is looked at as well.
        for row in own_rows(db, found):
            named.update(rows.kept_by(found.run.id, row))
            if code and (text := rows.facts_of(row)) != facts:
                facts = text
                named.update(word for word in words(text) if word in code)
    return named


def _unreferenced(db: sqlite3.Connection, named: Collection[str]) -> Iterator[tuple[str, int]]:
    """Yield the results that no TaskRun has come to and that are not named, with their sizes."""
    for key, size in db.execute(schema.LONE_RESULTS):
        if (digest := digest_of(key)) not in named:
            yield digest, size


def code_sizes(db: sqlite3.Connection) -> dict[str, int]:
    """Return the sizes of the pieces of source, each verified."""
    found = (rows.opened(row, f"source {row[0]}") for row in db.execute(schema.ALL_CODE))
    return {digest: len(source.encode()) for digest, source in found}


def _drop(db: sqlite3.Connection, statement: str, keys: Iterable[bytes | str]) -> None:
    db.executemany(statement, [(key,) for key in keys])
