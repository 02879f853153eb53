"""What elements are called, wherever a page has them."""

import pytest

from flowweaver import MemoryStateStore, Workflow, each, task
from flowweaver.report.trace import trace_json
from tests.report.test_in_browser import opened, written
from tests.report.viewing import executed, viewed

CITIES = ["Oslo", "Bern", "Rome"]
ROME = "forecast[2] (Rome)"


@task
def cities() -> list[str]:
    return CITIES


@task(inputs={"city": each("cities")}, element_name="{city}")
def forecast(city: str, bad: str = "") -> str:
    if city == bad:
        raise ValueError("no forecast")
    return city.upper()


@task(inputs={"forecast": each("forecast")}, element_name="of {forecast}")
def letter(forecast: str) -> str:
    return forecast.lower()


letters = Workflow("letters", [cities, forecast, letter])


@pytest.fixture(scope="module")
def runs():
    store = MemoryStateStore()
    return store, executed(store, letters), executed(store, letters, {"bad": "Rome"})


@pytest.fixture(scope="module")
def failed(runs, tmp_path_factory):
    store, _, run = runs
    return written(tmp_path_factory.mktemp("failed"), store, run)


@pytest.fixture(scope="module")
def done(runs, tmp_path_factory):
    store, run, _ = runs
    return written(tmp_path_factory.mktemp("done"), store, run)


@pytest.mark.parametrize(
    ("view", "where"),
    [
        ("overview", ".answers"),
        ("overview", "#failed"),
        ("tasks", ".list-body"),
        ("compare", ".differences"),
        ("graph?sel=forecast", ".panel ul"),
        ("tasks?sel=forecast%5B2%5D", ".panel h2"),
        ("tasks?sel=letter%5B2%5D", ".panel p"),
    ],
)
def test_lists_call_elements_by_their_names(tab, failed, view, where):
    opened(tab, failed, view).tells(where, ROME)


def test_what_took_longest_is_called_by_name(tab, done):
    opened(tab, done).tells("section:has(#longest)", "forecast[0] (Oslo)")


def test_elements_are_searched_for_by_name(tab, failed):
    seen = opened(tab, failed, "tasks?q=(bern)")
    seen.has(".list-body .row", 1)
    seen.tells(".list-body .row", "forecast[1] (Bern)")


# Moves over all of a picture, and returns what is said of its parts.
POINT = """box => {
    const edge = box.getBoundingClientRect(), told = [];
    for (let y = 4; y < edge.height; y += 4) {
        for (let x = 1; x < edge.width; x += 3) {
            const at = { clientX: edge.left + x, clientY: edge.top + y, bubbles: true };
            box.dispatchEvent(new PointerEvent("pointermove", at));
            told.push(box.querySelector("canvas").title);
        }
    }
    return [...new Set(told)];
}"""


@pytest.mark.parametrize(
    ("view", "stage"), [("graph?sel=forecast", ".panel .grid"), ("timeline", ".timeline-stage")]
)
def test_what_is_pointed_at_is_called_by_name(tab, failed, view, stage):
    seen = opened(tab, failed, view)
    seen.page.locator(stage).wait_for()
    told = seen.page.locator(stage).evaluate(POINT)
    assert any(title.startswith(f"{ROME}: failed") for title in told)


def test_traces_call_elements_by_name(runs):
    store, run, _ = runs
    names = {event["name"] for event in trace_json(viewed(store, run))["traceEvents"]}
    assert {"forecast[0] (Oslo)", "letter[1] (of BERN)"} <= names
