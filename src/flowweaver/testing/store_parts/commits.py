"""All of a commit or nothing; what was written comes back equal."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

from flowweaver.errors import StoreCorruptError, StoreError, SupersededError
from flowweaver.records import (
    AttemptRecord,
    Changes,
    ClaimRequest,
    Failure,
    Lease,
    StateRecord,
    TaskRecord,
)
from flowweaver.serialize.encoded import seal
from flowweaver.state_store import StateStore
from flowweaver.status import Origin, RunStatus, TaskStatus
from flowweaver.testing.store_parts.base import Base
from flowweaver.testing.store_parts.making import (
    FINGERPRINT,
    HOSTILE_NAMES,
    LIMIT_SECONDS,
    completed,
    full_record,
    result_of,
)


class Commits(Base):
    """All of a commit or nothing; what was written comes back equal."""

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
        assert store.states(name) == [item]
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
            AttemptRecord(run_id, "b", "", 1, 1.5, 0.25, failure, worker="worker 2"),
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
        assert sorted(store.states(run_id), key=lambda item: item.element) == [
            StateRecord(run_id, "a", "", "x", two),
            StateRecord(run_id, "a", "3", "x", one),
        ]

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
