"""The command from end to end, on one small case."""

import json
import os
import subprocess
import sys

import pytest
from benchmarks.__main__ import main
from benchmarks.subjects.clock import CLOCK


def test_one_case_is_printed_and_written(tmp_path, capsys):
    json_file, svg_file = tmp_path / "report.json", tmp_path / "report.svg"
    arguments = ["scheduler", "--sizes", "50", "--rounds", "1", "--peers", "none"]
    assert main([*arguments, "--json", str(json_file), "--svg", str(svg_file)]) == 0
    assert "scheduler: Decisions of the scheduler" in capsys.readouterr().out
    (case,) = json.loads(json_file.read_text())["cases"]
    assert case["name"] == "scheduler"
    assert svg_file.read_text().startswith("<svg")


@pytest.mark.parametrize("arguments", [["no-such-case"], ["--rounds", "0"], ["--sizes", "x"]])
def test_what_cannot_be_asked_for_is_refused(arguments, capsys):
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    assert stopped.value.code == 2
    assert arguments[-1] in capsys.readouterr().err


def test_processor_time_is_also_that_of_programs_that_were_started():
    busy = "import time\nwhile time.process_time() < 0.2: pass"
    code = f"""
from benchmarks.subjects.clock import started_milliseconds
print(started_milliseconds([["-c", {busy!r}]] * 2) >= 200)
"""
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, CLOCK: "processor"},
        capture_output=True,
        encoding="utf-8",
    )
    assert done.stdout == "True\n"
