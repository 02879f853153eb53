"""Files whose content the store keeps: they are put back as they were."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from flowweaver import SequentialExecutor, SQLiteStateStore, Workflow, task
from flowweaver.engine.kept_files import put_back
from flowweaver.errors import StoreCorruptError
from flowweaver.records import FileRecord
from flowweaver.serialize import encode


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path


def executed(workflow: Workflow, params: dict[str, str] | None = None) -> set[str]:
    """Execute and return the names of the tasks that ran."""
    run = SequentialExecutor(state_store=SQLiteStateStore("state.db")).execute(workflow, params)
    return {name for name, item in run.tasks.items() if str(item.origin) == "Origin.EXECUTED"}


def test_kept_content_is_put_back() -> None:
    calls = Path("calls.log")

    @task(keep=True)
    def make(text: str) -> list[Path]:
        with calls.open("a") as file:
            file.write("x")
        Path("a.txt").write_text(text)
        Path("parts/empty").mkdir(parents=True, exist_ok=True)
        Path("parts/b.bin").write_bytes(text.encode())
        return [Path("a.txt"), Path("parts")]

    workflow = Workflow("kept", [make])
    executed(workflow, {"text": "one"})
    executed(workflow, {"text": "two"})
    assert executed(workflow, {"text": "one"}) == set()
    assert Path("a.txt").read_text() == "one"
    Path("a.txt").unlink()
    Path("parts/b.bin").write_bytes(b"edited")
    Path("parts/new").write_text("new")
    assert executed(workflow, {"text": "one"}) == set()
    assert Path("a.txt").read_text() == "one"
    assert sorted(path.name for path in Path("parts").iterdir()) == ["b.bin", "empty"]
    assert Path("parts/b.bin").read_bytes() == b"one"
    assert calls.read_text() == "xx"


@pytest.mark.parametrize(
    "content",
    [
        *({"../out": b"x"}, {"/tmp/out": b"x"}, {"a": 1}, [b"x"], {"": b""}, {"a\\b": b""}),
        *((0o644, "x"), (0o7777, b"x"), {"a": (0o644,)}, "a link"),
    ],
)
def test_kept_folder_that_names_other_places_is_refused(here: Path, content: object) -> None:
    with pytest.raises(StoreCorruptError, match="holds something else than files"):
        put_back(FileRecord(str(here / "parts"), "d", "k"), encode(content))
    assert not (here / "out").exists()


def test_kept_files_come_back_with_their_rights_and_links() -> None:
    @task(keep=True)
    def make() -> list[Path]:
        for path, rights in (("run.sh", 0o755), ("key", 0o600), ("parts/key", 0o400)):
            Path(path).parent.mkdir(exist_ok=True)
            Path(path).write_text(path)
            Path(path).chmod(rights)
        Path("parts/public").write_text("public")
        Path("parts/link").symlink_to("key")
        Path("parts/nowhere").symlink_to("nothing")
        Path("parts/far").symlink_to("../../elsewhere", target_is_directory=True)
        return [Path("run.sh"), Path("key"), Path("parts")]

    workflow = Workflow("kept", [make])
    executed(workflow)
    shutil.rmtree("parts")
    Path("run.sh").unlink()
    Path("key").write_text("changed")
    Path("key").chmod(0o644)
    assert executed(workflow) == set()
    paths = ("run.sh", "key", "parts/key")
    assert [Path(path).read_text() for path in paths] == list(paths)
    assert [Path(path).stat().st_mode & 0o777 for path in paths] == [0o755, 0o600, 0o400]
    assert Path("parts/public").read_text() == "public"
    links = {
        path.name: str(path.readlink()) for path in Path("parts").iterdir() if path.is_symlink()
    }
    assert links == {"link": "key", "nowhere": "nothing", "far": "../../elsewhere"}
    assert executed(workflow) == set()


def test_kept_link_is_not_written_through(here: Path) -> None:
    (here / "outside").mkdir()
    content = {"link": str(here / "outside"), "link/x": b"x"}
    with pytest.raises(OSError, match="exists"):
        put_back(FileRecord(str(here / "parts"), "d", "k"), encode(content))
    assert list((here / "outside").iterdir()) == []
    assert not (here / "parts").exists()


@pytest.mark.parametrize("place", ["fifo", "parts/fifo"])
def test_pipe_that_is_to_be_kept_fails_its_task(place: str) -> None:
    @task(keep=True)
    def make() -> Path:
        Path("parts").mkdir()
        os.mkfifo(place)
        return Path(place).parent if "/" in place else Path(place)

    @task
    def other() -> int:
        return 1

    run = SequentialExecutor(state_store=SQLiteStateStore("state.db")).execute(
        Workflow("kept", [make, other]), raise_on_failure=False
    )
    assert run["other"] == 1
    failure = run.tasks["make"].error
    assert failure is not None
    assert failure.kind == "flowweaver.UnstorableError"
    assert failure.message.startswith(f"file {place!r} can't be stored: what is in a pipe")


def test_what_cant_be_put_back_is_made_again_or_fails_alone() -> None:
    @task(keep=True)
    def make() -> Path:
        Path("folder").mkdir(exist_ok=True)
        Path("folder/x.txt").write_text("x")
        return Path("folder/x.txt")

    @task
    def other() -> int:
        return 1

    workflow = Workflow("kept", [make, other])
    executed(workflow)
    shutil.rmtree("folder")
    Path("folder").write_text("a file now")
    executor = SequentialExecutor(state_store=SQLiteStateStore("state.db"))
    run = executor.execute(workflow, raise_on_failure=False)
    assert run["other"] == 1
    assert run.tasks["make"].error is not None
    assert run.tasks["make"].error.kind == "FileExistsError"
    assert run.tasks["make"].reason.startswith("the file `folder/x.txt` can't be put back (")
    Path("folder").unlink()
    assert executed(workflow) == set()
    assert Path("folder/x.txt").read_text() == "x"
