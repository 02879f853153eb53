"""The SQLite schema and every statement that is run against it."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from functools import cache

from flowweaver.stores.common import columns

APPLICATION_ID = 0x464C5756
"""What marks a SQLite file as ours ("FLWV")."""

PLACES = 32
"""A TaskRun's id is its run's number shifted by this many bits, plus its place in the run."""

# Every table has an index, or places without gaps: so a row that a flipped bit in its key has put
# elsewhere is found when the file is checked.
MIGRATIONS: tuple[tuple[str, ...], ...] = (
    # 0 -> 1
    (
        """
        CREATE TABLE run (
            seq         INTEGER PRIMARY KEY,
            id          TEXT NOT NULL UNIQUE,
            workflow    TEXT NOT NULL,
            key         TEXT NOT NULL,
            status      INTEGER NOT NULL,
            created_at  REAL NOT NULL,
            claimed_at  REAL NOT NULL,
            finished_at REAL,
            token       INTEGER NOT NULL,
            runner      TEXT NOT NULL,
            params      TEXT NOT NULL,
            info        TEXT NOT NULL,
            places      INTEGER NOT NULL,
            sum         INTEGER NOT NULL
        )""",
        "CREATE INDEX run_by_key ON run (workflow, key)",
        """
        CREATE TABLE task (
            id          INTEGER PRIMARY KEY,
            task        TEXT NOT NULL,
            element     TEXT NOT NULL,
            status      INTEGER NOT NULL,
            attempts    INTEGER NOT NULL,
            failures    INTEGER NOT NULL,
            retry_at    REAL,
            origin      INTEGER,
            fingerprint BLOB,
            digest      BLOB,
            source_run  TEXT,
            started_at  REAL,
            finished_at REAL,
            duration    REAL,
            failure     TEXT,
            facts       TEXT NOT NULL,
            reason      TEXT NOT NULL,
            sum         INTEGER NOT NULL
        )""",
        "CREATE INDEX task_by_fingerprint ON task (fingerprint, task) WHERE status = 3",
        """
        CREATE TABLE attempt (
            id         INTEGER PRIMARY KEY,
            task       TEXT NOT NULL,
            element    TEXT NOT NULL,
            number     INTEGER NOT NULL,
            started_at REAL NOT NULL,
            duration   REAL NOT NULL,
            failure    TEXT,
            log        TEXT NOT NULL,
            sum        INTEGER NOT NULL
        )""",
        """
        CREATE TABLE state (
            run     INTEGER NOT NULL,
            task    TEXT NOT NULL,
            element TEXT NOT NULL,
            name    TEXT NOT NULL,
            codec   TEXT NOT NULL,
            digest  TEXT NOT NULL,
            data    BLOB NOT NULL,
            sum     INTEGER NOT NULL,
            PRIMARY KEY (run, task, element, name)
        )""",
        """
        CREATE TABLE result (
            digest    BLOB NOT NULL PRIMARY KEY,
            codec     TEXT NOT NULL,
            size      INTEGER NOT NULL,
            data      BLOB,
            signature TEXT,
            sum       INTEGER NOT NULL
        )""",
        """
        CREATE TABLE code (
            digest TEXT NOT NULL PRIMARY KEY,
            source TEXT NOT NULL,
            sum    INTEGER NOT NULL
        )""",
    ),
    # 1 -> 2: starting a run looks neither through all that have ended nor through all of others.
    (
        "DROP INDEX run_by_key",
        "CREATE INDEX run_by_workflow ON run (workflow)",
        "CREATE INDEX run_unfinished ON run (workflow, key) WHERE status NOT IN (1, 4)",
    ),
    # 2 -> 3: what only few TaskRuns have, as JSON: files of a result, and its signature.
    ("ALTER TABLE task ADD COLUMN more TEXT",),
    # 3 -> 4: runs that keep rows only for what differs from another, their base.
    (
        "ALTER TABLE run ADD COLUMN seal TEXT",
        "ALTER TABLE run ADD COLUMN base TEXT",
        "CREATE INDEX run_by_base ON run (base) WHERE base IS NOT NULL",
    ),
    # 4 -> 5: who performed the attempt.
    (
        "ALTER TABLE task ADD COLUMN worker TEXT",
        "ALTER TABLE attempt ADD COLUMN worker TEXT",
    ),
    # 5 -> 6: who may have had an effect that happens once for ever is found without its run.
    ("CREATE INDEX task_begun ON task (fingerprint, task) WHERE status != 3",),
)

# Runs whose rows of a table do not stand one after the other from the first place.
_OUT_OF_PLACE = f"""
    SELECT {{table}}.id >> {PLACES} AS run_seq FROM {{table}}
    GROUP BY run_seq
    HAVING min(id) != run_seq << {PLACES}
        OR max(id) - min(id) + 1 != count(*)
        OR run_seq NOT IN (SELECT seq FROM run)
"""


def _listed(names: Sequence[str], table: str = "") -> str:
    return ", ".join(f"{table}.{name}" if table else name for name in names)


def _put(table: str, names: Sequence[str], verb: str = "INSERT OR REPLACE") -> str:
    marks = ", ".join("?" * len(names))
    return f"{verb} INTO {table} ({_listed(names)}) VALUES ({marks})"


# Runs.

_RUN_COLUMNS = ("seq", *columns.RUN, "places", "sum")
_RUN = _listed(_RUN_COLUMNS)
PUT_RUN = _put("run", _RUN_COLUMNS)
NEXT_RUN = "SELECT coalesce(max(seq), 0) + 1 FROM run"
TOKEN = "SELECT token FROM run WHERE seq = ? AND id = ?"
RUN_BY_ID = f"SELECT {_RUN} FROM run WHERE id = ?"
# The index is named, so that nothing but it is trusted to choose rows: a condition on a damaged
# status would pass over its run.
UNFINISHED = f"""
    SELECT {_RUN} FROM run INDEXED BY run_unfinished
    WHERE workflow = ? AND key = ? AND status NOT IN (1, 4)
    ORDER BY seq DESC
"""
RUNS = f"SELECT {_RUN} FROM run ORDER BY seq DESC LIMIT ?"
RUNS_BY_WORKFLOW = f"SELECT {_RUN} FROM run WHERE workflow = ? ORDER BY seq DESC LIMIT ?"
RUNS_BY_BASE = f"SELECT {_RUN} FROM run WHERE base = ? ORDER BY seq"
RUN_COUNT = "SELECT count(*) FROM run"
DELETE_RUN = "DELETE FROM run WHERE seq = ?"

# TaskRuns.

_TASK_COLUMNS = ("id", *columns.TASK, "sum")
TASK_WIDTH = len(_TASK_COLUMNS)
_TASK = _listed(_TASK_COLUMNS)
PUT_TASK = _put("task", _TASK_COLUMNS)
PUT_TASK_IF_HELD = (
    f"INSERT OR REPLACE INTO task ({_TASK}) SELECT {', '.join('?' * TASK_WIDTH)} "
    "FROM run WHERE seq = ? AND id = ? AND token = ?"
)
TASKS = f"SELECT {_TASK} FROM task WHERE id >= ? AND id < ? ORDER BY id"
# What is asked of a part of a run. A filter may be one of these, after which it is `also`.
SOME_TASKS = f"""
    SELECT {_TASK} FROM task {{by}}
    WHERE id >= ? AND id < ? {{also}} ORDER BY id LIMIT ? OFFSET ?
"""
OF_TASK = "AND task = ?"
BY_STATUS = "INDEXED BY task_begun"
OF_STATUS = "AND status IN ({codes})"
OF_STATUS_NOT_COMPLETED = f"AND status != 3 {OF_STATUS}"
_OWN_NAMES = "(task, element) {is_in} (SELECT task, element FROM task WHERE id >= ? AND id < ?)"
OF_STATUS_OR_OWN = f"AND (status IN ({{codes}}) OR {_OWN_NAMES.format(is_in='IN')})"
NOT_OWN = f"AND {_OWN_NAMES.format(is_in='NOT IN')}"
SLOWEST = f"""
    SELECT {_TASK} FROM task WHERE id >= ? AND id < ? AND duration IS NOT NULL {{also}}
    ORDER BY duration DESC, id LIMIT ?
"""
_SHOWN = """
    FROM (
        SELECT id, task, element, status, origin, coalesce(finished_at, started_at, 0) AS sign
        FROM task WHERE id >= :first AND id < :end
        UNION ALL
        SELECT id, task, element, status, CASE status WHEN 3 THEN 2 ELSE origin END,
            coalesce(finished_at, started_at, 0)
        FROM task WHERE id >= :base_first AND id < :base_end
            AND (task, element)
                NOT IN (SELECT task, element FROM task WHERE id >= :first AND id < :end)
    )
"""
COUNT_WHOLES = f"""
    SELECT status, origin, count(*), max(sign) {_SHOWN} WHERE element = '' GROUP BY status, origin
"""
COUNT_ELEMENTS = f"""
    SELECT task, status, origin, count(*), max(sign) {_SHOWN} WHERE element != ''
    GROUP BY task, status, origin ORDER BY min(id)
"""
MAPPED = f"""
    SELECT task, status, origin {_SHOWN} WHERE element = ''
        AND task IN (SELECT task {_SHOWN} WHERE element != '')
"""
RARER_OF_TASKS = "SELECT more FROM task WHERE more IS NOT NULL"
PLACES_OF = "SELECT task, element FROM task WHERE id >= ? AND id < ? ORDER BY id"
COMPLETED = f"""
    SELECT {_listed(_TASK_COLUMNS, "task")}, {_listed(_RUN_COLUMNS, "run")}
    FROM task LEFT JOIN run ON run.seq = task.id >> {PLACES}
    WHERE task.fingerprint = ? AND task.task = ? AND task.status = 3
    ORDER BY task.id DESC
"""
BEGUN = COMPLETED.replace("task.status = 3", "task.status != 3").replace(
    "FROM task", "FROM task INDEXED BY task_begun"
)
COMPLETED_ANYWHERE = COMPLETED.replace("task.task = ?", "run.id IS NOT ?")
TASKS_OUT_OF_PLACE = _OUT_OF_PLACE.format(table="task")
DELETE_TASKS = "DELETE FROM task WHERE id >= ? AND id < ?"

# Attempts.

_ATTEMPT_COLUMNS = ("id", *columns.ATTEMPT, "sum")
_ATTEMPT = _listed(_ATTEMPT_COLUMNS)
PUT_ATTEMPT = _put("attempt", _ATTEMPT_COLUMNS, "INSERT")
LAST_ATTEMPT = "SELECT max(id) FROM attempt WHERE id >= ? AND id < ?"
ATTEMPTS = f"SELECT {_ATTEMPT} FROM attempt WHERE id >= ? AND id < ? ORDER BY id"
ATTEMPTS_OF_TASK = ATTEMPTS.replace("ORDER", "AND task = ? ORDER")
ALL_ATTEMPTS = f"SELECT {_ATTEMPT} FROM attempt ORDER BY id"
ATTEMPTS_OUT_OF_PLACE = _OUT_OF_PLACE.format(table="attempt")
DELETE_ATTEMPTS = "DELETE FROM attempt WHERE id >= ? AND id < ?"

# What tasks keep for their next attempt.

_STATE_COLUMNS = ("run", "task", "element", "name", "codec", "digest", "data", "sum")
_STATE = _listed(_STATE_COLUMNS)
PUT_STATE = _put("state", _STATE_COLUMNS)
DROP_STATE = "DELETE FROM state WHERE run = ? AND task = ? AND element = ? AND name = ?"
STATE = f"SELECT {_STATE} FROM state WHERE run = ? AND task = ? AND element = ? ORDER BY name"
STATES = f"SELECT {_STATE} FROM state WHERE run = ?"
ALL_STATE = f"SELECT {_STATE} FROM state ORDER BY run"
DELETE_STATE = "DELETE FROM state WHERE run = ?"

# Results. One that is there already, equal, is left alone: no page is written.

PUT_RESULT = """
    INSERT INTO result (digest, codec, size, data, signature, sum) VALUES (?, ?, ?, ?, ?, ?)
    ON CONFLICT (digest) DO UPDATE
    SET codec = excluded.codec, size = excluded.size, data = excluded.data,
        signature = excluded.signature, sum = excluded.sum
    WHERE data IS NOT excluded.data OR codec IS NOT excluded.codec OR size IS NOT excluded.size
       OR signature IS NOT excluded.signature OR sum IS NOT excluded.sum
"""
RESULT = "SELECT codec, size, data, signature, sum FROM result WHERE digest = ?"
RESULT_SIZE = "SELECT size FROM result WHERE digest = ?"
RESULTS_IN_FILES = "SELECT digest FROM result WHERE data IS NULL"
# What TaskRuns have come to is compared in the database, which needs no memory for it.
_RESULTS_OF_TASKS = "SELECT digest FROM task WHERE digest IS NOT NULL"
LONE_RESULTS = f"SELECT digest, size FROM result WHERE digest NOT IN ({_RESULTS_OF_TASKS})"
MISSING_RESULTS = (
    f"SELECT DISTINCT digest FROM ({_RESULTS_OF_TASKS}) WHERE digest NOT IN "
    "(SELECT digest FROM result)"
)
RESULTS_OF_TASKS = f"SELECT DISTINCT digest FROM ({_RESULTS_OF_TASKS})"
_SOME_RESULTS = "SELECT digest, codec, size, data, signature, sum FROM result {after}"
FIRST_RESULTS = _SOME_RESULTS.format(after="ORDER BY digest LIMIT ?")
NEXT_RESULTS = _SOME_RESULTS.format(after="WHERE digest > ? ORDER BY digest LIMIT ?")
DROP_RESULT = "DELETE FROM result WHERE digest = ?"

# Source.

PUT_CODE = _put("code", (*columns.CODE, "sum"), "INSERT OR IGNORE")
CODE = "SELECT source, sum FROM code WHERE digest = ?"
ALL_CODE = "SELECT digest, source, sum FROM code"
DROP_CODE = "DELETE FROM code WHERE digest = ?"


def objects(connection: sqlite3.Connection) -> frozenset[tuple[str, str, str]]:
    """Return name, table and definition of what a database is made of, as SQLite keeps them."""
    rows = connection.execute("SELECT name, tbl_name, sql FROM sqlite_master WHERE sql NOT NULL")
    return frozenset(rows.fetchall())


def added_objects(connection: sqlite3.Connection) -> str:
    """Return the names of triggers and views on our tables: they would act with each commit."""
    tables = {table for _, table, _ in expected_objects(MIGRATIONS)}
    found = connection.execute("SELECT name, tbl_name FROM sqlite_master WHERE type = 'trigger'")
    return ", ".join(sorted(name for name, table in found if table in tables))


@cache
def expected_objects(migrations: tuple[tuple[str, ...], ...]) -> frozenset[tuple[str, str, str]]:
    """Return what `objects` gives for a sound store made by these migrations."""
    connection = sqlite3.connect(":memory:")
    try:
        for statements in migrations:
            for statement in statements:
                connection.execute(statement)
        return objects(connection)
    finally:
        connection.close()
