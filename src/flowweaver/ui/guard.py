"""Which requests are answered.

Every page in the user's browser can send requests to a page on this machine. So:

- `Host` must be a loopback address or "localhost", which ends DNS rebinding;
- `Origin` and `Sec-Fetch-Site`, where a browser sends them, must be our own, for every method;
- all but the page itself, its script and its style want the token, kept in a cookie that is
  `HttpOnly` and `SameSite=Strict`;
- a method that no address has is refused, and so is a large body, or one where none is expected;
- every answer carries a policy that lets nothing run but the page's own script.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Iterable
from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie
from ipaddress import ip_address
from urllib.parse import parse_qs

from starlette.types import ASGIApp, Message, Receive, Scope, Send

LARGEST_BODY = 64 * 1024
_LONGEST_ADDRESS = 8 * 1024
_MOST_HEADERS = 100
_LARGEST_HEAD = 16 * 1024
# What the page itself is made of, which holds no data of the user's.
_FREE = frozenset({"/", "/app.js", "/library.js", "/style.css"})
_SAFE = frozenset({"GET", "HEAD"})
_HEADERS = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "cache-control": "no-store",
}


@dataclass(frozen=True, slots=True)
class Refusal(Exception):
    """Why a request is not answered."""

    status: int
    reason: str


class Guard:
    """Checks every request before the application sees it.

    Args:
        app: The application.
        token: Proves that the browser was opened by whoever started the page.
        port: The port that is served; it is part of the cookie's name, since cookies are shared by
            all ports of a host.
    """

    def __init__(self, app: ASGIApp, token: str, port: int) -> None:
        self._app = app
        self._token = token
        self._port = port
        self._cookie = f"flowweaver_{port}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or refuse it."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            raise RuntimeError(f"the page speaks HTTP, not {scope['type']}")
        try:
            self._check(scope)
        except Refusal as refusal:
            await _refuse(send, refusal)
            return
        if self._brings_token(scope):
            await self._welcome(send)
            return
        await self._app(scope, _Bounded(receive).receive, _Policed(send).send)

    def _check(self, scope: Scope) -> None:
        headers = _headers(scope)
        if len(scope["path"]) + len(scope["query_string"]) > _LONGEST_ADDRESS:
            raise Refusal(414, "The address is too long.")
        self._check_host(headers)
        self._check_origin(headers)
        if scope["path"] not in _FREE or scope["method"] not in _SAFE:
            self._check_token(headers)
        _check_body(scope["method"], headers)

    def _check_host(self, headers: _Headers) -> None:
        hosts = headers.all("host")
        if len(hosts) != 1 or not _is_ours(hosts[0], self._port):
            raise Refusal(421, "This page answers to localhost only.")

    def _check_origin(self, headers: _Headers) -> None:
        for origin in headers.all("origin"):
            scheme, _, netloc = origin.partition("://")
            if scheme != "http" or not _is_ours(netloc, self._port):
                raise Refusal(403, "Requests from other pages are not answered.")
        for site in headers.all("sec-fetch-site"):
            if site not in ("same-origin", "none"):
                raise Refusal(403, "Requests from other pages are not answered.")

    def _check_token(self, headers: _Headers) -> None:
        for line in headers.all("cookie"):
            try:
                found = SimpleCookie(line).get(self._cookie)
            except CookieError:
                continue
            if found is not None and hmac.compare_digest(
                found.value.encode(), self._token.encode()
            ):
                return
        raise Refusal(401, "Open the address that `flowweaver ui` has printed.")

    def _brings_token(self, scope: Scope) -> bool:
        if scope["path"] != "/" or scope["method"] != "GET" or not scope["query_string"]:
            return False
        given = parse_qs(scope["query_string"].decode("latin-1")).get("token", [""])
        return hmac.compare_digest(given[0].encode(), self._token.encode())

    async def _welcome(self, send: Send) -> None:
        """Put the token into a cookie, and out of the address."""
        cookie = f"{self._cookie}={self._token}; Path=/; HttpOnly; SameSite=Strict"
        await _answer(send, 303, b"", [("location", "/"), ("set-cookie", cookie)])


class _Headers:
    """The headers of a request; one that was sent twice is kept twice."""

    def __init__(self, raw: Iterable[tuple[bytes, bytes]]) -> None:
        self._raw = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in raw]
        size = sum(len(name) + len(value) for name, value in self._raw)
        if len(self._raw) > _MOST_HEADERS or size > _LARGEST_HEAD:
            raise Refusal(431, "The headers are too many or too long.")

    def all(self, name: str) -> list[str]:
        return [value for known, value in self._raw if known == name]


class _Bounded:
    """Cuts a request off whose body is larger than allowed."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._left = LARGEST_BODY

    async def receive(self) -> Message:
        message = await self._receive()
        self._left -= len(message.get("body", b""))
        if self._left < 0:
            return {"type": "http.disconnect"}
        return message


class _Policed:
    """Adds the policy to every answer: what the browser must not do with it."""

    def __init__(self, send: Send) -> None:
        self._send = send

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            own = [(name.encode(), value.encode()) for name, value in _HEADERS.items()]
            names = {name for name, _ in own}
            kept = [pair for pair in message.get("headers", ()) if pair[0].lower() not in names]
            message = {**message, "headers": [*kept, *own]}
        await self._send(message)


def _headers(scope: Scope) -> _Headers:
    return _Headers(scope["headers"])


def _check_body(method: str, headers: _Headers) -> None:
    lengths = headers.all("content-length")
    if any(not length.isdigit() or int(length) > LARGEST_BODY for length in lengths):
        raise Refusal(413, "The request is too large.")
    if method in _SAFE:
        if lengths not in ([], ["0"]) or headers.all("transfer-encoding"):
            raise Refusal(400, "A request of this kind can't have a body.")
    elif headers.all("content-type") != ["application/json"]:
        # A form of another page can't send this type; a script has to ask first.
        raise Refusal(415, "Only JSON is accepted: send it as application/json.")


def _is_ours(netloc: str, port: int) -> bool:
    """Return whether a host with its port is this machine itself, written plainly."""
    if not _is_plain(netloc):
        return False
    host, given = _split(netloc)
    if given != str(port) and not (given == "" and port == 80):
        return False
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _split(netloc: str) -> tuple[str, str]:
    if netloc.startswith("["):
        host, _, rest = netloc[1:].partition("]")
        return host, rest.removeprefix(":")
    host, _, port = netloc.partition(":")
    return host, port


def _is_plain(text: str) -> bool:
    return text.isascii() and text.isprintable() and not set(text) & set(" @\\\"'<>?#%")


async def _refuse(send: Send, refusal: Refusal) -> None:
    body = json.dumps({"error": refusal.reason}).encode()
    await _answer(send, refusal.status, body, [("content-type", "application/json")])


async def _answer(send: Send, status: int, body: bytes, headers: Iterable[tuple[str, str]]) -> None:
    told = [*headers, ("content-length", str(len(body))), *_HEADERS.items()]
    raw = [(name.encode(), value.encode("latin-1")) for name, value in told]
    await send({"type": "http.response.start", "status": status, "headers": raw})
    await send({"type": "http.response.body", "body": body})
