"""Stores by their paths and URLs."""

from __future__ import annotations

import gc
import json
import os
from pathlib import Path

import pytest

from flowweaver.errors import StoreError
from flowweaver.records import ClaimRequest
from flowweaver.stores import (
    JSONStateStore,
    MemoryStateStore,
    SQLiteStateStore,
    open_store,
)
from tests.stores.filling import fill, picture


@pytest.mark.parametrize(
    ("place", "kind", "path"),
    [
        ("sqlite:///rel.db", SQLiteStateStore, "{cwd}/rel.db"),
        ("sqlite:////abs/x.db", SQLiteStateStore, "/abs/x.db"),
        ("SQLite:///any.ending", SQLiteStateStore, "{cwd}/any.ending"),
        ("sqlite:///a%20b%3F.db", SQLiteStateStore, "{cwd}/a b?.db"),
        ("json:///x.json", JSONStateStore, "{cwd}/x.json"),
        ("state.db", SQLiteStateStore, "{cwd}/state.db"),
        ("dir/state.SQLITE", SQLiteStateStore, "{cwd}/dir/state.SQLITE"),
        ("/abs/state.sqlite3", SQLiteStateStore, "/abs/state.sqlite3"),
        ("state.json", JSONStateStore, "{cwd}/state.json"),
        (Path("a:b.json"), JSONStateStore, "{cwd}/a:b.json"),
    ],
)
def test_url_or_path_gives_the_store(
    place: str | Path,
    kind: type[SQLiteStateStore | JSONStateStore],
    path: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    store = open_store(place)
    assert type(store) is kind
    assert str(store._path) == path.format(cwd=tmp_path)


def test_memory_store_has_no_place() -> None:
    assert isinstance(open_store("memory:"), MemoryStateStore)


@pytest.mark.parametrize("name", ["plain", "sp ace", "per%cent", "question?", "hash#", "日本"])
@pytest.mark.parametrize("ending", ["db", "json"])
def test_url_of_a_store_opens_it(tmp_path: Path, name: str, ending: str) -> None:
    store = open_store(tmp_path / f"{name}.{ending}")
    fill(store, tasks=1)
    again = open_store(store.url)
    assert picture(again) == picture(store)
    assert again.url == store.url
    store.close()
    again.close()


def test_durability_is_an_option_of_the_url(tmp_path: Path) -> None:
    store = open_store(f"sqlite:///{tmp_path}/x.db?durability=process")
    assert "process" in repr(store)
    assert open_store(store.url).url == store.url


@pytest.mark.parametrize(
    ("place", "message"),
    [
        ("state.txt", "ending"),
        ("state", "ending"),
        ("", "ending"),
        ("mongo:///x", "mongo.*known: .*sqlite"),
        ("sqlit:///x.db", "did you mean 'sqlite'"),
        ("sqlite:///", "not the URL"),
        ("sqlite://host/x.db", "not the URL"),
        ("sqlite:///x.db?durability=off", "durability"),
        ("sqlite:///x.db?mode=ro", "not the URL"),
        ("json:///x.json#part", "not the URL"),
        ("memory:///x", "memory:"),
    ],
)
def test_what_opens_nothing_is_an_error(place: str, message: str) -> None:
    with pytest.raises(StoreError, match=message):
        open_store(place)


def test_installed_packages_bring_more_kinds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed = tmp_path / "ram-1.0.dist-info"
    installed.mkdir()
    points = "[flowweaver.stores]\nram = tests.stores.test_opening:open_ram\n"
    (installed / "entry_points.txt").write_text(points)
    monkeypatch.syspath_prepend(tmp_path)
    assert isinstance(open_store("ram://anything?at=all"), MemoryStateStore)


def open_ram(url: str) -> MemoryStateStore:
    assert url == "ram://anything?at=all"
    return MemoryStateStore()


@pytest.mark.parametrize(
    "place",
    ["postgres//me:s3cret@host/db", "postgres//me:s3/cr@et@host/db", "me:s3cret@host"],
)
def test_password_in_a_place_that_is_no_url_is_not_shown(place: str) -> None:
    with pytest.raises(StoreError) as caught:
        open_store(place)
    assert "s3" not in str(caught.value)


@pytest.mark.parametrize("ending", [".db", ".json"])
def test_path_that_is_not_utf_8_has_a_url(tmp_path: Path, ending: str) -> None:
    path = tmp_path / os.fsdecode(b"caf\xe9" + ending.encode())
    store = open_store(path)
    assert "%E9" in store.url
    store.release(store.claim(ClaimRequest("a", "k")))
    store.close()
    again = open_store(store.url)
    assert len(again.runs()) == 1
    assert json.loads(json.dumps(dict(again.describe())))["runs"] == 1
    again.close()


@pytest.mark.parametrize("ending", [".db", ".json"])
def test_stores_that_are_dropped_give_their_descriptors_back(tmp_path: Path, ending: str) -> None:
    def use() -> None:
        store = open_store(tmp_path / f"state{ending}")
        store.release(store.claim(ClaimRequest("a", "k")))
        assert store.runs()

    use()
    gc.collect()
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(20):
        use()
    gc.collect()
    assert len(list(Path("/proc/self/fd").iterdir())) <= before


def test_a_path_from_home_is_taken_from_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert open_store("~/runs/x.db").url == f"sqlite:///{tmp_path}/runs/x.db"
    assert open_store("~nobody-of-that-name/x.db").url.endswith("/~nobody-of-that-name/x.db")
