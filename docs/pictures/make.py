"""Make the pictures of report and page that README and guides show, from real runs.

The ML example is run, then run again after an edit by which one fold fails. Needed: the packages of
`make test`, and Chromium. From the top of the repository:

    python docs/pictures/make.py
"""

import os
import shutil
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright

from flowweaver import SQLiteStateStore
from flowweaver.ui.serving import Server

HERE = Path(__file__).resolve().parent
EXAMPLE = HERE.parents[1] / "examples" / "ml_pipeline.py"
TRAIN = "    trained = clone(MODELS[model])"
EDIT = """\
    if model == "random forest" and fold[0] == 46:
        raise ValueError(f"fold of {len(fold)} rows has no wine of cultivar 2")
"""
VIEWS = {
    "report": ("report", "#/overview", False),
    "timeline": ("report", "#/timeline?sel=score%5B1.0%5D", True),
    "graph": ("report", "#/graph?sel=score", False),
    "page": ("page", "#/runs", False),
}


def run(folder: Path) -> None:
    """Run the example, edit it, and run it again."""
    target = folder / "ml_pipeline.py"
    shutil.copy(EXAMPLE, target)
    command = [sys.executable, "-m", "flowweaver"]
    execute = [*command, "run", "ml_pipeline.py:models", "-q", "-w", "4"]
    subprocess.run(execute, cwd=folder, check=True)
    subprocess.run([*execute, "--new-run", "--reuse", "never"], cwd=folder, check=True)
    target.write_text(target.read_text().replace(TRAIN, EDIT + TRAIN))
    subprocess.run(execute, cwd=folder, check=False, capture_output=True)
    subprocess.run([*command, "report"], cwd=folder, check=True)


def shoot(browser: Any, addresses: dict[str, str]) -> None:
    """Take each picture."""
    for name, (where, view, dark) in VIEWS.items():
        context = browser.new_context(
            viewport={"width": 1280, "height": 760}, color_scheme="dark" if dark else "light"
        )
        page = context.new_page()
        page.goto(addresses[where])
        page.goto(addresses[where].split("?")[0] + view)
        page.locator("main :is(h2, .row, .stage, .box)").first.wait_for()
        page.wait_for_timeout(500)
        page.screenshot(path=HERE / f"{name}.png")
        context.close()


def main() -> None:
    """Run, serve, shoot."""
    with tempfile.TemporaryDirectory() as name, sync_playwright() as driver:
        folder = Path(name)
        run(folder)
        os.chdir(folder)
        store = SQLiteStateStore(".flowweaver/state.db")
        server, ready = Server(store, store.url, ("ml_pipeline.py:models",)), threading.Event()
        thread = threading.Thread(target=server.run, args=(ready.set,))
        thread.start()
        ready.wait()
        path = shutil.which("chromium")
        browser = driver.chromium.launch(executable_path=path, args=["--no-sandbox"])
        shoot(browser, {"report": (folder / "report.html").as_uri(), "page": server.url})
        browser.close()
        server.stop()
        thread.join()


if __name__ == "__main__":
    main()
