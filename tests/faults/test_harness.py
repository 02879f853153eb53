"""The harness as a command: it attacks, prints its table, and says when a promise is broken."""

import json
import subprocess
import sys
from pathlib import Path

from tests.faults.figures import Figure, table

ROOT = Path(__file__).parents[2]


def test_command_prints_figures_with_what_they_rest_on(tmp_path):
    written = tmp_path / "figures.json"
    command = [sys.executable, "-m", "tests.faults", "--quick", "--kills", "4", "--json", written]
    done = subprocess.run(
        [*command, "--only", "kills,names"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "completed tasks run again | 4 | 0 | < 75.00% |" in done.stdout
    told = json.loads(written.read_text())
    assert {"python", "sqlite", "flowweaver"} <= told["versions"].keys()
    assert all(figure["faults"] == [] for figure in told["figures"])


def test_bound_is_that_of_the_rule_of_three():
    assert Figure("x", 300, "0").bound == "< 1.00%"
    assert Figure("x", 2, "0").bound == "< 100.00%"
    assert Figure("x", 300, "1", ["what happened"]).bound == "1 faults"
    assert Figure("x", 300, "mean 0.5", bounded=False).bound == "may be"


def test_table_has_a_line_for_each_figure():
    lines = table([Figure("killed", 1_000, "0"), Figure("cut", 10, "1", ["lost"])]).splitlines()
    assert lines[2:] == ["| killed | 1,000 | 0 | < 0.30% |", "| cut | 10 | 1 | 1 faults |"]
