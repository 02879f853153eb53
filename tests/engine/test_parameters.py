"""Parameters are checked for the whole graph before any body starts."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowweaver import ParameterError, Task, UnstorableError, Workflow
from flowweaver.engine.parameters import check_parameters, encode_parameters, key_of


def fetch(url: str, limit: int = 10) -> list[str]:
    return [url] * limit


def label(fetch: list[str], title: str, limit: float = 1.5) -> str:
    return title


sales = Workflow("sales", [fetch, label])


def check(params: Mapping[Any, Any], workflow: Workflow = sales) -> None:
    check_parameters(workflow.compile(), params)


def problems(params: Mapping[Any, Any], workflow: Workflow = sales) -> str:
    with pytest.raises(ParameterError) as raised:
        check(params, workflow)
    return str(raised.value)


def test_all_that_is_needed_is_enough() -> None:
    check({"url": "here", "title": "x"})


def test_parameters_with_defaults_can_be_given() -> None:
    check({"url": "here", "title": "x", "limit": 3})


def test_missing_parameters_are_named_with_those_that_take_them() -> None:
    message = problems({})
    assert "Missing parameter 'url', taken by 'fetch'" in message
    assert "Missing parameter 'title', taken by 'label'" in message
    assert "limit" not in message


def test_parameter_taken_by_many_names_the_first_and_counts_the_rest() -> None:
    many = Workflow("many", [Task(f"t{n}", lambda url: url) for n in range(10)])
    assert "Missing parameter 'url', taken by 't0', 't1', 't2' and 7 more" in problems({}, many)


def test_unknown_parameter_comes_with_near_matches() -> None:
    message = problems({"url": "x", "title": "x", "limits": 3})
    assert "Unknown parameter 'limits'; did you mean 'limit'" in message


def test_value_for_a_task_is_refused_as_such() -> None:
    assert "'fetch' is a task" in problems({"url": "x", "title": "x", "fetch": []})


@pytest.mark.parametrize("name", [3, None, ("url",), b"url"], ids=repr)
def test_name_that_is_no_text_is_unknown(name: object) -> None:
    assert "Unknown parameter" in problems({"url": "x", "title": "x", name: 3})


def test_value_of_a_wrong_type_names_parameter_task_and_both_types() -> None:
    message = problems({"url": 3, "title": "x"})
    assert "Parameter 'url' of task 'fetch' must be str, not int." in message


def test_type_of_every_task_that_takes_a_parameter_counts() -> None:
    check({"url": "x", "title": "x", "limit": 3})
    assert "'limit' of task 'fetch' must be int, not float" in problems(
        {"url": "x", "title": "x", "limit": 2.5}
    )


def test_everything_wrong_is_said_at_once() -> None:
    message = problems({"url": 3, "limits": 3, "label": "x"})
    for part in ("Missing parameter 'title'", "'url' of task", "'limits'", "'label' is a task"):
        assert part in message


def test_message_names_the_workflow() -> None:
    assert problems({}).startswith("Workflow 'sales' can't run. ")


def test_parameter_error_is_a_value_error() -> None:
    assert issubclass(ParameterError, ValueError)


class Counter:
    size: str

    def __call__(self, size: int) -> int:
        return size


@pytest.mark.parametrize("fn", [Counter(), Counter().__call__], ids=["callable", "bound"])
def test_annotations_are_those_of_what_is_called(fn: Callable[..., int]) -> None:
    counting = Workflow("counting", [Task("count", fn)])
    check({"size": 3}, counting)
    assert "must be int, not str" in problems({"size": "3"}, counting)


def test_values_without_annotations_can_be_anything() -> None:
    anything = Workflow("anything", [Task("t", lambda value: value)])
    check({"value": object()}, anything)


def test_unstorable_parameter_names_itself_and_the_place_inside() -> None:
    with pytest.raises(UnstorableError) as raised:
        encode_parameters({"source": {"rows": [1, (row for row in ())]}})
    assert "parameter 'source'" in raised.value.path
    assert raised.value.path.endswith("['rows'][1]")


def key(params: dict[str, Any]) -> str:
    return key_of({name: value for name, (value, _) in encode_parameters(params).items()})


names = st.text("abc:=;1", min_size=1, max_size=4)
values = st.none() | st.booleans() | st.integers() | st.text("a1:", max_size=3)


@given(st.dictionaries(names, values), st.dictionaries(names, values))
def test_key_tells_parameters_apart_by_name_type_and_value(
    one: dict[str, Any], other: dict[str, Any]
) -> None:
    def typed(params: dict[str, Any]) -> set[tuple[str, type, Any]]:
        return {(name, type(value), value) for name, value in params.items()}

    same = key(one) == key(other)
    assert same == (typed(one) == typed(other))


@given(st.dictionaries(names, values))
def test_key_does_not_depend_on_the_order_parameters_are_given_in(params: dict[str, Any]) -> None:
    backwards = dict(reversed(params.items()))
    assert key(params) == key(backwards)


def test_whole_annotation_is_named_where_its_origin_would_not_say_enough() -> None:
    def place(at: tuple[int, str]) -> None: ...

    message = problems({"at": (1, 2)}, Workflow("w", [place]))
    assert "must be tuple[int, str], not tuple" in message
