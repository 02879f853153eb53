"""Keeping a store's SQLite file small and sound: deleting, sweeping, checking, describing."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path

from flowweaver.errors import StoreError
from flowweaver.records import RunRecord, TaskRecord
from flowweaver.stores.common.columns import digest_of, key_of
from flowweaver.stores.common.disk import file_system
from flowweaver.stores.common.locks import any_held
from flowweaver.stores.common.results import ResultFiles, Unused, verified
from flowweaver.stores.common.tables import words
from flowweaver.stores.sqlite import rows, schema
from flowweaver.stores.sqlite.database import Database
from flowweaver.stores.sqlite.journal import log_size
from flowweaver.stores.sqlite.migrate import faults
from flowweaver.stores.sqlite.queries import own_tasks, runs, stored_run, tasks
from flowweaver.stores.sqlite.queries import result as result_row
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
        for record in own_tasks(db, found):
            freed.update(record.results)
        db.execute(schema.DELETE_TASKS, rows.span(found.number))
        db.execute(schema.DELETE_ATTEMPTS, rows.span(found.number))
        db.execute(schema.DELETE_STATE, (found.number,))
        db.execute(schema.DELETE_RUN, (found.number,))
    if not any_held(store):
        _drop(db, schema.DROP_RESULT, map(key_of, freed - _referenced(db)[0]))


def unused(db: sqlite3.Connection, files: ResultFiles, store: Path) -> Unused:
    """Return what nothing refers to; nothing while anybody works on a run.

    Who does may be about to refer to results of earlier runs.
    """
    if any_held(store):
        return Unused()
    digests, named = _referenced(db)
    stored = {digest_of(key): size for key, size, _ in db.execute(schema.RESULT_SIZES)}
    lone = {digest: size for digest, size in files.sizes().items() if digest not in stored}
    code = {digest: size for digest, size in _code(db).items() if digest not in named}
    results = {digest: size for digest, size in stored.items() if digest not in digests}
    return Unused(results, lone, code)


def drop_unused(db: sqlite3.Connection, files: ResultFiles, store: Path) -> Unused:
    """Delete the rows that nothing refers to; return what there was."""
    found = unused(db, files, store)
    _drop(db, schema.DROP_RESULT, map(key_of, found.results))
    _drop(db, schema.DROP_CODE, found.code)
    return found


def remove_orphans(db: sqlite3.Connection, files: ResultFiles) -> None:
    """Remove files that belong to no result; in a transaction, so that none is being committed."""
    large = {digest_of(key) for key, _, spilled in db.execute(schema.RESULT_SIZES) if spilled}
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


def check(database: Database, *, deep: bool) -> list[str]:
    """Return what is wrong, in words: with the file, and if `deep` with any row or result.

    Each question is about one moment, so that whoever writes meanwhile is no fault, and none is
    about more than a run, so that nobody has to wait; what seems wrong with a result is looked at
    again at the end, as its run may have been deleted.
    """
    nothing: list[str] = []
    try:
        wrong = database.look(faults, nothing)
        if deep and not wrong:
            database.read(_read_the_rest, None)
            files = ResultFiles(database.path)
            suspicious = [
                digest
                for digest in sorted(_referenced_now(database))
                if _fault_in_result(database, files, digest) is not None
            ]
            if suspicious:
                wrong = list(_confirmed(database, files, suspicious))
    except StoreError as error:
        return [str(error)]
    return wrong


def _read_the_rest(db: sqlite3.Connection) -> None:
    """Read the rows that no run is needed for; a damaged one raises."""
    for row in db.execute(schema.ALL_ATTEMPTS).fetchall():
        rows.attempt_record("", row)
    for row in db.execute(schema.ALL_STATE).fetchall():
        _, codec, data, digest = rows.state_item(row)
        verified("state", digest, codec, data)
    _code(db)


def _referenced_now(database: Database) -> set[str]:
    """Return the digests that runs refer to, having read all of their rows, a run at a time."""
    digests: set[str] = set()
    no_runs: list[RunRecord] = []
    none: list[TaskRecord] = []
    for run in database.read(lambda db: runs(db, None, None), no_runs):
        digests.update(run.params.values())
        for record in database.look(partial(tasks, run_id=run.id, start=0, stop=None), none):
            digests.update(record.results)
    return digests


def _confirmed(database: Database, files: ResultFiles, suspicious: list[str]) -> Iterator[str]:
    nothing: set[str] = set()
    referenced = database.look(lambda db: _referenced(db)[0], nothing)
    for digest in suspicious:
        fault = _fault_in_result(database, files, digest)
        if fault is not None and digest in referenced:
            yield fault


def _fault_in_result(database: Database, files: ResultFiles, digest: str) -> str | None:
    found = database.read(lambda db: result_row(db, digest), None)
    if found is None:
        return f"result {digest} is missing"
    codec, size, data, _ = found
    try:
        if data is None:
            files.encoded(digest, codec, size)
        else:
            verified(database.path, digest, codec, data)
    except StoreError as error:
        return str(error)
    return None


def _referenced(db: sqlite3.Connection) -> tuple[set[str], set[str]]:
    """Return the digests that runs refer to, and all words in their `info` and facts."""
    digests: set[str] = set()
    named: set[str] = set()
    for row in db.execute(schema.RUNS, (-1,)).fetchall():
        found = rows.run_record(row)
        digests.update(found.run.params.values())
        named.update(words(str(found.run.info)))
        # What a run has from its base is the base's, which is looked at as well.
        for record in own_tasks(db, found):
            named.update(words(record.facts))
            digests.update(record.results)
    return digests, named


def _code(db: sqlite3.Connection) -> dict[str, int]:
    """Return the sizes of the pieces of source."""
    found = [rows.opened(row, f"source {row[0]}") for row in db.execute(schema.ALL_CODE).fetchall()]
    return {digest: len(source.encode()) for digest, source in found}


def _drop(db: sqlite3.Connection, statement: str, keys: Iterable[bytes | str]) -> None:
    db.executemany(statement, [(key,) for key in keys])
