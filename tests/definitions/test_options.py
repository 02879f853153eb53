"""The options of a task: checked when they are given, immutable afterwards."""

import dataclasses
import math
import typing

import pytest

from flowweaver import (
    DefinitionError,
    Task,
    TaskOptions,
    fixed,
)
from flowweaver.definitions.options import OptionArguments
from flowweaver.definitions.retry import LONGEST_WAIT


def task_with(**options: typing.Any) -> Task[..., typing.Any]:
    return Task("load", lambda: 0, **options)


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

    @pytest.mark.parametrize("none", [None, math.inf, 1e300, 10**400, 2 * LONGEST_WAIT])
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
            ("fresh_for", [0, -1, math.nan, "soon", "0s", True]),
            ("files", [3, [3], [None]]),
            ("version", [3, 1.5, b"1"]),
            ("priority", ["high", None, math.nan, math.inf, 10**400]),
            ("resources", [3, {"gpu": 0}, {"gpu": "1"}, {3: 1}, {"memory": "many"}]),
            ("on_status_change", [3, "print"]),
            ("on_retry", [3, "print"]),
        ],
    )
    def test_unfit_value_names_task_and_option(self, option: str, values: list[object]) -> None:
        for value in values:
            with pytest.raises(DefinitionError, match=rf"^Task 'load': {option}\b.* not .*\.$"):
                task_with(**{option: value})

    def test_fresh_for_is_read_as_text_and_may_be_for_ever(self) -> None:
        assert task_with(fresh_for="12h").options.fresh_for == 43200
        assert task_with(fresh_for=math.inf).options.fresh_for is None
        assert task_with(fresh_for=2 * LONGEST_WAIT).options.fresh_for == 2 * LONGEST_WAIT


async def never_awaited(*_: object) -> bool:
    return False


class AsyncCall:
    async def __call__(self, *_: object) -> bool:
        return False


class LikeAsyncCall(AsyncCall):
    pass


@pytest.mark.parametrize("option", ["when", "retry_on", "on_retry", "on_status_change"])
@pytest.mark.parametrize("predicate", [never_awaited, AsyncCall(), LikeAsyncCall()])
def test_async_predicate_that_nobody_would_await_is_refused(option: str, predicate: object) -> None:
    with pytest.raises(DefinitionError, match="nobody awaits an async one"):
        Task("t", len, **{option: predicate})  # type: ignore[arg-type]
