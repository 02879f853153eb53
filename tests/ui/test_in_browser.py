"""The live page as a person sees it."""

from contextlib import contextmanager

import pytest

from flowweaver import MemoryStateStore, SQLiteStateStore
from flowweaver.records import Changes, ClaimRequest
from flowweaver.report import following
from flowweaver.testing.store_parts.making import completed
from tests.observers.terminal import wait_until
from tests.report.viewing import executed
from tests.ui.serving import serving
from tests.ui.test_app import PIPELINE, TARGET


@pytest.fixture
def filled():
    store = MemoryStateStore()
    for bad in (-1, 2):
        executed(store, params={"bad": bad})
    return store


@contextmanager
def served(tab, store, *targets, **options):
    """Serve a page to tabs that are closed before its server ends."""
    with serving(store, *targets, **options) as page:
        try:
            yield page
        finally:
            tab.close()


def opened(tab, page, address="", **options):
    seen = tab(**options)
    seen.page.goto(page.server.url)
    seen.page.goto(f"http://127.0.0.1:{page.port}/{address}")
    seen.page.locator(".bar-top").wait_for()
    return seen


def test_runs_are_listed_filtered_and_opened(tab, filled):
    with served(tab, filled) as page:
        seen = opened(tab, page, "#/runs")
        seen.page.locator(".runs-row .name").nth(1).wait_for()
        assert seen.texts(".list-body .runs-row .state") == ["failed", "completed"]
        seen.has(".list-body .strip li", 2)
        seen.page.locator(".chip:has-text('failed')").click()
        seen.has(".list-body .runs-row", 1)
        seen.press("j")
        seen.has(".row.selected", 1)
        seen.press("Enter")
        seen.sees("2 can't be halved")
        seen.press("g")
        seen.page.locator(".runs-row").first.wait_for()


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_no_view_has_axe_violations(tab, filled, dark):
    run = filled.runs()[0].id
    other = filled.runs()[1].id
    with served(tab, filled, TARGET) as page:
        for view in ("#/runs", f"#/run/{run}/overview", f"#/run/{run}/tasks?sel=halve%5B2%5D",
                     f"#/run/{run}/timeline", f"#/run/{run}/graph?sel=halve",
                     f"#/run/{run}/compare", f"#/diff/{other}..{run}"):  # fmt: skip
            seen = opened(tab, page, view, dark=dark)
            seen.page.locator("main :is(h2, .row, .stage, .box)").first.wait_for()
            assert seen.violations() == []


@pytest.mark.parametrize("width", [360, 3840])
def test_no_view_scrolls_sideways(tab, filled, width):
    run = filled.runs()[0].id
    with served(tab, filled) as page:
        for view in ("#/runs", f"#/run/{run}/overview", f"#/run/{run}/tasks"):
            seen = opened(tab, page, view, width=width)
            seen.page.locator("main :is(h2, .list-body .row)").first.wait_for()
            assert not seen.is_too_wide()


def test_empty_store_says_what_to_do_next(tab):
    with served(tab, MemoryStateStore(), TARGET) as page:
        seen = opened(tab, page)
        seen.sees("No runs yet")
        seen.tells(".empty", f"flowweaver run {TARGET}")
        assert seen.violations() == []


def test_store_that_is_not_there_yet_says_what_to_do_next_and_shows_the_first_run(tab, tmp_path):
    store = SQLiteStateStore(tmp_path / "state.db")
    with serving(store, TARGET) as page:
        seen = opened(tab, page)
        seen.sees("No runs yet")
        executed(SQLiteStateStore(tmp_path / "state.db"))
        seen.has(".list-body .runs-row", 1)


def test_nothing_overlaps_in_the_list_of_a_narrow_page(tab, filled):
    with serving(filled) as page:
        seen = opened(tab, page, "#/runs", width=360, height=740)
        row = seen.page.locator(".list-body .runs-row").first
        row.wait_for()
        edges = row.bounding_box()
        cells = [cell.bounding_box() for cell in row.locator("> span:visible").all()]
        assert len(cells) == 4
        for cell in cells:
            assert edges["y"] <= cell["y"]
            assert cell["y"] + cell["height"] <= edges["y"] + edges["height"]


def test_run_of_another_process_is_followed(tab):
    store = MemoryStateStore()
    lease = store.claim(ClaimRequest("flow", "k"))
    store.commit(lease, Changes(tasks=[completed(lease.run.id, "first")]))
    with served(tab, store) as page:
        seen = opened(tab, page, f"#/run/{lease.run.id}/tasks")
        seen.page.locator(".list-body .row").first.wait_for()
        seen.shows(".live", "live")
        store.commit(lease, Changes(tasks=[completed(lease.run.id, "m", element="10")]))
        named = completed(lease.run.id, "m", element="8", label="Oslo")
        store.commit(lease, Changes(tasks=[named]))
        store.commit(lease, Changes(tasks=[completed(lease.run.id, "m", element="9")]))
        wait_until(
            lambda: (
                seen.texts(".list-body .name .text") == ["first", "m[8] (Oslo)", "m[9]", "m[10]"]
            ),
            "the rows",
        )
        store.release(lease)
        seen.page.locator(".head .tone-interrupted").first.wait_for()


def test_rows_that_were_left_out_are_listed_by_page(tab, monkeypatch):
    monkeypatch.setattr(following, "_ROWS_LISTED", 3)
    store = MemoryStateStore()
    run = executed(store, params={"count": 30})
    with served(tab, store) as page:
        seen = opened(tab, page, f"#/run/{run.id}/tasks")
        seen.sees("3 of 33 TaskRuns are listed")
        seen.page.get_by_role("button", name="List more").click()
        wait_until(lambda: seen.text(".shown") == "33 TaskRuns", "all rows")


def test_keys_alone_lead_through_all_views(tab, filled):
    with serving(filled) as page:
        seen = opened(tab, page, "#/runs")
        seen.page.locator(".list-body .runs-row").first.wait_for()
        seen.press("j", "Enter")
        seen.tells("main", "What failed")
        for key, there in zip("2345", [".tasks", ".timeline", ".graph", ".compare"], strict=True):
            seen.press(key)
            seen.page.locator(there).wait_for()
        seen.press("4")
        seen.page.locator(".box").first.wait_for()
        seen.press("j", "j")
        seen.shows(".panel h2", "halve")
        seen.press("Escape")
        seen.has(".panel", 0)
        seen.press("2")
        seen.page.locator(".list-body .row").first.wait_for()
        seen.press("/")
        seen.page.keyboard.type("halve[2]")
        seen.press("Enter", "j")
        seen.shows(".panel h2", "halve[2] (2)")
        seen.press("?")
        for told in ("Next TaskRun", "Search", "Close what is open", "All runs", "Timeline"):
            seen.tells("dialog", told)
        seen.press("Escape", "g")
        seen.page.locator(".list-body .runs-row").first.wait_for()
        seen.press("j", "x")
        seen.tells("main", "TaskRuns differ")


def test_run_is_compared_with_the_one_before_when_that_is_looked_at(tab, filled):
    with serving(filled) as page:
        seen = opened(tab, page, f"#/run/{filled.runs()[0].id}/overview")
        seen.page.locator("main h2").first.wait_for()
        assert [url for url in seen.asked if "compare" in url] == []
        seen.press("5")
        seen.tells(".differences", "halve[2]")


def test_runs_appear_by_themselves(tab):
    store = MemoryStateStore()
    with served(tab, store) as page:
        seen = opened(tab, page)
        seen.sees("No runs yet")
        executed(store)
        seen.page.locator(".runs-row").first.wait_for()


def test_lost_connection_is_said(tab, filled):
    with serving(filled) as page:
        seen = opened(tab, page, "#/runs")
        seen.page.locator(".runs-row").first.wait_for()
    seen.sees("is lost")
    seen.wrong.clear()  # the browser itself tells of requests that fail


def test_page_without_the_token_shows_nothing(tab, filled):
    with served(tab, filled) as page:
        seen = tab()
        seen.page.goto(f"http://127.0.0.1:{page.port}/")
        seen.sees("Open the address that")
        assert "halves" not in seen.text("body")
        seen.wrong.clear()  # the browser itself tells of the refusal


def test_workflow_is_planned_and_started_from_its_form(tab, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pipeline.py").write_text(PIPELINE)
    (tmp_path / "go").touch()
    store = SQLiteStateStore(tmp_path / "state.db")
    with served(tab, store, TARGET, allow_actions=True) as page:
        seen = opened(tab, page, "#/plan/pipeline.py%3Ahello")
        seen.page.get_by_label("name str").fill("Ann")
        seen.tells(".command", "flowweaver run pipeline.py:hello -p name=Ann")
        seen.page.get_by_role("button", name="Plan", exact=True).click()
        seen.sees("It would be a new run")
        assert seen.violations() == []
        seen.page.get_by_role("button", name="Run", exact=True).click()
        seen.page.locator(".runs-row .tone-completed, .runs-row .tone-executed").first.wait_for()
        assert store.runs()[0].status.value == "completed"


def test_what_failed_is_retried_and_the_command_is_shown(tab, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pipeline.py").write_text(PIPELINE)
    for name in ("go", "bad"):
        (tmp_path / name).touch()
    store = SQLiteStateStore(tmp_path / "state.db")
    with served(tab, store, TARGET, allow_actions=True) as page:
        page.post("/api/start", {"target": TARGET, "params": {"name": "Ann"}})
        wait_until(
            lambda: bool(store.runs()) and store.runs()[0].status.value == "failed", "the failure"
        )
        run = store.runs()[0].id
        seen = opened(tab, page, f"#/run/{run}/overview")
        (tmp_path / "bad").unlink()
        seen.page.get_by_role("button", name="Retry failed").click()
        seen.tells("dialog", f"--run-id {run}")
        assert seen.violations() == []
        seen.page.locator("dialog").get_by_role("button", name="Retry failed").click()
        seen.page.locator(".head .tone-executed").first.wait_for()
