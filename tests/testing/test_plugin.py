"""The fixtures for users' tests, as pytest gives them to a project."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from flowweaver import (
    AsyncExecutor,
    DefinitionError,
    Executor,
    MemoryStateStore,
    SequentialExecutor,
    ThreadedExecutor,
    UnknownNameError,
    Workflow,
    WorkflowFailed,
    each,
    task,
)
from flowweaver.testing import (
    Flow,
    JumpingClock,
    assert_executed,
    assert_overridden,
    assert_restored,
)

PAGE = Path(__file__).parents[2] / "docs" / "testing.md"
# By its module, however it is installed.
PYTEST = [
    sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider",
    "-p", "no:flowweaver", "-p", "flowweaver.testing.plugin",
]  # fmt: skip


def pytest_in(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*PYTEST, *arguments], cwd=folder, capture_output=True, text=True, check=False, timeout=100
    )


def test_tests_of_the_guide_pass(tmp_path: Path) -> None:
    blocks = re.findall(r"```python\n# (\w+\.py)\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert [name for name, _ in blocks] == ["billing.py", "test_billing.py"]
    for name, text in blocks:
        (tmp_path / name).write_text(text)
    done = pytest_in(tmp_path, "-p", "no:warnings")
    assert (done.returncode, "6 passed" in done.stdout) == (0, True), done.stdout


def test_each_test_has_a_store_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "test_stores.py").write_text(
        "import pytest\n"
        "@pytest.mark.parametrize('number', [1, 2])\n"
        "def test_store(flow_store, tmp_path, number):\n"
        "    assert not flow_store.exists()\n"
        "    assert str(tmp_path) in flow_store.url\n"
    )
    assert "2 passed" in pytest_in(tmp_path).stdout


OURS = "{name for name in sys.modules if name.partition('.')[0] == 'flowweaver'}"


def test_plugin_imports_nothing_before_it_is_asked(tmp_path: Path) -> None:
    package = f"import sys, flowweaver; print({OURS})"
    bare = subprocess.run([sys.executable, "-c", package], capture_output=True, text=True)
    (tmp_path / "test_light.py").write_text(
        "import sys\n"
        "def test_light():\n"
        f"    more = {OURS} - {bare.stdout.strip()}\n"
        "    assert more == {'flowweaver.testing', 'flowweaver.testing.plugin'}\n"
    )
    done = pytest_in(tmp_path)
    assert "1 passed" in done.stdout, done.stdout


def test_helpers_need_no_pytest() -> None:
    code = (
        "import sys; sys.modules['pytest'] = None\n"
        "import flowweaver, flowweaver.testing\n"
        "flowweaver.testing.Flow(flowweaver.MemoryStateStore())\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


@task(version="1", retries=3, backoff=100)
def flaky(path: str) -> int:
    raise OSError(path)


@task(version="1", inputs={"n": each("numbers")})
def double(n: int) -> int:
    return 2 * n


@task(version="1")
def total(double: list[int], flaky: int) -> int:
    return sum(double) + flaky


sums = Workflow("sums", [flaky, double, total])


@pytest.mark.parametrize("kind", [SequentialExecutor, ThreadedExecutor, AsyncExecutor])
def test_retries_are_made_without_waiting(kind: type[Executor]) -> None:
    flow = Flow(MemoryStateStore())
    with pytest.raises(WorkflowFailed):
        flow.run(sums, {"path": "x"}, targets=["flaky"], executor=kind())
    assert flow.clock.ahead == pytest.approx(300, abs=60)


def test_fakes_stand_in_and_the_rest_is_shared_by_runs() -> None:
    flow = Flow(MemoryStateStore())
    first = flow.run(sums, {"numbers": [1, 2]}, fakes={"flaky": 10})
    assert first["total"] == 16
    assert_overridden(first, "flaky")
    assert_executed(first, "double", "total", "double[1]")
    second = flow.run(sums, {"numbers": [1, 2]}, fakes={"flaky": 20})
    assert_restored(second, "double")
    assert_executed(second, "total")
    plan = flow.plan(sums, {"numbers": [1, 2]}, fakes={"flaky": 20})
    assert plan["total"].action == "restore"


def test_failed_assertions_say_how_each_came_out_and_why() -> None:
    flow = Flow(MemoryStateStore())
    run = flow.run(sums, {"numbers": [1, 2]}, fakes={"flaky": 10})
    with pytest.raises(AssertionError) as raised:
        assert_restored(run)
    assert str(raised.value).splitlines() == [
        f"Not restored in run {run.id} of 'sums':",
        "  flaky: overridden (given in place of what it would return)",
        "  double[0]: executed (never ran)",
        "  double[1]: executed (never ran)",
        "  total: executed (never ran)",
    ]
    with pytest.raises(UnknownNameError, match="did you mean 'total'"):
        assert_executed(run, "totl")


def test_results_grow_old_when_the_clock_is_advanced() -> None:
    calls = []

    @task(version="1", fresh_for="1d")
    def rates() -> int:
        calls.append(1)
        return len(calls)

    flow, workflow = Flow(MemoryStateStore()), Workflow("rates", [rates])
    flow.run(workflow)
    assert_restored(flow.run(workflow))
    flow.clock.advance("25h")
    assert flow.plan(workflow)["rates"].action == "run"
    assert_executed(flow.run(workflow))
    assert_restored(flow.run(workflow))


@pytest.mark.parametrize("by", [-1, "yesterday", float("nan"), True])
def test_clock_goes_forward_only(by: object) -> None:
    with pytest.raises(DefinitionError):
        JumpingClock().advance(by)  # type: ignore[arg-type]
