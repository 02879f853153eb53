"""Reading recorded workflows, and what they are compared with."""

import json

import pytest
from benchmarks.traces import main, measured
from benchmarks.wfformat import (
    Trace,
    TraceError,
    read_trace,
    simulated_makespan,
    workflow_of,
)
from hypothesis import given
from hypothesis import strategies as st

from flowweaver import SequentialExecutor

DIAMOND = {"a": [], "b": ["a"], "c": ["a"], "d": ["b", "c"]}
SECONDS = {"a": 1.0, "b": 2.0, "c": 5.0, "d": 1.0}


def recorded(graph=DIAMOND, seconds=SECONDS):
    tasks = [{"id": name, "parents": parents} for name, parents in graph.items()]
    times = [{"id": name, "runtimeInSeconds": taken} for name, taken in seconds.items()]
    return {"workflow": {"specification": {"tasks": tasks}, "execution": {"tasks": times}}}


@pytest.fixture
def diamond(tmp_path):
    path = tmp_path / "diamond.json"
    path.write_text(json.dumps(recorded()))
    return read_trace(path)


@st.composite
def traces(draw):
    count = draw(st.integers(1, 12))
    parents = {
        f"t{node}": tuple(
            f"t{pred}" for pred in sorted(draw(st.sets(st.integers(0, node - 1), max_size=3)))
        )
        if node
        else ()
        for node in range(count)
    }
    times = st.floats(0.0, 100.0)
    return Trace("made-up", {name: draw(times) for name in parents}, parents)


def test_work_and_critical_path_are_of_the_recorded_times(diamond):
    assert diamond.work == 9.0
    assert diamond.critical_path == 7.0


def test_the_bound_is_the_larger_of_path_and_share_of_work(diamond):
    assert diamond.bound(1) == 9.0
    assert diamond.bound(2) == 7.0


def test_a_rank_is_the_time_from_a_start_to_the_end_of_all(diamond):
    assert diamond.ranks() == {"a": 7.0, "b": 3.0, "c": 6.0, "d": 1.0}


def test_scaling_scales_every_time(diamond):
    assert diamond.scaled(0.5).seconds["c"] == 2.5


def test_the_workflow_has_the_recorded_graph(diamond):
    workflow = workflow_of(diamond)
    assert {name: workflow.get_dependencies(name) for name in DIAMOND} == DIAMOND


def test_the_workflow_runs(diamond):
    run = SequentialExecutor().execute(workflow_of(diamond.scaled(0.0)))
    assert set(run.tasks) == set(DIAMOND)


def test_list_scheduling_starts_the_highest_priority_first():
    seconds = {"a": 1.0, "b": 1.0, "c": 2.0}
    alone = Trace("alone", seconds, dict.fromkeys(seconds, ()))
    assert simulated_makespan(alone, 2, seconds) == 2.0
    assert simulated_makespan(alone, 2, {"a": 2.0, "b": 1.0, "c": 0.0}) == 3.0


@given(traces(), st.integers(1, 4))
def test_no_list_schedule_is_below_the_bound_or_above_all_work(trace, workers):
    makespan = simulated_makespan(trace, workers, trace.ranks())
    assert trace.bound(workers) <= makespan * (1 + 1e-9)
    assert makespan <= trace.work * (1 + 1e-9) + 1e-9


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("{", "no recorded workflow"),
        ("{}", "no recorded workflow"),
        (json.dumps(recorded(graph={"a": ["x"]})), "'x'"),
        (json.dumps(recorded(seconds={"a": 1.0})), "'b'"),
        (json.dumps(recorded(graph={"a": ["b"], "b": ["a"]})), "cycle"),
    ],
)
def test_what_is_no_recorded_workflow_is_refused_by_name(tmp_path, content, said):
    path = tmp_path / "broken.json"
    path.write_text(content)
    with pytest.raises(TraceError, match=said) as raised:
        read_trace(path)
    assert str(path) in str(raised.value)


def test_a_trace_is_measured_twice_and_compared_with_the_best_list_schedule(diamond):
    found = measured(diamond, workers=2, seconds=0.02)
    assert found.tasks == 4
    assert found.first > 0
    assert found.second > 0
    assert found.listed == pytest.approx(1.0)


def test_the_command_prints_a_line_for_each_trace(tmp_path, capsys):
    (tmp_path / "diamond.json").write_text(json.dumps(recorded()))
    report = tmp_path / "report" / "traces.json"
    report.parent.mkdir()
    assert main([str(tmp_path), "--workers", "2", "--seconds", "0.01", "--json", str(report)]) == 0
    assert "diamond.json" in capsys.readouterr().out
    assert json.loads(report.read_text())[0]["trace"] == "diamond.json"


def test_the_command_says_when_there_is_no_trace(tmp_path, capsys):
    assert main([str(tmp_path)]) == 2
    assert str(tmp_path) in capsys.readouterr().err
