"""Files that tasks are given count by content, wherever their paths stand in the arguments."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from flowweaver import (
    InputFile,
    MemoryStateStore,
    Origin,
    ParameterError,
    SequentialExecutor,
    Task,
    Workflow,
    each,
)


def text_of(*paths: Path) -> str:
    return "".join(path.read_text() for path in paths)


def one(file: InputFile) -> str:
    return text_of(file)


def maybe(file: InputFile | None = None) -> str:
    return text_of(file) if file else ""


def several(file: list[InputFile]) -> str:
    return text_of(*file)


def by_name(file: dict[str, InputFile]) -> str:
    return text_of(*file.values())


def beside_the_unknown(file: InputFile, frame: pd.DataFrame = None) -> str:  # noqa: F821
    return text_of(file)


def any_others(**others: InputFile) -> str:
    return text_of(*others.values())


class Reader:
    def __call__(self, file: InputFile) -> str:
        return text_of(file)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "a.txt"
    path.write_text("old")
    return path


def follows(workflow: Workflow, params: dict[str, Any], file: Path) -> bool:
    """Whether the last task is restored while the file is as it was, and executed once it isn't."""
    executor = SequentialExecutor(state_store=MemoryStateStore())
    first, again = executor.execute(workflow, params), executor.execute(workflow, params)
    *_, name = again.tasks
    file.write_text("new")
    last = executor.execute(workflow, params)
    assert (first[name], last[name]) == ("old", "new")
    return again.tasks[name].origin is Origin.RESTORED


@pytest.mark.parametrize(
    ("fn", "wrap"),
    [
        (one, lambda path: path),
        (maybe, lambda path: path),
        (several, lambda path: [path]),
        (by_name, lambda path: {"x": path}),
        (beside_the_unknown, lambda path: path),
        (Reader(), lambda path: path),
        (functools.partial(Reader()), lambda path: path),
    ],
)
@pytest.mark.parametrize("written", [Path, str])
def test_file_that_is_given_counts_by_content(
    fn: Callable[..., str], wrap: Callable[[Any], Any], written: type, file: Path
) -> None:
    assert follows(Workflow("w", [Task("t", fn)]), {"file": wrap(written(file))}, file)


def test_file_among_the_rest_of_the_arguments_counts_by_content(file: Path) -> None:
    source = Task("source", lambda: file)
    task = Task("t", any_others, inputs={"x": "source"})
    assert follows(Workflow("w", [source, task]), {}, file)


def test_default_counts_by_content(file: Path) -> None:
    def read(path: InputFile = file) -> str:
        return text_of(path)

    assert follows(Workflow("w", [read]), {}, file)


@pytest.mark.parametrize("by_position", [True, False])
def test_argument_of_a_partial_counts_by_content(by_position: bool, file: Path) -> None:
    fn = functools.partial(one, file) if by_position else functools.partial(one, file=file)
    assert follows(Workflow("w", [Task("t", fn)]), {}, file)


class TestText:
    """Text is accepted where a path is asked for."""

    def test_is_a_path_to_those_who_take_it(self, file: Path) -> None:
        workflow = Workflow("w", [one])
        assert SequentialExecutor().execute(workflow, {"file": str(file)})["one"] == "old"

    def test_is_a_path_by_element_too(self, file: Path) -> None:
        workflow = Workflow("w", [Task("t", one, inputs={"file": each("paths")})])
        assert SequentialExecutor().execute(workflow, {"paths": [str(file)]})["t"] == ["old"]

    def test_is_the_same_parameter_as_the_path(self, file: Path) -> None:
        executor = SequentialExecutor(state_store=MemoryStateStore())
        workflow = Workflow("w", [one])
        executor.execute(workflow, {"file": file})
        run = executor.execute(workflow, {"file": str(file)})
        assert run.tasks["one"].origin is Origin.RESTORED

    def test_stays_text_where_somebody_asks_for_that(self, file: Path) -> None:
        def kind(file: str) -> str:
            return type(file).__name__

        def path(file: Path) -> str:
            return Path(file).read_text()

        run = SequentialExecutor().execute(Workflow("w", [kind, path]), {"file": str(file)})
        assert (run["kind"], run["path"]) == ("str", "old")

    def test_that_is_empty_is_no_path(self) -> None:
        with pytest.raises(ParameterError, match="'file' of task 'one' must be Path, not str"):
            SequentialExecutor().execute(Workflow("w", [one]), {"file": ""})


def test_plan_tells_of_paths_whose_content_is_not_followed(file: Path) -> None:
    def load(table: Path, more: list[Path], file: InputFile, count: int) -> Path:
        return table

    def look(load: Path, where: Path = file) -> None: ...

    workflow = Workflow("w", [load, look])
    params = {"table": file, "more": [], "file": file, "count": 1}
    plan = workflow.plan(params, state_store=MemoryStateStore())
    assert plan.unfollowed == {"load": ("table", "more"), "look": ("where",)}
