"""Critical paths, lanes and pauses."""

from flowweaver.blueprint import Blueprint
from flowweaver.report.view.table import NEVER, Table
from flowweaver.report.view.times import Lanes, critical_path, pauses


def row(task, start, seconds, element="", lane=-1):
    return task, start, seconds, element, lane


def table(*rows):
    found = Table()
    for task, start, seconds, element, lane in rows:
        number = found.add(task, element)
        found.outcome[number] = 0
        found.begun[number] = NEVER if start is None else start
        found.seconds[number] = NEVER if seconds is None else seconds
        found.lane[number] = lane
    return found


def path(rows, blueprint):
    """Return tasks and elements of the critical path."""
    found = table(*rows)
    return [
        (found.task[number], found.element(number)) for number in critical_path(found, blueprint)
    ]


def lanes(*spans):
    found = Lanes()
    return [found.lane(-1, begun, ended, "") for begun, ended in spans]


def test_rows_that_run_at_once_have_lanes_of_their_own():
    assert lanes((0, 3), (1, 2), (2.5, 3.5), (4, 5)) == [0, 1, 1, 0]


def test_row_that_still_runs_keeps_its_lane():
    assert lanes((0, NEVER), (5, 6)) == [0, 1]


def test_lane_is_free_again_when_what_ran_in_it_has_ended():
    found = Lanes()
    assert found.lane(-1, 0.0, NEVER, "") == 0
    assert found.lane(0, 0.0, 2.0, "") == 0
    assert found.lane(-1, 3.0, 4.0, "") == 0


def test_each_worker_has_a_lane_of_its_own():
    found = Lanes()
    assert found.lane(-1, 0.0, 1.0, "worker 1") == 0
    assert found.lane(-1, 2.0, 3.0, "worker 2") == 1
    assert found.lane(-1, 4.0, 5.0, "worker 1") == 0
    assert found.workers == ["worker 1", "worker 2"]


def test_worker_that_does_several_things_at_once_has_several_lanes():
    found = Lanes()
    assert [found.lane(-1, 0.0, 1.0, "event loop") for _ in range(3)] == [0, 1, 2]
    assert found.lane(-1, 2.0, 3.0, "event loop") == 0
    assert found.workers == ["event loop"] * 3


def test_lane_is_changed_when_the_worker_becomes_known():
    found = Lanes()
    assert found.lane(-1, 0.0, NEVER, "") == 0
    assert found.lane(0, 0.0, 1.0, "worker 1") == 1
    assert found.lane(-1, 2.0, 3.0, "") == 0


def test_lanes_are_drawn_by_worker_and_unknown_ones_last():
    found = Lanes()
    for worker in ["", "worker 10", "worker 2", "host:7", "worker 2"]:
        found.lane(-1, 0.0, 1.0, worker)
    assert [found.workers[lane] for lane in found.order()] == [
        "host:7", "worker 2", "worker 2", "worker 10", "",
    ]  # fmt: skip


def test_long_stretch_without_work_is_a_pause():
    assert pauses([(0, 2), (100, 102), (103, 104)]) == [(2, 100)]


def test_waiting_shorter_than_the_work_is_no_pause():
    assert pauses([(0, 200), (250, 251)]) == []


def test_critical_path_follows_what_ended_last():
    blueprint = Blueprint(("a", "b", "c", "d"), ((), (), (0, 1), (2,)))
    made = [row(0, 0, 1), row(1, 0, 3), row(2, 3, 1), row(3, 4, 1)]
    assert [task for task, _ in path(made, blueprint)] == [1, 2, 3]


def test_critical_path_goes_by_the_element_of_the_same_key():
    blueprint = Blueprint(("a", "b"), ((), (0,)), frozenset({0, 1}))
    made = [row(0, 0, 1, "0"), row(0, 0, 2, "1"), row(1, 1, 5, "0"), row(1, 2, 1, "1")]
    assert [element for _, element in path(made, blueprint)] == ["0", "0"]


def test_critical_path_goes_through_what_held_the_worker():
    blueprint = Blueprint(("a", "b", "c"), ((), (), (0,)))
    made = [row(0, 0, 1, lane=0), row(1, 0, 5, lane=1), row(2, 5, 1, lane=1)]
    assert [task for task, _ in path(made, blueprint)] == [1, 2]


def test_worker_that_was_free_for_long_was_not_waited_for():
    blueprint = Blueprint(("a", "b"), ((), ()))
    made = [row(0, 0, 1, lane=0), row(1, 60, 1, lane=0)]
    assert [task for task, _ in path(made, blueprint)] == [1]


def test_what_takes_no_time_is_passed_once():
    blueprint = Blueprint(("a", "b"), ((1,), (0,)))
    made = [row(0, 5, 0, lane=0), row(1, 5, 0, lane=0)]
    assert len(path(made, blueprint)) == 1


def test_nothing_ran_has_no_critical_path():
    blueprint = Blueprint(("a",), ((),))
    assert path([row(0, None, None)], blueprint) == []
