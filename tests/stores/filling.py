"""A store with something of everything in it, and all that can be read from one."""

from __future__ import annotations

from flowweaver.records import AttemptRecord, Changes, ClaimRequest, Failure, Lease, StateRecord
from flowweaver.serialize.encoded import seal
from flowweaver.state_store import StateStore
from flowweaver.status import RunStatus
from flowweaver.testing.stores import completed, finish, result_of

LARGE = b"large" * 2**16


def fill(store: StateStore, tasks: int = 12, *, large: bool = True) -> None:
    """Put in two workflows, each with a completed and an unfinished run."""
    for workflow in ("sales", "stock"):
        for key in ("k0", "k1"):
            _fill_run(store, workflow, key, tasks, large)


def _fill_run(store: StateStore, workflow: str, key: str, tasks: int, large: bool) -> None:
    param = result_of(f'"{key}"'.encode(), signature="hmac:00ff")
    request = ClaimRequest(
        workflow,
        key,
        run_id=f"{workflow}-{key}",
        params={"p": param.encoded.digest},
        results=(param,),
        info={"key": key},
    )
    lease = store.claim(request)
    for number in range(tasks):
        commit_task(store, lease, number)
    run_id = lease.run.id
    attempt = AttemptRecord(run_id, "t1", "", 1, 1.5, 2.5, Failure("E", "m", "t"), "printed")
    item = StateRecord(run_id, "t1", "", "cursor", seal("json", b"[1]"))
    store.commit(lease, Changes(attempts=[attempt], state=[item]))
    if large:
        store.commit(
            lease,
            Changes(
                tasks=[completed(run_id, "large", result_of(LARGE, "raw"))],
                results=[result_of(LARGE, "raw")],
            ),
        )
    if key == "k0":
        finish(store, lease, RunStatus.COMPLETED)
    else:
        store.release(lease)


def commit_task(store: StateStore, lease: Lease, number: int) -> None:
    """Commit one completed TaskRun, `t<number>`, with its result and its source."""
    run_id = lease.run.id
    value = value_of(run_id, number)
    record = completed(
        run_id,
        f"t{number}",
        value,
        fingerprint=f"{number:032x}",
        started_at=1.5 + number,
        duration=0.1,
        facts=f'{{"code": "c{number}"}}',
    )
    code = {f"c{number}": f"def t{number}(): ..."}
    store.commit(lease, Changes(tasks=[record], results=[value], code=code))


def value_of(run_id: str, number: int):  # type: ignore[no-untyped-def]
    """Return the result of a task that `commit_task` commits."""
    return result_of(f'{{"run": "{run_id}", "n": {number}}}'.encode())


def picture(store: StateStore) -> list[object]:
    """Return all that can be read from a store."""
    seen: list[object] = [store.runs()]
    for run in store.runs():
        tasks = store.tasks(run.id)
        seen += [store.run(run.id), tasks, store.attempts(run.id), store.state(run.id, "t1")]
        seen.append(sorted(store.states(run.id), key=repr))
        seen += [store.result(digest) for digest in run.params.values()]
        for task in tasks:
            assert task.digest is not None
            seen += [store.result(task.digest), store.code("c" + task.task[1:])]
            if task.fingerprint is not None:
                seen.append(store.find(run.workflow, task.task, task.fingerprint))
    return seen
