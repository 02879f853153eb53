"""`flowweaver report` and `flowweaver trace`: files that are written, and errors that are told."""

import json

from tests.cli.pipelines import BROKEN, GOOD


def test_report_of_the_last_run_is_written(project):
    project.write("good.py", GOOD)
    project.run("run", "good.py")
    told = project.run("report")
    assert told.returncode == 0
    assert "report.html" in told.stdout
    page = (project.folder / "report.html").read_text()
    assert "Oslo+Oslo" in page


def test_report_goes_where_it_is_told(project):
    project.write("broken.py", BROKEN)
    project.run("run", "broken.py")
    assert project.run("report", "last", "-o", "out.html").returncode == 0
    assert "row 3 is" in (project.folder / "out.html").read_text()


def test_view_is_printed_as_json(project):
    project.write("broken.py", BROKEN)
    project.run("run", "broken.py")
    view = json.loads(project.run("report", "--json").stdout)
    assert view["failures"][0]["name"] == "parse"


def test_missing_run_and_missing_store_are_named(project):
    assert "no store" in project.run("report").stderr
    project.write("good.py", GOOD)
    project.run("run", "good.py")
    told = project.run("report", "nowhere")
    assert (told.returncode, "nowhere" in told.stderr) == (2, True)


def test_folder_that_is_not_there_is_named(project):
    project.write("good.py", GOOD)
    project.run("run", "good.py")
    told = project.run("report", "-o", "no/such/report.html")
    assert told.returncode == 2
    assert "can't be written" in told.stderr
