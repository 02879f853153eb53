"""How long a failed attempt's successor waits."""

import dataclasses
import math
import random
import typing

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from flowweaver import Backoff, DefinitionError, exponential, fixed
from flowweaver.definitions.retry import LONGEST_WAIT


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

    @example(2e-311, 4.125, None, 0.0, 495, 0)
    @example(2e-311, 4.125, None, 0.0, 503, 0)
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
        exponent = (attempt - 1) * math.log(factor) + (math.log(initial) if initial else -math.inf)
        grown = math.exp(exponent) if exponent < 700 else math.inf
        longest = min(grown, LONGEST_WAIT, math.inf if cap is None else cap)
        # Numbers that are next to none have few digits.
        least, most = longest * (1 - jitter) * (1 - 1e-9), longest * (1 + 1e-9)
        assert least - 1e-300 <= wait <= most + 1e-300

    def test_jitter_comes_from_the_source_given(self) -> None:
        waits = fixed(10, jitter=0.5)
        assert waits.delay(1, random.Random(7)) == waits.delay(1, random.Random(7))
        assert waits.delay(1, random.Random(7)) != waits.delay(1, random.Random(8))

    @pytest.mark.parametrize("huge", [1e300, math.inf])
    def test_no_wait_is_longer_than_a_clock_can_hold(self, huge: float) -> None:
        assert Backoff(huge, cap=huge).delay(1, random.Random(0)) == LONGEST_WAIT

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
        with pytest.raises(DefinitionError, match=r"^Backoff\(.*\) is no backoff: "):
            Backoff(**wrong)
