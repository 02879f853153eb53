"""The resolved graph: whose result goes to which parameter."""

import re
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowweaver import DefinitionError, Task, Workflow, each
from flowweaver.definitions.wiring import Wiring, compile_workflow


def takes(*names: str) -> Callable[..., object]:
    return eval(f"lambda {', '.join(names)}: 0")


def wired(tasks: Mapping[str, Task[..., Any]]) -> Wiring:
    places = {name: place for place, name in enumerate(tasks)}
    return compile_workflow("w", [*tasks.values()], places, {})


def sources(workflow: Workflow, name: str) -> dict[str, str]:
    """Return whose result each parameter of a task takes."""
    wiring = workflow.compile()
    node = wiring.index[name]
    return {parameter: wiring.tasks[pred].name for parameter, pred in wiring.takes(node)}


class TestWhatATaskTakes:
    def test_results_of_the_tasks_its_parameters_are_named_after(self) -> None:
        made = Workflow("w", [Task("a", takes()), Task("b", takes()), Task("c", takes("a", "b=1"))])
        assert sources(made, "c") == {"a": "a", "b": "b"}

    def test_results_of_the_tasks_its_inputs_name(self) -> None:
        made = Workflow("w", [Task("a", takes()), Task("c", takes("x"), inputs={"x": "a"})])
        assert sources(made, "c") == {"x": "a"}

    def test_inputs_win_over_names(self) -> None:
        made = Workflow(
            "w", [Task("a", takes()), Task("b", takes()), Task("c", takes("a"), inputs={"a": "b"})]
        )
        assert sources(made, "c") == {"a": "b"}
        assert made.get_dependencies("c") == ["b"]

    def test_inputs_given_when_added_win_over_those_of_the_task(self) -> None:
        made = Workflow("w", [Task("a", takes()), Task("b", takes())])
        made.add_task(Task("c", takes("x"), inputs={"x": "a"}), inputs={"x": "b"})
        assert sources(made, "c") == {"x": "b"}

    def test_one_result_can_go_to_two_parameters(self) -> None:
        made = Workflow(
            "w", [Task("a", takes()), Task("c", takes("x", "y"), inputs={"x": "a", "y": "a"})]
        )
        assert sources(made, "c") == {"x": "a", "y": "a"}
        assert made.get_dependencies("c") == ["a"]

    def test_depends_on_alone_gives_no_result(self) -> None:
        made = Workflow("w", [Task("a", takes()), Task("c", takes(), depends_on=["a"])])
        assert sources(made, "c") == {}
        assert made.get_dependencies("c") == ["a"]

    def test_function_that_takes_any_keyword_gets_its_dependencies_by_name(self) -> None:
        made = Workflow(
            "w",
            [
                Task("a", takes()),
                Task("not an identifier", takes()),
                Task("c", takes("**results"), depends_on=["a", "not an identifier"]),
            ],
        )
        assert sources(made, "c") == {"a": "a", "not an identifier": "not an identifier"}

    def test_dependency_that_a_parameter_takes_already_is_not_given_twice(self) -> None:
        made = Workflow(
            "w",
            [
                Task("a", takes()),
                Task("c", takes("x", "**rest"), inputs={"x": "a"}, depends_on=["a"]),
            ],
        )
        assert sources(made, "c") == {"x": "a"}

    def test_dependency_named_like_a_parameter_that_takes_another_only_comes_first(self) -> None:
        made = Workflow(
            "w",
            [
                Task("a", takes()),
                Task("x", takes()),
                Task("c", takes("x", "**rest"), inputs={"x": "a"}, depends_on=["x"]),
            ],
        )
        assert sources(made, "c") == {"x": "a"}
        assert sorted(made.get_dependencies("c")) == ["a", "x"]

    def test_parameter_that_no_task_provides_is_one_of_the_workflow(self) -> None:
        wiring = wired({"c": Task("c", takes("url", "size=3"))})
        assert wiring.uses == {0: (("url", "url"), ("size", "size"))}
        assert {name: use.users for name, use in wiring.parameters.items()} == {
            "url": ((0, "url"),),
            "size": ((0, "size"),),
        }


class TestDefaults:
    def test_has_default_says_which_parameters_need_no_value(self) -> None:
        wiring = wired({"c": Task("c", takes("url", "size=3"))})
        assert [wiring.has_default(0, name) for name in ("url", "size")] == [False, True]


class TestRefused:
    def test_unknown_dependency_in_what_was_said_besides_the_options(self) -> None:
        with pytest.raises(DefinitionError, match="'c' depends on 'a', which does not exist"):
            compile_workflow("w", [Task("c", takes())], {"c": 0}, {"c": (("a",), ())})


names = st.lists(
    st.text("abcdef", min_size=1, max_size=3).map(lambda text: "t" + text),
    min_size=1,
    max_size=8,
    unique=True,
)


@given(st.data(), names)
def test_every_parameter_has_one_source_or_is_a_parameter_of_the_workflow(
    data: st.DataObject, listed: list[str]
) -> None:
    tasks, parameters_of = {}, {}
    for at, name in enumerate(listed):
        others = st.sampled_from([*listed[:at], "u", "v"])
        parameters_of[name] = data.draw(st.lists(others, unique=True), label=name)
        tasks[name] = Task(name, takes(*parameters_of[name]))
    shuffled = data.draw(st.permutations(list(tasks.values())))
    made = Workflow("w", shuffled)
    for name, parameters in parameters_of.items():
        expected = {parameter for parameter in parameters if parameter in tasks}
        assert sources(made, name) == {parameter: parameter for parameter in expected}
        assert set(made.get_dependencies(name)) == expected
    outside = {p for parameters in parameters_of.values() for p in parameters} - set(tasks)
    assert made.parameters == dict.fromkeys(outside, True)


@given(st.data(), names)
def test_adding_one_by_one_in_any_order_gives_the_same_graph_as_listing(
    data: st.DataObject, listed: list[str]
) -> None:
    tasks = [
        Task(name, takes(*data.draw(st.lists(st.sampled_from([*listed[:at], "u"]), unique=True))))
        for at, name in enumerate(listed)
    ]
    grown = Workflow("w")
    for item in data.draw(st.permutations(tasks)):
        grown.add_task(item)
    at_once = Workflow("w", tasks)
    for name in listed:
        assert set(grown.get_dependencies(name)) == set(at_once.get_dependencies(name))
    assert grown.parameters == at_once.parameters


@given(st.data(), names)
def test_order_has_every_task_once_and_after_those_it_waits_for(
    data: st.DataObject, listed: list[str]
) -> None:
    tasks = [
        Task(name, takes(*data.draw(st.lists(st.sampled_from([*listed[:at], "u"]), unique=True))))
        for at, name in enumerate(listed)
    ]
    listing = data.draw(st.sampled_from([tasks, tasks[::-1]]) | st.permutations(tasks))
    wiring = Workflow("w", listing).compile()
    assert sorted(wiring.order) == list(range(len(tasks)))
    place = {node: at for at, node in enumerate(wiring.order)}
    for node, before in enumerate(wiring.preds):
        assert all(place[pred] < place[node] for pred in before)


def test_tasks_with_options_of_their_own_are_listed() -> None:
    tasks = [Task("a", takes()), Task("b", takes(), retries=1), Task("c", takes(), priority=2.0)]
    assert Workflow("w", tasks).compile().optioned == [1, 2]


@given(st.data(), names)
def test_adding_one_by_one_finds_a_cycle_exactly_when_there_is_one(
    data: st.DataObject, listed: list[str]
) -> None:
    before = {
        name: data.draw(
            st.lists(
                st.sampled_from([n for n in listed if n != name] or ["u"]), unique=True, max_size=2
            )
        )
        for name in listed
    }
    left, removed = dict(before), True
    while removed:
        removed = [name for name, preds in left.items() if not any(p in left for p in preds)]
        for name in removed:
            del left[name]
    grown = Workflow("w")
    with pytest.raises(DefinitionError, match="circular") if left else nullcontext():
        for name, parameters in before.items():
            grown.add_task(takes(*parameters), name=name)


def test_one_coroutine_function_is_enough_for_a_graph_to_have_some() -> None:
    async def waits() -> None: ...

    assert not Workflow("w", [Task("a", takes())]).compile().has_coroutines
    assert Workflow("w", [Task("a", takes()), Task("b", waits)]).compile().has_coroutines


def test_a_task_with_a_process_of_its_own_is_known_beforehand():
    assert not Workflow("w", [Task("a", takes(), retries=1)]).compile().has_isolated
    apart = Task("b", takes(), isolate=True)
    assert Workflow("w", [apart, Task("c", takes(), retries=1)]).compile().has_isolated


@pytest.mark.parametrize("name", ["a[0]", "a[12]", "a[0.1]"])
def test_task_cant_be_called_like_an_element_of_another(name: str) -> None:
    workflow = Workflow("w", [Task("src", takes()), Task(name, takes())])
    workflow.add_task(takes("x"), name="a", inputs={"x": each("src")})
    with pytest.raises(DefinitionError, match=rf"Task '{re.escape(name)}' is called like an elem"):
        workflow.compile()


@pytest.mark.parametrize("name", ["b[0]", "a[x]", "a[]", "a[0]b"])
def test_brackets_in_other_names_are_no_elements(name: str) -> None:
    workflow = Workflow("w", [Task("src", takes()), Task(name, takes()), Task("b", takes())])
    workflow.add_task(takes("x"), name="a", inputs={"x": each("src")})
    assert name in workflow.compile().index
