"""`flowweaver gc` and `flowweaver doctor`."""

import json
import os

import pytest

from tests.cli import pipelines


@pytest.mark.parametrize("store", ["typo.db", "typo.json"])
@pytest.mark.parametrize("command", ["gc", "doctor"])
def test_a_store_that_is_not_there_is_an_error(project, command, store):
    done = project.run(command, "--store", store)
    assert done.returncode == 2
    assert f"There is no store at {store.partition('.')[2].replace('db', 'sqlite')}:" in done.stderr
    assert store in done.stderr
    assert list(project.folder.iterdir()) == []


def test_doctor_finds_nothing_wrong_with_a_sound_store(project):
    project.write("good.py", pipelines.GOOD)
    project.run("run", "good.py")
    done = project.run("doctor")
    assert done.returncode == 0
    assert done.stdout.splitlines()[-1] == "no problem found"


def test_stray_files_disturb_neither_gc_nor_doctor(project):
    project.write("large.py", pipelines.LARGE)
    project.run("run", "large.py")
    folder = project.folder / ".flowweaver" / "state.db.results"
    (folder / ".DS_Store").write_text("x")
    (folder / "gone").symlink_to("nowhere")
    for command in ("gc", "doctor"):
        done = project.run(command)
        assert (done.returncode, done.stderr) == (0, "")


def test_doctor_shows_the_bytes_of_the_log(project):
    project.write("good.py", pipelines.GOOD)
    project.run("run", "good.py")
    assert "log bytes: 0\n" in project.run("doctor").stdout


def test_path_that_is_not_utf_8_is_shown_as_json(project):
    store = os.fsdecode(b"caf\xe9.db")
    project.write("good.py", pipelines.GOOD)
    project.run("run", "good.py", "--store", store)
    done = project.run("doctor", "--json", "--store", store)
    assert json.loads(done.stdout)["facts"]["url"].endswith("caf%E9.db")


def test_doctor_says_what_is_wrong_with_a_damaged_store(project):
    (project.folder / "state.db").write_bytes(b"x" * 5000)
    done = project.run("doctor", "--store", "state.db")
    assert done.returncode == 1
    assert "problem: " in done.stderr
    assert "state.db" in done.stderr


def test_gc_deletes_what_it_said_it_would(project):
    project.write("good.py", pipelines.GOOD)
    for count in range(4):
        project.run("run", "good.py", "--param", f"count={count}")
    said = project.json("gc", "--keep-runs", "1", "--dry-run")
    assert len(said["runs"]) == 3
    assert len(project.json("runs")) == 4
    assert project.json("gc", "--keep-runs", "1") == {**said, "dry_run": False}
    assert len(project.json("runs")) == 1
