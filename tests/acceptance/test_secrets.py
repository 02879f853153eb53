"""Secrets that are planted, and looked for in everything that a run leaves and a command says."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import psycopg
import pytest
from starlette.routing import Route

from flowweaver.cli import app
from flowweaver.stores.opening import open_store
from flowweaver.ui.app import Page
from tests.acceptance.planting import NIGHTLY, PLANTED, Planted, found_in
from tests.ui.serving import Served, serving


def postgres_rows(url: str) -> Iterator[bytes]:
    """Yield all that a Postgres store holds, each value as the bytes it is."""
    with psycopg.connect(url.partition("?")[0]) as connection:
        tables = connection.execute(
            "select schemaname, tablename from pg_tables"
            " where schemaname not in ('pg_catalog', 'information_schema')"
        ).fetchall()
        assert tables
        for schema, table in tables:
            for row in connection.execute(f'select * from "{schema}"."{table}"'):  # type: ignore[call-overload]
                yield from (_as_bytes(value) for value in row)


def _as_bytes(value: Any) -> bytes:
    return bytes(value) if isinstance(value, bytes | memoryview) else str(value).encode()


@pytest.mark.parametrize("executor", ["sequential", "threads", "async", "processes"])
@pytest.mark.parametrize("store", ["state.db", "state.json"])
def test_nothing_is_left_or_said(tmp_path: Path, executor: str, store: str) -> None:
    planted = Planted(tmp_path, store)
    planted.drive(executor)
    assert planted.hits() == {}
    statuses = statuses_in(tmp_path / store)
    assert statuses["told"] == statuses["isolated"] == statuses["part.inner"] == "completed"
    assert statuses["skipped"] == "skipped"
    assert statuses["behind"] == "upstream_failed"
    for name in ("failing", "grouped", "leaving", "result_quotes", "result_is", "file_named"):
        assert statuses[name] == "failed"
    assert statuses["state_quotes"] == "failed"


def statuses_in(place: Path) -> dict[str, str]:
    store = open_store(place)
    run = store.runs()[0]
    return {each.task: each.status.value for each in store.tasks(run.id) if not each.element}


@pytest.mark.parametrize("executor", ["dask", "ray"])
def test_nothing_is_left_or_said_on_clusters(tmp_path: Path, executor: str) -> None:
    planted = Planted(tmp_path, "state.db")
    planted.drive(executor)
    assert planted.hits() == {}


def test_nothing_is_in_postgres(tmp_path: Path, postgres: str) -> None:
    planted = Planted(tmp_path, postgres)
    planted.drive("threads")
    assert planted.hits() == {}
    rows = list(postgres_rows(postgres))
    assert any(b"***" in row for row in rows)
    assert [hit for row in rows for hit in found_in(row)] == []


def leaves(
    group: click.Group, words: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Yield each command there is, with the words that it is called by."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if isinstance(command, click.Group):
            yield from leaves(command, (*words, name))
        else:
            yield (*words, name), command


COMMANDS = list(leaves(app._root))
# These go on until they are told to end, or ask; the page is tried by itself.
NEVER_ENDING = {("ui",)}


def calls_of(words: tuple[str, ...], command: click.Command) -> Iterator[list[str]]:
    """Yield ways to call a command: plainly, and with each option that is a flag or a choice."""
    arguments = [each for each in command.params if isinstance(each, click.Argument)]
    options = [each for each in command.params if isinstance(each, click.Option)]
    names = {name for option in options for name in option.opts}
    own = [*words]
    if "--store" in names:
        own += ["--store", "state.db"]
    if "--secret" in names:
        own += ["--secret", "password=PLANTED_PASSWORD"]
    if "--param" in names:
        own += ["-p", "keys=@keys.json"]
    elif "--target" in names:
        own += ["--target", f"{NIGHTLY.name}:nightly"]
    for task in (
        ["element[1]", "failing"] if any(a.name == "task_name" for a in arguments) else [""]
    ):
        given = [value for argument in arguments for value in values_of(argument, task)]
        yield [*own, "--", *given]
    for option in options:
        if option.is_flag and "--pdb" not in option.opts and not option.is_eager:
            yield [*own, option.opts[-1], "--", *given]
        elif isinstance(option.type, click.Choice):
            yield from ([*own, option.opts[-1], word, "--", *given] for word in option.type.choices)


def values_of(argument: click.Argument, task: str) -> list[str]:
    """Return what a command is given for an argument; of a new one it has to be said here."""
    known = {
        "run_id": ["last"],
        "first": ["last"],
        "second": ["last"],
        "task_name": [task],
        "target": [f"{NIGHTLY.name}:nightly"],
        "tasks": [],
        "targets": [],
        "directory": ["new"],
        "shell": ["bash"],
        "source_url": ["state.db"],
        "target_url": ["copy.db"],
    }
    assert argument.name in known, f"say what is given for the argument {argument.name}"
    return known[argument.name]


@pytest.fixture(scope="module")
def commanded(tmp_path_factory: pytest.TempPathFactory) -> Planted:
    folder = tmp_path_factory.mktemp("commands")
    planted = Planted(folder, "state.db")
    planted.drive("threads")
    Path(folder / "keys.json").write_text("[]")
    return planted


@pytest.mark.parametrize(("words", "command"), COMMANDS, ids=lambda value: str(value)[:30])
def test_no_command_says_one(commanded: Planted, words: tuple[str, ...], command: Any) -> None:
    if words in NEVER_ENDING:
        pytest.skip("it goes on until it is told to end; see the test of the page")
    # What loads the workflow is to know its secrets; what reads the store is not, as it would
    # mask them.
    names = {name for each in command.params for name in each.opts}
    for call in calls_of(words, command):
        commanded.command(*call, knowing=bool(names & {"--secret", "target"}))
    assert commanded.hits() == {}


def first_of_stream(page: Served) -> bytes:
    """Return the first that those hear who follow a store."""
    connection = http.client.HTTPConnection("127.0.0.1", page.port, timeout=30)
    connection.request("GET", "/api/follow", headers=page.headers())
    answer, lines = connection.getresponse(), [b""]
    while not lines[-1].startswith(b"data: "):
        lines.append(answer.readline())
    connection.close()
    return b"".join(lines)


def test_no_page_says_one(commanded: Planted, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(commanded.folder)
    for name, value in PLANTED.items():
        monkeypatch.setenv(name, value)
    store = open_store("state.db")
    first, second = (run.id for run in [store.runs()[0], store.runs()[-1]])
    said = {}
    target = f"{NIGHTLY.name}:nightly"
    asked = {
        "run": f"run={first}",
        "detail": f"run={first}&name=failing",
        "rows": f"run={first}&name=element",
        "compare": f"first={first}&second={second}",
        "signature": f"target={target}",
        "follow": "",
    }
    posted: dict[str, dict[str, Any]] = {
        "plan": {"target": target, "params": {"keys": "[]"}},
        "start": {
            "target": target,
            "params": {"keys": "[]"},
            "secrets": {"password": "PLANTED_PASSWORD"},
        },
        "retry": {"run": first},
        "stop": {"run": first},
        "resolve": {"run": first, "task": "failing"},
    }
    routes = Page(store, store.url, (target,), None).app().routes
    with serving(store, target, allow_actions=True) as page:
        for route in routes:
            assert isinstance(route, Route)
            assert route.methods
            name = route.path.removeprefix("/api/")
            if "POST" in route.methods:
                said[name] = page.ask("POST", route.path, json.dumps(posted[name]).encode())[2]
            elif name != "follow":
                said[name] = page.ask("GET", f"{route.path}?{asked.get(name, '')}")[2]
        said["follow"] = first_of_stream(page)
    assert b"failing" in said["run"]
    assert {name: hits for name, body in said.items() if (hits := found_in(body))} == {}
    assert commanded.hits() == {}
