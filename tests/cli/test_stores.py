"""`flowweaver store copy`, and stores in Postgres as the command's own."""

from flowweaver.cli.store import open_for_run
from tests.cli import pipelines


def test_runs_are_copied_and_restored_from_the_copy(project):
    project.write("good.py", pipelines.GOOD)
    assert project.run("run", "good.py", "--run-id", "abc-1").returncode == 0
    done = project.run("store", "copy", ".flowweaver/state.db", "json:///copy.json")
    assert done.returncode == 0
    assert done.stdout.splitlines() == [
        "abc-1 of good, completed: 2 tasks, 2 new results, 26 B",
        "copied 1 of 1 runs",
    ]
    again = project.json("run", "good.py", "--store", "copy.json")
    assert {task["origin"] for task in again["tasks"]} == {"restored"}


def test_copied_again_nothing_is_left_to_do(project):
    project.write("good.py", pipelines.GOOD)
    project.run("run", "good.py", "--run-id", "abc-1")
    project.run("store", "copy", ".flowweaver/state.db", "copy.db")
    done = project.run("store", "copy", ".flowweaver/state.db", "copy.db")
    assert done.returncode == 0
    assert done.stdout.splitlines() == [
        "abc-1 of good, completed: there already",
        "copied 0 of 1 runs, 1 were there already",
    ]


def test_runs_to_copy_can_be_chosen(project):
    project.write("good.py", pipelines.GOOD)
    project.write("broken.py", pipelines.BROKEN)
    for number, name in enumerate(["good", "broken", "good"]):
        project.run("run", f"{name}.py", "--run-id", f"{name}-{number}")
    chosen = ("--run", "last", "--run", "broken")
    copied = project.json("store", "copy", ".flowweaver/state.db", "copy.db", *chosen)
    assert [run["id"] for run in copied["runs"]] == ["broken-1", "good-2"]
    assert set(copied["runs"][0]) == {
        "id",
        "workflow",
        "status",
        "already_there",
        "tasks",
        "new_results",
        "bytes",
    }
    assert [run["id"] for run in project.json("runs", "--store", "copy.db")] == [
        "good-2",
        "broken-1",
    ]


def test_other_run_of_the_same_id_stops_the_copy(project):
    project.write("good.py", pipelines.GOOD)
    project.run("run", "good.py", "--run-id", "abc-1")
    project.run("run", "good.py", "--run-id", "abc-1", "--store", "copy.db")
    done = project.run("store", "copy", ".flowweaver/state.db", "copy.db")
    assert done.returncode == 2
    assert "abc-1" in done.stderr
    assert "Traceback" not in done.stderr


def test_store_that_is_not_there_is_a_problem(project):
    done = project.run("store", "copy", "nothing.db", "copy.db")
    assert done.returncode == 2
    assert "There is no store at" in done.stderr
    assert list(project.folder.glob("*.db")) == []


def test_runs_in_postgres_are_run_shown_checked_and_copied(project, postgres):
    project.write("good.py", pipelines.GOOD)
    for _ in range(2):
        assert project.run("run", "good.py", "--store", postgres).returncode == 0
    runs = project.json("runs", "--store", postgres)
    assert [run["status"] for run in runs] == ["completed", "completed"]
    assert "Oslo+Oslo" in project.run("show", "last", "join", "--store", postgres).stdout
    assert project.run("doctor", "--store", postgres).returncode == 0
    assert project.run("gc", "--keep-runs", "1", "--store", postgres).returncode == 0
    done = project.run("store", "copy", postgres, "copy.db")
    assert "copied 1 of 1 runs" in done.stdout


def test_durability_does_not_lose_the_password(postgres):
    url = postgres.replace("postgres@", "postgres:hush@")
    store = open_for_run(url, "process")
    assert "password=hush" in store._place.conninfo
    assert store.describe()["durability"] == "process"
    store.close()
