"""Workflows as plain text."""

from flowweaver import Task, Workflow
from flowweaver.report.text import export_text


def fetch(url, limit=10):
    return url


def clean(fetch):
    return fetch


def report(clean, fetch):
    return clean


def test_each_task_is_named_with_what_it_waits_for():
    assert export_text(Workflow("sales", [report, clean, fetch])) == (
        "sales: 3 tasks; parameters: url, limit (optional)\n"
        "  fetch\n"
        "  clean   <- fetch\n"
        "  report  <- clean, fetch\n"
    )


def test_a_workflow_without_parameters_names_none():
    assert export_text(Workflow("w", [Task("only", lambda: 1)])) == "w: 1 task\n  only\n"


def test_an_empty_workflow_is_its_title():
    assert export_text(Workflow("w")) == "w: 0 tasks\n"


def test_of_many_dependencies_the_first_are_named_and_the_rest_counted():
    workflow = Workflow("w")
    names = [f"part{n}" for n in range(100)]
    for name in names:
        workflow.add_task(Task(name, lambda: 1))
    workflow.add_task(Task("all", lambda **_: 1), depends_on=names)
    last = export_text(workflow).splitlines()[-1]
    assert last.endswith("part6, part7 and 92 more")


def test_a_task_stands_below_all_it_waits_for_in_a_long_chain():
    tasks = [Task(f"t{n}", lambda **_: 1, depends_on=[f"t{n - 1}"]) for n in range(1, 100_000)]
    workflow = Workflow("chain", [*reversed(tasks), Task("t0", lambda: 1)])
    lines = export_text(workflow).splitlines()[1:]
    assert [line.split()[0] for line in lines] == [f"t{n}" for n in range(100_000)]


def test_a_long_name_does_not_push_all_others_aside():
    workflow = Workflow("w", [Task("n" * 200, lambda: 1), Task("b", lambda **_: 1)])
    workflow.add_task(Task("c", lambda b: b))
    assert f"  c{' ' * 39}  <- b\n" in export_text(workflow)
