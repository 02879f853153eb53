"""Fetch pages politely, and again only what is a day old.

The site's `Retry-After` is heeded, starts are spaced, a page that is gone is skipped, and one that
can't be had is left out of the table instead of failing the run.

    flowweaver run http_pages.py -p site=https://example.org -p 'paths=["/a", "/b"]'
"""

import urllib.request
from urllib.error import HTTPError

from flowweaver import Failure, Skip, Workflow, each, task


def pause(error: BaseException, attempt: int) -> float:
    """Return the seconds that the server asks for, or ever longer ones."""
    asked = error.headers.get("Retry-After") if isinstance(error, HTTPError) else None
    return float(asked or 2.0**attempt)


@task(
    inputs={"path": each("paths")},
    tags=["site"],
    retries=4,
    backoff=pause,
    retry_on=(OSError,),
    timeout=60,
    fresh_for="1d",
    allow_failures=True,
)
def fetch(site: str, path: str) -> str:
    try:
        with urllib.request.urlopen(site + path, timeout=20) as answer:
            return str(answer.read().decode())
    except HTTPError as error:
        if error.code in (404, 410):
            raise Skip(f"{path} is gone") from error
        raise


@task(inputs={"page": each("fetch")}, when=lambda page: not isinstance(page, Failure))
def words(page: str) -> int:
    return len(page.split())


@task
def total(words: list[int]) -> int:
    return sum(words)


pages = Workflow("pages", [fetch, words, total], limits={"site": 4}, rate={"site": "20/s"})
