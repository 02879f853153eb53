"""How a secret turns up in text and in bytes.

As it is, line by line, and as it is usually written: escaped as in a repr, in JSON, in a URL, in
HTML or for a shell, in hexadecimal and in base64, also in the middle of more.
"""

from __future__ import annotations

import base64
import html
import json
from collections.abc import Callable, Iterator
from threading import Lock
from typing import Any
from urllib.parse import quote, quote_plus, unquote, urlsplit

from flowweaver.forks import keep_free_in_copies

SHORTEST = 4
"""Shorter secrets are not looked for: they can't be told from what is no secret."""

SHORTEST_IN_DATA = 8
"""In what is to be kept, shorter secrets are not looked for: there, one makes a task fail."""

# Base64 of fewer characters may be that of anything.
_SHORTEST_ENCODED = 8
_DEEPEST = 10

# Held by whoever notes a secret. It is here because most programs have none, and have no need to
# import what it takes.
noting = Lock()
keep_free_in_copies(noting)


def texts_in(value: Any, depth: int = 0) -> Iterator[str]:
    """Yield the texts in a secret: in a dict of credentials, each."""
    if isinstance(value, str):
        yield from _parts(value)
    elif isinstance(value, bytes | bytearray):
        yield from _parts(bytes(value).decode("utf-8", "backslashreplace"))
    elif isinstance(value, dict) and depth < _DEEPEST:
        for item in value.values():
            yield from texts_in(item, depth + 1)
    elif isinstance(value, list | tuple | set | frozenset) and depth < _DEEPEST:
        for item in value:
            yield from texts_in(item, depth + 1)
    elif hasattr(value, "__dict__") and depth < _DEEPEST:
        yield from texts_in(vars(value), depth + 1)
    elif value is not None and not isinstance(value, bool):
        yield from _parts(str(value))


def _parts(text: str) -> Iterator[str]:
    """Yield a secret, its lines, and the password in it if it is a URL."""
    lines = (line.strip() for line in text.splitlines())
    # What keys begin and end with is the same for all.
    found = {text, text.strip(), *(line for line in lines if not line.startswith("-----"))}
    if "://" in text:
        try:
            password = urlsplit(text.strip()).password
        except ValueError:
            password = None
        if password:
            found |= {password, unquote(password)}
    return (part for part in found if len(part) >= SHORTEST)


def _in_json(text: str) -> str:
    return json.dumps(text)[1:-1]


def _in_json_as_is(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)[1:-1]


def _in_repr(text: str) -> str:
    return repr(text)[1:-1]


_ESCAPES: tuple[Callable[[str], str], ...] = (
    _in_json,
    _in_json_as_is,
    _in_repr,
    lambda text: ascii(text)[1:-1],
    lambda text: repr(_bytes(text))[2:-1],
    lambda text: quote(_bytes(text), safe=""),
    lambda text: quote(_bytes(text)),
    lambda text: quote_plus(_bytes(text)),
    html.escape,
    lambda text: text.replace("'", "'\"'\"'"),  # as a shell takes it
    lambda text: _in_repr(_in_json(text)),
    lambda text: _in_json(_in_json(text)),
    lambda text: _in_json(_in_repr(text)),
    lambda text: _bytes(text).hex(),
    lambda text: _bytes(text).hex().upper(),
)


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def forms_in_text(text: str) -> Iterator[str]:
    """Yield how a secret may turn up in text."""
    yield text
    for escape in _ESCAPES:
        yield escape(text)
    yield from (form for form in _in_base64(text) if len(form) >= _SHORTEST_ENCODED)


def _in_base64(text: str) -> Iterator[str]:
    """Yield what base64 makes of a secret, wherever in the encoded bytes it begins.

    What hangs on the bytes around it is left out.
    """
    data = _bytes(text)
    for before in range(3):
        padded = bytes(before) + data
        first = -(-before * 8 // 6)
        last = len(padded) * 8 // 6
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            yield encode(padded).decode()[first:last]


def forms_in_data(text: str) -> Iterator[bytes]:
    """Yield how a secret may turn up in a value that is to be kept."""
    yield from forms_in_large_data(text)
    if len(text) >= SHORTEST_IN_DATA:
        yield from map(_bytes, {*forms_in_text(text)} - {text})


def forms_in_large_data(text: str) -> Iterator[bytes]:
    """Yield a secret as it is, in the encodings that text of arrays and tables has."""
    if len(text) >= SHORTEST_IN_DATA:
        for encoding in ("utf-8", "utf-16-le", "utf-32-le"):
            yield text.encode(encoding, "surrogatepass")
