"""What every state store must do, as tests to inherit.

A store passes when a class like this one does::

    class TestMyStore(PersistentStoreContract):
        @pytest.fixture
        def make_store(self, tmp_path):
            return lambda: MyStateStore(tmp_path / "state")

Each call of `make_store` gives a store object on the same data where the store persists
(`PersistentStoreContract`), else a store of its own (`StateStoreContract`).
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

from flowweaver.engine.protocols import StateStore
from flowweaver.errors import (
    RunLockedError,
    StoreCorruptError,
    StoreError,
    SupersededError,
    UnknownNameError,
)
from flowweaver.records import (
    AttemptRecord,
    Changes,
    ClaimRequest,
    Failure,
    Lease,
    ResultRecord,
    RunRecord,
    StateRecord,
    TaskRecord,
)
from flowweaver.serialize.encoded import seal
from flowweaver.status import Origin, RunStatus, TaskStatus

LIMIT_SECONDS = 30.0
"""How long a test waits for another thread before it fails."""

FINGERPRINT = "0123456789abcdef" * 2

HOSTILE_NAMES = [
    "../../etc/passwd",
    "a b\tc",
    "Robert'); DROP TABLE task;--",
    '"quoted" \\ back',
    "%s {} ${x}",
    "<img src=x onerror=alert(1)>",
    "naïve café 日本語 🦊",
    "e\u0301",
    "\u00e9",
    "x" * 255,
    "__proto__",
    "NULL",
    "0",
]


def result_of(data: bytes, codec: str = "json", signature: str | None = None) -> ResultRecord:
    """Return a result as a commit takes it."""
    return ResultRecord(seal(codec, data), signature)


def completed(
    run_id: str, task: str, result: ResultRecord | None = None, **more: Any
) -> TaskRecord:
    """Return the record of a completed TaskRun."""
    return TaskRecord(
        run_id,
        task,
        status=TaskStatus.COMPLETED,
        attempts=1,
        origin=Origin.EXECUTED,
        digest=None if result is None else result.encoded.digest,
        **more,
    )


def full_record(run_id: str) -> TaskRecord:
    """Return a TaskRun none of whose fields has its default."""
    return TaskRecord(
        run_id=run_id,
        task="fetch",
        element="3.1",
        status=TaskStatus.RETRYING,
        attempts=7,
        failures=3,
        retry_at=1795443309.25,
        origin=Origin.RESTORED,
        fingerprint="ab" * 16,
        digest="cd" * 20,
        source_run="20261122-000000-abcdef",
        started_at=1795443302.125,
        finished_at=1795443303.375,
        duration=1.0625,
        failure=Failure("builtins.ValueError", "no", "Traceback ...", -9, ("a", "b")),
        facts='{"code": {"fetch": "ff00"}}',
        reason="code changed",
    )


class StateStoreContract:
    """What every store does. Override the fixture `make_store`."""

    @pytest.fixture
    def make_store(self) -> Callable[[], StateStore]:
        """Return a function that makes store objects."""
        raise NotImplementedError("override make_store")

    @pytest.fixture
    def store(self, make_store: Callable[[], StateStore]) -> Iterator[StateStore]:
        """Give a new, empty store."""
        store = make_store()
        yield store
        store.close()

    @pytest.fixture
    def lease(self, store: StateStore) -> Iterator[Lease]:
        """Give the lease of a new run."""
        lease = store.claim(ClaimRequest("sales", "k1"))
        yield lease
        store.release(lease)

    def test_is_a_state_store(self, store: StateStore) -> None:
        assert isinstance(store, StateStore)
        assert ":" in store.url

    # Claims.

    def test_claim_makes_a_run(self, store: StateStore) -> None:
        lease = store.claim(ClaimRequest("sales", "k1"))
        run = lease.run
        assert (run.workflow, run.key, run.status) == ("sales", "k1", RunStatus.RUNNING)
        assert run.finished_at is None
        assert run.created_at == run.claimed_at
        assert str(os.getpid()) in run.runner
        assert not lease.continued
        assert lease.tasks == ()
        assert store.run(run.id) == run

    def test_claim_keeps_parameters_and_info(self, store: StateStore) -> None:
        value = result_of(b'"http://x"')
        request = ClaimRequest(
            "sales",
            "k1",
            params={"url": value.encoded.digest},
            results=(value,),
            info={"python": "3.11", "nested": {"n": [1, 2.5, None]}},
        )
        run = store.claim(request).run
        assert store.run(run.id).params == {"url": value.encoded.digest}
        assert store.run(run.id).info == {"python": "3.11", "nested": {"n": [1, 2.5, None]}}
        assert store.result(value.encoded.digest) == value

    def test_run_ids_are_unique(self, store: StateStore) -> None:
        ids = {store.claim(ClaimRequest("sales", f"k{n}")).run.id for n in range(50)}
        assert len(ids) == 50

    @pytest.mark.parametrize("status", [s for s in RunStatus if s.is_unfinished])
    def test_claim_continues_an_unfinished_run(self, store: StateStore, status: RunStatus) -> None:
        first = finish(store, store.claim(ClaimRequest("sales", "k1")), status)
        lease = store.claim(ClaimRequest("sales", "k1"))
        assert lease.continued
        assert lease.run.id == first.id
        assert lease.run.status is RunStatus.RUNNING
        assert lease.run.finished_at is None
        assert lease.run.created_at == first.created_at

    @pytest.mark.parametrize("status", [s for s in RunStatus if not s.is_unfinished])
    def test_claim_makes_a_new_run_after_a_finished_one(
        self, store: StateStore, status: RunStatus
    ) -> None:
        first = finish(store, store.claim(ClaimRequest("sales", "k1")), status)
        lease = store.claim(ClaimRequest("sales", "k1"))
        assert not lease.continued
        assert lease.run.id != first.id
        assert store.run(first.id) == first

    def test_claim_continues_the_newest_of_several(self, store: StateStore) -> None:
        for run_id in ("one", "two", "three"):
            store.release(store.claim(ClaimRequest("sales", "k1", run_id=run_id)))
        assert store.claim(ClaimRequest("sales", "k1")).run.id == "three"

    def test_claim_returns_the_task_runs_of_a_continued_run(self, store: StateStore) -> None:
        lease = store.claim(ClaimRequest("sales", "k1"))
        records = [completed(lease.run.id, name) for name in ("c", "a", "b")]
        store.commit(lease, Changes(tasks=records))
        store.release(lease)
        assert store.claim(ClaimRequest("sales", "k1")).tasks == tuple(records)

    def test_each_claim_raises_the_token(self, store: StateStore) -> None:
        tokens = []
        for _ in range(3):
            lease = store.claim(ClaimRequest("sales", "k1"))
            tokens.append(lease.token)
            store.release(lease)
        assert tokens == sorted(set(tokens))

    def test_new_run_gives_up_unfinished_ones(self, store: StateStore) -> None:
        for run_id in ("one", "two"):
            store.release(store.claim(ClaimRequest("sales", "k1", run_id=run_id)))
        lease = store.claim(ClaimRequest("sales", "k1", new_run=True))
        assert not lease.continued
        assert store.run("one").status is RunStatus.ABANDONED
        assert store.run("two").status is RunStatus.ABANDONED
        assert store.run("two").finished_at is not None

    def test_new_run_leaves_other_keys_alone(self, store: StateStore) -> None:
        other = store.claim(ClaimRequest("sales", "k2"))
        store.release(other)
        store.claim(ClaimRequest("sales", "k1", new_run=True))
        assert store.run(other.run.id).status is RunStatus.RUNNING

    def test_run_id_names_a_new_run(self, store: StateStore) -> None:
        lease = store.claim(ClaimRequest("sales", "k1", run_id="my run/1"))
        assert lease.run.id == "my run/1"
        assert not lease.continued

    @pytest.mark.parametrize("status", list(RunStatus))
    def test_run_id_continues_that_run(self, store: StateStore, status: RunStatus) -> None:
        finish(store, store.claim(ClaimRequest("sales", "k1", run_id="mine")), status)
        lease = store.claim(ClaimRequest("sales", "k1", run_id="mine"))
        assert lease.continued
        assert lease.run.status is RunStatus.RUNNING

    @pytest.mark.parametrize(("workflow", "key"), [("other", "k1"), ("sales", "k2")])
    def test_run_id_of_another_workflow_or_key_is_refused(
        self, store: StateStore, workflow: str, key: str
    ) -> None:
        before = finish(
            store, store.claim(ClaimRequest("sales", "k1", run_id="mine")), RunStatus.FAILED
        )
        with pytest.raises(StoreError, match="mine"):
            store.claim(ClaimRequest(workflow, key, run_id="mine"))
        assert store.runs() == [before]
        store.release(store.claim(ClaimRequest(workflow, key)))

    # Leases.

    def test_second_claim_is_told_who_has_the_run(self, store: StateStore, lease: Lease) -> None:
        with pytest.raises(RunLockedError) as caught:
            store.claim(ClaimRequest("sales", "k1"))
        message = str(caught.value)
        host, _, pid = lease.run.runner.rpartition(":")
        assert host in message
        assert pid in message
        assert "since" in message
        assert "wait" in message
        assert "take" in message
        store.commit(lease, Changes(tasks=[completed(lease.run.id, "a")]))

    @pytest.mark.usefixtures("lease")
    def test_second_claim_is_refused_in_another_thread(self, store: StateStore) -> None:
        with ThreadPoolExecutor(1) as pool, pytest.raises(RunLockedError):
            pool.submit(store.claim, ClaimRequest("sales", "k1")).result(LIMIT_SECONDS)

    @pytest.mark.parametrize(("workflow", "key"), [("sales", "k2"), ("other", "k1")])
    def test_other_runs_go_on_beside(
        self, store: StateStore, lease: Lease, workflow: str, key: str
    ) -> None:
        beside = store.claim(ClaimRequest(workflow, key))
        store.commit(beside, Changes(tasks=[completed(beside.run.id, "a", reason="beside")]))
        store.commit(lease, Changes(tasks=[completed(lease.run.id, "a", reason="first")]))
        assert [task.reason for task in store.tasks(beside.run.id)] == ["beside"]
        assert [task.reason for task in store.tasks(lease.run.id)] == ["first"]

    def test_released_run_can_be_claimed(self, store: StateStore, lease: Lease) -> None:
        store.release(lease)
        store.release(store.claim(ClaimRequest("sales", "k1")))

    def test_waiting_claim_gets_the_run_when_it_is_released(self, store: StateStore) -> None:
        held = store.claim(ClaimRequest("sales", "k1"))
        with ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(store.claim, ClaimRequest("sales", "k1", wait=None))
            with pytest.raises(TimeoutError):
                waiting.result(0.05)
            store.release(held)
            assert waiting.result(LIMIT_SECONDS).run.id == held.run.id

    @pytest.mark.usefixtures("lease")
    def test_wait_has_a_limit(self, store: StateStore) -> None:
        with pytest.raises(RunLockedError):
            store.claim(ClaimRequest("sales", "k1", wait=0.05))

    def test_released_lease_commits_nothing(self, store: StateStore, lease: Lease) -> None:
        store.release(lease)
        with pytest.raises(SupersededError):
            store.commit(lease, Changes(tasks=[completed(lease.run.id, "a")]))
        assert store.tasks(lease.run.id) == []

    def test_release_never_raises(self, store: StateStore, lease: Lease) -> None:
        newer = store.claim(ClaimRequest("sales", "k1", take_over=True))
        for gone in (lease, newer, lease, newer):
            store.release(gone)

    def test_superseded_holder_commits_nothing(self, store: StateStore, lease: Lease) -> None:
        newer = store.claim(ClaimRequest("sales", "k1", take_over=True))
        assert newer.run.id == lease.run.id
        with pytest.raises(SupersededError, match=lease.run.id):
            store.commit(lease, Changes(tasks=[completed(lease.run.id, "a")]))
        assert store.tasks(lease.run.id) == []
        store.commit(newer, Changes(tasks=[completed(lease.run.id, "b")]))
        assert [task.task for task in store.tasks(lease.run.id)] == ["b"]
        store.release(newer)

    def test_holder_of_a_run_given_up_commits_nothing(
        self, store: StateStore, lease: Lease
    ) -> None:
        newer = store.claim(ClaimRequest("sales", "k1", take_over=True, new_run=True))
        assert newer.run.id != lease.run.id
        with pytest.raises(SupersededError):
            store.commit(lease, Changes(tasks=[completed(lease.run.id, "a")]))
        store.release(newer)

    def test_run_taken_over_is_held_by_who_took_it(self, store: StateStore, lease: Lease) -> None:
        newer = store.claim(ClaimRequest("sales", "k1", take_over=True))
        store.release(lease)
        with pytest.raises(RunLockedError):
            store.claim(ClaimRequest("sales", "k1"))
        store.release(newer)
        store.release(store.claim(ClaimRequest("sales", "k1")))

    def test_free_run_can_be_taken_over(self, store: StateStore) -> None:
        store.release(store.claim(ClaimRequest("sales", "k1", take_over=True)))
        store.release(store.claim(ClaimRequest("sales", "k1")))

    def test_one_of_many_claims_at_once_gets_the_run(self, store: StateStore) -> None:
        barrier = threading.Barrier(8)

        def claim() -> Lease | None:
            barrier.wait(LIMIT_SECONDS)
            try:
                return store.claim(ClaimRequest("sales", "k1"))
            except RunLockedError:
                return None

        with ThreadPoolExecutor(8) as pool:
            claims = [pool.submit(claim) for _ in range(8)]
            won = [lease for claim in claims if (lease := claim.result(LIMIT_SECONDS))]
        assert len(won) == 1
        assert [run.id for run in store.runs()] == [won[0].run.id]

    # Commits.

    def test_task_run_comes_back_equal(self, store: StateStore, lease: Lease) -> None:
        records = [full_record(lease.run.id), TaskRecord(lease.run.id, "bare")]
        store.commit(lease, Changes(tasks=records))
        assert store.tasks(lease.run.id) == records

    @pytest.mark.parametrize("status", list(TaskStatus))
    @pytest.mark.parametrize("origin", [None, *Origin])
    def test_every_status_comes_back(
        self, store: StateStore, lease: Lease, status: TaskStatus, origin: Origin | None
    ) -> None:
        record = TaskRecord(lease.run.id, "a", status=status, origin=origin)
        store.commit(lease, Changes(tasks=[record]))
        assert store.tasks(lease.run.id) == [record]

    @pytest.mark.parametrize(
        "awkward",
        [
            {"fingerprint": "", "digest": ""},
            {"fingerprint": "not hex", "digest": "ABCD"},
            {"fingerprint": "ab cd", "digest": "abc"},
            {"started_at": 0.0, "finished_at": -0.0, "duration": 5e-324},
            {"started_at": 1, "finished_at": 2, "duration": 1},
            {"duration": float("inf")},
            {"attempts": 2**31, "failures": 2**31},
            {"reason": "lone \ud800 surrogate", "facts": "\udfff"},
            {"reason": "NUL \0 inside", "facts": "\0"},
            {"reason": "line\nbreaks\r\n\u2028", "facts": "\x1b[31m"},
            {"facts": "x" * 1_000_000},
            {"failure": Failure("E", "\ud800 \0 \n", "t" * 100_000, causes=("\udfff",))},
            {"failure": Failure("E", "")},
            {"source_run": ""},
        ],
        ids=str,
    )
    def test_awkward_fields_come_back_equal(
        self, store: StateStore, lease: Lease, awkward: dict[str, Any]
    ) -> None:
        record = TaskRecord(lease.run.id, "a", status=TaskStatus.COMPLETED, **awkward)
        store.commit(lease, Changes(tasks=[record]))
        assert store.tasks(lease.run.id) == [record]

    @pytest.mark.parametrize("name", HOSTILE_NAMES)
    def test_hostile_names_are_inert(self, store: StateStore, name: str) -> None:
        lease = store.claim(ClaimRequest(name, name, run_id=name))
        value, source = result_of(b"1"), {"ff00": name}
        item = StateRecord(name, name, name, name, value.encoded)
        attempt = AttemptRecord(name, name, name, 1, 1.5, 0.5, None, name)
        record = completed(name, name, value, element=name, fingerprint=FINGERPRINT, facts=name)
        changes = Changes(
            tasks=[record], results=[value], attempts=[attempt], state=[item], code=source
        )
        store.commit(lease, changes)
        assert store.tasks(name) == [record]
        assert store.find(name, name, FINGERPRINT) == record
        assert store.attempts(name, name) == [attempt]
        assert store.state(name, name, name) == {name: value.encoded}
        assert store.code("ff00") == name
        assert [run.id for run in store.runs(name)] == [name]
        store.release(lease)

    def test_names_that_look_alike_are_two(self, store: StateStore, lease: Lease) -> None:
        records = [completed(lease.run.id, name) for name in ("\u00e9", "e\u0301", "E", "e")]
        store.commit(lease, Changes(tasks=records))
        assert store.tasks(lease.run.id) == records

    def test_task_run_written_again_keeps_its_place(self, store: StateStore, lease: Lease) -> None:
        run_id = lease.run.id
        store.commit(lease, Changes(tasks=[TaskRecord(run_id, name) for name in "cab"]))
        store.commit(lease, Changes(tasks=[completed(run_id, "a"), completed(run_id, "d")]))
        assert [task.task for task in store.tasks(run_id)] == ["c", "a", "b", "d"]
        assert store.tasks(run_id)[1] == completed(run_id, "a")

    def test_last_of_several_records_in_one_commit_counts(
        self, store: StateStore, lease: Lease
    ) -> None:
        running = TaskRecord(lease.run.id, "a", status=TaskStatus.RUNNING)
        store.commit(lease, Changes(tasks=[running, completed(lease.run.id, "a")]))
        assert store.tasks(lease.run.id) == [completed(lease.run.id, "a")]

    def test_elements_are_task_runs_of_their_own(self, store: StateStore, lease: Lease) -> None:
        records = [
            completed(lease.run.id, "a", element=element) for element in ("", "0", "1", "1.0", "10")
        ]
        store.commit(lease, Changes(tasks=records))
        assert store.tasks(lease.run.id) == records

    def test_many_task_runs_in_one_commit(self, store: StateStore, lease: Lease) -> None:
        records = [
            completed(lease.run.id, f"t{n}", fingerprint=f"{n:032x}", duration=n / 7)
            for n in range(3000)
        ]
        store.commit(lease, Changes(tasks=records))
        assert store.tasks(lease.run.id) == records

    def test_run_is_updated(self, store: StateStore, lease: Lease) -> None:
        done = replace(
            lease.run, status=RunStatus.FAILED, finished_at=12.5, info={"note": "\ud800"}
        )
        store.commit(lease, Changes(run=done))
        assert store.run(lease.run.id) == done

    def test_attempts_come_back_in_order(self, store: StateStore, lease: Lease) -> None:
        run_id = lease.run.id
        failure = Failure("builtins.ValueError", "no", "Traceback")
        attempts = [
            AttemptRecord(run_id, "b", "", 1, 1.5, 0.25, failure),
            AttemptRecord(run_id, "a", "7", 1, 1, 2, None, "printed \ud800 \0"),
            AttemptRecord(run_id, "b", "", 2, 2.5, 0.0, None, "log\n" * 1000),
        ]
        store.commit(lease, Changes(attempts=attempts[:2]))
        store.commit(lease, Changes(attempts=attempts[2:]))
        assert store.attempts(run_id) == attempts
        assert store.attempts(run_id, "b") == [attempts[0], attempts[2]]

    def test_state_is_kept_replaced_and_dropped(self, store: StateStore, lease: Lease) -> None:
        run_id, one, two = lease.run.id, seal("json", b"1"), seal("raw", b"\x00\xff")
        for name, value in (("x", one), ("y", one), ("x", two), ("y", None), ("z", None)):
            store.commit(lease, Changes(state=[StateRecord(run_id, "a", "", name, value)]))
        store.commit(lease, Changes(state=[StateRecord(run_id, "a", "3", "x", one)]))
        assert store.state(run_id, "a") == {"x": two}
        assert store.state(run_id, "a", "3") == {"x": one}
        assert store.state(run_id, "b") == {}

    def test_source_comes_back(self, store: StateStore, lease: Lease) -> None:
        code = {"aa": "def f():\n    return 'é'\n", "bb": ""}
        store.commit(lease, Changes(code=code))
        assert {digest: store.code(digest) for digest in ("aa", "bb", "cc")} == {**code, "cc": None}

    @pytest.mark.parametrize(
        "data",
        [
            b"",
            b"1",
            b"\0",
            bytes(range(256)),
            '"é\u2028🦊"'.encode(),
            b"\xff\xfe",
            b'{"a": [1, 2]}\n',
        ],
    )
    def test_result_comes_back(self, store: StateStore, lease: Lease, data: bytes) -> None:
        for record in (result_of(data), result_of(data, "pickle", "hmac:00")):
            store.commit(lease, Changes(results=[record]))
            assert store.result(record.encoded.digest) == record

    @pytest.mark.parametrize("size", [2**10, 2**18 - 1, 2**18, 2**18 + 1, 3 * 2**20 + 7])
    def test_result_of_any_size_comes_back(
        self, store: StateStore, lease: Lease, size: int
    ) -> None:
        record = result_of((b"0123456789abcdef" * (size // 16 + 1))[:size], "raw")
        store.commit(lease, Changes(results=[record]))
        store.commit(lease, Changes(results=[record]))
        assert store.result(record.encoded.digest) == record

    def test_newest_signature_counts(self, store: StateStore, lease: Lease) -> None:
        for signature in ("old", None, "new"):
            store.commit(lease, Changes(results=[result_of(b"x", "pickle", signature)]))
        digest = result_of(b"x", "pickle").encoded.digest
        assert store.result(digest).signature == "new"

    def test_commit_of_nothing_is_checked_too(self, store: StateStore, lease: Lease) -> None:
        store.commit(lease, Changes())
        newer = store.claim(ClaimRequest("sales", "k1", take_over=True))
        with pytest.raises(SupersededError):
            store.commit(lease, Changes())
        store.release(newer)

    @pytest.mark.parametrize("kind", ["run", "tasks", "attempts", "state"])
    def test_commit_with_a_record_of_another_run_writes_nothing(
        self, store: StateStore, lease: Lease, kind: str
    ) -> None:
        wrong: dict[str, Any] = {
            "run": replace(lease.run, id="other"),
            "tasks": [TaskRecord("other", "x")],
            "attempts": [AttemptRecord("other", "x", "", 1, 1.0, 1.0)],
            "state": [StateRecord("other", "x", "", "n", seal("json", b"1"))],
        }
        good, value = completed(lease.run.id, "a"), result_of(b"1")
        changes = Changes(tasks=[good], results=[value], code={"aa": "pass"})
        if kind == "tasks":
            changes.tasks.extend(wrong["tasks"])
        else:
            setattr(changes, kind, wrong[kind])
        with pytest.raises(StoreError, match="other"):
            store.commit(lease, changes)
        assert store.tasks(lease.run.id) == []
        assert store.code("aa") is None
        with pytest.raises(StoreCorruptError):
            store.result(value.encoded.digest)
        store.commit(lease, Changes(tasks=[good]))
        assert store.tasks(lease.run.id) == [good]

    def test_what_was_handed_in_can_be_changed(self, store: StateStore, lease: Lease) -> None:
        record = TaskRecord(lease.run.id, "a")
        info: dict[str, object] = {"list": [1]}
        run = replace(lease.run, info=info)
        store.commit(lease, Changes(run=run, tasks=[record]))
        record.status = TaskStatus.FAILED
        info["list"] = [2]
        run.status = RunStatus.FAILED
        assert store.tasks(lease.run.id) == [TaskRecord(lease.run.id, "a")]
        assert store.run(lease.run.id) == replace(lease.run, info={"list": [1]})

    def test_what_is_handed_out_can_be_changed(self, store: StateStore, lease: Lease) -> None:
        store.commit(lease, Changes(tasks=[TaskRecord(lease.run.id, "a")]))
        before = store.run(lease.run.id)
        store.tasks(lease.run.id)[0].status = TaskStatus.FAILED
        store.run(lease.run.id).status = RunStatus.FAILED
        store.runs()[0].status = RunStatus.FAILED
        assert store.tasks(lease.run.id) == [TaskRecord(lease.run.id, "a")]
        assert store.run(lease.run.id) == before

    def test_threads_commit_to_their_own_runs(self, store: StateStore) -> None:
        def work(number: int) -> list[str]:
            lease = store.claim(ClaimRequest("sales", f"k{number}"))
            names = [f"t{number}.{step}" for step in range(20)]
            for name in names:
                value = result_of(name.encode(), "raw")
                record = completed(lease.run.id, name, value)
                store.commit(lease, Changes(tasks=[record], results=[value]))
            found = [task.task for task in store.tasks(lease.run.id)]
            store.release(lease)
            return found if found == names else []

        with ThreadPoolExecutor(4) as pool:
            found = list(pool.map(work, range(4), timeout=LIMIT_SECONDS))
        assert [len(names) for names in found] == [20] * 4

    def test_threads_commit_under_one_lease(self, store: StateStore, lease: Lease) -> None:
        def work(number: int) -> None:
            store.commit(lease, Changes(tasks=[completed(lease.run.id, f"t{number}")]))

        with ThreadPoolExecutor(8) as pool:
            list(pool.map(work, range(64), timeout=LIMIT_SECONDS))
        names = [task.task for task in store.tasks(lease.run.id)]
        assert sorted(names) == sorted(f"t{number}" for number in range(64))

    # Questions.

    def test_runs_are_listed_newest_first(self, store: StateStore) -> None:
        for number, workflow in enumerate("aabab"):
            lease = store.claim(ClaimRequest(workflow, "k", run_id=f"{number}"))
            finish(store, lease, RunStatus.COMPLETED)
        assert [run.id for run in store.runs()] == ["4", "3", "2", "1", "0"]
        assert [run.id for run in store.runs("a")] == ["3", "1", "0"]
        assert [run.id for run in store.runs("a", limit=2)] == ["3", "1"]
        assert [run.id for run in store.runs(limit=1)] == ["4"]
        assert store.runs("c") == []
        assert store.runs(limit=0) == []

    def test_claim_of_an_old_run_does_not_make_it_new(self, store: StateStore) -> None:
        for run_id in ("one", "two", "one"):
            store.release(store.claim(ClaimRequest("sales", "k1", run_id=run_id)))
        assert [run.id for run in store.runs()] == ["two", "one"]

    def test_unknown_run_is_an_error_with_near_matches(
        self, store: StateStore, lease: Lease
    ) -> None:
        with pytest.raises(UnknownNameError, match=lease.run.id):
            store.run(lease.run.id[:-1] + "x")

    def test_empty_store_has_empty_answers(self, store: StateStore) -> None:
        assert store.runs() == []
        assert store.tasks("none") == []
        assert store.attempts("none") == []
        assert store.find("sales", "a", FINGERPRINT) is None
        assert store.state("none", "a") == {}
        assert store.code("aa") is None
        assert store.sweep() == (0, 0)
        store.delete(["none"])
        with pytest.raises(UnknownNameError):
            store.run("none")
        with pytest.raises(StoreCorruptError):
            store.result("00" * 20)

    @pytest.mark.usefixtures("lease")
    def test_answers_about_unknown_runs_are_empty(self, store: StateStore) -> None:
        assert store.tasks("none") == []
        assert store.attempts("none") == []
        assert store.state("none", "a") == {}

    @pytest.mark.usefixtures("lease")
    def test_missing_result_is_an_error_that_names_it(self, store: StateStore) -> None:
        with pytest.raises(StoreCorruptError, match="1234abcd"):
            store.result("1234abcd")

    def test_find_gives_the_newest_completed(self, store: StateStore) -> None:
        for number in range(3):
            lease = store.claim(ClaimRequest("sales", "k", run_id=f"r{number}"))
            record = completed(f"r{number}", "a", fingerprint=FINGERPRINT, reason=str(number))
            store.commit(lease, Changes(tasks=[record]))
            finish(store, lease, RunStatus.COMPLETED)
        assert store.find("sales", "a", FINGERPRINT) == record

    def test_find_goes_by_workflow_task_and_fingerprint(
        self, store: StateStore, lease: Lease
    ) -> None:
        record = completed(lease.run.id, "a", element="3", fingerprint=FINGERPRINT)
        store.commit(lease, Changes(tasks=[record]))
        assert store.find("sales", "a", FINGERPRINT) == record
        assert store.find("other", "a", FINGERPRINT) is None
        assert store.find("sales", "b", FINGERPRINT) is None
        assert store.find("sales", "a", FINGERPRINT[::-1]) is None

    def test_find_looks_past_other_workflows(self, store: StateStore) -> None:
        records = {}
        for workflow in ("sales", "other"):
            lease = store.claim(ClaimRequest(workflow, "k"))
            records[workflow] = completed(lease.run.id, "a", fingerprint=FINGERPRINT)
            store.commit(lease, Changes(tasks=[records[workflow]]))
        assert store.find("sales", "a", FINGERPRINT) == records["sales"]
        assert store.find("other", "a", FINGERPRINT) == records["other"]

    @pytest.mark.parametrize("status", [s for s in TaskStatus if s is not TaskStatus.COMPLETED])
    def test_find_sees_only_what_is_completed(
        self, store: StateStore, lease: Lease, status: TaskStatus
    ) -> None:
        record = completed(lease.run.id, "a", fingerprint=FINGERPRINT)
        store.commit(lease, Changes(tasks=[record]))
        store.commit(lease, Changes(tasks=[replace(record, status=status)]))
        assert store.find("sales", "a", FINGERPRINT) is None

    def test_find_sees_restored_task_runs(self, store: StateStore, lease: Lease) -> None:
        record = completed(lease.run.id, "a", fingerprint=FINGERPRINT)
        record = replace(record, origin=Origin.RESTORED, source_run="gone")
        store.commit(lease, Changes(tasks=[record]))
        assert store.find("sales", "a", FINGERPRINT) == record

    # Upkeep.

    def test_deleted_run_is_gone_with_all_that_was_its_own(self, store: StateStore) -> None:
        own, shared = result_of(b"own"), result_of(b"shared")
        kept = self._filled(store, "kept", shared)
        self._filled(store, "doomed", own, shared)
        store.delete(["doomed", "unknown"])
        assert [run.id for run in store.runs()] == ["kept"]
        assert store.tasks("doomed") == []
        assert store.attempts("doomed") == []
        assert store.state("doomed", "a") == {}
        assert store.find("doomed", "own", FINGERPRINT) is None
        assert store.tasks("kept") == kept
        assert store.result(shared.encoded.digest) == shared
        with pytest.raises(StoreCorruptError):
            store.result(own.encoded.digest)

    def test_find_gives_an_older_run_once_the_newest_is_deleted(self, store: StateStore) -> None:
        for run_id in ("one", "two"):
            lease = store.claim(ClaimRequest("sales", "k", run_id=run_id))
            record = completed(run_id, "a", fingerprint=FINGERPRINT)
            store.commit(lease, Changes(tasks=[record]))
            finish(store, lease, RunStatus.COMPLETED)
        store.delete(["two"])
        found = store.find("sales", "a", FINGERPRINT)
        assert found is not None
        assert found.run_id == "one"

    def test_id_of_a_deleted_run_can_be_given_again(self, store: StateStore) -> None:
        self._filled(store, "again", result_of(b"1"))
        store.delete(["again"])
        lease = store.claim(ClaimRequest("again", "k", run_id="again"))
        assert lease.tasks == ()
        assert store.attempts("again") == []
        assert store.state("again", "a") == {}

    def test_holder_of_a_deleted_run_commits_nothing(self, store: StateStore, lease: Lease) -> None:
        store.delete([lease.run.id])
        beside = store.claim(ClaimRequest("sales", "k2"))
        with pytest.raises(SupersededError):
            store.commit(lease, Changes(tasks=[completed(lease.run.id, "a")]))
        assert store.tasks(beside.run.id) == []

    def test_sweep_drops_what_nothing_refers_to(self, store: StateStore) -> None:
        used, param, old = result_of(b"used"), result_of(b"param"), result_of(b"overwritten")
        request = ClaimRequest("sales", "k", params={"p": param.encoded.digest}, results=(param,))
        lease = store.claim(request)
        run_id = lease.run.id
        code = {"aa11": "used = 1", "bb22": "unused = 1"}
        facts = '{"code": {"a": "aa11"}}'
        for value in (old, used):
            record = completed(run_id, "a", value, facts=facts)
            store.commit(lease, Changes(tasks=[record], results=[value], code=code))
        store.release(lease)
        expected = (2, len(b"overwritten") + len("unused = 1"))
        assert store.sweep(dry_run=True) == expected
        assert store.result(old.encoded.digest) == old
        assert store.sweep() == expected
        assert store.sweep() == (0, 0)
        assert store.result(used.encoded.digest) == used
        assert store.result(param.encoded.digest) == param
        assert store.code("aa11") == "used = 1"
        assert store.code("bb22") is None
        with pytest.raises(StoreCorruptError):
            store.result(old.encoded.digest)

    def test_sweep_drops_large_results(self, store: StateStore) -> None:
        large = result_of(b"x" * (2**18 + 1), "raw")
        lease = store.claim(ClaimRequest("sales", "k"))
        store.commit(lease, Changes(results=[large]))
        store.release(lease)
        assert store.sweep() == (1, 2**18 + 1)
        with pytest.raises(StoreCorruptError):
            store.result(large.encoded.digest)

    def test_nothing_is_dropped_while_a_run_is_worked_on(self, store: StateStore) -> None:
        value = result_of(b"may be restored")
        self._filled(store, "earlier", value)
        lease = store.claim(ClaimRequest("sales", "k"))
        store.delete(["earlier"])
        assert store.sweep() == (0, 0)
        record = replace(completed(lease.run.id, "a", value), origin=Origin.RESTORED)
        store.commit(lease, Changes(tasks=[record]))
        store.release(lease)
        assert store.sweep() == (0, 0)
        assert store.result(value.encoded.digest) == value

    def _filled(self, store: StateStore, run_id: str, *values: ResultRecord) -> list[TaskRecord]:
        """Make a completed run with one of everything; return its TaskRuns."""
        lease = store.claim(ClaimRequest(run_id, "k", run_id=run_id))
        records = [
            completed(run_id, value.encoded.data.decode(), value, fingerprint=FINGERPRINT)
            for value in values
        ]
        changes = Changes(
            tasks=records,
            results=list(values),
            attempts=[AttemptRecord(run_id, "a", "", 1, 1.0, 1.0)],
            state=[StateRecord(run_id, "a", "", "x", seal("json", b"1"))],
        )
        store.commit(lease, changes)
        finish(store, lease, RunStatus.COMPLETED)
        return records


class PersistentStoreContract(StateStoreContract):
    """What stores do whose data outlives them. `make_store` gives stores on the same data."""

    def reopen(self, store: StateStore, make_store: Callable[[], StateStore]) -> StateStore:
        """Return the store as a later process would find it."""
        store.close()
        return make_store()

    def test_everything_outlives_the_store(
        self, store: StateStore, make_store: Callable[[], StateStore]
    ) -> None:
        values = [result_of(b"small"), result_of(b"x" * 2**19, "raw", "signed")]
        lease = store.claim(ClaimRequest("sales", "k", run_id="one", info={"a": 1}))
        attempt = AttemptRecord("one", "a", "", 1, 1.0, 2.0, Failure("E", "m"), "log")
        changes = Changes(
            tasks=[full_record("one"), completed("one", "b", values[1], fingerprint=FINGERPRINT)],
            results=values,
            attempts=[attempt],
            state=[StateRecord("one", "a", "", "x", values[0].encoded)],
            code={"aa": "pass"},
        )
        store.commit(lease, changes)
        run = finish(store, lease, RunStatus.FAILED)
        later = self.reopen(store, make_store)
        assert later.runs() == [run]
        assert later.tasks("one") == changes.tasks
        assert [later.result(value.encoded.digest) for value in values] == values
        assert later.attempts("one") == [attempt]
        assert later.state("one", "a") == {"x": values[0].encoded}
        assert later.code("aa") == "pass"
        assert later.find("sales", "b", FINGERPRINT) == changes.tasks[1]
        later.close()

    def test_unfinished_run_is_continued_by_a_later_process(
        self, store: StateStore, make_store: Callable[[], StateStore]
    ) -> None:
        lease = store.claim(ClaimRequest("sales", "k"))
        store.commit(lease, Changes(tasks=[completed(lease.run.id, "a")]))
        store.release(lease)
        later = self.reopen(store, make_store)
        again = later.claim(ClaimRequest("sales", "k"))
        assert again.run.id == lease.run.id
        assert again.token > lease.token
        later.commit(again, Changes(tasks=[completed(lease.run.id, "b")]))
        assert [task.task for task in later.tasks(lease.run.id)] == ["a", "b"]
        later.release(again)
        later.close()

    def test_two_stores_on_the_same_data_see_each_other(
        self, store: StateStore, make_store: Callable[[], StateStore]
    ) -> None:
        other = make_store()
        mine, theirs = (
            one.claim(ClaimRequest("sales", one_key))
            for one, one_key in ((store, "k1"), (other, "k2"))
        )
        for number in range(5):
            store.commit(mine, Changes(tasks=[completed(mine.run.id, f"t{number}")]))
            other.commit(theirs, Changes(tasks=[completed(theirs.run.id, f"u{number}")]))
            assert len(other.tasks(mine.run.id)) == number + 1
            assert len(store.tasks(theirs.run.id)) == number + 1
        assert [run.id for run in store.runs()] == [run.id for run in other.runs()]
        store.release(mine)
        other.release(theirs)
        other.close()

    def test_run_held_through_one_store_is_locked_for_another(
        self, store: StateStore, make_store: Callable[[], StateStore], lease: Lease
    ) -> None:
        other = make_store()
        with pytest.raises(RunLockedError):
            other.claim(ClaimRequest("sales", "k1"))
        newer = other.claim(ClaimRequest("sales", "k1", take_over=True))
        with pytest.raises(SupersededError):
            store.commit(lease, Changes(tasks=[completed(lease.run.id, "a")]))
        store.release(lease)
        with pytest.raises(RunLockedError):
            store.claim(ClaimRequest("sales", "k1"))
        other.release(newer)
        other.close()

    def test_closed_store_can_be_used_again(self, store: StateStore, lease: Lease) -> None:
        store.close()
        store.commit(lease, Changes(tasks=[completed(lease.run.id, "a")]))
        store.close()
        store.close()
        assert [task.task for task in store.tasks(lease.run.id)] == ["a"]


def finish(store: StateStore, lease: Lease, status: RunStatus) -> RunRecord:
    """End a run with a status, release it, and return it as it now is."""
    store.commit(lease, Changes(run=replace(lease.run, status=status, finished_at=99.5)))
    store.release(lease)
    return store.run(lease.run.id)
