"""A real browser: Debian's Chromium, driven by playwright."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.observers.terminal import LIMIT_SECONDS, wait_until

AXE = Path(__file__).parents[2] / "js" / "node_modules" / "axe-core" / "axe.min.js"
_ARGUMENTS = [
    "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip

_LIMIT_MILLISECONDS = 1000 * LIMIT_SECONDS


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """A browser. While it is open, an event loop counts as running in this thread."""
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        pytest.skip("this test needs Chromium: apt-get install chromium")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=path, args=_ARGUMENTS, timeout=_LIMIT_MILLISECONDS
        )
        yield browser
        browser.close()


class Tab:
    """A page in a context of its own, which notes what goes wrong in it."""

    def __init__(self, page: Any) -> None:
        self.page = page
        self.wrong: list[str] = []
        self.asked: list[str] = []
        page.on("console", self._hear)
        page.on("pageerror", lambda error: self.wrong.append(str(error)))
        page.on("request", lambda request: self.asked.append(request.url))

    def _hear(self, message: Any) -> None:
        if message.type in ("error", "warning"):
            self.wrong.append(message.text)

    def text(self, selector: str) -> str:
        """Return the text of the first element that fits, once it is there."""
        return str(self.page.locator(selector).first.inner_text())

    def texts(self, selector: str) -> list[str]:
        return list(self.page.locator(selector).all_inner_texts())

    def shows(self, selector: str, text: str) -> None:
        """Wait until the first element that fits has exactly that text."""
        wait_until(lambda: self._text(selector) == text, f"{selector}: {text}")

    def tells(self, selector: str, text: str) -> None:
        """Wait until the first element that fits has that in its text."""
        wait_until(lambda: text in self._text(selector), f"{selector}: ... {text} ...")

    def has(self, selector: str, count: int) -> None:
        """Wait until there are so many elements that fit."""
        wait_until(lambda: self.page.locator(selector).count() == count, f"{count} {selector}")

    def _text(self, selector: str) -> str:
        found = self.page.locator(selector)
        return str(found.first.inner_text()) if found.count() else ""

    def sees(self, text: str) -> None:
        """Wait until a text is on the page."""
        self.page.get_by_text(text).first.wait_for()

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)

    def is_too_wide(self) -> bool:
        return bool(self.page.evaluate("document.documentElement.scrollWidth > innerWidth"))

    def violations(self) -> list[str]:
        """Return what axe finds wrong with the page as it is now."""
        if not AXE.exists():
            pytest.skip("this test needs axe-core: make lint-js (npm)")
        # The page's own policy lets no foreign script in; what the debugger evaluates may run.
        self.page.evaluate(f"() => {{ {AXE.read_text()} }}")
        found = self.page.evaluate("async () => (await axe.run()).violations")
        return [
            f"{each['id']}: {node['html'][:160]}" for each in found for node in each["nodes"][:3]
        ]


class Tabs:
    """Makes tabs, ``tab(width=360)``."""

    def __init__(self, browser: Any) -> None:
        self._browser = browser
        self._contexts: list[Any] = []
        self._tabs: list[Tab] = []

    def __call__(
        self, width: int = 1280, height: int = 800, *, dark: bool = False, **options: Any
    ) -> Tab:
        scheme = "dark" if dark else "light"
        viewport = {"width": width, "height": height}
        context = self._browser.new_context(viewport=viewport, color_scheme=scheme, **options)
        context.set_default_timeout(_LIMIT_MILLISECONDS)
        self._contexts.append(context)
        self._tabs.append(Tab(context.new_page()))
        return self._tabs[-1]

    @property
    def wrong(self) -> list[str]:
        """All that went wrong in any tab."""
        return [wrong for tab in self._tabs for wrong in tab.wrong]

    def close(self) -> None:
        """Close the tabs there are, before what they ask is gone: each would tell of that."""
        while self._contexts:
            self._contexts.pop().close()


@pytest.fixture
def tab(chromium: Any) -> Iterator[Tabs]:
    """Makes tabs; at the end nothing must have gone wrong in them."""
    tabs = Tabs(chromium)
    yield tabs
    tabs.close()
    assert tabs.wrong == []
