"""FlowWeaver as it stands in this repository."""

from __future__ import annotations

import importlib
import subprocess
import sys
from collections.abc import Callable
from math import isqrt
from pathlib import Path

from benchmarks.subjects.clock import (
    bytes_each,
    import_milliseconds,
    microseconds_each,
    milliseconds,
    peak_megabytes,
    started_milliseconds,
)
from benchmarks.subjects.floors import PROCESSES, THREADS, first, step
from benchmarks.subjects.sources import many_functions
from flowweaver import (
    AsyncExecutor,
    Executor,
    JSONStateStore,
    MemoryStateStore,
    ProcessExecutor,
    SequentialExecutor,
    SQLiteStateStore,
    StateStore,
    Task,
    ThreadedExecutor,
    Workflow,
    each,
)


def any_step(**given: object) -> int:
    """Do nothing."""
    return len(given)


async def async_first() -> int:
    """Do nothing."""
    return 0


async def async_step(x: int) -> int:
    """Do nothing."""
    return x


def a_chain(size: int, edited: int | None = None) -> Workflow:
    """Define a chain: each task takes the result of the one before.

    `edited` is one whose code does not count: it has a version instead.
    """
    workflow = Workflow("chain")
    workflow.add_task(first, name="t0")
    for number in range(1, size):
        source = {"x": f"t{number - 1}"}
        if number == edited:
            workflow.add_task(step, name=f"t{number}", inputs=source, version="2")
        else:
            workflow.add_task(step, name=f"t{number}", inputs=source)
    workflow.compile()
    return workflow


def a_chain_of_any(size: int) -> Workflow:
    """Define a chain whose functions take whatever they are given."""
    workflow = Workflow("chain", [Task("t0", any_step)])
    for number in range(1, size):
        workflow.add_task(any_step, (f"t{number - 1}",), name=f"t{number}")
    workflow.compile()
    return workflow


def a_fan(size: int) -> Workflow:
    """Define tasks that don't depend on each other."""
    return Workflow("fan", [Task(f"t{number}", first) for number in range(size)])


def a_grid(size: int) -> Workflow:
    """Define chains side by side, as many as each is long."""
    workflow = Workflow("grid")
    width = max(1, isqrt(size))
    for number in range(size):
        if number < width:
            workflow.add_task(first, name=f"t{number}")
        else:
            workflow.add_task(step, name=f"t{number}", inputs={"x": f"t{number - width}"})
    workflow.compile()
    return workflow


def sqlite(durability: str) -> SQLiteStateStore:
    """Return the default store, in the current folder."""
    return SQLiteStateStore.from_url(f"sqlite:///state.db?durability={durability}")


def threaded(store: StateStore | None = None) -> Executor:
    """Return the executor that fan-outs are measured on."""
    return ThreadedExecutor(THREADS, state_store=store)


def _executed(executor: Executor, workflow: Workflow) -> float:
    return microseconds_each(lambda: executor.execute(workflow), len(workflow))


# A chain.


def chain(size: int) -> float:
    """One by one in the calling thread, results in memory."""
    return _executed(SequentialExecutor(), a_chain(size))


def chain_again(size: int) -> float:
    """The same once more in one process, when all is imported and set up."""
    _executed(SequentialExecutor(), a_chain(size))
    return chain(size)


def chain_any(size: int) -> float:
    """The same with functions that take ``**``."""
    return _executed(SequentialExecutor(), a_chain_of_any(size))


def chain_threads(size: int) -> float:
    """On threads."""
    return _executed(threaded(), a_chain(size))


def chain_async(size: int) -> float:
    """As coroutines."""
    workflow = Workflow("chain")
    workflow.add_task(async_first, name="t0")
    for number in range(1, size):
        workflow.add_task(async_step, name=f"t{number}", inputs={"x": f"t{number - 1}"})
    return _executed(AsyncExecutor(), workflow)


def chain_process(size: int) -> float:
    """Each result safe from a kill before the next task starts."""
    return _executed(SequentialExecutor(state_store=sqlite("process")), a_chain(size))


def chain_process_threads(size: int) -> float:
    """The same on threads."""
    return _executed(threaded(sqlite("process")), a_chain(size))


def chain_full(size: int) -> float:
    """Each result safe from power loss before the next task starts."""
    return _executed(SequentialExecutor(state_store=sqlite("full")), a_chain(size))


def chain_json(size: int) -> float:
    """The same in the JSON store."""
    return _executed(SequentialExecutor(state_store=JSONStateStore("state.json")), a_chain(size))


# A fan-out.


def fan(size: int) -> float:
    """One by one in the calling thread, results in memory."""
    return _executed(SequentialExecutor(), a_fan(size))


def fan_threads(size: int) -> float:
    """On threads."""
    return _executed(threaded(), a_fan(size))


def fan_async(size: int) -> float:
    """As coroutines."""
    workflow = Workflow("fan", [Task(f"t{number}", async_first) for number in range(size)])
    return _executed(AsyncExecutor(), workflow)


def fan_process(size: int) -> float:
    """On threads, results safe from a kill."""
    return _executed(threaded(sqlite("process")), a_fan(size))


def fan_full(size: int) -> float:
    """On threads, results safe from power loss."""
    return _executed(threaded(sqlite("full")), a_fan(size))


def elements_memory(size: int) -> float:
    """One task mapped over `size` elements, on threads."""
    return _mapped(threaded(), size)


def elements_process(size: int) -> float:
    """The same, results safe from a kill."""
    return _mapped(threaded(sqlite("process")), size)


def _mapped(executor: Executor, size: int) -> float:
    workflow = Workflow("elements", [Task("item", step, inputs={"x": each("items")})])
    params = {"items": list(range(size))}
    return microseconds_each(lambda: executor.execute(workflow, params), size)


def map_processes(size: int) -> float:
    """One task mapped over `size` elements, on warm worker processes."""
    return _mapped_on_processes(None, size)


def map_processes_stored(size: int) -> float:
    """The same, results safe from a kill."""
    return _mapped_on_processes(sqlite("process"), size)


def _mapped_on_processes(store: StateStore | None, size: int) -> float:
    with ProcessExecutor(PROCESSES, state_store=store) as executor:
        _mapped(executor, PROCESSES)
        return _mapped(executor, size)


# What is finished, and what is defined.


def finish_chain(size: int) -> float:
    """Finish the run that `restore` restores."""
    return chain_process(size)


def restore(size: int) -> float:
    """Execute again what another process has finished."""
    finish_elsewhere(size)
    return chain_process(size)


def restore_changed(size: int) -> float:
    """The same with the last task changed."""
    return _restored_but(size, size - 1)


def restore_changed_middle(size: int) -> float:
    """The same with the one in the middle changed, whose result stays the same."""
    return _restored_but(size, size // 2)


def restore_changed_first(size: int) -> float:
    """The same with the second changed, that all the others are behind."""
    return _restored_but(size, 1)


def _restored_but(size: int, edited: int) -> float:
    finish_elsewhere(size)
    return _executed(SequentialExecutor(state_store=sqlite("process")), a_chain(size, edited))


def restore_growth(size: int) -> float:
    """By how many KiB the store grows when what is finished is executed again."""
    return _growth(a_chain(size), size)


def restore_changed_growth(size: int) -> float:
    """The same with the last task changed."""
    return _growth(a_chain(size, size - 1), size)


def restore_middle_growth(size: int) -> float:
    """The same with the one in the middle changed, whose result stays the same."""
    return _growth(a_chain(size, size // 2), size)


def _growth(workflow: Workflow, size: int) -> float:
    finish_elsewhere(size)
    before = _stored_bytes()
    store = sqlite("process")
    SequentialExecutor(state_store=store).execute(workflow)
    store.close()
    return (_stored_bytes() - before) / 1024


def _stored_bytes() -> int:
    return sum(path.stat().st_size for path in Path().glob("state.db*") if path.is_file())


def restore_bytes(size: int) -> float:
    """What a run of which nothing has changed holds in memory."""
    finish_elsewhere(size)
    workflow = a_chain(size)
    executor = SequentialExecutor(state_store=sqlite("process"))
    return bytes_each(lambda: executor.execute(workflow), size)


def run_bytes(size: int) -> float:
    """The most memory that defining a chain and running it durably takes."""
    return _most_bytes_each(size, lambda: a_chain(size))


def restore_changed_bytes(size: int) -> float:
    """The most memory that defining it and executing it again takes, with the last changed."""
    finish_elsewhere(size)
    return _most_bytes_each(size, lambda: a_chain(size, size - 1))


def _most_bytes_each(size: int, make: Callable[[], Workflow]) -> float:
    SequentialExecutor(state_store=SQLiteStateStore("warm.db")).execute(a_chain(2))
    executor = SequentialExecutor(state_store=sqlite("process"))
    return peak_megabytes(lambda: executor.execute(make())) * 1e6 / size


def finish_elsewhere(size: int) -> None:
    """Have another process finish the run that `finish_chain` finishes."""
    command = [sys.executable, "-m", "benchmarks.probe", "flowweaver_here", "finish_chain"]
    subprocess.run([*command, str(size), "finished.json"], check=True)


def define(size: int) -> float:
    """Define and validate a chain."""
    return microseconds_each(lambda: a_chain(size), size)


def define_bytes(size: int) -> float:
    """What the definition holds in memory."""
    return bytes_each(lambda: a_chain(size), size)


def plan(size: int) -> float:
    """Say of each task of a finished run what executing it again would do."""
    store = sqlite("process")
    workflow = a_grid(size)
    threaded(store).execute(workflow)
    return microseconds_each(lambda: workflow.plan(state_store=store), size)


def plan_distinct(size: int) -> float:
    """Plan functions of which this process has not looked at any yet, all of them different."""
    path = many_functions(size)
    sys.path.insert(0, str(path.parent.absolute()))
    workflow: Workflow = importlib.import_module(path.stem).workflow
    store = sqlite("process")
    return milliseconds(lambda: workflow.plan(state_store=store))


def import_it(size: int) -> float:
    """`import flowweaver`, over bare Python."""
    return import_milliseconds("import flowweaver", size)


def import_for_use(size: int) -> float:
    """Import what a durable run on threads needs."""
    names = "SQLiteStateStore, ThreadedExecutor, Workflow, task"
    return import_milliseconds(f"from flowweaver import {names}", size)


def command(size: int) -> float:
    """`flowweaver run` of two tasks with a store that is not there yet; median of `size` times."""
    lines = ["from flowweaver import Workflow, task"]
    lines += ["@task", "def one(): return 1", "@task", "def two(one): return one"]
    lines += ["pipeline = Workflow('pipeline', [one, two])"]
    Path("pipeline.py").write_text("\n".join(lines))
    arguments = ["-m", "flowweaver", "run", "pipeline.py", "--quiet", "--store"]
    return started_milliseconds(
        [[*arguments, f"sqlite:///state{number}.db"] for number in range(size + 1)]
    )


# Large results.


def write_unstored(size: int) -> float:
    """Return a result of `size` MB, with no store."""
    return milliseconds(lambda: SequentialExecutor().execute(_large(size)))


def write_memory(size: int) -> float:
    """Return it through the store in memory."""
    return _write(MemoryStateStore(), size)


def write_json(size: int) -> float:
    """Return it through the JSON store."""
    return _write(JSONStateStore("state.json"), size)


def write_sqlite(size: int) -> float:
    """Return it through the SQLite store."""
    return _write(sqlite("full"), size)


def read_json(size: int) -> float:
    """Restore it from the JSON store, and ask for it."""
    _write(JSONStateStore("state.json"), size)
    return _read(JSONStateStore("state.json"), size)


def read_sqlite(size: int) -> float:
    """Restore it from the SQLite store, and ask for it."""
    _write(sqlite("full"), size)
    return _read(sqlite("full"), size)


def _write(store: StateStore, size: int) -> float:
    workflow = _large(size)
    return milliseconds(lambda: SequentialExecutor(state_store=store).execute(workflow))


def _read(store: StateStore, size: int) -> float:
    workflow = _large(size)
    executor = SequentialExecutor(state_store=store)
    return milliseconds(lambda: executor.execute(workflow)["large"])


def _large(size: int) -> Workflow:
    def large() -> bytes:
        return bytes(range(250)) * (4000 * size)

    return Workflow("large", [large])


def dropped(size: int) -> float:
    """Pass 1 MB from task to task, each result let go of when its consumer is done."""
    return _dropped(SequentialExecutor(), size)


def dropped_threads(size: int) -> float:
    """The same on threads."""
    return _dropped(threaded(), size)


def _dropped(executor: Executor, size: int) -> float:
    def megabyte(x: bytes = bytes(1_000_000)) -> bytes:
        return bytes(len(x))

    workflow = Workflow("pipeline")
    workflow.add_task(megabyte, name="t0")
    for number in range(1, size):
        workflow.add_task(megabyte, name=f"t{number}", inputs={"x": f"t{number - 1}"})
    workflow.compile()
    return peak_megabytes(lambda: executor.execute(workflow, drop_results=True))
