"""From what a user writes after `--store` to the store."""

from __future__ import annotations

import os
import re
from contextlib import suppress
from pathlib import Path, PurePath
from typing import TYPE_CHECKING

from flowweaver.errors import StoreError, near_matches

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

    from flowweaver.plugins import StateStore

GROUP = "flowweaver.stores"
"""The entry points that make stores known by the scheme of their URLs."""

_BUILT_IN = {
    "json": "flowweaver.stores.jsonl.store:JSONStateStore.from_url",
    "memory": "flowweaver.stores.memory:MemoryStateStore.from_url",
    "sqlite": "flowweaver.stores.sqlite.store:SQLiteStateStore.from_url",
}
_SUFFIXES = {".db": "sqlite", ".sqlite": "sqlite", ".sqlite3": "sqlite", ".json": "json"}
# Two letters at least: one is a drive.
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:?//?")
_URL = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):(.*)", re.DOTALL)


def open_store(place: str | os.PathLike[str]) -> StateStore:
    """Return the store at a URL or path; nothing is read or made before it is used.

    A URL's scheme names the kind: ``sqlite:///relative.db``, ``sqlite:////absolute.db``,
    ``json:///state.json``, ``memory:``, or one that an installed package brings (entry points of
    group ``flowweaver.stores``). A path does by its ending: .db, .sqlite, .sqlite3 or .json.

    Raises:
        StoreError: Nothing installed opens such a store.
    """
    text = os.fspath(place)
    url = _URL.fullmatch(text)
    if url is None or not isinstance(place, str):
        return _open_path(text)
    scheme = url[1].lower()
    opener = _openers().get(scheme)
    if opener is None:
        known = sorted(_openers())
        raise StoreError(
            f"No store of kind {scheme!r} is installed (known: {', '.join(known)})"
            f"{near_matches(scheme, known)}"
        )
    try:
        opened: StateStore = opener.load()(text)
    except ImportError as error:
        raise StoreError(f"Stores of kind {scheme!r} can't be used: {error}.") from error
    return opened


def _open_path(path: str) -> StateStore:
    if path.startswith("~"):  # no shell has put the folder there, as in a file with settings
        with suppress(RuntimeError):  # there is no such user
            path = str(Path(path).expanduser())
    kind = _SUFFIXES.get(PurePath(path).suffix.lower())
    if kind == "sqlite":
        from flowweaver.stores.sqlite.store import SQLiteStateStore

        return SQLiteStateStore(path)
    if kind == "json":
        from flowweaver.stores.jsonl.store import JSONStateStore

        return JSONStateStore(path)
    raise StoreError(
        f"What kind of store {masked(path)!r} is can't be told by its ending; end it with one of "
        f"{', '.join(_SUFFIXES)}, or write a URL such as 'sqlite:///{masked(path)}'."
    )


def masked(place: str) -> str:
    """Return what was given as a store without what may be a user's name and password."""
    before, at, after = place.rpartition("@")
    if not at:
        return place
    scheme = _SCHEME.match(before)
    return f"{scheme[0] if scheme else ''}***@{after}"


def _openers() -> dict[str, EntryPoint]:
    from importlib.metadata import EntryPoint, entry_points  # a path is opened without

    built_in = [EntryPoint(name, where, GROUP) for name, where in _BUILT_IN.items()]
    return {point.name: point for point in (*entry_points(group=GROUP), *built_in)}
