"""Code counts the same under every Python version: all that the standard library makes of it."""

from __future__ import annotations

import sys
from typing import Any

import pytest

from tests.fingerprint.asking import ask
from tests.fingerprint.pythons import other_pythons
from tests.fingerprint.standard import STANDARD


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """What each Python here says of all programs, this one first."""
    jobs = []
    for number, text in enumerate(STANDARD.values()):
        folder = tmp_path_factory.mktemp(f"standard{number}")
        (folder / "steps.py").write_text(text)
        jobs.append({"folder": str(folder), "target": "steps:run", "how": "import"})
    pythons = [sys.executable, *other_pythons()]
    return [dict(zip(STANDARD, ask(jobs, python=each), strict=True)) for each in pythons]


@pytest.mark.parametrize("name", STANDARD)
def test_python_version_plays_no_part(name: str, answers: list[dict[str, Any]]) -> None:
    of_parts = [answer[name]["parts"] for answer in answers]
    digests = [{part: digest for part, (digest, _) in parts.items()} for parts in of_parts]
    assert all(each == digests[0] for each in digests)


@pytest.mark.parametrize("name", STANDARD)
def test_nothing_is_unseen(name: str, answers: list[dict[str, Any]]) -> None:
    assert [answer[name]["unseen"] for answer in answers] == [[]] * len(answers)
