"""``flowweaver plan`` on the command line."""

import json

PIPELINE = """\
    from pathlib import Path
    from flowweaver import InputFile, Workflow

    def load(table: Path, more: InputFile):
        return 1

    w = Workflow("w", [load])
    """
PARAMS = ("-p", "table=a.csv", "-p", "more=b.csv")


def test_paths_that_are_not_followed_are_told_of(project):
    project.write("pipeline.py", PIPELINE)
    done = project.run("plan", "pipeline.py", *PARAMS)
    assert (
        "not followed by load, except where its body is seen to read it: the content at table, "
        "which is no InputFile\n"
    ) in done.stdout


def test_paths_that_are_not_followed_are_in_the_json(project):
    project.write("pipeline.py", PIPELINE)
    done = project.run("plan", "pipeline.py", *PARAMS, "--json")
    assert json.loads(done.stdout)["unfollowed"] == {"load": ["table"]}
