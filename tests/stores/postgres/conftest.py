"""What the tests of the Postgres store share."""

from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import psycopg
import pytest

from flowweaver.stores.postgres.store import PostgresStateStore
from tests.services.postgres import PostgresServer


@pytest.fixture
def schema(postgres: str) -> str:
    return parse_qs(urlsplit(postgres).query)["schema"][0]


@pytest.fixture
def store(postgres: str) -> Iterator[PostgresStateStore]:
    store = PostgresStateStore.from_url(postgres)
    yield store
    store.close()


@pytest.fixture
def raw(postgres_server: PostgresServer, schema: str) -> Iterator[psycopg.Connection[object]]:
    """Give a connection of another program, in the store's schema."""
    with postgres_server.connect(options=f"-c search_path={schema}") as connection:
        yield connection
