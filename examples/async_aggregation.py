"""Ask several endpoints of a web service at once, retry the one that stumbles, add up the answers.

What to learn here:

- `async` functions are tasks like any others; `AsyncExecutor` runs them at the same time.
- `retries`, `backoff` and `retry_on` say which errors are worth another attempt, and when.
- While one task waits for its next attempt, the others go on.
- `timeout` (seconds) ends an attempt that takes too long.

The service is a real HTTP server on a free port of this machine, started when the first task asks
for it. Its endpoint /north answers 503 to the first request.

Needed beyond FlowWeaver: nothing.

    flowweaver run examples/async_aggregation.py:aggregation --executor async
"""

import asyncio
import atexit
import json
from functools import cache, partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import urlsplit

from flowweaver import AsyncExecutor, Origin, SQLiteStateStore, Task, Workflow, exponential, task

REGIONS = ("north", "south", "east", "west")
ORDERS = {
    "north": [{"item": "lamp", "cents": 4_500}, {"item": "desk", "cents": 21_000}],
    "south": [{"item": "lamp", "cents": 4_700}],
    "east": [{"item": "chair", "cents": 8_900}, {"item": "desk", "cents": 19_900}],
    "west": [],
}


class OrderService(BaseHTTPRequestHandler):
    """Answer /REGION with that region's orders as JSON; stumble once over /north."""

    stumbled = False

    def do_GET(self) -> None:
        """Answer one request."""
        if self.path == "/north" and not OrderService.stumbled:
            OrderService.stumbled = True
            self.send_error(503)
            return
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps(ORDERS[self.path.strip("/")]).encode())

    def log_message(self, format: str, *args: object) -> None:
        """Keep the terminal for the run."""


@cache
def service_url() -> str:
    """Start the service at the first call, have it closed at exit, and return its address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), OrderService)
    Thread(target=server.serve_forever, daemon=True).start()
    atexit.register(server.server_close)
    atexit.register(server.shutdown)
    return f"http://127.0.0.1:{server.server_port}"


async def get(url: str) -> bytes:
    """Return the body of an HTTP answer, or raise ConnectionError if its status is not 200."""
    parts = urlsplit(url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    writer.write(f"GET {parts.path} HTTP/1.0\r\nHost: {parts.hostname}\r\n\r\n".encode())
    head, _, body = (await reader.read()).partition(b"\r\n\r\n")
    writer.close()
    await writer.wait_closed()
    status = head.split(maxsplit=2)[1]
    if status != b"200":
        raise ConnectionError(f"{url} answered {status.decode()}")
    return body


Orders = list[dict[str, str | int]]


async def fetch(region: str) -> Orders:
    """Ask the service for one region's orders."""
    orders: Orders = json.loads(await get(f"{service_url()}/{region}"))
    return orders


@task(depends_on=REGIONS)
def totals(**orders: Orders) -> dict[str, int]:
    """Add up each region's orders, in cents."""
    return {region: sum(int(o["cents"]) for o in found) for region, found in orders.items()}


@task
def summary(totals: dict[str, int]) -> str:
    """Name the sum and the best region."""
    best = max(totals, key=lambda region: totals[region])
    return f"{sum(totals.values()) / 100:.2f} in {len(totals)} regions, most of it in the {best}"


fetches = [
    Task(
        region,
        partial(fetch, region),
        retries=3,
        backoff=exponential(0.1),
        retry_on=(ConnectionError,),
        timeout=10,
    )
    for region in REGIONS
]
aggregation = Workflow("aggregation", [*fetches, totals, summary])

if __name__ == "__main__":
    executor = AsyncExecutor(
        max_concurrency=4, state_store=SQLiteStateStore(".flowweaver/state.db")
    )
    run = executor.execute(aggregation)
    print(run["summary"])
    print({region: run.tasks[region].attempts for region in REGIONS}, "attempts")
    restored = [t for t in run.tasks.values() if t.origin is Origin.RESTORED]
    print(f"{len(restored)} of {len(run.tasks)} tasks restored")
