"""A store reached by a proxy that cuts, and sessions that an administrator ends."""

from __future__ import annotations

from urllib.parse import urlsplit

import psycopg

from flowweaver.stores.postgres.store import PostgresStateStore
from tests.services.proxy import CuttingProxy


def through(proxy: CuttingProxy, url: str, **options: float) -> PostgresStateStore:
    """Return a store on the same data that reaches the server by the proxy."""
    url = urlsplit(url)._replace(netloc=f"postgres@127.0.0.1:{proxy.port}").geturl()
    return PostgresStateStore.from_url(
        "&".join([url, *(f"{name}={value}" for name, value in options.items())])
    )


def backends(raw: psycopg.Connection[object]) -> list[int]:
    """Return the processes that serve stores."""
    found = raw.execute(
        "SELECT pid FROM pg_stat_activity WHERE application_name = 'flowweaver' AND datname IS NOT "
        "NULL"
    )
    return [row[0] for row in found.fetchall()]  # type: ignore[index]


def terminate_all(raw: psycopg.Connection[object]) -> int:
    """End the sessions of all stores; return how many there were."""
    return sum(1 for pid in backends(raw) if raw.execute("SELECT pg_terminate_backend(%s)", [pid]))
