"""`flowweaver resolve`: a person says what became of an effect that must happen once."""

import pytest

PAYMENT = """
import os, pathlib, signal

from flowweaver import Workflow, task

@task(effect="once")
def pay():
    with open("paid", "a") as book:
        book.write("paid\\n")
    if pathlib.Path("die").exists():
        pathlib.Path("die").unlink()
        os.kill(os.getpid(), signal.SIGKILL)
    return "paid"

@task
def receipt(pay):
    return f"receipt: {pay}"

payment = Workflow("payment", [pay, receipt])
"""


@pytest.fixture
def killed(project):
    """Return a project whose run was killed inside the payment."""
    project.write("payment.py", PAYMENT)
    project.touch("die")
    assert project.run("run", "payment.py", "--run-id", "one").returncode < 0
    return project


def payments(project):
    return len((project.folder / "paid").read_text().splitlines())


@pytest.mark.parametrize("options", [(), ("--done", "--retry"), ("--retry", "--result", "1")])
def test_what_says_nothing_or_both_is_a_usage_error(killed, options):
    done = killed.run("resolve", "one", "pay", *options)
    assert done.returncode == 2
    assert "--done" in done.stderr
    assert killed.run("run", "payment.py").returncode == 1
    assert payments(killed) == 1


def test_what_was_done_is_not_done_again(killed):
    assert killed.run("resolve", "one", "pay", "--done", "--result", '"cash"').returncode == 0
    assert killed.run("run", "payment.py").returncode == 0
    assert payments(killed) == 1
    assert "receipt: cash" in killed.run("show", "one", "receipt").stdout


def test_what_was_not_done_is_done_by_the_next_run(killed):
    done = killed.run("resolve", "one", "pay", "--retry")
    assert (done.returncode, done.stdout) == (
        0,
        "pay of run one is resolved by a person: to be retried\n",
    )
    assert killed.run("run", "payment.py").returncode == 0
    assert payments(killed) == 2


@pytest.mark.parametrize("option", ["--done", "--retry"])
def test_a_completed_run_stays_as_it_was(project, option):
    project.write("payment.py", PAYMENT)
    project.run("run", "payment.py", "--run-id", "one")
    before = project.json("runs")
    done = project.run("resolve", "one", "pay", option)
    assert done.returncode == 2
    assert "is completed; there is nothing to resolve" in done.stderr
    assert project.json("runs") == before


def test_an_unknown_task_leaves_the_run_as_it_was(killed):
    before = killed.json("runs")
    done = killed.run("resolve", "one", "pays", "--retry")
    assert done.returncode == 2
    assert "did you mean 'pay'?" in done.stderr
    assert killed.json("runs") == before
