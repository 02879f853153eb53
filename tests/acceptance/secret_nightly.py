"""A workflow that does with its secrets all that one should not, started as a script.

It is copied beside the store, and knows its secrets from the environment alone.
"""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import time
import traceback
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import flowweaver
from flowweaver import Secret, Workflow, WorkflowFailed, current_task, each, secret_env, task

MODULE = secret_env("PLANTED_MODULE")


class Client:
    """What users make of the environment at the level of a module."""

    def __init__(self) -> None:
        self.headers = {"Authorization": f"Bearer {os.environ.get('PLANTED_BEARER', '')}"}
        self.dsn = f"postgresql://me:{os.environ.get('PLANTED_BEARER', '')}@host/db"


CLIENT = Client()
ADDRESSES = [CLIENT.dsn]


@dataclass
class Config:
    host: str
    token: Secret[str]


def say(secret: Secret[str]) -> str:
    """Print and log a secret in many ways, and return it."""
    value = secret.reveal()
    print("printed", value, [value], {"a": value.encode()}, secret, Config("h", secret))
    print(f"fed to {value}", file=sys.stderr)
    for piece in (value[:3], value[3:9], value[9:], "\n"):
        sys.stdout.write(piece)
        sys.stdout.flush()
    logging.getLogger("client").warning("logged %r", {"token": value})
    current_task().logger.info("by the task's logger: %s", value)
    warnings.warn(f"warned of {value}", stacklevel=1)
    try:
        raise KeyError(value)
    except KeyError:
        logging.getLogger("client").exception("caught with %s", value)
    return value


@task
def told(token: Secret[str] = secret_env("PLANTED_DEFAULT")) -> int:
    return len(say(token))


@task
def client_used() -> int:
    say(MODULE)
    return len(CLIENT.headers) + len(ADDRESSES)


@task
def defaulted(address: str = CLIENT.dsn, *, more: dict[str, str] = CLIENT.headers) -> int:
    return len(address) + len(more)


@task(retries=1)
def failing(password: Secret[str]) -> None:
    value = say(password)
    try:
        raise ConnectionError(f"no entry for {value}")
    except ConnectionError as cause:
        error = RuntimeError(f"at https://me:{value}@host", {"headers": [value]})
        error.add_note(f"while {value} was used")
        raise error from cause


@task
def grouped(password: Secret[str]) -> None:
    value = password.reveal()
    raise ExceptionGroup(f"all of {value}", [ValueError(value), OSError(2, "gone", f"/{value}")])


@task
def leaving(password: Secret[str]) -> None:
    sys.exit(f"left with {password.reveal()}")


@task(timeout=0.5)
def slow(password: Secret[str]) -> None:
    say(password)
    end = time.monotonic() + 20
    while time.monotonic() < end and not Path("enough").exists():
        time.sleep(0.02)


def never(password: Secret[str]) -> bool:
    print("asked with", password.reveal())
    return False


@task(when=never)
def skipped(password: Secret[str]) -> None: ...


@task
def result_quotes(password: Secret[str]) -> dict[str, Any]:
    return {"headers": [f"Bearer {password.reveal()}"]}


@task
def result_is(config: Config) -> list[Any]:
    print(config)
    return [config]


@task
def state_quotes(password: Secret[str]) -> None:
    current_task().state["mine"] = "plain"
    current_task().state["session"] = {"cookie": password.reveal()}


@task
def file_named(password: Secret[str]) -> Path:
    return Path(f"of-{password.reveal()}.txt")


@task(inputs={"key": each("keys")}, allow_failures=True)
def element(key: Secret[str]) -> int:
    if len(say(key)) % 2:
        raise ValueError(f"odd: {key.reveal()!r}")
    return 1


@task
def elements(element: list[Any]) -> str:
    return str(element)


@task
def inner(password: Secret[str]) -> int:
    return len(say(password))


@task
def behind(failing: None) -> None: ...


@task(isolate=True)
def isolated(password: Secret[str]) -> int:
    if "--locals" in sys.argv:
        subprocess.run(["true"], check=True)
    return len(say(password))


nested = Workflow("nested", [inner])
nightly = Workflow(
    "nightly",
    [
        told, client_used, defaulted, failing, grouped, leaving, slow, skipped, result_quotes,
        result_is, state_quotes, file_named, element, elements, behind, isolated,
    ],
)  # fmt: skip
nightly.add_task(nested, name="part")


def params() -> dict[str, Any]:
    password = os.environ["PLANTED_PASSWORD"]
    keys = [os.environ["PLANTED_KEY"], os.environ["PLANTED_ODD"]]
    return {"password": password, "keys": keys, "config": Config("h", Secret(password))}


class Teller:
    """Writes down all that an observer is told."""

    def __call__(self, event: Any) -> None:
        with Path("events.txt").open("a") as file:
            print(event, repr(event), repr(event.run), event.run.params, file=file)
            print([repr(each.record) for each in event.run.tasks.values()], file=file)


def main(executor: str, store: str) -> None:
    from flowweaver.stores.opening import open_store

    logging.basicConfig(level=logging.INFO)
    made = {
        "sequential": flowweaver.SequentialExecutor,
        "threads": flowweaver.ThreadedExecutor,
        "async": flowweaver.AsyncExecutor,
        "processes": flowweaver.ProcessExecutor,
        "dask": flowweaver.DaskExecutor,
        "ray": flowweaver.RayExecutor,
    }[executor](state_store=open_store(store), observers=(Teller(),))
    for _ in range(2):  # the second restores what there is
        try:
            made.execute(nightly, params(), progress=True)
        except WorkflowFailed as error:
            traceback.print_exc()
            print(repr(error.__cause__), error.run, repr(error.run))
            Path("page.html").write_text(error.run._repr_html_())
            print(error.run.params, [str(each.record) for each in error.run.tasks.values()])
        Path("enough").touch()
    print(nightly.plan(params(), state_store=open_store(store)))


if __name__ == "__main__":
    main(*sys.argv[1:3])
