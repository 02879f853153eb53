"""Secrets as parameters: which run is continued, what is reused, and what is missing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from flowweaver import (
    ParameterError,
    Run,
    Secret,
    SequentialExecutor,
    SQLiteStateStore,
    StateStore,
    TaskStatus,
    UnstorableError,
    Workflow,
    WorkflowFailed,
    current_task,
    each,
    replay,
    secret_env,
    task,
)
from flowweaver.serialize import encode_without_secrets, preview

FIRST, SECOND = "planted-first-value", "planted-second-value"
PASSES = {"yes": False}


@dataclass(frozen=True)
class Config:
    host: str
    token: Secret[str]


@task
def length(token: Secret[str]) -> int:
    return len(token.reveal())


@task
def checked(length: int) -> int:
    if not PASSES["yes"]:
        raise ValueError("not yet")
    return length


@pytest.fixture
def store(tmp_path: Path) -> SQLiteStateStore:
    return SQLiteStateStore(tmp_path / "state.db")


@pytest.fixture
def variable(monkeypatch: pytest.MonkeyPatch) -> Callable[[str | None], None]:
    def put(value: str | None) -> None:
        if value is None:
            monkeypatch.delenv("TOKEN_OF_TESTS", raising=False)
        else:
            monkeypatch.setenv("TOKEN_OF_TESTS", value)

    put(None)
    return put


def executed(
    workflow: Workflow, store: StateStore | None, params: dict[str, Any], **options: Any
) -> Run:
    executor = SequentialExecutor(state_store=store)
    return executor.execute(workflow, params, raise_on_failure=False, **options)


def origin(run: Run, name: str) -> str | None:
    found = run.tasks[name].origin
    return None if found is None else found.value


def test_text_becomes_a_secret_where_one_is_asked_for() -> None:
    run = executed(Workflow("w", [length]), None, {"token": FIRST})
    assert run["length"] == len(FIRST)
    assert run.params == {"token": Secret(FIRST)}


def test_texts_in_containers_become_secrets() -> None:
    @task
    def total(tokens: list[Secret[str]], by_name: dict[str, Secret[str] | None]) -> list[str]:
        named = [value.reveal() for value in by_name.values() if value is not None]
        return [token.reveal() for token in tokens] + named

    params = {"tokens": [FIRST, Secret(SECOND)], "by_name": {"a": FIRST, "b": None}}
    assert executed(Workflow("w", [total]), None, params)["total"] == [FIRST, SECOND, FIRST]


def test_secret_where_text_is_asked_for_is_refused() -> None:
    @task
    def plain(token: str) -> int:
        return len(token)

    with pytest.raises(ParameterError, match="'token' of task 'plain' must be str, not Secret"):
        executed(Workflow("w", [plain]), None, {"token": Secret(FIRST)})


def test_another_secret_changes_nothing(store: SQLiteStateStore) -> None:
    workflow = Workflow("w", [length])
    first = executed(workflow, store, {"token": FIRST})
    second = executed(workflow, store, {"token": Secret(SECOND)})
    assert origin(second, "length") == "restored"
    assert second.id != first.id


def test_another_secret_that_counts_is_another(store: SQLiteStateStore) -> None:
    workflow = Workflow("w", [length])
    executed(workflow, store, {"token": Secret(FIRST, counts=True)})
    same = executed(workflow, store, {"token": Secret(FIRST, counts=True)})
    other = executed(workflow, store, {"token": Secret(SECOND, counts=True)})
    assert origin(same, "length") == "restored"
    assert origin(other, "length") == "executed"
    assert other.tasks["length"].reason == "parameter `token` changed"


def test_run_is_continued_with_another_secret(store: SQLiteStateStore) -> None:
    workflow = Workflow("w", [length, checked])
    PASSES["yes"] = False
    failed = executed(workflow, store, {"token": Secret(FIRST, counts=True)})
    PASSES["yes"] = True
    done = executed(workflow, store, {"token": Secret(SECOND, counts=True)})
    assert done.id == failed.id
    assert origin(done, "length") == "executed"


def test_run_is_continued_without_a_secret_that_nobody_needs(store: SQLiteStateStore) -> None:
    workflow = Workflow("w", [length, checked])
    PASSES["yes"] = False
    failed = executed(workflow, store, {"token": FIRST})
    PASSES["yes"] = True
    done = executed(workflow, store, {})
    assert done.id == failed.id
    assert origin(done, "length") == "restored"
    assert done.status.value == "completed"


def test_secret_that_is_needed_is_asked_for_before_any_body(store: SQLiteStateStore) -> None:
    began = []

    @task
    def expensive() -> int:
        began.append(1)
        return 1

    @task
    def sent(expensive: int, token: Secret[str]) -> int:
        return len(token.reveal())

    workflow = Workflow("w", [expensive, sent])
    with pytest.raises(ParameterError, match="Task 'sent' takes the secret 'token': it was not"):
        executed(workflow, store, {})
    assert began == []
    assert store.runs() == []
    executed(workflow, store, {"token": FIRST})
    with pytest.raises(ParameterError, match="Task 'sent' takes the secret 'token'"):
        executed(workflow, store, {}, force=["sent"])
    with pytest.raises(ParameterError, match="Task 'sent' takes the secret 'token'"):
        executed(workflow, store, {}, reuse="never")


def test_body_is_not_called_without_its_secret(store: SQLiteStateStore) -> None:
    called = []

    @task(retries=3)
    def sent(count: int, token: Secret[str]) -> int:
        called.append(count)
        return count

    workflow = Workflow("w", [sent])
    executed(workflow, store, {"count": 1, "token": FIRST})
    run = executed(workflow, store, {"count": 2})
    assert run.tasks["sent"].status is TaskStatus.FAILED
    assert "Task 'sent' takes the secret 'token'" in str(run.tasks["sent"].error)
    assert (called, run.tasks["sent"].attempts) == ([1], 1)


def test_without_a_store_it_is_asked_for() -> None:
    with pytest.raises(ParameterError, match="each start needs it"):
        executed(Workflow("w", [length]), None, {})


def test_default_is_taken_from_the_environment(
    store: SQLiteStateStore, variable: Callable[[str | None], None]
) -> None:
    @task
    def sent(token: Secret[str] = secret_env("TOKEN_OF_TESTS")) -> int:
        return len(token.reveal())

    workflow = Workflow("w", [sent])
    assert workflow.plan({}, state_store=store)["sent"].action == "run"
    with pytest.raises(ParameterError, match="variable TOKEN_OF_TESTS is not set; set it"):
        executed(workflow, store, {})
    variable(FIRST)
    assert executed(workflow, store, {})["sent"] == len(FIRST)
    variable(SECOND)
    assert origin(executed(workflow, store, {}), "sent") == "restored"
    variable(None)
    assert origin(executed(workflow, store, {}), "sent") == "restored"
    assert origin(executed(workflow, store, {"token": "planted-by-hand"}), "sent") == "restored"


def test_default_that_counts_is_told_from_another(
    store: SQLiteStateStore, variable: Callable[[str | None], None]
) -> None:
    @task
    def sent(token: Secret[str] = secret_env("TOKEN_OF_TESTS", counts=True)) -> int:
        return len(token.reveal())

    workflow = Workflow("w", [sent])
    variable(FIRST)
    executed(workflow, store, {})
    assert origin(executed(workflow, store, {}), "sent") == "restored"
    variable(SECOND)
    assert origin(executed(workflow, store, {}), "sent") == "executed"


def test_global_secret_counts_only_where_it_says_so(
    store: SQLiteStateStore, variable: Callable[[str | None], None]
) -> None:
    variable(FIRST)
    plain, counting = secret_env("TOKEN_OF_TESTS"), secret_env("TOKEN_OF_TESTS", counts=True)

    @task
    def sent() -> int:
        return len(plain.reveal())

    @task
    def counted() -> int:
        return len(counting.reveal())

    workflow = Workflow("w", [sent, counted])
    executed(workflow, store, {})
    variable(SECOND)
    again = executed(workflow, store, {})
    assert (origin(again, "sent"), origin(again, "counted")) == ("restored", "executed")


def test_each_keeps_its_own_default(variable: Callable[[str | None], None]) -> None:
    @task
    def one(token: Secret[str] = Secret("planted-default-one")) -> str:
        return token.reveal()

    @task
    def two(*, token: Secret[str] = Secret("planted-default-two")) -> str:
        return token.reveal()

    run = executed(Workflow("w", [one, two]), None, {})
    assert (run["one"], run["two"]) == ("planted-default-one", "planted-default-two")


def test_secrets_inside_of_other_values_are_not_kept(store: SQLiteStateStore) -> None:
    @task
    def sent(config: Config, more: dict[str, list[Secret[str]]]) -> int:
        return len(config.token.reveal() + more["a"][0].reveal())

    def params(value: str, host: str = "db") -> dict[str, Any]:
        return {"config": Config(host, Secret(value)), "more": {"a": [Secret(value)]}}

    workflow = Workflow("w", [sent])
    run = executed(workflow, store, params(FIRST))
    assert run["sent"] == 2 * len(FIRST)
    assert origin(executed(workflow, store, params(SECOND)), "sent") == "restored"
    assert origin(executed(workflow, store, params(FIRST, "other")), "sent") == "executed"


def test_elements_may_be_secrets(store: SQLiteStateStore) -> None:
    @task(inputs={"token": each("tokens")})
    def size(token: Secret[str]) -> int:
        return len(token.reveal())

    @task(inputs={"config": each("configs")})
    def host(config: Config) -> str:
        return f"{config.host}-{len(config.token.reveal())}"

    workflow = Workflow("w", [size, host])
    configs = [Config("a", Secret(FIRST)), Config("b", Secret(SECOND))]
    run = executed(workflow, store, {"tokens": [FIRST, SECOND], "configs": configs})
    assert run["size"] == [19, 20]
    assert run["host"] == ["a-19", "b-20"]


@pytest.mark.parametrize(
    "made",
    [
        lambda token: token,
        lambda token: {"a": [token]},
        lambda token: Config("db", token),
        lambda token: token.reveal(),
        lambda token: [1, {"a": ("x", f"Bearer {token.reveal()}")}],
        lambda token: token.reveal().encode(),
    ],
)
def test_result_with_a_secret_is_refused(store: SQLiteStateStore, made: Any) -> None:
    @task(retries=2)
    def login(token: Secret[str]) -> Any:
        return made(token)

    run = executed(Workflow("w", [login]), store, {"token": FIRST})
    error = run.tasks["login"].error
    assert error is not None
    assert "there is a secret in it" in error.message
    assert FIRST not in f"{error.message} {error.trace}"
    assert run.tasks["login"].attempts == 1


def test_path_to_a_secret_in_a_result_is_told(store: SQLiteStateStore) -> None:
    @task
    def login(token: Secret[str]) -> Any:
        return {"all": [Config("db", token)]}

    with pytest.raises(WorkflowFailed, match=r"task 'login'.*result\['all'\]\[0\].token can't be"):
        SequentialExecutor(state_store=store).execute(Workflow("w", [login]), {"token": FIRST})


def test_parameter_that_quotes_a_secret_is_refused(store: SQLiteStateStore) -> None:
    @task
    def sent(token: Secret[str], address: str) -> str:
        return "sent"

    params = {"token": FIRST, "address": f"https://{FIRST}@host"}
    with pytest.raises(UnstorableError, match="parameter 'address' can't be stored: there is"):
        executed(Workflow("w", [sent]), store, params)


def test_conditions_are_given_secrets(store: SQLiteStateStore) -> None:
    def is_long(token: Secret[str]) -> bool:
        return len(token.reveal()) > 10

    @task(when=is_long)
    def sent() -> str:
        return "sent"

    workflow = Workflow("w", [sent])
    assert executed(workflow, store, {"token": Secret(FIRST)})["sent"] == "sent"
    run = executed(workflow, store, {"token": Secret("shrt")}, reuse="never")
    assert run.tasks["sent"].status is TaskStatus.SKIPPED


def test_body_is_replayed_with_secrets_given_again(
    store: SQLiteStateStore, variable: Callable[[str | None], None]
) -> None:
    @task
    def sent(token: Secret[str], other: Secret[str] = secret_env("TOKEN_OF_TESTS")) -> int:
        return len(token.reveal() + other.reveal())

    workflow = Workflow("w", [sent])
    variable(FIRST)
    run = executed(workflow, store, {"token": FIRST})
    assert replay(workflow, store, run.id, "sent", {"token": Secret(SECOND)}) == 39
    with pytest.raises(LookupError, match="Task 'sent' takes the secret 'token'"):
        replay(workflow, store, run.id, "sent")
    with pytest.raises(ParameterError, match=r"no secret 'tokens' .*did you mean 'token'"):
        replay(workflow, store, run.id, "sent", {"tokens": Secret(SECOND)})


def test_file_with_a_secret_in_its_name_is_refused(store: SQLiteStateStore, tmp_path: Path) -> None:
    @task
    def made(token: Secret[str]) -> Path:
        path = tmp_path / f"of-{token.reveal()}.txt"
        path.write_text("content")
        return path

    run = executed(Workflow("w", [made]), store, {"token": FIRST})
    assert "there is a secret in it" in str(run.tasks["made"].error)


@pytest.mark.parametrize("item", [("token", FIRST), (FIRST, 1), ("a", {"b": [f"x{FIRST}"]})])
def test_state_with_a_secret_is_refused(store: SQLiteStateStore, item: tuple[str, Any]) -> None:
    @task
    def keeping(token: Secret[str]) -> None:
        current_task().state[item[0]] = item[1]

    run = executed(Workflow("w", [keeping]), store, {"token": FIRST})
    assert "there is a secret in it" in str(run.tasks["keeping"].error)


def test_secret_inside_of_an_object_is_shown_as_one() -> None:
    encoded, secrets = encode_without_secrets(Config("db", Secret(FIRST)), "parameter 'config'")
    assert secrets == (Secret(FIRST),)
    assert "token=Secret('***')" in preview(encoded)
