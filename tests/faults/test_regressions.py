"""Faults that simulation and kills have found, each as small as it gets."""

import time

import pytest

from flowweaver import (
    MemoryStateStore,
    RunStatus,
    SequentialExecutor,
    Stop,
    Task,
    TaskStatus,
    ThreadedExecutor,
    Workflow,
    current_task,
    each,
)
from flowweaver.engine.body.call import Call


def constant(value):
    return lambda: value


def plain(name, fn, **options):
    """Return a task whose code is not looked at."""
    return Task(name, fn, version="1", **options)


@pytest.fixture
def store():
    return MemoryStateStore()


def record_of(store, run, name):
    return next(record for record in store.tasks(run.id) if record.task == name)


def test_effect_over_its_limit_is_not_repeated_by_a_retry(store):
    attempts = []

    def pay():
        attempts.append(current_task().attempt)
        time.sleep(0.3)

    task = plain("pay", pay, effect="once", timeout=0.05, retries=3)
    executor = ThreadedExecutor(2, state_store=store)
    run = executor.execute(Workflow("w", [task]), raise_on_failure=False)
    assert attempts == [1]
    assert "flowweaver resolve" in str(run.tasks["pay"].error)


def test_cleanup_task_without_dependencies_is_skipped_once_and_its_dependents_with_it(store):
    alarm = plain("alarm", constant(1), trigger="any_failed")
    after = plain("after", lambda alarm: alarm)
    mapped = plain("mapped", lambda x: x, inputs={"x": each("alarm")})
    workflow = Workflow("w", [alarm, after, mapped, plain("other", constant(2))])
    run = SequentialExecutor(state_store=store).execute(workflow)
    assert run.status is RunStatus.COMPLETED
    assert [task.status for task in run.tasks.values()] == [
        TaskStatus.SKIPPED,
        TaskStatus.SKIPPED,
        TaskStatus.SKIPPED,
        TaskStatus.COMPLETED,
    ]


def stopped_at_once(store, workflow):
    """Execute with Ctrl-C pressed before anything could start."""
    stop = Stop()
    stop.set()
    executor = SequentialExecutor(state_store=store)
    return executor.execute(workflow, stop=stop, raise_on_failure=False)


def test_stopped_resume_takes_nothing_back(store):
    calls = []

    def once():
        calls.append(1)
        return 1

    def last(done):
        if len(calls) < 2 and not store.tasks(current_task().run_id)[-1].attempts:
            raise ValueError("not yet")
        raise ValueError("not yet")

    workflow = Workflow("w", [plain("done", once), plain("last", last)])
    first = SequentialExecutor(state_store=store).execute(workflow, raise_on_failure=False)
    assert first.status is RunStatus.FAILED
    stopped_at_once(store, workflow)
    assert record_of(store, first, "done").status is TaskStatus.COMPLETED
    SequentialExecutor(state_store=store).execute(workflow, raise_on_failure=False)
    assert calls == [1]


def test_forced_task_that_fails_takes_nothing_back_from_those_behind_it(store):
    calls, broken = [], []

    def source():
        if broken:
            raise ValueError("broken for now")
        return 1

    def behind(source):
        calls.append(source)
        return source

    def last(behind):
        raise ValueError("not yet")

    workflow = Workflow("w", [plain("source", source), plain("behind", behind), plain("l", last)])
    executor = SequentialExecutor(state_store=store)
    executor.execute(workflow, raise_on_failure=False)
    broken.append(True)
    executor.execute(workflow, force=["source"], raise_on_failure=False)
    broken.clear()
    executor.execute(workflow, raise_on_failure=False)
    assert calls == [1]


def test_stopped_resume_does_not_forget_an_effect_that_may_have_happened(store):
    attempts = []

    def pay():
        attempts.append(1)
        time.sleep(0.3)

    task = plain("pay", pay, effect="once", timeout=0.05)
    workflow = Workflow("w", [task])
    ThreadedExecutor(2, state_store=store).execute(workflow, raise_on_failure=False)
    stopped_at_once(store, workflow)
    run = ThreadedExecutor(2, state_store=store).execute(workflow, raise_on_failure=False)
    assert attempts == [1]
    assert str(run.tasks["pay"].error).count("Unresolved") == 1


@pytest.mark.parametrize("stored", [False, True])
def test_elements_that_were_skipped_have_no_results_to_drop(stored):
    store = MemoryStateStore() if stored else None
    tasks = [
        plain("numbers", constant([1, 2, 3])),
        plain("odd", lambda n: n, inputs={"n": each("numbers")}, when=lambda n: n == 1),
        plain("use", lambda odd: odd),
    ]
    executor = SequentialExecutor(state_store=store)
    assert executor.execute(Workflow("w", tasks), drop_results=True)["use"] == [1]


def test_dropped_scalars_can_be_read_back_from_a_store(store):
    tasks = [plain("small", constant(5)), plain("use", lambda small: small + 1)]
    run = SequentialExecutor(state_store=store).execute(Workflow("w", tasks), drop_results=True)
    assert (run["small"], run["use"]) == (5, 6)


@pytest.mark.parametrize("stored", [False, True])
def test_element_paired_with_one_that_failed_or_was_skipped_gets_none(stored):
    def fail_at_two(n):
        if n == 2:
            raise ValueError("two")
        return n

    tasks = [
        plain("numbers", constant([1, 2, 3])),
        plain(
            "first",
            fail_at_two,
            inputs={"n": each("numbers")},
            when=lambda n: n != 3,
        ),
        plain("second", lambda n: n, inputs={"n": each("first")}, trigger="all_done"),
    ]
    store = MemoryStateStore() if stored else None
    executor = SequentialExecutor(state_store=store)
    run = executor.execute(Workflow("w", tasks), raise_on_failure=False)
    assert run["second"] == [1, None, None]


def test_another_failure_among_tolerated_ones_is_another_input(store):
    message = ["at first"]

    def fail(n):
        raise ValueError(message[0])

    tasks = [
        plain("fails", fail, inputs={"n": each("numbers")}, allow_failures=True),
        plain("told", lambda fails: [failure.message for failure in fails]),
    ]
    executor = SequentialExecutor(state_store=store)
    assert executor.execute(Workflow("w", tasks), {"numbers": [1]})["told"] == ["at first"]
    message[0] = "another time"
    assert executor.execute(Workflow("w", tasks), {"numbers": [1]})["told"] == ["another time"]


def test_call_that_is_handed_in_twice_counts_once(store):
    from flowweaver.executors.local import LocalBackend

    class Twice(LocalBackend):
        def __init__(self, host, *arguments, **options):
            done = host.done

            def twice(call: Call) -> None:
                done(call)
                done(call)

            host.done = twice
            super().__init__(host, *arguments, **options)

    class TwiceExecutor(ThreadedExecutor):
        def open_backend(self, host):
            return Twice(host, 2, inline=False, prefetch=True)

    tasks = [plain(f"t{n}", constant(n)) for n in range(20)]
    run = TwiceExecutor(2, state_store=store).execute(Workflow("w", tasks))
    assert [run[f"t{n}"] for n in range(20)] == list(range(20))
