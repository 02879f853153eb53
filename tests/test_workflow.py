"""A workflow: a named, validated graph of tasks."""

import copy
import functools
import pickle
import sys
from collections.abc import Callable, Iterable

import cloudpickle
import pytest

from flowweaver import (
    DefinitionError,
    FlowWeaverError,
    Task,
    TaskStatus,
    UnknownNameError,
    Workflow,
    task,
)


def load() -> list[int]:
    return [1]


@task
def clean(load: list[int]) -> list[int]:
    return load


def report(clean: list[int], title: str = "Sales") -> str:
    return title


def takes(*names: str) -> Callable[..., object]:
    """Return a function with these parameters."""
    return eval(f"lambda {', '.join(names)}: 0")


def link(name: str, *after: str) -> Task[..., object]:
    return Task(name, takes(), depends_on=after)


class TestDependencies:
    def test_parameter_names_say_whose_results_are_taken(self) -> None:
        sales = Workflow("sales", [load, clean, report])
        assert sales.get_dependencies("report") == ["clean"]
        assert sales.get_dependencies("clean") == ["load"]
        assert sales.get_dependencies("load") == []

    def test_tasks_can_be_listed_in_any_order(self) -> None:
        backwards = Workflow("sales", [report, clean, load])
        assert backwards.get_dependencies("report") == ["clean"]
        assert [[t.name for t in layer] for layer in backwards.get_execution_plan()] == [
            ["load"],
            ["clean"],
            ["report"],
        ]

    def test_tasks_can_be_added_before_those_their_parameters_name(self) -> None:
        sales = Workflow("sales")
        for fn in (report, clean, load):
            sales.add_task(fn)
        assert sales.get_dependencies("clean") == ["load"]

    def test_depends_on_adds_to_what_parameters_say(self) -> None:
        sales = Workflow("sales", [load, clean])
        sales.add_task(report, depends_on=["load"])
        assert sorted(sales.get_dependencies("report")) == ["clean", "load"]

    def test_depends_on_of_the_tasks_own_options_counts(self) -> None:
        sales = Workflow("sales", [load, Task("audit", takes(), depends_on=["load"])])
        assert sales.get_dependencies("audit") == ["load"]

    def test_one_dependency_can_be_given_without_a_list(self) -> None:
        sales = Workflow("sales", [load, Task("audit", takes(), depends_on="load")])
        assert sales.get_dependencies("audit") == ["load"]

    def test_inputs_map_parameters_to_tasks_of_other_names(self) -> None:
        sales = Workflow("sales", [load])
        sales.add_task(clean, name="again", inputs={"load": "load"})
        sales.add_task(report, inputs={"clean": "again"})
        assert sales.get_dependencies("report") == ["again"]
        assert list(sales.parameters) == ["title"]

    def test_dependency_named_twice_is_one(self) -> None:
        sales = Workflow("sales", [load])
        sales.add_task(clean, depends_on=["load", "load"])
        assert sales.get_dependencies("clean") == ["load"]

    def test_names_need_not_be_identifiers(self) -> None:
        odd = Workflow("odd", [Task("load: all of it!", load)])
        odd.add_task(clean, name="2 clean", inputs={"load": "load: all of it!"})
        odd.add_task(takes(), name="<end>", depends_on=["2 clean"])
        assert odd.get_dependencies("<end>") == ["2 clean"]

    def test_composed_and_decomposed_forms_are_one_name(self) -> None:
        composed, decomposed = "caf\xe9", "cafe\u0301"
        menu = Workflow("menu", [Task(decomposed, load)])
        menu.add_task(clean, depends_on=[decomposed], inputs={"load": composed})
        assert menu.get_dependencies("clean") == [composed]
        assert menu.get_task(decomposed) is menu.get_task(composed) is not None
        assert menu.get_task_status(decomposed) is TaskStatus.PENDING
        with pytest.raises(DefinitionError, match="already exists"):
            menu.add_task(takes(), name=composed)


class TestWhatCanBeAdded:
    def test_functions_of_every_kind(self) -> None:
        class Scaler:
            def __call__(self, load: list[int]) -> int:
                return len(load)

            def method(self, load: list[int]) -> int:
                return len(load)

        mixed = Workflow(
            "mixed",
            [
                load,
                clean,
                Scaler(),
                task("bound")(Scaler().method),
                functools.partial(report, title="x"),
                Task("lambda", lambda clean: clean),
                Task("builtin", max),
                Task("type", dict),
            ],
        )
        depending = ["Scaler", "bound"]
        assert [mixed.get_dependencies(name) for name in depending] == [["load"], ["load"]]
        assert mixed.get_dependencies("report") == ["clean"]
        assert mixed.get_dependencies("lambda") == ["clean"]
        assert mixed.parameters == {"title": False}

    def test_tasks_can_come_from_a_generator(self) -> None:
        assert len(Workflow("w", (Task(f"t{n}", load) for n in range(5)))) == 5

    def test_decorator_adds_and_leaves_a_task(self) -> None:
        sales = Workflow("sales")

        @sales.task
        def first() -> int:
            return 1

        @sales.task("second", retries=3)
        def named(first: int) -> int:
            return first + 1

        assert named(3) == 4
        assert sales.get_task("second") is named
        assert named.options.retries == 3
        assert sales.get_dependencies("second") == ["first"]

    def test_add_task_returns_the_task_that_was_added(self) -> None:
        sales = Workflow("sales")
        assert sales.add_task(clean) is clean
        assert sales.get_task("clean") is clean

    def test_name_and_options_at_add_task_leave_the_given_task_as_it_was(self) -> None:
        sales = Workflow("sales")
        added = sales.add_task(clean, name="other", retries=7)
        assert (added.name, added.options.retries) == ("other", 7)
        assert (clean.name, clean.options.retries) == ("clean", 0)

    def test_one_task_serves_in_two_workflows(self) -> None:
        one = Workflow("one", [load, clean])
        other = Workflow("other", [clean])
        assert one.get_dependencies("clean") == ["load"]
        assert other.get_dependencies("clean") == []
        assert (one.parameters, other.parameters) == ({}, {"load": True})


class TestParameters:
    def test_what_no_task_provides_is_a_parameter(self) -> None:
        sales = Workflow("sales", [clean, report])
        assert sales.parameters == {"load": True, "title": False}

    def test_parameter_is_needed_if_one_of_its_takers_has_no_default(self) -> None:
        both = Workflow("both", [Task("a", takes("size=1")), Task("b", takes("size"))])
        assert both.parameters == {"size": True}

    def test_task_added_later_under_a_parameters_name_provides_it(self) -> None:
        sales = Workflow("sales", [clean])
        assert sales.parameters == {"load": True}
        sales.add_task(load)
        assert sales.parameters == {}


def add_all(items: Iterable[Task[..., object]]) -> Workflow:
    made = Workflow("bad")
    for item in items:
        made.add_task(item)
    return made


def list_all(items: Iterable[Task[..., object]]) -> Workflow:
    return Workflow("bad", list(items))


@pytest.mark.parametrize("build", [add_all, list_all], ids=["added", "listed"])
class TestRefused:
    def test_duplicate_name_shows_both_definitions(self, build: Callable[..., Workflow]) -> None:
        with pytest.raises(DefinitionError, match=r"'load' already exists.*load at .*report at"):
            build([Task("load", load), Task("load", report)])

    def test_unknown_dependency_comes_with_near_matches(
        self, build: Callable[..., Workflow]
    ) -> None:
        with pytest.raises(
            DefinitionError, match=r"'laod'.*does not exist.*'bad'.*did you mean 'load'"
        ):
            build([Task("load", load), link("audit", "laod")])

    def test_unknown_source_of_an_input_comes_with_near_matches(
        self, build: Callable[..., Workflow]
    ) -> None:
        with pytest.raises(DefinitionError, match=r"'laod'.*does not exist.*did you mean 'load'"):
            build([Task("load", load), Task("clean", clean, inputs={"load": "laod"})])

    def test_input_for_a_parameter_that_is_not_there(self, build: Callable[..., Workflow]) -> None:
        with pytest.raises(DefinitionError, match=r"'clean'.*no parameter 'laod'.*mean 'load'"):
            build([Task("load", load), Task("clean", clean, inputs={"laod": "load"})])

    def test_self_dependency_by_name(self, build: Callable[..., Workflow]) -> None:
        with pytest.raises(DefinitionError, match="Task 'load' depends on itself"):
            build([link("load", "load")])

    def test_self_dependency_by_parameter(self, build: Callable[..., Workflow]) -> None:
        with pytest.raises(DefinitionError, match="Task 'load' depends on itself"):
            build([Task("load", takes("load"))])

    def test_self_dependency_by_input(self, build: Callable[..., Workflow]) -> None:
        with pytest.raises(DefinitionError, match="Task 'clean' depends on itself"):
            build([Task("clean", clean, inputs={"load": "clean"})])

    def test_cycle_of_two_names_both_in_order(self, build: Callable[..., Workflow]) -> None:
        with pytest.raises(
            DefinitionError, match=r"circular.*('a' -> 'b' -> 'a'|'b' -> 'a' -> 'b')"
        ):
            build([Task("a", takes("b")), Task("b", takes("a"))])

    def test_cycle_behind_sound_tasks_names_only_the_cycle(
        self, build: Callable[..., Workflow]
    ) -> None:
        tasks = {"start": (), "x": ("start", "z"), "y": ("x",), "z": ("y",), "end": ("z",)}
        with pytest.raises(DefinitionError, match="circular") as raised:
            build(Task(name, takes(*before)) for name, before in tasks.items())
        shown = str(raised.value).removesuffix(".").split(": ", 1)[1]
        assert shown in {
            "'x' -> 'y' -> 'z' -> 'x'",
            "'y' -> 'z' -> 'x' -> 'y'",
            "'z' -> 'x' -> 'y' -> 'z'",
        }

    def test_cycle_of_ten_thousand_is_found_and_shown_shortened(
        self, build: Callable[..., Workflow]
    ) -> None:
        count = 10_000
        ring = (Task(f"t{n}", takes(f"t{(n + 1) % count}")) for n in range(count))
        with pytest.raises(DefinitionError, match=r"circular.*\.\.\.") as raised:
            build(ring)
        assert len(str(raised.value)) < 300

    def test_positional_only_parameter_is_named(self, build: Callable[..., Workflow]) -> None:
        with pytest.raises(DefinitionError, match=r"'bad one'.*'x' by position only"):
            build([Task("bad one", takes("x", "/"))])


class TestRefusedWhenAdded:
    @pytest.mark.parametrize("item", [None, 3, "load", [load]], ids=lambda item: str(item)[:5])
    def test_non_callable(self, item: object) -> None:
        with pytest.raises(DefinitionError, match="is no task"):
            Workflow("w").add_task(item)

    def test_dependency_has_to_be_added_first(self) -> None:
        with pytest.raises(DefinitionError, match=r"'load'.*does not exist.*add it first"):
            Workflow("w").add_task(clean, depends_on=["load"])

    def test_cycle_is_refused_by_the_task_that_closes_it(self) -> None:
        growing = Workflow("growing")
        growing.add_task(takes("c"), name="a")
        growing.add_task(takes("a"), name="b")
        with pytest.raises(DefinitionError, match="circular"):
            growing.add_task(takes("b"), name="c")

    def test_refused_task_leaves_the_workflow_as_it_was(self) -> None:
        growing = Workflow("growing", [Task("a", takes("b"))])
        bad = [
            (takes("a"), {"name": "b"}),
            (takes(), {"name": "a"}),
            (takes("x", "/"), {"name": "d"}),
            (takes(), {"name": "e", "depends_on": ["nothing"]}),
            (takes(), {"name": "f", "inputs": {"x": "a"}}),
        ]
        for fn, arguments in bad:
            with pytest.raises(DefinitionError):
                growing.add_task(fn, **arguments)
        assert list(growing.get_all_tasks()) == ["a"]
        assert growing.parameters == {"b": True}
        growing.add_task(takes(), name="b")
        assert growing.get_dependencies("a") == ["b"]

    def test_errors_are_value_errors_and_flowweavers_own(self) -> None:
        with pytest.raises(ValueError, match="already exists") as raised:
            Workflow("w", [load, load])
        assert isinstance(raised.value, FlowWeaverError)

    @pytest.mark.parametrize("name", ["", "a\0b", None, 3, "\ud800", ["load"]], ids=repr)
    def test_unfit_name_of_a_workflow(self, name: object) -> None:
        with pytest.raises(DefinitionError, match="A workflow's name"):
            Workflow(name)


class TestLookedAt:
    def test_get_task_of_an_unknown_name_is_none(self) -> None:
        assert Workflow("w", [load]).get_task("laod") is None

    def test_get_all_tasks_is_a_copy(self) -> None:
        sales = Workflow("sales", [load])
        sales.get_all_tasks().clear()
        assert len(sales) == 1

    def test_execution_plan_has_layers_sorted_by_name(self) -> None:
        diamond = Workflow(
            "diamond", [link("z"), link("b", "z"), link("a", "z"), link("end", "a", "b"), link("k")]
        )
        plan = diamond.get_execution_plan()
        assert [[t.name for t in layer] for layer in plan] == [["k", "z"], ["a", "b"], ["end"]]

    def test_execution_plan_of_an_empty_workflow_is_empty(self) -> None:
        assert Workflow("empty").get_execution_plan() == []

    def test_before_any_run_all_is_pending(self) -> None:
        sales = Workflow("sales", [load, clean])
        assert sales.get_task_status("clean") is TaskStatus.PENDING
        assert sales.get_task_result("clean") is None
        assert sales.last_run is None
        assert sales.get_workflow_stats() == {
            "total_tasks": 2,
            "completed": 0,
            "failed": 0,
            "pending": 2,
            "running": 0,
            "total_time_seconds": 0.0,
        }

    def test_status_of_an_unknown_task_is_none(self) -> None:
        assert Workflow("sales", [load]).get_task_status("laod") is None

    def test_result_of_an_unknown_task_is_a_key_error_with_near_matches(self) -> None:
        with pytest.raises(UnknownNameError, match="no task 'laod'; did you mean 'load'"):
            Workflow("sales", [load]).get_task_result("laod")

    def test_shows_its_name_and_size(self) -> None:
        assert repr(Workflow("sales", [load])) == "<Workflow 'sales': 1 tasks>"

    @pytest.mark.parametrize("pickler", [pickle, cloudpickle], ids=["pickle", "cloudpickle"])
    def test_workflow_comes_back_from_a_pickle(self, pickler: object) -> None:
        sales = Workflow("sales", [load, clean])
        sales.add_task(report, depends_on=["load"])
        back = pickle.loads(pickler.dumps(sales))
        assert (back.name, list(back.get_all_tasks())) == ("sales", ["load", "clean", "report"])
        assert sorted(back.get_dependencies("report")) == ["clean", "load"]

    def test_copy_grows_apart_from_its_original(self) -> None:
        sales = Workflow("sales", [load])
        twin = copy.deepcopy(sales)
        twin.add_task(clean)
        assert (len(sales), len(twin)) == (1, 2)


LARGE = 100_000


class TestSize:
    def test_chain_of_100_000_is_checked_laid_out_and_pickled(self) -> None:
        items = [link("t0"), *(link(f"t{n}", f"t{n - 1}") for n in range(1, LARGE))]
        chain = Workflow("chain", items)
        plan = chain.get_execution_plan()
        assert len(plan) == LARGE
        assert chain.get_dependencies("t99999") == ["t99998"]

    def test_chain_of_100_000_can_be_added_task_by_task(self) -> None:
        chain = Workflow("chain", [link("t0")])
        fn = takes()
        for n in range(1, LARGE):
            chain.add_task(fn, name=f"t{n}", depends_on=[f"t{n - 1}"])
        assert len(chain.compile().order) == LARGE

    def test_fan_out_and_in_of_100_000(self) -> None:
        middle = [f"t{n}" for n in range(LARGE)]
        wide = Workflow(
            "wide", [link("start"), *(link(name, "start") for name in middle), link("end", *middle)]
        )
        assert [len(layer) for layer in wide.get_execution_plan()] == [1, LARGE, 1]

    @pytest.mark.parametrize("shape", ["chain", "reverse", "wide"])
    def test_work_grows_in_step_with_the_number_of_tasks(self, shape: str) -> None:
        small, large = (calls_made(lambda n=n: define(shape, n)) for n in (500, 1000))
        assert large < 2.2 * small


def define(shape: str, count: int) -> None:
    made = Workflow(shape)
    fn = takes()
    made.add_task(fn, name="t0")
    for n in range(1, count):
        if shape == "reverse":
            made.add_task(takes(f"r{n + 1}"), name=f"r{n}")
        else:
            made.add_task(fn, name=f"t{n}", depends_on=[f"t{n - 1}" if shape == "chain" else "t0"])
    made.compile()


def calls_made(action: Callable[[], None]) -> int:
    """Return how many functions, those in C included, are called."""
    count = 0

    def counting(frame: object, event: str, argument: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(counting)
    try:
        action()
    finally:
        sys.setprofile(before)
    return count
