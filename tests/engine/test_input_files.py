"""Files that tasks are given count by content, wherever their paths stand in the arguments."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NotRequired, TypedDict

import pytest

from flowweaver import (
    InputFile,
    MemoryStateStore,
    Origin,
    OutputFile,
    ParameterError,
    SequentialExecutor,
    Task,
    TaskStatus,
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


@dataclass
class Equal:
    """A callable object that can't be hashed."""

    before: str = ""

    def __call__(self, file: InputFile) -> str:
        return self.before + text_of(file)

    def method(self, file: InputFile) -> str:
        return self(file)


class Names(TypedDict):
    left: InputFile
    right: NotRequired[InputFile]


def only_by_keyword(*, file: InputFile) -> str:
    return text_of(file)


def a_pair(file: tuple[InputFile, int]) -> str:
    return text_of(file[0])


def maybe_several(file: list[InputFile | None]) -> str:
    return text_of(*filter(None, file))


def nested_in(file: dict[str, list[InputFile]]) -> str:
    return text_of(*(path for paths in file.values() for path in paths))


def in_fields(file: Names) -> str:
    return text_of(file["left"])


def rest(*files: InputFile, file: InputFile) -> str:
    return text_of(*files, file)


# What is given by a parameter of the workflow, and how a path stands in it.
PLACES: dict[str, tuple[Callable[..., Any], Callable[[Any], Any]]] = {
    "keyword only": (only_by_keyword, lambda path: path),
    "pair": (a_pair, lambda path: (path, 1)),
    "optional in a list": (maybe_several, lambda path: [path, None]),
    "list in a dict": (nested_in, lambda path: {"x": [path]}),
    "typed dict": (in_fields, lambda path: {"left": path}),
    "callable that can't be hashed": (Equal(), lambda path: path),
    "bound method": (Equal().method, lambda path: path),
    "partial of a bound method": (functools.partial(Equal().method), lambda path: path),
    "after the rest": (rest, lambda path: path),
}


def is_there(file: InputFile) -> bool:
    return file.read_text() != ""


def nested() -> Workflow:
    return Workflow("inner", [Task("read", one)])


@pytest.mark.parametrize("written", [Path, str])
@pytest.mark.parametrize(("fn", "wrap"), PLACES.values(), ids=PLACES)
def test_file_counts_wherever_the_annotation_stands(
    fn: Callable[..., str], wrap: Callable[[Any], Any], written: type, file: Path
) -> None:
    assert follows(Workflow("w", [Task("t", fn)]), {"file": wrap(written(file))}, file)


@pytest.mark.parametrize("written", [Path, str])
class TestGivenByOthers:
    """What gives a task its file is another task, an element, a partial or an outer workflow."""

    def test_result_of_a_task(self, written: type, file: Path) -> None:
        source = Task("file", lambda: written(file))
        assert follows(Workflow("w", [source, one]), {}, file)

    def test_result_among_the_rest_of_the_arguments(self, written: type, file: Path) -> None:
        source = Task("source", lambda: [written(file)])
        task = Task("t", any_others, inputs={"x": each("source")})
        executor = SequentialExecutor(state_store=MemoryStateStore())
        assert executor.execute(Workflow("w", [source, task]))["t"] == ["old"]
        file.write_text("new")
        assert executor.execute(Workflow("w", [source, task]))["t"] == ["new"]

    @pytest.mark.parametrize("wrap", [list, tuple])
    @pytest.mark.parametrize("fn", [one, any_others])
    def test_element_of_a_parameter(
        self, fn: Callable[..., str], wrap: type, written: type, file: Path
    ) -> None:
        task = Task("t", fn, inputs={"file": each("paths")})
        executor = SequentialExecutor(state_store=MemoryStateStore())
        params = {"paths": wrap([written(file)])}
        assert executor.execute(Workflow("w", [task]), params)["t"] == ["old"]
        file.write_text("new")
        assert executor.execute(Workflow("w", [task]), params)["t"] == ["new"]

    def test_parameter_of_a_nested_workflow(self, written: type, file: Path) -> None:
        outer = Workflow("outer")
        outer.add_task(nested(), name="part")
        assert follows(outer, {"file": written(file)}, file)


def test_output_whose_path_is_the_text_of_a_task_is_made(tmp_path: Path) -> None:
    def write(**targets: OutputFile) -> OutputFile:
        with targets["name"].open("w") as file:
            file.write("made")
        return targets["name"]

    source = Task("source", lambda: str(tmp_path / "out.txt"))
    task = Task("t", write, inputs={"name": "source"})
    run = SequentialExecutor(state_store=MemoryStateStore()).execute(Workflow("w", [source, task]))
    assert run["t"].read_text() == "made"


@pytest.mark.parametrize("written", [Path, str])
class TestCondition:
    """A `when` predicate may read files too."""

    def test_that_takes_a_file_of_its_own_is_asked_again(self, written: type, file: Path) -> None:
        task = Task("t", lambda: "done", when=is_there)
        executor = SequentialExecutor(state_store=MemoryStateStore())
        first = executor.execute(Workflow("w", [task]), {"file": written(file)})
        assert first["t"] == "done"
        again = executor.execute(Workflow("w", [task]), {"file": written(file)})
        assert again.tasks["t"].origin is Origin.RESTORED
        file.write_text("")
        last = executor.execute(Workflow("w", [task]), {"file": written(file)})
        assert last.tasks["t"].status is TaskStatus.SKIPPED

    def test_that_shares_a_file_with_its_body_is_asked_again(
        self, written: type, file: Path
    ) -> None:
        def kind(file: object) -> str:
            return str(file)

        task = Task("t", kind, when=is_there)
        executor = SequentialExecutor(state_store=MemoryStateStore())
        executor.execute(Workflow("w", [task]), {"file": written(file)})
        file.write_text("")
        last = executor.execute(Workflow("w", [task]), {"file": written(file)})
        assert last.tasks["t"].status is TaskStatus.SKIPPED

    def test_that_takes_a_result_is_asked_again(self, written: type, file: Path) -> None:
        source = Task("file", lambda: written(file))
        task = Task("t", lambda: "done", when=is_there)
        executor = SequentialExecutor(state_store=MemoryStateStore())
        executor.execute(Workflow("w", [source, task]))
        file.write_text("")
        last = executor.execute(Workflow("w", [source, task]))
        assert last.tasks["t"].status is TaskStatus.SKIPPED


def test_plan_tells_of_paths_of_a_condition_that_are_not_followed(file: Path) -> None:
    def is_long(table: Path) -> bool:
        return True

    plan = Workflow("w", [Task("t", lambda: 1, when=is_long)]).plan(
        {"table": file}, state_store=MemoryStateStore()
    )
    assert plan.unfollowed == {"t": ("table",)}


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
