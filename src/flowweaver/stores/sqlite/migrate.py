"""Knowing a store's file from others, making its tables, bringing older ones up to date."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

from flowweaver.stores.common import problems
from flowweaver.stores.common.disk import BINARY, sync_file
from flowweaver.stores.sqlite import schema
from flowweaver.syncing import sync_directory


def version_of(connection: sqlite3.Connection, path: Path) -> int:
    """Return the schema version of a file: 0 if it is new and empty.

    Raises:
        StoreVersionError: It is another program's, or a newer FlowWeaver's.
    """
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    known = len(schema.MIGRATIONS)
    if application == version == 0 and not schema.objects(connection):
        return 0
    if application != schema.APPLICATION_ID:
        raise problems.foreign(path, f"it is a SQLite file with application id {application:#x}")
    if version > known:
        raise problems.newer(path, version, known)
    if version < 1:
        raise problems.damaged(path, f"its version is {version}")
    return int(version)


def bring_up_to_date(connection: sqlite3.Connection, path: Path) -> None:
    """Make the tables of a new file, or migrate an older one after a backup; all or nothing."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        found = version_of(connection, path)
        if 0 < found < len(schema.MIGRATIONS):
            _back_up(path, found)
        for statements in schema.MIGRATIONS[found:]:
            for statement in statements:
                connection.execute(statement)
        connection.execute(f"PRAGMA application_id = {schema.APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {len(schema.MIGRATIONS)}")
        check_tables(connection, path)
        if wrong := faults(connection):
            raise problems.damaged(path, wrong[0])
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def backup_path(path: Path, version: int) -> Path:
    """Return where the copy of a store goes before it is migrated from `version`."""
    return path.with_name(f"{path.name}.v{version}.backup")


def _back_up(path: Path, version: int) -> None:
    copy = backup_path(path, version)
    partial = copy.with_name(copy.name + ".tmp")
    partial.unlink(missing_ok=True)
    fd = os.open(partial, os.O_RDWR | os.O_CREAT | os.O_EXCL | BINARY, 0o600)
    try:
        # Through a connection of its own: one inside a transaction can't be copied from.
        source = sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)
        with closing(source), closing(sqlite3.connect(partial)) as target:
            source.backup(target)
        sync_file(fd)
    finally:
        os.close(fd)
    partial.replace(copy)
    sync_directory(copy.parent)


def check_tables(connection: sqlite3.Connection, path: Path) -> None:
    """Raise if the tables are not those of this version."""
    missing = schema.expected_objects(schema.MIGRATIONS) - schema.objects(connection)
    if missing:
        names = ", ".join(sorted(name for name, _, _ in missing))
        raise problems.damaged(path, f"not as this version defines them: {names}")
    if added := schema.added_objects(connection):
        raise problems.damaged(path, f"another program has added to its tables: {added}")


def faults(connection: sqlite3.Connection) -> list[str]:
    """Return what is wrong with the structure of the whole file: pages, indexes, missing rows."""
    return _told(connection, "PRAGMA integrity_check(20)") or [
        f"{kind} of run number {number} are missing"
        for kind, question in (
            ("TaskRuns", schema.TASKS_OUT_OF_PLACE),
            ("attempts", schema.ATTEMPTS_OUT_OF_PLACE),
        )
        for (number,) in connection.execute(question)
    ]


def faults_in_runs(connection: sqlite3.Connection) -> list[str]:
    """Return what is wrong with the table of runs: one that isn't found would begin anew."""
    return _told(connection, "PRAGMA integrity_check(run)")


def _told(connection: sqlite3.Connection, question: str) -> list[str]:
    found = [text for (text,) in connection.execute(question)]
    return [] if found == ["ok"] else found
