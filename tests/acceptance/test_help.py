"""What a user finds by asking the command itself: ``--help`` of each, without the guides."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys

import pytest

SAID = {
    "": [
        "[tool.flowweaver] of pyproject.toml",
        "An option goes before the environment, the environment before a profile",
        "FLOWWEAVER_STORE",
        "FLOWWEAVER_RETENTION=age=30d,runs=20",
        "`flowweaver doctor` shows what holds and where it was said",
    ],
    "run": [
        "With TASK only that task and what it needs is done",
        "from whole runs and parts alike",
        "found under other names of task, workflow and file, too (--cache-scope)",
        "--from TASK Execute that task and all behind it afresh",
        "--override TASK=VALUE Take a value in place of what a task would return",
        "besides what the workflow says: api=10/s",
        "--profile NAME",
        "errors are shown",
    ],
    "plan": ["With TASK only that task", "--from TASK", "Exit with 3 if anything would or may run"],
    "graph": ["With TASK only that task", "--from TASK"],
    "fork": ["RUN stays as it is", "It says first what differs", "--override TASK=VALUE"],
    "result": [
        "dataclasses, attrs classes, pydantic models and named tuples by field",
        "[json|text|csv|parquet|pickle]",
        "'page[3]'",
    ],
    "show": ["page[3] (Oslo)", "Elements are listed in their order", "without running any code"],
    "explain": ["what its body was seen to read"],
    "logs": ["Attempts that failed or were killed have theirs", "Programs that a body starts"],
    "replay": ["Stop in the debugger at the body's first line", "'page[3]'"],
    "doctor": ["which settings hold and where each was said"],
    "runs": ["A store that is not there is an error"],
    "completion": ["complete commands, options, targets, runs and tasks"],
}


def help_of(command: str) -> str:
    words = [*command.split(), "--help"]
    done = subprocess.run(
        [sys.executable, "-m", "flowweaver", *words],
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    return done.stdout


@pytest.mark.parametrize("command", SAID)
def test_a_command_says_itself_what_it_offers(command: str) -> None:
    told = " ".join(help_of(command).split())
    assert [words for words in SAID[command] if words not in told] == []


def test_examples_have_options_that_there_are() -> None:
    for command in ("run", "fork", "result"):
        told = help_of(command)
        examples = re.findall(r"^  (flowweaver .+)$", told, re.MULTILINE)
        assert examples
        options = told.partition("Options:")[2]
        for example in examples:
            _, name, *words = shlex.split(example, comments=True)
            assert name == command
            used = [word for word in words if word.startswith("-")]
            assert [option for option in used if not re.search(rf"{option}\b", options)] == []
