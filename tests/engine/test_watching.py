"""What finds out what there is to note, in the thread that a body runs in."""

from __future__ import annotations

import pytest

from flowweaver.engine.body.watching import noting


@pytest.mark.parametrize("kind", [ValueError, KeyboardInterrupt])
def test_an_error_that_somebody_keeps_makes_no_thread_deaf(kind: type[BaseException]) -> None:
    kept: list[BaseException] = []
    heard: list[int] = []

    def fails() -> None:
        kept.append(kind())
        raise kept[0]

    try:
        noting(fails)
    except KeyboardInterrupt:
        assert kind is KeyboardInterrupt
    noting(heard.append, 1)
    assert heard == [1]


def test_what_is_looked_at_on_the_way_is_not_noted() -> None:
    heard: list[int] = []
    noting(lambda: noting(heard.append, 1))
    assert heard == []
