"""Postgres URLs: what they may say, and what a message may show of them."""

from __future__ import annotations

import subprocess
import sys
import traceback

import pytest

from flowweaver.errors import StoreError
from flowweaver.stores.postgres.store import PostgresStateStore


@pytest.mark.parametrize(
    ("dsn", "url"),
    [
        ("postgresql://anna@db:5433/work", "postgresql://anna@db:5433/work"),
        ("postgres://db/work", "postgresql://db/work"),
        ("host=db dbname=work user=anna port=5433", "postgresql://anna@db:5433/work"),
        ("postgresql:///work?host=/run/pg", "postgresql:///work?host=%2Frun%2Fpg"),
        ("postgresql://a,b:5433/work", "postgresql:///work?host=a%2Cb&port=%2C5433"),
        ("postgresql://db/work?sslmode=require", "postgresql://db/work?sslmode=require"),
        ("postgresql://anna%40home@db/my%20work", "postgresql://anna%40home@db/my%20work"),
        ("", "postgresql:///"),
    ],
)
def test_url_is_as_a_user_would_write_it(dsn: str, url: str) -> None:
    assert PostgresStateStore(dsn).url == url
    assert PostgresStateStore.from_url(url).url == url


@pytest.mark.parametrize(
    "dsn",
    [
        "postgresql://anna:hush@db/work",
        "host=db user=anna password=hush dbname=work",
        "postgresql://anna@db/work?password=hush&sslpassword=hush",
    ],
)
def test_password_is_shown_nowhere(dsn: str) -> None:
    store = PostgresStateStore(dsn)
    assert store.url == "postgresql://anna@db/work"
    assert "hush" not in repr(store)
    assert "hush" in store._place.conninfo


def test_options_of_the_store_stand_beside_those_of_libpq() -> None:
    url = (
        "postgresql://db/work?sslmode=require&schema=team&durability=process"
        "&lease_seconds=2.5&timeout=7"
    )
    store = PostgresStateStore.from_url(url)
    assert store.url == url
    same = PostgresStateStore(
        "postgresql://db/work?sslmode=require",
        schema="team",
        durability="process",
        lease_seconds=2.5,
        timeout=7,
    )
    assert same._place == store._place


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("postgresql://db/work?schema=a%22b", "schema"),
        ("postgresql://db/work?schema=", "schema"),
        ("postgresql://db/work?durability=off", "off"),
        ("postgresql://db/work?lease_seconds=soon", "number of seconds"),
        ("postgresql://db/work?lease_seconds=0", "more than 0"),
        ("postgresql://db/work?lease_seconds=nan", "more than 0"),
        ("postgresql://db/work?nonsense=1", "nonsense"),
        ("postgresql://[db/work", "address"),
    ],
)
def test_what_can_t_be_a_store_is_refused(url: str, said: str) -> None:
    with pytest.raises(StoreError, match=said):
        PostgresStateStore.from_url(url)


def test_own_settings_of_a_connection_are_kept() -> None:
    store = PostgresStateStore("postgresql://db/work?connect_timeout=3&client_encoding=latin1")
    assert "connect_timeout=3" in store._place.conninfo
    assert "client_encoding=utf8" in store._place.conninfo


def test_without_psycopg_it_is_said_what_to_install() -> None:
    code = (
        "import sys; sys.modules['psycopg'] = None\n"
        "from flowweaver import StoreError\n"
        "from flowweaver.stores import open_store\n"
        "try:\n"
        "    open_store('postgresql://db/work')\n"
        "except StoreError as error:\n"
        "    print(error)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "pip install 'flowweaver[postgres]'" in done.stdout, done.stderr


@pytest.mark.parametrize(
    "dsn",
    [
        "postgresql://me:s3@cret@host/db",
        "postgresql://me:s3/cret@host/db",
        "postgresql://me:s3%cret@host/db",
        "postgresql:/me:s3cret@host/db",
        "postgresql:me:s3cret@host/db",
        "postgres:///me:s3cret@host/db",
    ],
)
def test_password_that_breaks_the_address_is_not_shown(dsn: str) -> None:
    with pytest.raises(StoreError, match="Postgres") as caught:
        PostgresStateStore.from_url(dsn)
    shown = "".join(traceback.format_exception_only(caught.value)) + str(caught.value.__cause__)
    assert "s3" not in shown
    assert "cret" not in shown


def test_password_with_a_space_is_not_shown_whether_the_client_takes_it_or_not() -> None:
    try:
        shown = PostgresStateStore.from_url("postgresql://me:s3 cret@host/db").url
    except StoreError as error:  # from version 17 of the client on
        shown = str(error)
    assert "s3" not in shown
    assert "cret" not in shown


def test_psycopg_says_nothing_by_itself_where_no_logging_is_configured() -> None:
    code = (
        "import flowweaver.stores.postgres.connections, logging;"
        "logging.getLogger('psycopg').warning('error ignored terminating pipeline')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr == ""
