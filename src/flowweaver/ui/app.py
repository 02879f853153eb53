"""The addresses of the page, and what answers them."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from flowweaver.errors import FlowWeaverError, UnknownNameError
from flowweaver.report import assets
from flowweaver.report.following import Following
from flowweaver.state_store import StateStore
from flowweaver.ui.actions import ActionError, Actions, Done
from flowweaver.ui.answers import compared_json, runs_json
from flowweaver.ui.targets import LookError, plan_of, signature_of

# How often a store is asked for changes. After a slow answer the pause is this many times as long
# as it took, so that following never takes more than a small share of a core.
_LOOK_SECONDS = 0.5
_REST = 15
# A quiet stream sends something now and then, so that the other end notices when it breaks.
_HEARTBEAT_SECONDS = 10.0
_ROWS_A_PAGE = 10_000
_NOTHING = object()
_MOST_DIGITS = 15

Answer = Callable[[Request], Awaitable[Response]]

_PAGE = """\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>FlowWeaver</title>
<link rel="stylesheet" href="/style.css">
</head>
<body>
<noscript><p>This page is drawn by its own script.</p></noscript>
<div id="page"></div>
<script src="/library.js"></script>
<script type="module" src="/app.js"></script>
</body>
</html>
"""


class Page:
    """The answers of one page: those of a store, and of the workflows it was started with.

    Args:
        store: Whose runs are shown.
        store_url: The store as it was given.
        targets: The workflows that may be planned, and started if actions are allowed.
        actions: What may be done; None where the page is only to be looked at.
    """

    def __init__(
        self, store: StateStore, store_url: str, targets: tuple[str, ...], actions: Actions | None
    ) -> None:
        self._store = store
        self._url = store_url
        self._targets = targets
        self._actions = actions
        self._following = Following(store)
        self.stopping = asyncio.Event()

    def app(self) -> Starlette:
        """Return the application."""
        gets: dict[str, Answer] = {
            "/": _page,
            "/app.js": _file(lambda: assets.script("live.js"), "text/javascript"),
            "/library.js": _file(assets.vendored, "text/javascript"),
            "/style.css": _file(assets.style, "text/css"),
            "/api/about": self._about,
            "/api/runs": self._runs,
            "/api/run": self._run,
            "/api/detail": self._detail,
            "/api/rows": self._rows,
            "/api/compare": self._compare,
            "/api/signature": self._signature,
            "/api/follow": self._follow,
        }
        posts: dict[str, Answer] = {
            "/api/plan": self._plan,
            "/api/start": self._start,
            "/api/retry": self._retry,
            "/api/stop": self._stop,
            "/api/resolve": self._resolve,
        }
        routes = [Route(path, _told(answer), methods=["GET"]) for path, answer in gets.items()]
        routes += [Route(path, _told(answer), methods=["POST"]) for path, answer in posts.items()]
        return Starlette(routes=routes)

    # Looking.

    async def _about(self, request: Request) -> Response:  # noqa: ARG002
        return JSONResponse(
            {
                "store": self._store.url,
                "targets": list(self._targets),
                "actions": self._actions is not None,
            }
        )

    async def _runs(self, request: Request) -> Response:  # noqa: ARG002
        return JSONResponse(await run_in_threadpool(runs_json, self._store))

    async def _run(self, request: Request) -> Response:
        followed = await run_in_threadpool(self._following.run, _asked(request, "run"))
        await run_in_threadpool(followed.refresh)
        return JSONResponse(await run_in_threadpool(followed.whole))

    async def _detail(self, request: Request) -> Response:
        followed = await run_in_threadpool(self._following.run, _asked(request, "run"))
        name = _asked(request, "name")
        return JSONResponse(await run_in_threadpool(followed.detail, name))

    async def _rows(self, request: Request) -> Response:
        followed = await run_in_threadpool(self._following.run, _asked(request, "run"))
        first = _number(request, "start")
        return JSONResponse(await run_in_threadpool(followed.page, first, first + _ROWS_A_PAGE))

    async def _compare(self, request: Request) -> Response:
        runs = _asked(request, "first"), _asked(request, "second")
        return JSONResponse(await run_in_threadpool(compared_json, self._store, *runs))

    # Following.

    async def _follow(self, request: Request) -> Response:
        run_id = request.query_params.get("run")
        if run_id is None:
            steps = self._changes_of_store()
        else:
            await run_in_threadpool(self._store.run, _sound(run_id))
            steps = self._changes_of_run(run_id, _number(request, "since"))
        if request.method == "HEAD":  # the stream itself has no end to wait for
            return Response(media_type="text/event-stream")
        return StreamingResponse(_events(steps), media_type="text/event-stream")

    async def _changes_of_store(self) -> AsyncIterator[dict[str, Any] | None]:
        seen: object = _NOTHING  # not None, which is the revision of a store that is not there yet
        async for _ in self._looks():
            revision = await run_in_threadpool(self._store.revision)
            if revision != seen:
                seen = revision
                yield await run_in_threadpool(runs_json, self._store)
            else:
                yield None

    async def _changes_of_run(
        self, run_id: str, since: int
    ) -> AsyncIterator[dict[str, Any] | None]:
        followed = await run_in_threadpool(self._following.run, run_id)
        async for _ in self._looks():
            revision = await run_in_threadpool(followed.refresh)
            if revision == since:
                yield None
                continue
            changes = await run_in_threadpool(followed.since, since)
            # A page that is too far behind asks for the whole run again.
            yield {"again": True} if changes is None else changes
            since = revision

    async def _looks(self) -> AsyncIterator[None]:
        """Yield when it is time to look again, until the page ends."""
        while not self.stopping.is_set():
            start = time.monotonic()
            yield
            pause = max(_LOOK_SECONDS, min(1.0, _REST * (time.monotonic() - start)))
            try:
                await asyncio.wait_for(self.stopping.wait(), pause)
            except TimeoutError:
                continue

    # Planning and acting.

    async def _signature(self, request: Request) -> Response:
        return JSONResponse(await signature_of(self._known(_asked(request, "target"))))

    async def _plan(self, request: Request) -> Response:
        given = await _given(request)
        target = self._known(_text(given, "target"))
        return JSONResponse(await plan_of(target, self._url, _texts(given, "params")))

    async def _start(self, request: Request) -> Response:
        given = await _given(request)
        new_run = given.get("new_run") is True
        target, secrets = _text(given, "target"), _texts(given, "secrets")
        return _done(
            await self._acting().start(target, _texts(given, "params"), secrets, new_run=new_run)
        )

    async def _retry(self, request: Request) -> Response:
        return _done(await self._acting().retry(_text(await _given(request), "run")))

    async def _stop(self, request: Request) -> Response:
        return _done(await self._acting().stop(_text(await _given(request), "run")))

    async def _resolve(self, request: Request) -> Response:
        given = await _given(request)
        run_id, task = _text(given, "run"), _text(given, "task")
        return _done(await self._acting().resolve(run_id, task, done=given.get("done") is True))

    def _acting(self) -> Actions:
        if self._actions is None:
            raise Declined(403, "This page only shows; start it with --allow-actions to act.")
        return self._actions

    def _known(self, target: str) -> str:
        if target not in self._targets:
            raise Declined(404, f"The page was not started with {target!r}.")
        return target


class Declined(Exception):
    """A request that can't be answered; the message says why, the status is for HTTP."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


async def _page(request: Request) -> Response:  # noqa: ARG001
    return HTMLResponse(_PAGE)


def _file(text: Callable[[], str], kind: str) -> Answer:
    async def answer(request: Request) -> Response:  # noqa: ARG001
        return Response(text(), media_type=kind)

    return answer


def _told(answer: Answer) -> Answer:
    """Return the answer, with an error as JSON that holds its message and nothing else."""

    async def told(request: Request) -> Response:
        try:
            return await answer(request)
        except Declined as error:
            return _error(error.status, str(error))
        except UnknownNameError as error:
            return _error(404, str(error))
        except (ActionError, LookError) as error:
            return _error(409, str(error))
        except ClientDisconnect:
            return _error(400, "The request was cut short.")
        except FlowWeaverError as error:
            return _error(500, str(error))

    return told


def _error(status: int, reason: str) -> Response:
    return JSONResponse({"error": reason}, status_code=status)


def _done(done: Done) -> Response:
    return JSONResponse({"command": done.command, "story": done.story})


async def _events(steps: AsyncIterator[dict[str, Any] | None]) -> AsyncIterator[str]:
    """Write changes as server-sent events."""
    quiet_since = time.monotonic()
    yield "retry: 1000\n\n"
    async for step in steps:
        if step is not None:
            yield f"data: {json.dumps(step, separators=(',', ':'))}\n\n"
        elif time.monotonic() - quiet_since < _HEARTBEAT_SECONDS:
            continue
        else:
            yield ": still here\n\n"
        quiet_since = time.monotonic()


def _asked(request: Request, name: str) -> str:
    value = request.query_params.get(name)
    if not value:
        raise Declined(400, f"The address lacks {name!r}.")
    return _sound(value)


def _number(request: Request, name: str) -> int:
    """Return a number from the address; 0 where none is given that makes sense."""
    text = request.query_params.get(name, "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= _MOST_DIGITS else 0


def _sound(text: str) -> str:
    """Return a text if stores and commands can take it: no NUL, no lone surrogate."""
    if "\0" in text or text.encode(errors="ignore").decode() != text:
        raise Declined(400, "A text that was sent has a NUL or half a character in it.")
    return text


async def _given(request: Request) -> dict[str, Any]:
    try:
        given = json.loads(await request.body())
    except (ValueError, RecursionError):
        raise Declined(400, "The body of the request is no JSON.") from None
    if not isinstance(given, dict):
        raise Declined(400, "The body of the request is no JSON object.")
    return given


def _text(given: dict[str, Any], name: str) -> str:
    value = given.get(name)
    if not isinstance(value, str) or not value:
        raise Declined(400, f"The body of the request lacks {name!r}.")
    return _sound(value)


def _texts(given: dict[str, Any], what: str) -> dict[str, str]:
    found = given.get(what, {})
    if not isinstance(found, dict) or not all(
        isinstance(value, str) and name.isidentifier() for name, value in found.items()
    ):
        raise Declined(400, f"In the body of the request {what!r} must map names to texts.")
    return {name: _sound(text) for name, text in found.items()}
