"""Where a Postgres store is: what libpq connects to, and what a user may see of it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, unquote, urlencode

from flowweaver.errors import StoreError
from flowweaver.stores.common.urls import checked_durability

DEFAULT_SCHEMA = "flowweaver"

# A server that is gone without a word (a pulled cable, a lost route) is noticed within half a
# minute, and not after the two hours that systems take by themselves.
_DEFAULTS = {
    "connect_timeout": "10",
    "fallback_application_name": "flowweaver",
    "keepalives_idle": "10",
    "keepalives_interval": "5",
    "keepalives_count": "4",
    "tcp_user_timeout": "30000",
}
_SECRETS = ("password", "sslpassword")
_PORTS = re.compile(r"[0-9,]*")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,62}")
_OPTIONS: Mapping[str, Callable[[str], Any]] = {
    "durability": checked_durability,
    "lease_seconds": float,
    "schema": str,
    "timeout": float,
}


@dataclass(frozen=True, slots=True)
class Place:
    """A schema in a database: `conninfo` is for libpq alone, `url` has no secrets in it."""

    conninfo: str
    schema: str
    url: str


def place_of(dsn: str, schema: str, options: Mapping[str, str]) -> Place:
    """Return the place of a store; `options` are those of the store that are not defaults.

    Raises:
        StoreError: The DSN or the name of the schema is not one.
    """
    from psycopg import Error
    from psycopg.conninfo import conninfo_to_dict, make_conninfo

    if not _NAME.fullmatch(schema):
        raise StoreError(
            f"{schema!r} can't be the schema of a store: use letters, digits and underscores, "
            "63 at most, not beginning with a digit."
        )
    try:
        given = conninfo_to_dict(dsn)
    except Error:
        raise _unreadable(dsn) from None  # the client's own words may quote the password
    misread = any("@" in str(given.get(name, "")) for name in ("host", "dbname"))
    if misread or not _PORTS.fullmatch(str(given.get("port", ""))):
        raise _unreadable(dsn)
    # The encoding is told when connecting: a transaction pooler forgets what is set later.
    settings: dict[str, Any] = {**_DEFAULTS, **given, "client_encoding": "utf8"}
    conninfo = make_conninfo(**settings)
    return Place(conninfo, schema, _public_url(given, options))


def _unreadable(dsn: str) -> StoreError:
    query = dsn.partition("?")[2]
    names = [] if "@" in query else [item.partition("=")[0] for item in query.split("&") if item]
    options = f" (its options: {', '.join(names)})" if names else ""
    return StoreError(
        f"This is not the address of a Postgres database{options}; it is not shown, as there may "
        "be a password in it. Write 'postgresql://user@host:5432/database', and in user and "
        "password %40 for @, %2F for /, %3A for :, %25 for %, %20 for a space; or leave the "
        "password to PGPASSWORD or ~/.pgpass."
    )


def split_url(url: str) -> tuple[str, dict[str, Any]]:
    """Return what libpq is to take of a store's URL, and the options of the store in it.

    Raises:
        StoreError: An option has no such value.
    """
    base, _, query = url.partition("?")
    theirs: list[str] = []
    ours: dict[str, Any] = {}
    for item in filter(None, query.split("&")):
        name, _, value = item.partition("=")
        if name not in _OPTIONS:
            theirs.append(item)
            continue
        try:
            ours[name] = _OPTIONS[name](unquote(value))
        except ValueError:
            raise StoreError(
                f"{name}={value} in the URL of a store: give a number of seconds."
            ) from None
    return f"{base}{'?' if theirs else ''}{'&'.join(theirs)}", ours


def _public_url(given: Mapping[str, Any], options: Mapping[str, str]) -> str:
    rest = {name: str(value) for name, value in given.items() if name not in _SECRETS}
    user, database = rest.pop("user", ""), rest.pop("dbname", "")
    at = f"{quote(user, safe='')}@" if user else ""
    host = rest.get("host", "")
    # Several hosts, and directories of sockets, have no place before the path.
    if host and not set(host) & set(",/:"):
        at += rest.pop("host")
        if port := rest.pop("port", ""):
            at += f":{port}"
    query = urlencode({**rest, **options}, quote_via=quote)
    return f"postgresql://{at}/{quote(database, safe='')}{'?' if query else ''}{query}"
