"""Knowing a store's schema from others, making its tables, bringing older ones up to date."""

from __future__ import annotations

from flowweaver.errors import StoreError
from flowweaver.stores.common import problems
from flowweaver.stores.postgres import schema as sql
from flowweaver.stores.postgres.connections import Session


def version_of(db: Session) -> int:
    """Return the version of the store's tables: 0 if there are none.

    Raises:
        StoreVersionError: The schema is another program's, or a newer FlowWeaver's.
    """
    ((relations, has_version, encoding),) = db.all(sql.RELATIONS)
    if encoding != "UTF8":
        raise StoreError(
            f"The database of {db.url} has encoding {encoding}, which can't hold every text. "
            "Give one that was made with ENCODING 'UTF8'."
        )
    if not relations:
        return 0
    version = db.column(sql.VERSION)[0] if has_version else None
    if version is None:
        raise problems.foreign(db.url, f"schema {db.schema} has tables of something else")
    known = len(sql.MIGRATIONS)
    if version > known:
        raise problems.newer(db.url, version, known)
    if version < 1:
        raise problems.damaged(db.url, f"its version is {version}")
    return int(version)


def prepare(db: Session, create: bool) -> bool:
    """Return whether there is a store to work with; with `create` there is one afterwards."""
    found = version_of(db)
    if found == 0 and not create:
        return False
    if found < len(sql.MIGRATIONS):
        _bring_up_to_date(db)
    return True


def _bring_up_to_date(db: Session) -> None:
    """Make the tables, or migrate older ones; all or nothing, and one process at a time."""
    db.run(sql.BEGIN)
    db.run(sql.ALONE)
    found = version_of(db)
    if not db.column(sql.SCHEMA)[0]:
        db.run(sql.MAKE_SCHEMA)
    for statements in sql.MIGRATIONS[found:]:
        for statement in statements:
            db.run(statement)
    db.run(sql.FORGET_VERSION)
    db.run(sql.PUT_VERSION, [len(sql.MIGRATIONS)])
    db.run(sql.COMMIT)
