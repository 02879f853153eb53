"""Each rule of who is let in, attacked: by other pages, other hosts, large and slow requests."""

import json
from collections.abc import Iterator
from urllib.parse import quote

import pytest

from flowweaver import MemoryStateStore
from flowweaver.ui import serving as serving_module
from flowweaver.ui.guard import LARGEST_BODY
from tests.report.viewing import executed
from tests.ui.serving import Served, serving

ASKED = ["/api/about", "/api/runs", "/api/follow", "/api/run?run=x", "/api/detail?run=x&name=y"]
TOLD = ["/api/start", "/api/retry", "/api/stop", "/api/resolve", "/api/plan"]


@pytest.fixture(scope="module")
def page() -> Iterator[Served]:
    store = MemoryStateStore()
    executed(store)
    with serving(store, "pipeline.py:etl", allow_actions=True) as served:
        yield served


# DNS rebinding: a name of the attacker's that leads to this machine.


@pytest.mark.parametrize(
    "host",
    [
        "evil.example", "evil.example:{port}", "localhost.evil.example:{port}",
        "127.0.0.1.evil.example:{port}", "evil.example@127.0.0.1:{port}", "127.0.0.1:{port}@evil",
        "192.168.1.7:{port}", "0.0.0.0:{port}", "127.0.0.1:1", "127.0.0.1", "localhost",
        "LOCALHOST.:{port}", "[::ffff:10.0.0.1]:{port}", "127.0.0.1:{port}#", "", " ",
        "0x7f000001:{port}", "2130706433:{port}", "127.0.0.1:{port}\\.evil", "localhost:{port}/x",
    ],
)  # fmt: skip
def test_foreign_hosts_are_refused(page, host):
    status, _, body = page.ask("GET", "/api/runs", Host=host.format(port=page.port))
    assert status == 421
    assert b"halves" not in body


def test_foreign_host_does_not_even_get_the_page(page):
    assert page.ask("GET", "/", Host="evil.example")[0] == 421


def test_host_that_is_sent_twice_is_refused(page):
    answer = page.raw(
        f"GET /api/runs HTTP/1.1\r\nHost: 127.0.0.1:{page.port}\r\nHost: evil.example\r\n"
        f"Cookie: {page.cookie}\r\nConnection: close\r\n\r\n".encode()
    )
    assert answer.split()[1] in (b"400", b"421")


def test_request_without_host_is_refused(page):
    answer = page.raw(f"GET /api/runs HTTP/1.0\r\nCookie: {page.cookie}\r\n\r\n".encode())
    assert answer.split()[1] in (b"400", b"421")


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "127.0.0.2"])
def test_this_machine_is_let_in(page, host):
    assert page.ask("GET", "/api/about", Host=f"{host}:{page.port}")[0] == 200


# Other pages in the same browser.


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE", "PUT", "PATCH", "OPTIONS", "HEAD"])
@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "http://127.0.0.1:1", "https://127.0.0.1:{port}"]
)
def test_foreign_origins_are_refused_for_every_method(page, method, origin):
    body = b"{}" if method not in ("GET", "HEAD") else None
    path = "/api/start" if method == "POST" else "/api/runs"
    status, headers, _ = page.ask(method, path, body, Origin=origin.format(port=page.port))
    assert status == 403
    assert "access-control-allow-origin" not in headers


@pytest.mark.parametrize(
    "origin",
    [
        "http://[", "http://]", "http://[::1", "http://127.0.0.1:\u00b2", "", "http://",
        "http://localhost:{port}.evil.example", "http://localhost:{port}@evil.example",
        "http://evil.example/http://localhost:{port}", "file://", "blob:http://localhost:{port}/x",
        "//localhost:{port}", "localhost:{port}", "http://localhost:{port}/x",
    ],
)  # fmt: skip
def test_origins_that_only_look_like_ours_are_refused(page, origin):
    raw = origin.format(port=page.port).encode().decode("latin-1")
    status, headers, _ = page.ask("GET", "/api/runs", Origin=raw)
    assert status == 403
    assert "content-security-policy" in headers


@pytest.mark.parametrize("site", ["cross-site", "same-site", "anything"])
@pytest.mark.parametrize("path", ["/", "/app.js", "/api/runs"])
def test_requests_made_by_other_sites_are_refused(page, site, path):
    assert page.ask("GET", path, Sec_Fetch_Site=site)[0] == 403


@pytest.mark.parametrize("path", ASKED)
def test_without_the_token_nothing_is_shown(page, path):
    for cookie in (None, "", "flowweaver=x", f"flowweaver_{page.port}=x", f"{page.cookie}x"):
        assert page.ask("GET", path, Cookie=cookie)[0] == 401


@pytest.mark.parametrize("path", TOLD)
def test_without_the_token_nothing_is_done(page, path):
    assert page.ask("POST", path, b"{}", Cookie=None)[0] == 401


@pytest.mark.parametrize("path", TOLD)
@pytest.mark.parametrize(
    "kind", ["application/x-www-form-urlencoded", "multipart/form-data", "text/plain", None]
)
def test_forms_of_other_pages_do_nothing(page, path, kind):
    content = "" if kind is None else kind
    assert page.ask("POST", path, b'{"run": "last"}', Content_Type=content)[0] == 415


@pytest.mark.parametrize("path", TOLD)
def test_nothing_is_done_by_a_link(page, path):
    assert page.ask("GET", path)[0] == 405


@pytest.mark.parametrize(
    "method", ["DELETE", "PUT", "PATCH", "OPTIONS", "TRACE", "PROPFIND", "QUERY", "get", "X" * 300]
)
def test_methods_that_nothing_has_are_refused(page, method):
    for path in ("/", "/api/runs", "/api/start"):
        assert page.ask(method, path, b"{}")[0] == 405


def test_cookie_is_kept_from_scripts_and_from_other_sites(page):
    status, headers, _ = page.ask("GET", f"/?token={page.server.token}", Cookie=None)
    assert (status, headers["location"]) == (303, "/")
    assert "HttpOnly" in headers["set-cookie"]
    assert "SameSite=Strict" in headers["set-cookie"]


def test_wrong_token_makes_no_cookie(page):
    _, headers, _ = page.ask("GET", "/?token=guess", Cookie=None)
    assert "set-cookie" not in headers


# Files, names, sizes.


@pytest.mark.parametrize(
    "path",
    [
        "/../../etc/passwd", "/..%2f..%2fetc/passwd", "/static/", "/style.css/../app.py",
        "//etc/passwd", "/app.js%00", "/.flowweaver/state.db", "/%2e%2e/%2e%2e/etc/passwd",
    ],
)  # fmt: skip
def test_no_other_file_is_given_and_no_folder_listed(page, path):
    status, _, body = page.ask("GET", path)
    assert status == 404
    assert b"root:" not in body


@pytest.mark.parametrize("path", ["/", "/app.js", "/library.js", "/style.css", "/api/runs"])
def test_every_answer_carries_the_policy(page, path):
    _, headers, _ = page.ask("GET", path)
    assert headers["content-security-policy"].startswith("default-src 'none'")
    assert "unsafe" not in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cross-origin-resource-policy"] == "same-origin"
    assert headers["cache-control"] == "no-store"


def test_refusals_carry_the_policy_too(page):
    _, headers, _ = page.ask("GET", "/api/runs", Cookie=None)
    assert headers["content-security-policy"].startswith("default-src 'none'")


def test_hostile_names_come_back_as_json_only(page):
    hostile = "<script>alert(1)</script>"
    path = f"/api/run?run={hostile}".replace("<", "%3C").replace(">", "%3E")
    status, headers, body = page.ask("GET", path)
    assert (status, headers["content-type"]) == (404, "application/json")
    assert hostile in json.loads(body)["error"]


def test_large_bodies_are_refused(page):
    body = b'{"run": "' + b"x" * LARGEST_BODY + b'"}'
    assert page.ask("POST", "/api/retry", body)[0] == 413


def test_body_that_hides_its_size_is_cut_off(page):
    head = (
        f"POST /api/retry HTTP/1.1\r\nHost: 127.0.0.1:{page.port}\r\nCookie: {page.cookie}\r\n"
        "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
    )
    chunk = b"x" * 50_000
    answer = page.raw(head.encode() + 3 * (b"%x\r\n%s\r\n" % (len(chunk), chunk)) + b"0\r\n\r\n")
    assert answer.split()[1] == b"400"


@pytest.mark.parametrize("header", ["X-Long: " + "x" * 40_000, "X: y\r\n" * 20_000])
def test_large_heads_are_refused(page, header):
    answer = page.raw(f"GET / HTTP/1.1\r\nHost: 127.0.0.1:{page.port}\r\n{header}\r\n\r\n".encode())
    assert answer == b"" or answer.split()[1] in (b"400", b"431")


def test_many_headers_are_refused(page):
    more = {f"X-{n}": "y" for n in range(200)}
    assert page.ask("GET", "/api/about", **more)[0] == 431


def test_long_addresses_are_refused(page):
    assert page.ask("GET", "/api/run?run=" + "x" * 12_000)[0] == 414


@pytest.mark.parametrize("body", [b"", b"[1]", b"{", b"\xff\xfe", b'{"run": 1}', b"[" * 30_000])
def test_nonsense_is_refused(page, body):
    assert page.ask("POST", "/api/retry", body)[0] == 400


@pytest.mark.parametrize(
    "data", [b"\x16\x03\x01\x02\x00\x01", b"GET\r\n\r\n", b"\x00" * 64 + b"\n"]
)
def test_what_is_no_http_is_shown_out(page, data):
    answer = page.raw(data, shut=True)
    assert answer == b"" or answer.split()[1] == b"400"


def test_body_along_with_a_question_is_refused(page):
    assert page.ask("GET", "/api/runs", b"{}")[0] == 400


ODD = ["\0", "a\0b", "\ud800"]


@pytest.mark.parametrize("text", ODD, ids=ascii)
def test_texts_that_no_command_and_no_store_takes_are_refused(page, text):
    def post(path, **what):
        return page.ask("POST", path, json.dumps(what).encode())[0]

    for path in ("/api/stop", "/api/retry"):
        assert post(path, run=text) == 400
    assert post("/api/resolve", run="x", task=text) == 400
    for path in ("/api/start", "/api/plan"):
        assert post(path, target="pipeline.py:etl", params={"a": text}) == 400
    assert post("/api/start", target="pipeline.py:etl", secrets={"a": text}) == 400


@pytest.mark.parametrize("number", ["-1", "\u00b2", "\u0661", "9" * 30, "1" * 5000, "1e3", ""])
def test_numbers_that_make_no_sense_count_as_none(page, number):
    run = page.get("/api/runs")["runs"][0]["id"]
    address = f"run={run}&start={quote(number)}"
    assert page.get(f"/api/rows?{address}")["task"]


def test_stream_is_not_begun_for_who_asks_for_its_head_alone(page):
    status, headers, body = page.ask("HEAD", "/api/follow")
    assert (status, headers["content-type"], body) == (200, "text/event-stream; charset=utf-8", b"")


@pytest.mark.parametrize(
    "request_line",
    ["GET http://evil.example/api/runs HTTP/1.1", "OPTIONS * HTTP/1.1", "CONNECT evil:80 HTTP/1.1"],
)
def test_page_is_no_proxy(page, request_line):
    answer = page.raw(
        f"{request_line}\r\nHost: 127.0.0.1:{page.port}\r\nCookie: {page.cookie}\r\n"
        "Connection: close\r\n\r\n".encode()
    )
    assert answer.split()[1] in (b"400", b"404", b"405", b"415")


def test_second_request_over_a_connection_is_looked_at_like_the_first(page):
    first = f"GET /style.css HTTP/1.1\r\nHost: 127.0.0.1:{page.port}\r\n\r\n"
    second = f"GET /api/runs HTTP/1.1\r\nHost: evil.example\r\nCookie: {page.cookie}\r\n"
    answer = page.raw(f"{first}{second}Connection: close\r\n\r\n".encode())
    assert b"HTTP/1.1 421" in answer
    assert b"halves" not in answer


@pytest.mark.parametrize(
    "headers",
    [
        "Content-Length: 4\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: chunked, chunked",
        "Content-Length: 5\r\nContent-Length: 6",
        "Content-Length: -1",
        "Content-Length: 0x10",
    ],
)
def test_request_whose_end_is_not_sure_is_refused(page, headers):
    answer = page.raw(
        f"POST /api/stop HTTP/1.1\r\nHost: 127.0.0.1:{page.port}\r\nCookie: {page.cookie}\r\n"
        f"Content-Type: application/json\r\n{headers}\r\n\r\n0\r\n\r\n".encode(),
        shut=True,
    )
    assert b"200" not in answer.split(b"\r\n")[0]
    assert answer.count(b"HTTP/1.1") <= 1


def test_web_sockets_are_not_spoken(page):
    answer = page.ask(
        "GET", "/api/follow?run=x", Connection="Upgrade", Upgrade="websocket",
        Sec_WebSocket_Key="dGhlIHNhbXBsZSBub25jZQ==", Sec_WebSocket_Version="13",
    )  # fmt: skip
    assert answer[0] in (400, 404)


@pytest.mark.parametrize(
    "begun", [b"", b"GET / HTTP/1.1\r\nHost: ", b"POST /api/retry HTTP/1.1\r\nHost: 127.0.0.1:"]
)
def test_slow_requests_are_shown_out(monkeypatch, begun):
    monkeypatch.setattr(serving_module, "_HEAD_SECONDS", 0.2)
    with serving(MemoryStateStore()) as page:
        assert page.raw(begun) == b""


def test_slow_bodies_are_shown_out(monkeypatch):
    monkeypatch.setattr(serving_module, "_HEAD_SECONDS", 0.2)
    with serving(MemoryStateStore(), allow_actions=True) as page:
        head = (
            f"POST /api/retry HTTP/1.1\r\nHost: 127.0.0.1:{page.port}\r\nCookie: {page.cookie}\r\n"
            'Content-Type: application/json\r\nContent-Length: 50\r\n\r\n{"run": '
        )
        assert b"200" not in page.raw(head.encode())


def test_slow_second_request_is_shown_out(monkeypatch):
    monkeypatch.setattr(serving_module, "_HEAD_SECONDS", 0.2)
    with serving(MemoryStateStore()) as page:
        first = f"GET /style.css HTTP/1.1\r\nHost: 127.0.0.1:{page.port}\r\n\r\n"
        answer = page.raw(f"{first}GET /api/ru".encode())
        assert answer.startswith(b"HTTP/1.1 200")


def test_page_listens_on_this_machine_only(page):
    assert page.server.url.startswith("http://127.0.0.1:")
    assert page.server._socket.getsockname()[0] == "127.0.0.1"
