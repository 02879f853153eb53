"""The options of a task: checked when they are given, immutable afterwards."""

import dataclasses
import math
import random
import typing

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowweaver import (
    Backoff,
    DefinitionError,
    Task,
    TaskOptions,
    each,
    exponential,
    fixed,
)
from flowweaver.definitions.options import Each, OptionArguments

A_YEAR = 366 * 86400.0


def task_with(**options: typing.Any) -> Task[..., typing.Any]:
    return Task("load", lambda: 0, **options)


class TestBackoff:
    def test_without_one_a_retry_comes_at_once(self) -> None:
        assert [Backoff().delay(n, random.Random(0)) for n in (1, 2, 50)] == [0.0, 0.0, 0.0]

    def test_fixed_waits_the_same_each_time(self) -> None:
        assert [fixed(2.5).delay(n, random.Random(0)) for n in (1, 2, 50)] == [2.5, 2.5, 2.5]

    def test_exponential_grows_by_its_factor_up_to_its_cap(self) -> None:
        waits = exponential(1, factor=3, cap=20, jitter=0)
        assert [waits.delay(n, random.Random(0)) for n in (1, 2, 3, 4, 5)] == [1, 3, 9, 20, 20]

    def test_exponential_without_arguments_doubles_from_a_second_and_stays_below_a_minute(
        self,
    ) -> None:
        waits = [
            dataclasses.replace(exponential(), jitter=0).delay(n, random.Random(0))
            for n in range(1, 9)
        ]
        assert waits == [1, 2, 4, 8, 16, 32, 60, 60]

    @given(
        st.floats(0, 1e6),
        st.floats(1, 10),
        st.none() | st.floats(0, 1e6),
        st.floats(0, 1),
        st.integers(1, 5000),
        st.integers(),
    )
    def test_every_wait_is_a_share_of_the_undisturbed_one(
        self,
        initial: float,
        factor: float,
        cap: float | None,
        jitter: float,
        attempt: int,
        seed: int,
    ) -> None:
        wait = Backoff(initial, factor, cap, jitter).delay(attempt, random.Random(seed))
        exponent = (attempt - 1) * math.log(factor)
        grown = initial * math.exp(exponent) if exponent < 700 else math.inf
        longest = min(grown if initial else 0.0, A_YEAR, math.inf if cap is None else cap)
        assert longest * (1 - jitter) * (1 - 1e-9) <= wait <= longest * (1 + 1e-9)

    def test_jitter_comes_from_the_source_given(self) -> None:
        waits = fixed(10, jitter=0.5)
        assert waits.delay(1, random.Random(7)) == waits.delay(1, random.Random(7))
        assert waits.delay(1, random.Random(7)) != waits.delay(1, random.Random(8))

    @pytest.mark.parametrize("huge", [1e300, math.inf])
    def test_no_wait_is_longer_than_a_clock_can_hold(self, huge: float) -> None:
        assert Backoff(huge, cap=huge).delay(1, random.Random(0)) == A_YEAR

    @pytest.mark.parametrize(
        "wrong",
        [
            {"initial": -1},
            {"initial": math.nan},
            {"initial": "1"},
            {"factor": 0.5},
            {"factor": math.nan},
            {"cap": -1},
            {"cap": math.nan},
            {"cap": "1"},
            {"jitter": -0.1},
            {"jitter": 1.1},
            {"jitter": math.nan},
            {"jitter": None},
        ],
        ids=repr,
    )
    def test_impossible_backoff_is_refused(self, wrong: dict[str, typing.Any]) -> None:
        with pytest.raises(DefinitionError, match="backoff can't be"):
            Backoff(**wrong)


class TestOptionsGiven:
    def test_retries_alone_is_legal(self) -> None:
        assert task_with(retries=3).options == TaskOptions(retries=3)

    def test_number_for_a_backoff_is_fixed_seconds(self) -> None:
        assert task_with(backoff=2).options.backoff == fixed(2)

    def test_one_type_several_types_and_a_predicate_can_be_retried_on(self) -> None:
        def always(error: BaseException) -> bool:
            return True

        assert task_with(retry_on=OSError).options.retry_on == (OSError,)
        assert task_with(retry_on=(OSError, KeyError)).options.retry_on == (OSError, KeyError)
        assert task_with(retry_on=always).options.retry_on is always

    def test_what_is_retried_on_if_nothing_is_said_is_every_exception(self) -> None:
        assert TaskOptions().retry_on is Exception

    @pytest.mark.parametrize("none", [None, math.inf, 1e300, 2 * A_YEAR])
    def test_limit_beyond_a_year_is_none(self, none: float | None) -> None:
        assert task_with(timeout=none).options.timeout is None

    def test_dependencies_are_kept_once_each_in_order(self) -> None:
        assert task_with(depends_on=["b", "a", "b"]).depends_on == ("b", "a")

    def test_later_change_of_what_was_given_changes_nothing(self) -> None:
        before, inputs = ["a"], {"x": "a"}
        made = task_with(depends_on=before, inputs=inputs)
        before.append("b")
        inputs["y"] = "b"
        assert (made.depends_on, made.inputs) == (("a",), {"x": "a"})

    def test_options_cant_be_set(self) -> None:
        with pytest.raises(dataclasses.FrozenInstanceError):
            TaskOptions().retries = 3

    def test_every_option_can_be_given_and_no_other(self) -> None:
        names = {item.name for item in dataclasses.fields(TaskOptions)} | {"depends_on", "inputs"}
        assert set(typing.get_type_hints(OptionArguments)) == names

    @pytest.mark.parametrize(
        ("option", "values"),
        [
            ("retries", [-1, 1.0, "3", None, True, False, math.inf]),
            ("timeout", [0, -1, math.nan, "3", True]),
            ("backoff", [-1, math.nan, "1", True, (1, 2)]),
            ("retry_on", [3, int, [OSError], (OSError, int), "OSError", None]),
            ("idle_timeout", [0, -1, math.nan, "3", True]),
            ("isolate", ["yes", None, []]),
            ("allow_failures", ["yes", None, []]),
            ("cache", ["yes", None, []]),
            ("effect", ["twice", None, 3]),
            ("trigger", ["any_done", None, 3]),
            ("combine", ["join", 3]),
            ("when", [3, "yes"]),
            ("tags", [3, [3], [None]]),
            ("fresh_for", [0, -1, math.nan, "soon", True]),
            ("files", [3, [3], [None]]),
            ("depends_on", [3, [3], [None], object()]),
            ("inputs", [3, ["a"], {"x": 3}, {3: "a"}, "a"]),
            ("version", [3, 1.5, b"1"]),
            ("on_status_change", [3, "print"]),
            ("on_retry", [3, "print"]),
        ],
    )
    def test_unfit_value_names_the_task(self, option: str, values: list[object]) -> None:
        for value in values:
            with pytest.raises(DefinitionError, match=r"task 'load'|backoff can't be"):
                task_with(**{option: value})


class TestEach:
    def test_marks_a_source(self) -> None:
        assert each("pages") == Each("pages", 1)

    def test_of_each_goes_a_level_deeper(self) -> None:
        assert each(each(each("pages"))) == Each("pages", 3)

    @pytest.mark.parametrize("wrong", [None, 3, ["pages"]], ids=repr)
    def test_of_anything_else_is_refused(self, wrong: object) -> None:
        with pytest.raises(DefinitionError, match="each"):
            each(wrong)


async def never_awaited(*_: object) -> bool:
    return False


class AsyncCall:
    async def __call__(self, *_: object) -> bool:
        return False


@pytest.mark.parametrize("option", ["when", "retry_on", "on_retry", "on_status_change"])
@pytest.mark.parametrize("predicate", [never_awaited, AsyncCall()], ids=["function", "object"])
def test_async_predicate_that_nobody_would_await_is_refused(option: str, predicate: object) -> None:
    with pytest.raises(DefinitionError, match="nobody awaits an async one"):
        Task("t", len, **{option: predicate})  # type: ignore[arg-type]


@pytest.mark.parametrize("priority", ["high", None, float("nan"), float("inf")])
def test_priority_that_is_no_number_is_refused(priority: object) -> None:
    with pytest.raises(DefinitionError, match="priority is a number of seconds"):
        Task("t", len, priority=priority)  # type: ignore[arg-type]
