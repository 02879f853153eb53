"""Sizes and times in text: one reading for options, executors and the command."""

import math

import pytest

from flowweaver import DefinitionError, Task
from flowweaver.definitions.units import parse_duration, parse_size


class TestSize:
    @pytest.mark.parametrize(
        ("given", "size"),
        [
            (7, 7),
            (7.9, 7),
            ("7", 7),
            ("7 B", 7),
            ("1k", 1000),
            ("1kB", 1000),
            ("1KiB", 1024),
            ("500M", 500_000_000),
            ("2GB", 2_000_000_000),
            ("2gb", 2_000_000_000),
            (" 2 GiB ", 2 * 1024**3),
            ("2Gi", 2 * 1024**3),
            ("1.5TB", 1_500_000_000_000),
        ],
    )
    def test_is_decimal_unless_its_unit_says_binary(self, given: float | str, size: int) -> None:
        assert parse_size(given, "it") == size

    @pytest.mark.parametrize(
        "given", ["", "GB", "-1", "0", "0.5", "many", "2i", "2 iB", "2XB", "1e9", 0, -1, True]
    )
    def test_that_makes_no_sense_is_refused(self, given: float | str) -> None:
        with pytest.raises(DefinitionError, match=r"^--keep-bytes must be bytes or text like "):
            parse_size(given, "--keep-bytes")

    @pytest.mark.parametrize("given", [None, math.nan, math.inf, [1]])
    def test_that_is_no_number_is_refused(self, given: float) -> None:
        with pytest.raises(DefinitionError):
            parse_size(given, "it")

    def test_means_the_same_for_a_task_as_for_a_run(self) -> None:
        needy = Task("needy", len, resources={"memory": "2GB"})
        assert needy.options.resources["memory"] == parse_size("2GB", "memory_limit")


class TestDuration:
    @pytest.mark.parametrize(
        ("text", "seconds"),
        [("90s", 90), ("1.5 min", 90), ("12h", 43200), (" 1d ", 86400), ("2w", 1209600)],
    )
    def test_is_read(self, text: str, seconds: float) -> None:
        assert parse_duration(text, "it") == seconds

    @pytest.mark.parametrize("text", ["", "soon", "-1s", "5", "1y", "1m", "1e3s", "s"])
    def test_that_makes_no_sense_is_refused(self, text: str) -> None:
        with pytest.raises(DefinitionError, match=r"^--keep-age must be text like '90s', "):
            parse_duration(text, "--keep-age")
