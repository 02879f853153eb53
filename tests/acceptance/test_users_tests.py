"""Tests that users write for their workflows, run by pytest in a folder of theirs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from textwrap import dedent


def test_fakes_clock_and_assertions_are_there_for_the_asking(tmp_path: Path) -> None:
    (tmp_path / "rates.py").write_text(
        dedent("""
        from flowweaver import Workflow, task

        @task(retries=3, backoff=60, fresh_for="1d")
        def fetch() -> int:
            raise ConnectionError("there is no network")

        @task
        def double(fetch: int) -> int:
            return 2 * fetch

        rates = Workflow("rates", [fetch, double])
        """)
    )
    (tmp_path / "test_rates.py").write_text(
        dedent("""
        import pytest
        from rates import rates
        from flowweaver import WorkflowFailed
        from flowweaver.testing import assert_executed, assert_overridden, assert_restored

        def test_fakes(flow):
            run = flow.run(rates, fakes={"fetch": 21})
            assert run["double"] == 42
            assert_overridden(run, "fetch")
            assert_executed(run, "double")
            assert_restored(flow.run(rates, fakes={"fetch": 21}), "double")

        def test_retries_without_waiting(flow, flow_clock):
            with pytest.raises(WorkflowFailed) as failed:
                flow.run(rates)
            assert failed.value.run.tasks["fetch"].attempts == 4
            assert flow_clock.ahead > 60
        """)
    )
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"],
        cwd=tmp_path,
        capture_output=True,
        encoding="utf-8",
    )
    assert done.returncode == 0, done.stdout
    assert "2 passed" in done.stdout
