"""What is wrong with a store's SQLite file: looked for a bit at a time, and held as little."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterator
from functools import partial

from flowweaver.errors import StoreError
from flowweaver.records import RunRecord
from flowweaver.stores.common.columns import Row, digest_of, read_more
from flowweaver.stores.common.results import ResultFiles, verified
from flowweaver.stores.sqlite import queries, rows, schema
from flowweaver.stores.sqlite.database import Database
from flowweaver.stores.sqlite.migrate import faults
from flowweaver.stores.sqlite.upkeep import code_sizes

# Results of so many bytes at most are read at a time, some megabytes.
_RESULTS_AT_A_TIME = 50

Parts = tuple[str, int, bytes | None, str | None]
"""Codec, size, bytes (None if in a file) and signature of a result."""


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
            named = _named_by_runs(database)
            files = ResultFiles(database.path)
            suspicious = set(_suspicious(database, files, named))
            if suspicious:
                wrong = list(_confirmed(database, files, suspicious))
    except StoreError as error:
        return [str(error)]
    return wrong


def _read_the_rest(db: sqlite3.Connection) -> None:
    """Read the rows that no run is needed for; a damaged one raises."""
    for row in db.execute(schema.ALL_ATTEMPTS):
        rows.attempt_record("", row)
    for row in db.execute(schema.ALL_STATE):
        _, codec, data, digest = rows.state_item(row)
        verified("state", digest, codec, data)
    code_sizes(db)


def _named_by_runs(database: Database) -> set[str]:
    """Return what runs refer to but as the result of a TaskRun, having read all of their rows."""
    no_runs: list[RunRecord] = []
    named: set[str] = set()
    nothing: set[str] = set()
    for run in database.read(lambda db: queries.runs(db, None, None), no_runs):
        named |= database.look(partial(_named_by, run_id=run.id), nothing)
    return named


def _named_by(db: sqlite3.Connection, run_id: str) -> set[str]:
    stored = queries.stored_run(db, run_id)
    if stored is None:  # it was deleted meanwhile
        return set()
    queries.base_of(db, stored)
    named = set(stored.run.params.values())
    for row in queries.own_rows(db, stored):
        record = rows.task_record(run_id, row)
        named.update(file.kept for file in record.files if file.kept)
    return named


def _suspicious(database: Database, files: ResultFiles, named: Collection[str]) -> Iterator[str]:
    """Yield the results that are missing or not as written, whether or not a run refers to them."""
    nothing: list[str] = []
    yield from database.look(_missing, nothing)
    yield from (each for each in named if _fault_in_result(database, files, each) is not None)
    last: bytes | str | None = None
    none: list[Row] = []
    while found := database.read(partial(_some_results, last=last), none):
        for row in found:
            last, digest = row[0], digest_of(row[0])
            if _fault_in(files, digest, rows.result_parts(digest, row[1:])) is not None:
                yield digest


def _missing(db: sqlite3.Connection) -> list[str]:
    return [digest_of(key) for (key,) in db.execute(schema.MISSING_RESULTS)]


def _some_results(db: sqlite3.Connection, last: bytes | str | None) -> list[Row]:
    if last is None:
        return db.execute(schema.FIRST_RESULTS, (_RESULTS_AT_A_TIME,)).fetchall()
    return db.execute(schema.NEXT_RESULTS, (last, _RESULTS_AT_A_TIME)).fetchall()


def _confirmed(database: Database, files: ResultFiles, suspicious: set[str]) -> Iterator[str]:
    """Yield the faults of results that are still there, and that runs refer to."""
    nothing: set[str] = set()
    referenced = database.look(partial(_referenced, among=suspicious), nothing)
    for digest in sorted(referenced):
        fault = _fault_in_result(database, files, digest)
        if fault is not None:
            yield fault


def _referenced(db: sqlite3.Connection, among: Collection[str]) -> set[str]:
    """Return which of these results runs refer to."""
    keys = (digest_of(key) for (key,) in db.execute(schema.RESULTS_OF_TASKS))
    found = {digest for digest in keys if digest in among}
    for (more,) in db.execute(schema.RARER_OF_TASKS):
        found.update(file.kept for file in read_more(more)[0] if file.kept in among)
    for run in queries.runs(db, None, None):
        found.update(digest for digest in run.params.values() if digest in among)
    return found


def _fault_in_result(database: Database, files: ResultFiles, digest: str) -> str | None:
    found = database.read(lambda db: queries.result(db, digest), None)
    return f"result {digest} is missing" if found is None else _fault_in(files, digest, found)


def _fault_in(files: ResultFiles, digest: str, found: Parts) -> str | None:
    codec, size, data, _ = found
    try:
        if data is None:
            files.encoded(digest, codec, size)
        else:
            verified(files.store, digest, codec, data)
    except StoreError as error:
        return str(error)
    return None
