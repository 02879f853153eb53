"""What a secret shows of itself, and to whom."""

from __future__ import annotations

import copy
import dataclasses
import json
import pickle
from typing import Any

import pytest

from flowweaver import Secret, SecretError, secret_env
from flowweaver.secret import withheld

PLANTED = "planted-5ecret-value"


@dataclasses.dataclass(frozen=True)
class Config:
    host: str
    token: Secret[str]


@pytest.mark.parametrize(
    "shown",
    [
        str,
        repr,
        "{}".format,
        "{:>40}".format,
        "{!r}".format,
        lambda secret: f"{secret} {secret!r}",
        lambda secret: repr(Config("db", secret)),
        lambda secret: repr({"a": [secret]}),
        lambda secret: str(dataclasses.asdict(Config("db", secret))),
        lambda secret: json.dumps({"a": secret}, default=str),
        lambda secret: repr(RuntimeError(secret)),
    ],
)
def test_it_is_never_shown(shown: Any) -> None:
    assert PLANTED not in shown(Secret(PLANTED))
    assert "***" in shown(Secret(PLANTED))


def test_it_is_revealed_when_asked() -> None:
    assert Secret(PLANTED).reveal() == PLANTED
    assert Secret({"user": "me", "password": PLANTED}).reveal()["password"] == PLANTED


def test_it_is_what_it_holds() -> None:
    assert Secret(PLANTED) == Secret(PLANTED)
    assert hash(Secret(PLANTED)) == hash(Secret(PLANTED))
    assert Secret(PLANTED) != Secret("planted-other-value")
    assert Secret(PLANTED) != PLANTED
    assert hash(Secret({"a": 1})) == hash(Secret({"b": 2}))


def test_copies_are_itself() -> None:
    secret = Secret(PLANTED)
    assert copy.copy(secret) is secret
    assert copy.deepcopy({"a": secret})["a"] is secret


def test_it_goes_to_other_processes_with_its_value(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("API_TOKEN", PLANTED)
    sent = pickle.dumps([Secret(PLANTED, counts=True), secret_env("API_TOKEN")])
    monkeypatch.delenv("API_TOKEN")
    given, of_environment = pickle.loads(sent)
    assert given.reveal() == of_environment.reveal() == PLANTED
    assert given.counts
    assert repr(of_environment) == "secret_env('API_TOKEN')"


@pytest.mark.parametrize("value", [None, Secret("planted-already")])
def test_what_is_no_value_is_refused(value: object) -> None:
    with pytest.raises(TypeError, match="Secret\\(\\) was given"):
        Secret(value)


def test_it_can_not_be_subclassed() -> None:
    with pytest.raises(TypeError, match="subclassed"):
        type("Mine", (Secret,), {})


def test_variable_is_read_whenever_it_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("API_TOKEN", raising=False)
    secret = secret_env("API_TOKEN")
    assert not secret.is_there
    monkeypatch.setenv("API_TOKEN", "first-value")
    assert secret.reveal() == "first-value"
    monkeypatch.setenv("API_TOKEN", "second-value")
    assert secret.reveal() == "second-value"


def test_variable_that_lacks_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("API_TOKEN", raising=False)
    with pytest.raises(SecretError, match="variable API_TOKEN is not set; set it"):
        secret_env("API_TOKEN").reveal()
    monkeypatch.setenv("API_TOKEN", "")
    with pytest.raises(LookupError, match="variable API_TOKEN is empty"):
        secret_env("API_TOKEN").reveal()


def test_name_of_a_variable_is_text() -> None:
    with pytest.raises(TypeError, match="takes the name of a variable, not NoneType"):
        secret_env(None)  # type: ignore[arg-type]


def test_what_is_kept_of_one_has_no_value() -> None:
    assert withheld() == withheld()
    assert withheld() != Secret(PLANTED)
    with pytest.raises(SecretError, match="each start needs it"):
        withheld().reveal()
