"""``flowweaver init``: a small project to start from."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.resources import files
from itertools import chain, count
from pathlib import Path
from string import Template

import click

from flowweaver.cli.output import Problem, say_lines
from flowweaver.version import __version__

# What is made, what it is made from in `template/`, and what it is for.
_FILES = {
    "pipeline.py": ("pipeline.py.txt", "the workflow: put your own tasks here"),
    "tests/test_pipeline.py": ("test_pipeline.py.txt", "its test"),
    "pyproject.toml": ("pyproject.toml.txt", "what the project needs"),
    "README.md": ("README.md.txt", "how to run it"),
    ".gitignore": ("gitignore.txt", "keeps runs and caches out of git"),
}
_NEXT = {
    "flowweaver run pipeline.py": "run it; a second time, nothing is left to do",
    "flowweaver show last report": "look at a result",
    "flowweaver plan pipeline.py": "what would run and why, say after an edit",
}
_TEST = {
    "pip install --group dev": "pytest, into the environment you are in",
    "pytest": "run the test",
}


@click.command("init", short_help="Make a small project to start from.")
@click.argument("directory", metavar="[DIR]", default=".", type=click.Path(file_okay=False))
def init_command(directory: str) -> None:
    """Make a small project in DIR (here if not given): a workflow, its test and settings.

    DIR is made if need be. Nothing that exists is overwritten: if one of the files is there
    already, none is made.
    """
    if directory == "":
        raise Problem("The folder's name is empty; leave it out to have the project made here.")
    folder = Path(directory)
    _refuse_what_exists(folder)
    texts = _texts(_project_name(folder))
    try:
        with _all_or_none() as made:
            for name, text in texts.items():
                made.write(folder / name, text)
    except OSError as error:
        where = error.filename or folder
        raise Problem(f"{where} can't be made: {error.strerror or error}.") from None
    say_lines(_what_next(folder))


def _refuse_what_exists(directory: Path) -> None:
    there = [str(directory / name) for name in _FILES if os.path.lexists(directory / name)]
    if there:
        verb = "exists" if len(there) == 1 else "exist"
        raise Problem(
            f"{', '.join(there)} {verb} already, so nothing was made; name another folder, as in: "
            f"flowweaver init {shlex.quote(str(_free_beside(directory)))}."
        )


def _free_beside(directory: Path) -> Path:
    """Return a folder that is not there: "demo" here, else the asked-for with a number."""
    wanted = Path("demo") if directory.resolve() == Path.cwd() else directory
    numbered = (wanted.with_name(f"{wanted.name}-{number}") for number in count(2))
    return next(each for each in chain([wanted], numbered) if not os.path.lexists(each))


def _project_name(directory: Path) -> str:
    """Return the folder's name as one that packaging tools accept."""
    plain = re.sub(r"[^A-Za-z0-9]+", "-", directory.resolve().name).strip("-").lower()
    # A project can't need one of its own name.
    return f"my-{plain}" if plain == "flowweaver" else plain or "pipeline"


def _texts(project: str) -> dict[str, str]:
    templates = files("flowweaver.cli") / "template"
    needed = ".".join(__version__.split(".")[:2])
    return {
        name: Template((templates / source).read_text("utf-8")).substitute(
            project=project, version=needed
        )
        for name, (source, _) in _FILES.items()
    }


class _Made:
    """What was made so far, so that it can be unmade."""

    def __init__(self) -> None:
        self._files: list[Path] = []
        self._folders: list[Path] = []

    def write(self, path: Path, text: str) -> None:
        """Write a file that must not exist yet, and the folders it stands in."""
        self._make_folder(path.parent)
        with path.open("x", encoding="utf-8", newline="\n") as file:
            self._files.append(path)
            file.write(text)

    def unmake(self) -> None:
        """Remove what was made, as far as nobody else has used it meanwhile."""
        for path in self._files:
            with suppress(OSError):
                path.unlink()
        for folder in reversed(self._folders):
            with suppress(OSError):
                folder.rmdir()

    def _make_folder(self, folder: Path) -> None:
        if not folder.is_dir():
            self._make_folder(folder.parent)
            folder.mkdir()
            self._folders.append(folder)


@contextmanager
def _all_or_none() -> Iterator[_Made]:
    made = _Made()
    try:
        yield made
    except BaseException:
        made.unmake()
        raise


def _what_next(directory: Path) -> str:
    here = directory.resolve() == Path.cwd()
    made = {str(directory / name): purpose for name, (_, purpose) in _FILES.items()}
    # What begins with "-" is no option of `cd`.
    place = f"./{directory}" if str(directory).startswith("-") else str(directory)
    enter = {} if here else {f"cd {shlex.quote(place)}": ""}
    return "\n".join(
        [
            "Made " + ("a project here:" if here else f"{directory}:"),
            *_columns(made),
            "",
            "Next:",
            *_columns({**enter, **_NEXT}),
            "",
            "To test it:",
            *_columns(_TEST),
        ]
    )


def _columns(rows: dict[str, str]) -> list[str]:
    width = max(map(len, rows))
    return [f"  {left:{width}}  {right}".rstrip() for left, right in rows.items()]
