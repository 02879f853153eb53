"""Every Python block of the README and the guides runs, and every command in them exists.

The blocks of one page share a namespace, run top to bottom, in an empty directory. A block after
the line ``<!-- shown only -->`` is not run.
"""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
FENCE = re.compile(
    r"^(?P<mark><!-- shown only -->\n+)?```(?P<language>\w+)\n(?P<code>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)


def blocks(page: Path, language: str) -> Iterator[tuple[int, str]]:
    """Return each block that is to be run, with the number of its first line."""
    text = page.read_text()
    for found in FENCE.finditer(text):
        if found["language"] == language and not found["mark"]:
            yield text.count("\n", 0, found.start("code")), found["code"]


def name(page: Path) -> str:
    return page.stem


PYTHON_PAGES = [page for page in PAGES if any(blocks(page, "python"))]


@pytest.mark.parametrize("page", PYTHON_PAGES, ids=name)
def test_python_blocks_of_a_page_run_in_order(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    module = ModuleType(f"snippets_of_{page.stem}")
    monkeypatch.setitem(sys.modules, module.__name__, module)
    for line, code in blocks(page, "python"):
        # Blank lines before it give the block the page's own line numbers in tracebacks.
        exec(compile("\n" * line + code, str(page), "exec"), module.__dict__)


def test_readme_shows_what_the_commands_really_print(tmp_path):
    shown = next(block for _, block in blocks(ROOT / "README.md", "console") if "init" in block)
    printed, folder = "", tmp_path
    for command in re.findall(r"^\$ (.*)", shown, re.MULTILINE):
        program, *arguments = command.split()
        printed += f"$ {command}\n"
        if program == "cd":
            folder /= arguments[0]
        else:
            printed += output_of(arguments, folder)
    assert without_times(shown) - without_times(printed) == {"..."}


def output_of(arguments: list[str], folder: Path) -> str:
    """Return what ``flowweaver ARGUMENTS`` prints, to either stream."""
    return subprocess.run(
        [sys.executable, "-m", "flowweaver", *arguments],
        cwd=folder,
        check=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=60,
    ).stdout


def without_times(text: str) -> set[str]:
    """Return the lines, their times of day, durations and run ids made alike.

    A set, as what runs side by side is told of in any order.
    """
    text = re.sub(r"\b\d{8}-\d{6}-[0-9a-f]{6}\b", "RUN", text)
    text = re.sub(r"\b\d\d:\d\d:\d\d\b", "TIME", text)
    return set(re.sub(r"<?[\d.]+ m?s\b", "DURATION", text).splitlines())


def commands() -> set[tuple[str, ...]]:
    """Return each `flowweaver SUBCOMMAND --option...` of the pages, without values."""
    lines = [
        line.removeprefix("$ ")
        for page in PAGES
        for _, block in blocks(page, "console")
        for line in block.splitlines()
        if line.startswith("$ flowweaver ")
    ]
    return {(name_of(line), *sorted(re.findall(r"(?<= )--[a-z-]+", line))) for line in lines}


def name_of(line: str) -> str:
    """Return the name of the subcommand, with that of its group if it is in one."""
    found = re.match(r"flowweaver ((?:store )?\S+)", line)
    assert found is not None
    return found[1]


@pytest.mark.parametrize("command", sorted(commands()), ids=" ".join)
def test_commands_and_options_that_are_shown_exist(command):
    subcommand, *options = command
    shown = subprocess.run(
        [sys.executable, "-m", "flowweaver", *subcommand.split(), "--help"],
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
    ).stdout
    assert [option for option in options if option not in shown] == []


@pytest.mark.parametrize(("profile", "executor"), [("", "processes"), ("ci", "sequential")])
def test_settings_that_are_shown_hold(profile, executor, tmp_path, monkeypatch):
    shown = next(block for _, block in blocks(ROOT / "docs" / "cli.md", "toml"))
    (tmp_path / "pyproject.toml").write_text(shown)
    (tmp_path / "pipeline.py").write_text(
        "from flowweaver import Workflow, task\n\n@task\ndef one(): return 1\n\n"
        "wf = Workflow('settled', [one])\n"
    )
    monkeypatch.setenv("FLOWWEAVER_PROFILE", profile)
    assert "settled: completed" in output_of(["run", "pipeline.py"], tmp_path)
    assert (tmp_path / "runs" / "state.db").exists() == (not profile)
    told = subprocess.run(
        [sys.executable, "-m", "flowweaver", "doctor"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,  # a store in memory is nothing to look at
    ).stdout
    assert f"setting executor: {executor} " in told
    assert "'age': '30d', 'runs': 20" in told
