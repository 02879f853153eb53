"""Where the boxes and edges of a graph are drawn."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from flowweaver.report.graph import draw, lay_out
from flowweaver.report.graph.drawing import BOX_HEIGHT


@st.composite
def graphs(draw):
    count = draw(st.integers(1, 24))
    return [
        sorted(draw(st.sets(st.integers(0, node - 1), max_size=4))) if node else []
        for node in range(count)
    ]


def labels(preds):
    return [f"task_{node}" for node in range(len(preds))]


@given(graphs())
def test_boxes_stand_to_the_right_of_all_they_wait_for(preds):
    drawing = lay_out(labels(preds), preds)
    for node, before in enumerate(preds):
        for pred in before:
            assert drawing.x[node] > drawing.x[pred] + drawing.w[pred]


@given(graphs())
def test_boxes_do_not_overlap_and_none_lies_outside(preds):
    drawing = lay_out(labels(preds), preds)
    boxes = sorted(zip(drawing.x, drawing.y, drawing.w, strict=True))
    for (x, y, _), (other_x, other_y, _) in pairwise(boxes):
        assert other_x > x or other_y >= y + BOX_HEIGHT
    for x, y, w in boxes:
        assert 0 <= x <= x + w <= drawing.width
        assert 0 <= y <= y + BOX_HEIGHT <= drawing.height + 1


@given(graphs())
def test_every_dependency_is_one_line(preds):
    drawing = lay_out(labels(preds), preds)
    told = sorted((pred, node) for node, before in enumerate(preds) for pred in before)
    assert sorted((a, b) for a, b, _ in drawing.lines) == told


def crossings(drawing):
    spans = [(drawing.y[a], drawing.y[b]) for a, b, _ in drawing.lines]
    pairs = [(p, q) for i, p in enumerate(spans) for q in spans[:i]]
    return sum((p[0] - q[0]) * (p[1] - q[1]) < 0 for p, q in pairs)


def test_lines_that_need_not_cross_do_not():
    preds = [[], [], [], [2], [1], [0]]
    assert crossings(lay_out(labels(preds), preds)) == 0


def test_long_line_leads_around_what_stands_between():
    preds = [[], [0], [1], [0, 2]]
    (points,) = [points for a, b, points in lay_out(labels(preds), preds).lines if (a, b) == (0, 3)]
    assert len(points) == 4


def test_chain_of_thousands_is_drawn():
    preds = [[node - 1] if node else [] for node in range(5000)]
    drawing = lay_out(labels(preds), preds)
    assert set(drawing.y) == {0}


def test_nothing_is_drawn_as_nothing():
    assert draw([], [])[""]["boxes"] == []


def test_nested_workflow_is_one_box_that_can_be_opened():
    names = ["fetch", "in.a", "in.b", "in", "last"]
    levels = draw(names, [[], [0], [1], [2], [3]])
    assert levels[""]["boxes"] == [0, "in", 4]
    assert levels[""]["groups"] == {"in": [1, 2, 3]}
    assert sorted(map(tuple, levels[""]["lines"])) == [(0, 1), (1, 2)]
    assert levels["in"]["boxes"] == [1, 2, 3]


def test_nested_workflows_nest():
    levels = draw(["a.b.c", "a.b", "a"], [[], [0], [1]])
    assert levels[""]["boxes"] == ["a"]
    assert levels["a"]["boxes"] == ["a.b", 2]
    assert levels["a.b"]["boxes"] == [0, 1]


def test_dot_in_a_name_alone_makes_no_group():
    assert draw(["v1.2", "v1.3"], [[], [0]])[""]["boxes"] == [0, 1]
