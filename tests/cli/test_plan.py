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


FAN_OUT = """\
    import time
    from flowweaver import Workflow, each, task

    @task
    def head():
        return [1, 2, VERSION]

    @task(inputs={"n": each("head")})
    def slow(n):
        time.sleep(0.2)

    @task
    def mid(head):
        time.sleep(0.1)

    @task
    def end(slow, mid): ...

    w = Workflow("w", [head, slow, mid, end])
    """


def test_critical_path_goes_through_a_fan_out_whose_elements_are_not_known_yet(project):
    project.write("pipeline.py", FAN_OUT.replace("VERSION", "3"))
    assert project.run("run", "pipeline.py").returncode == 0
    project.write("pipeline.py", FAN_OUT.replace("VERSION", "4"))
    planned = project.json("plan", "pipeline.py")
    assert planned["critical_path"]["tasks"] == ["head", "slow", "end"]
    assert planned["critical_path"]["seconds"] >= 0.2
