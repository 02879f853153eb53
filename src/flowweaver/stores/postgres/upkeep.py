"""Keeping a store in Postgres small and sound: deleting, sweeping, checking, describing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from flowweaver.errors import StoreError
from flowweaver.stores.common.columns import read_more
from flowweaver.stores.common.results import Unused
from flowweaver.stores.common.tables import words
from flowweaver.stores.postgres import queries
from flowweaver.stores.postgres import schema as sql
from flowweaver.stores.postgres.connections import Session
from flowweaver.stores.postgres.rows import restored, storable
from flowweaver.stores.postgres.writes import hand_on


def delete_runs(db: Session, run_ids: Sequence[str]) -> None:
    """Delete the rows of runs, and of results that only they referred to.

    While anybody works on a run, results stay until a later sweep.
    """
    nobody = _nobody_works(db)
    freed: set[str] = set()
    for run_id in run_ids:
        found = queries.run(db, run_id)
        if found is None:
            continue
        seq, run = found
        hand_on(db, run, but=run_ids)
        freed.update(run.params.values())
        freed.update(map(restored, db.column(sql.DIGESTS_OF_RUN, [seq])))
        freed.update(_kept(db.column(sql.MORE_OF_RUN, [seq])))
        for statement in (
            sql.RELEASE_OF_RUN,
            sql.DELETE_TASKS,
            sql.DELETE_ATTEMPTS,
            sql.DELETE_STATE,
            sql.DELETE_RUN,
        ):
            db.run(statement, [seq])
    if nobody and freed:
        db.run(sql.DROP_RESULTS, [[*map(storable, freed - _referenced(db))]])


def unused(db: Session) -> Unused:
    """Return what nothing refers to; nothing while anybody works on a run.

    Who does may be about to refer to results of earlier runs.
    """
    if db.column(sql.ANY_HELD)[0]:
        return Unused()
    referenced = _referenced(db)
    sizes = {restored(digest): size for digest, size in db.all(sql.RESULT_SIZES)}
    named: set[str] = set()
    for facts in db.column(sql.FACTS):
        named.update(words(restored(facts)))
    for run in queries.runs(db, None, None):
        named.update(words(str(run.info)))
    code = {
        restored(row[0]): len(queries.source_of(row).encode(errors="surrogatepass"))
        for row in db.all(sql.ALL_CODE)
    }
    return Unused(
        results={digest: size for digest, size in sizes.items() if digest not in referenced},
        code={digest: size for digest, size in code.items() if digest not in named},
    )


def drop_unused(db: Session) -> Unused:
    """Delete the rows that nothing refers to; return what there was."""
    if not _nobody_works(db):
        return Unused()
    found = unused(db)
    db.run(sql.DROP_RESULTS, [[*map(storable, found.results)]])
    db.run(sql.DROP_CODE, [[*map(storable, found.code)]])
    return found


def describe(db: Session) -> dict[str, object]:
    """Return versions and sizes."""
    return {
        "postgres": db.column("SHOW server_version")[0],
        "schema": db.schema,
        "version": db.column(sql.VERSION)[0],
        "runs": db.column(sql.RUN_COUNT)[0],
        "bytes": db.column(sql.SIZE)[0],
    }


def faults(db: Session) -> list[str]:
    """Return what is wrong with any row or result at one moment, in words."""
    db.run(sql.LOOK)
    wrong = list(_faults_in_rows(db))
    db.run(sql.COMMIT)
    return wrong


def _nobody_works(db: Session) -> bool:
    """Keep claims out until the transaction ends; return whether no lease is left.

    Leases that have run out are taken away for good: their holders can't commit any more. One that
    runs out only after that is still there, and its holder can.
    """
    db.run(sql.KEEP_CLAIMS_OUT)
    db.run(sql.DROP_EXPIRED)
    return not db.column(sql.ANY_LEASE)[0]


def _referenced(db: Session) -> set[str]:
    digests = {*map(restored, db.column(sql.DIGESTS)), *_kept(db.column(sql.MORE))}
    for run in queries.runs(db, None, None):
        digests.update(run.params.values())
    return digests


def _kept(more: Iterable[str]) -> Iterator[str]:
    """Yield the digests of results that hold the content of files."""
    for text in more:
        files, *_ = read_more(restored(text))
        yield from (file.kept for file in files if file.kept)


def _faults_in_rows(db: Session) -> Iterator[str]:
    for run_id in map(restored, db.column(sql.RUN_IDS)):
        found = queries.run(db, run_id)
        if found is not None:
            queries.base_of(db, found[1])
            for _ in queries.own_pages(db, found[0], run_id):
                pass  # each row is verified when it is read
        queries.attempts(db, run_id, None)
    for source in db.all(sql.ALL_CODE):
        queries.source_of(source)
    for item in db.all(sql.ALL_STATE):
        queries.state_item(db, item)
    for digest in sorted(_referenced(db)):
        try:
            queries.result(db, digest)
        except StoreError as error:
            yield str(error)
