"""The report as a person sees it, opened from disk with the network off."""

from pathlib import Path

import pytest

from flowweaver import MemoryStateStore, Workflow, each, task
from flowweaver.records import Changes, ClaimRequest, TaskRecord
from flowweaver.report.page import report_page
from flowweaver.report.view.assemble import View
from flowweaver.report.view.sources import StoredRun
from flowweaver.status import TaskStatus
from flowweaver.testing.store_parts.making import completed
from tests.observers.terminal import wait_until
from tests.report.viewing import executed, halves, numbers, viewed

VIEWS = ["overview", "tasks", "timeline", "graph", "compare", "tasks?sel=halve%5B2%5D"]


def no_pages():
    return []


def written(folder: Path, store, run) -> str:
    path = folder / "report.html"
    path.write_text(report_page(viewed(store, run, details=500)), encoding="utf-8")
    return path.as_uri()


@pytest.fixture(scope="module")
def failed(tmp_path_factory):
    """A run of which an element failed, after one that was completed."""
    store = MemoryStateStore()
    executed(store)
    return written(tmp_path_factory.mktemp("failed"), store, executed(store, params={"bad": 2}))


@pytest.fixture(scope="module")
def large_graph(tmp_path_factory):
    """The report of a workflow with more tasks abreast than can be seen at once."""
    store = MemoryStateStore()
    wide = Workflow("wide", [numbers])
    for number in range(60):
        wide.add_task(lambda numbers: numbers, name=f"part {number}")
    return written(tmp_path_factory.mktemp("wide"), store, executed(store, wide))


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    store = MemoryStateStore()
    run = executed(store, params={"count": 2000, "bad": 1234})
    return written(tmp_path_factory.mktemp("large"), store, run)


def opened(tab, url, view="overview", **options):
    found = tab(offline=True, **options)
    found.page.goto(f"{url}#/{view}")
    found.page.locator("h1").wait_for()
    return found


def test_what_failed_and_why_stands_first(tab, failed):
    seen = opened(tab, failed)
    first = seen.text("main section")
    assert "halve[2] (2) failed" in first
    assert "ValueError: 2 can't be halved" in first
    assert "raise ValueError" in first
    assert "1 TaskRun did not start because of it" in first


IN_SIGHT = """element => {
    const edge = element.getBoundingClientRect();
    return edge.width > 0 && edge.top >= 0 && edge.left >= 0
        && edge.bottom <= innerHeight && edge.right <= innerWidth;
}"""


def in_sight(seen, selector):
    """Whether all of the first element that fits is seen without scrolling."""
    return seen.page.locator(selector).first.evaluate(IN_SIGHT)


@pytest.mark.parametrize(("width", "height"), [(1280, 800), (768, 1024), (360, 740)])
def test_four_questions_are_answered_on_the_first_screen(tab, failed, width, height):
    seen = opened(tab, failed, width=width, height=height)
    assert in_sight(seen, ".answers")
    told = dict(zip(seen.texts(".answers dt"), seen.texts(".answers > div"), strict=True))
    assert list(told) == ["What failed", "Why", "What ran again", "What took longest"]
    assert "halve[2]" in told["What failed"]
    assert "1 not started because of it" in told["What failed"]
    assert "ValueError: 2 can't be halved" in told["Why"]
    assert "halve: parameter `bad` is new" in told["What ran again"]
    assert "2 restored, unchanged" in told["What ran again"]
    assert "ms" in told["What took longest"]


def test_interrupted_run_says_what_was_cut_short_and_how_to_go_on(tab, tmp_path):
    store = MemoryStateStore()
    lease = store.claim(ClaimRequest("nightly", "k"))
    begun = TaskRecord(lease.run.id, "crunch", status=TaskStatus.RUNNING, attempts=1)
    store.commit(lease, Changes(tasks=[completed(lease.run.id, "load"), begun]))
    store.release(lease)
    page = report_page(View(StoredRun(store, store.run(lease.run.id))).as_json())
    (tmp_path / "report.html").write_text(page, encoding="utf-8")
    seen = opened(tab, (tmp_path / "report.html").as_uri())
    first = seen.text(".answers > div")
    assert "What was cut short" in first
    assert "crunch" in first
    assert "running" not in seen.text("main")
    seen.sees("it goes on from there")
    assert seen.violations() == []


def test_graph_is_in_sight_beside_the_panel(tab, tmp_path):
    chain = Workflow("chain")
    chain.add_task(lambda: 1, name="step 0")
    for number in range(1, 8):
        chain.add_task(lambda: 1, name=f"step {number}", depends_on=[f"step {number - 1}"])
    store = MemoryStateStore()
    seen = opened(tab, written(tmp_path, store, executed(store, chain)), "graph?sel=step+3")
    seen.page.locator(".panel").wait_for()
    frame = seen.page.locator(".graph-frame")
    assert frame.evaluate("e => e.scrollWidth <= e.clientWidth && e.scrollHeight <= e.clientHeight")
    lowest = [box.bounding_box()["y"] for box in seen.page.locator(".box").all()]
    assert lowest == sorted(lowest)


def test_graph_is_fitted_as_a_whole_when_asked(tab, large_graph):
    seen = opened(tab, large_graph, "graph")
    frame = seen.page.locator(".graph-frame")
    assert frame.evaluate("e => e.scrollHeight > e.clientHeight")
    seen.press("0")
    wait_until(
        lambda: frame.evaluate("e => e.scrollHeight <= e.clientHeight + 1"), "a graph that fits"
    )


def test_what_ran_why_and_longest_is_said(tab, failed):
    seen = opened(tab, failed)
    seen.tells("section:has(#ran)", "parameter `bad`")
    seen.tells("section:has(#longest)", "halve")
    seen.tells("section:has(#earlier)", "Last runs")


def test_nothing_is_asked_of_any_host(tab, failed):
    seen = opened(tab, failed)
    assert [url for url in seen.asked if not url.startswith("file:")] == []


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_no_view_has_axe_violations(tab, failed, view, dark):
    assert opened(tab, failed, view, dark=dark).violations() == []


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("width", [360, 3840])
def test_no_view_scrolls_sideways(tab, failed, view, width):
    assert not opened(tab, failed, view, width=width).is_too_wide()


def test_tasks_are_searched_filtered_and_opened_by_keyboard(tab, failed):
    seen = opened(tab, failed, "tasks")
    seen.press("/")
    seen.page.keyboard.type("halve[")
    seen.shows("[role=status]", "5 TaskRuns")
    seen.press("Escape", "j", "j")
    seen.shows(".panel h2", "halve[1] (1)")
    seen.press("k")
    seen.shows(".panel h2", "halve[0] (0)")
    seen.press("Escape")
    seen.has(".panel", 0)


def test_views_are_reached_by_their_numbers(tab, failed):
    seen = opened(tab, failed)
    for key, title in zip("2345", ["Tasks", "Timeline", "Graph", "Compare"], strict=True):
        seen.press(key)
        seen.tells(".tabs [aria-current]", title)


def test_question_mark_lists_the_keys(tab, failed):
    seen = opened(tab, failed, "tasks")
    seen.press("?")
    seen.tells("dialog", "Next TaskRun")
    assert seen.violations() == []
    seen.press("Escape")
    seen.page.locator("dialog").wait_for(state="detached")


def test_every_view_has_an_address(tab, failed):
    seen = opened(tab, failed, "tasks?is=failed&sel=halve%5B2%5D")
    assert seen.texts(".list-body .name .text") == ["halve[2] (2)"]
    seen.page.locator("a:has-text('Graph')").first.click()
    assert "#/graph?sel=halve" in seen.page.url
    seen.page.go_back()
    assert "#/tasks?is=failed" in seen.page.url


def test_panel_tells_failure_inputs_and_log(tab, failed):
    panel = opened(tab, failed, "tasks?sel=halve%5B2%5D").text(".panel")
    for told in ("ValueError", "Traceback", "numbers", "halving 2"):
        assert told in panel


def test_fan_out_is_one_box_with_counts(tab, failed):
    seen = opened(tab, failed, "graph")
    boxes = [box.get_attribute("aria-label") for box in seen.page.locator(".box").all()]
    assert "halve 1 of 4 failed, failed" in boxes
    seen.page.locator(".box").nth(1).press("Enter")
    seen.tells(".panel", "4 elements")


def test_timeline_says_whose_the_lanes_are(tab, failed, tmp_path):
    seen = opened(tab, failed, "timeline")
    seen.tells(".timeline", "1 worker, a lane for what each did")
    store = MemoryStateStore()
    lease = store.claim(ClaimRequest("old", "k"))
    record = completed(lease.run.id, "a", started_at=1.0, finished_at=2.0, duration=1.0)
    store.commit(lease, Changes(tasks=[record]))
    page = report_page(View(StoredRun(store, lease.run)).as_json())
    (tmp_path / "old.html").write_text(page, encoding="utf-8")
    seen = opened(tab, (tmp_path / "old.html").as_uri(), "timeline")
    seen.tells(".timeline", "Who ran what is not known of this run")


def test_differences_to_the_run_before_are_listed(tab, failed):
    seen = opened(tab, failed, "compare")
    seen.tells(".differences", "halve[2]")


def test_of_a_long_list_only_what_is_seen_is_on_the_page(tab, large):
    seen = opened(tab, large, "tasks")
    assert seen.page.locator(".list-body .row").count() < 60
    seen.press("End")
    seen.shows(".row.selected .text", "counted")
    seen.press("Home")
    seen.shows(".row.selected .text", "numbers")


def test_large_run_is_drawn_without_long_frames(tab, large):
    seen = opened(tab, large, "timeline")
    longest = seen.page.evaluate(
        """async () => {
            const stage = document.querySelector(".stage");
            document.querySelector("[aria-label='Zoom in']").click();
            let drawn = 0;
            for (let i = 0; i < 20; i += 1) {
                stage.scrollLeft += 40;
                await new Promise(requestAnimationFrame);
                drawn += 1;
            }
            return drawn;
        }"""
    )
    assert longest == 20


def test_hostile_texts_are_shown_as_they_are(tab, tmp_path):
    hostile = "<img src=x onerror=\"document.title='owned'\">"

    @task(name=hostile)
    def bad():
        print(hostile)
        raise ValueError(hostile)

    store = MemoryStateStore()
    run = executed(store, Workflow(hostile, [bad]))
    seen = opened(tab, written(tmp_path, store, run), "tasks?sel=" + "%3Cimg")
    for view in ("overview", "tasks", "graph", "timeline"):
        seen.page.evaluate(f"location.hash = '#/{view}'")
        seen.page.locator(f".view-{view}").wait_for()
        seen.has("img", 0)
    assert seen.page.title() != "owned"


def test_nested_workflow_is_opened_and_left(tab, tmp_path):
    outer = Workflow("outer", [halves])
    outer.add_task(lambda halves: halves, name="last")
    store = MemoryStateStore()
    seen = opened(tab, written(tmp_path, store, executed(store, outer)), "graph")
    seen.page.locator(".box.group").click()
    seen.has(".box", 5)
    seen.page.locator(".crumbs a").first.click()
    seen.has(".box", 2)


def test_run_without_tasks_says_so(tab, tmp_path):
    store = MemoryStateStore()
    url = written(tmp_path, store, executed(store, Workflow("empty")))
    for view in ("overview", "tasks", "timeline", "graph"):
        seen = opened(tab, url, view)
        assert seen.violations() == []
    seen.tells("main", "No graph")


def test_fan_out_over_nothing_is_told(tab, tmp_path):
    nothing = Workflow("nothing")
    nothing.add_task(no_pages, name="pages")
    nothing.add_task(lambda page: page, name="fetch", inputs={"page": each("pages")})
    store = MemoryStateStore()
    seen = opened(tab, written(tmp_path, store, executed(store, nothing)), "graph?sel=fetch")
    seen.tells(".panel", "mapped over nothing")


def test_all_rows_are_printed(tab, failed):
    seen = opened(tab, failed, "tasks")
    seen.page.emulate_media(media="print")
    seen.page.evaluate("dispatchEvent(new Event('beforeprint'))")
    seen.has(".list-body .row", 7)
    assert not seen.page.locator(".tabs").is_visible()


def test_paper_is_white_also_where_the_screen_is_dark(tab, failed):
    seen = opened(tab, failed, dark=True)
    background = "element => getComputedStyle(element).backgroundColor"
    card = seen.page.locator(".card").first
    assert card.evaluate(background) != "rgb(255, 255, 255)"
    seen.page.emulate_media(media="print", color_scheme="dark")
    assert card.evaluate(background) == "rgb(255, 255, 255)"


def test_nothing_moves_for_who_asked_for_that(tab, failed):
    seen = opened(tab, failed)
    seen.page.emulate_media(reduced_motion="reduce")
    moving = (
        "() => [...document.querySelectorAll('*')].filter(each => { const style = "
        "getComputedStyle(each); return style.animationName !== 'none' || "
        "style.transitionDuration !== '0s'; }).length"
    )
    assert seen.page.evaluate(moving) == 0
