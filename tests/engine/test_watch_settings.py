"""Files of settings, read once and kept: code behind an attribute names them."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path

import pytest

from flowweaver import SQLiteStateStore
from tests.engine.reading import execute, reason_of

_read: dict[str, str] = {}


def kept(name: str) -> str:
    """Return what a file says, read by whoever asks first."""
    if name not in _read:
        _read[name] = Path(name).read_text()
    return _read[name]


class Settings:
    @property
    def rate(self) -> str:
        return kept("settings.txt")

    @functools.cached_property
    def lasting(self) -> str:
        return kept("settings.txt")

    def given(self) -> str:
        return kept("settings.txt")

    @classmethod
    def of_class(cls) -> str:
        return kept("settings.txt")

    @staticmethod
    def of_none() -> str:
        return kept("settings.txt")


class Inherited(Settings):
    pass


settings = Inherited()


def by_property() -> str:
    return settings.rate


def by_cached_property() -> str:
    return settings.lasting


def by_method() -> str:
    return settings.given()


def by_class() -> str:
    return Inherited.of_class()


def by_static_method() -> str:
    return Settings.of_none()


@pytest.mark.parametrize(
    "body", [by_property, by_cached_property, by_method, by_class, by_static_method]
)
def test_file_that_is_named_behind_an_attribute_counts(
    body: Callable[[], str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def as_in_a_process_of_its_own() -> None:
        _read.clear()
        vars(settings).clear()
        kept("settings.txt")  # by another body

    monkeypatch.chdir(tmp_path)
    store, file = SQLiteStateStore("state.db"), Path("settings.txt")
    file.write_text("1")
    as_in_a_process_of_its_own()
    assert execute(body, store)["t"] == "1"
    assert reason_of(execute(body, store)) is None
    file.write_text("2")
    as_in_a_process_of_its_own()
    assert execute(body, store)["t"] == "2"
