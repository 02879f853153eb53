"""What `import flowweaver` gives, and what it costs."""

import ast
import importlib
import pickle
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest

import flowweaver
from flowweaver import FlowWeaverError


def in_a_fresh_interpreter(code: str) -> Any:
    """Run code in an interpreter of its own and return the literal it prints."""
    done = subprocess.run(
        [sys.executable, "-c", f"import sys\n{code}"],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return ast.literal_eval(done.stdout)


def modules_after(code: str) -> set[str]:
    before = in_a_fresh_interpreter("print(sorted(sys.modules))")
    after = in_a_fresh_interpreter(f"{code}\nprint(sorted(sys.modules))")
    return set(after) - set(before)


def test_all_is_alphabetical_without_repeats() -> None:
    assert list(flowweaver.__all__) == sorted(set(flowweaver.__all__))


@pytest.mark.parametrize("name", flowweaver.__all__)
def test_everything_in_all_is_there(name: str) -> None:
    assert getattr(flowweaver, name) is not None


def test_everything_public_is_in_all() -> None:
    for name in flowweaver.__all__:
        getattr(flowweaver, name)
    modules = {name.split(".")[1] for name in sys.modules if name.startswith("flowweaver.")}
    typing_only = {"TYPE_CHECKING"}
    # pytest, whose plug-in is among these modules, puts names with "@" into what it rewrites.
    public = {name for name in vars(flowweaver) if not name.startswith(("_", "@"))}
    assert public - modules - typing_only <= set(flowweaver.__all__)


def test_dir_lists_what_all_lists() -> None:
    assert set(flowweaver.__all__) <= set(dir(flowweaver))


def test_every_error_is_public_and_under_one_root() -> None:
    errors = importlib.import_module("flowweaver.errors")
    found = {
        name
        for name, value in vars(errors).items()
        if isinstance(value, type) and issubclass(value, FlowWeaverError)
    }
    assert found <= set(flowweaver.__all__)
    assert all(
        issubclass(getattr(flowweaver, name), FlowWeaverError)
        for name in flowweaver.__all__
        if name.endswith("Error")
    )


def test_unknown_attribute_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="'flowweaver' has no attribute 'nothing'"):
        flowweaver.nothing


def test_version_is_that_of_the_package() -> None:
    assert flowweaver.__version__ == metadata.version("flowweaver")


def test_names_are_there_without_the_packages_of_extras() -> None:
    absent = "psycopg", "distributed", "dask", "ray"
    code = f"sys.modules.update(dict.fromkeys({absent!r}))\nfrom flowweaver import *\n"
    make = "try:\n    {}\nexcept ImportError as error:\n    told.append(str(error))\n"
    tried = "PostgresStateStore('')", "DaskExecutor()", "RayExecutor()"
    told = in_a_fresh_interpreter(f"{code}told = []\n{''.join(map(make.format, tried))}print(told)")
    assert [text.rpartition(" ")[2] for text in told] == [
        "'flowweaver[postgres]'",
        "'flowweaver[dask]'",
        "'flowweaver[ray]'",
    ]


def test_types_are_published() -> None:
    assert (Path(flowweaver.__file__).parent / "py.typed").is_file()


def test_import_takes_no_third_party_module() -> None:
    top = {name.partition(".")[0] for name in modules_after("import flowweaver")}
    assert top - {"flowweaver"} <= sys.stdlib_module_names


@pytest.mark.parametrize(
    "code",
    [
        "import flowweaver",
        "import flowweaver\nflowweaver.Workflow('w', [flowweaver.task(lambda: 1)])",
    ],
    ids=["import", "definition"],
)
@pytest.mark.parametrize(
    "heavy",
    ["sqlite3", "asyncio", "logging", "threading", "concurrent", "multiprocessing", "pickle",
     "json", "subprocess", "socket", "http", "traceback", "tempfile", "unittest", "email"],
)  # fmt: skip
def test_neither_import_nor_definition_takes_anything_heavy(heavy: str, code: str) -> None:
    assert heavy not in modules_after(code)


def test_import_alone_takes_nothing_of_what_defines_a_workflow() -> None:
    taken = modules_after("import flowweaver")
    assert not [name for name in taken if name.startswith("flowweaver.definitions")]


def test_running_without_a_store_takes_no_database_and_no_third_party_module() -> None:
    run = (
        "from flowweaver import SequentialExecutor, Workflow, task\n"
        "SequentialExecutor().execute(Workflow('w', [task('t')(lambda: 1)]))"
    )
    taken = modules_after(run)
    assert "sqlite3" not in taken
    assert {name.partition(".")[0] for name in taken} - {"flowweaver"} <= sys.stdlib_module_names


def test_star_import_gives_what_all_lists() -> None:
    listed = in_a_fresh_interpreter(
        "from flowweaver import *\nprint(sorted(n for n in dir() if n[0] != '_'))"
    )
    assert set(flowweaver.__all__) <= set(listed)


@pytest.mark.parametrize(
    "error",
    [
        FlowWeaverError("x"),
        flowweaver.UnstorableError("result[3]", "it is a lock"),
        flowweaver.UnknownNameError("no such thing"),
        flowweaver.TaskTimeoutError("over"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_errors_come_back_from_a_pickle(error: FlowWeaverError) -> None:
    back = pickle.loads(pickle.dumps(error))
    assert (type(back), str(back), back.args) == (type(error), str(error), error.args)
