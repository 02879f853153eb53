"""Follow links from a page, round by round; what an earlier run fetched is not fetched again.

How many pages there will be is known only as they come in: each round is mapped over the links that
the rounds before it have found.

    flowweaver run crawler.py:build -p start=https://example.org/
"""

import re
import urllib.request
from urllib.parse import urljoin, urlparse

from flowweaver import Failure, Workflow, each

ROUNDS = 3
LINK = re.compile(r'href="([^"#]+)["#]')


def fetch(url: str) -> tuple[str, list[str]]:
    """Return a page's address and the links in it that stay on the site."""
    with urllib.request.urlopen(url, timeout=20) as answer:
        text = answer.read().decode(errors="replace")
    links = (urljoin(url, link) for link in LINK.findall(text))
    site = urlparse(url).netloc
    return url, sorted({link for link in links if urlparse(link).netloc == site})


def unseen(pages: list[tuple[str, list[str]]], before: list[str]) -> list[str]:
    """Return the links that no round has followed yet."""
    found = {link for page in pages if not isinstance(page, Failure) for link in page[1]}
    return sorted(found.difference(before))


def followed(before: list[str], links: list[str]) -> list[str]:
    return before + links


def first(start: str) -> list[str]:
    if urlparse(start).scheme not in ("http", "https"):
        raise ValueError(f"{start!r} is no address such as https://example.org/")
    return [start]


def build() -> Workflow:
    """Return the workflow: one task to fetch and two to look for more in each round."""
    crawl = Workflow("crawl", limits={"site": 4}, rate={"site": "50/s"})
    links = seen = crawl.add_task(first, name="start page").name
    for number in range(1, ROUNDS + 1):
        pages = crawl.add_task(
            fetch,
            name=f"round {number}",
            inputs={"url": each(links)},
            tags=["site"],
            retries=2,
            backoff=0.1,
            allow_failures=True,
        ).name
        links = crawl.add_task(
            unseen, name=f"links {number}", inputs={"pages": pages, "before": seen}
        ).name
        seen = crawl.add_task(
            followed, name=f"seen {number}", inputs={"before": seen, "links": links}
        ).name
    return crawl
