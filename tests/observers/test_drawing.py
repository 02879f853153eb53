"""Where a run stands, drawn for terminals of any width."""

from io import StringIO

import pytest
from rich.console import Console

from flowweaver.observers.drawing import cut_name, drawn
from flowweaver.observers.tally import Share, Standing


def lines(width: int, **given: object) -> list[str]:
    standing = Standing(
        **{"title": "crawl 20261128-150627-1549bf", "done": 827, "total": 2004, "seconds": 12.0,
           "counts": {"executed": 824, "failed": 3, "running": 8}, **given}  # type: ignore[arg-type]
    )  # fmt: skip
    stream = StringIO()
    Console(file=stream, width=width, highlight=False).print(drawn(standing, width, 8))
    return stream.getvalue().splitlines()


SHARE = Share("fetch_all_the_pages_of_this_site", 812, 2000, 3, 67.2, 17.7)


def test_done_total_and_rest_are_told():
    head, counts, share = lines(100, shares=[SHARE], left=17.7)
    assert "827/2,004" in head
    assert "about 17.7 s left" in head
    assert "executed 824  running 8  failed 3" in counts
    assert "812/2,000  67/s  17.7 s left  3 failed" in share


def test_numbers_stay_at_forty_columns():
    running = [("fetch_all_the_pages_of_this_site[1234]", 7.2, 2)]
    head, _, share, one = (line.rstrip() for line in lines(40, shares=[SHARE], running=running))
    assert head.endswith("827/2,004  12.0 s")
    assert share.endswith("812/2,000  67/s  3 failed")
    assert one.endswith("…[1234]  7.2 s  attempt 2")
    assert max(map(len, (head, share, one))) <= 40


def test_of_many_running_tasks_some_are_named():
    running = [(f"t{n}", 1.0, 1) for n in range(20)]
    assert lines(80, running=running)[-1].strip() == "and 12 more"


def test_fan_out_that_is_over_without_failures_is_not_told():
    assert len(lines(80, shares=[Share("load", 5, 5, 0)])) == 2


@pytest.mark.parametrize(
    ("name", "room", "end"),
    [("page[3]", 20, "page[3]"), ("a_long_name[12.3]", 12, "a_lo…[12.3]"), ("a_name", 4, "a_n…")],
)
def test_name_gives_way_and_the_element_stays(name, room, end):
    cut = cut_name(name, room)
    assert cut.endswith(end[-6:])
    assert len(cut) <= room
