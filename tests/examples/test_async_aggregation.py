"""The async example asks a real server at once, retries where it stumbles, and adds up right."""

import asyncio
from types import ModuleType

import pytest

from flowweaver import AsyncExecutor, Origin, SequentialExecutor, ThreadedExecutor, Workflow
from tests.examples.loading import load_example, with_body

LIMIT = 30


@pytest.fixture
def example() -> ModuleType:
    return load_example("async_aggregation.py")


def test_totals_are_the_sums_of_what_the_service_holds(example):
    run = AsyncExecutor(max_concurrency=4).execute(example.aggregation)
    assert run["totals"] == {
        region: sum(order["cents"] for order in orders) for region, orders in example.ORDERS.items()
    }
    assert run["summary"] == "590.00 in 4 regions, most of it in the east"


def test_only_the_endpoint_that_stumbles_is_asked_again(example):
    run = AsyncExecutor(max_concurrency=4).execute(example.aggregation)
    attempts = {name: run.tasks[name].attempts for name in example.REGIONS}
    assert attempts == {"north": 2, "south": 1, "east": 1, "west": 1}


def test_an_answer_other_than_200_names_the_address_and_status(example):
    url = f"{example.service_url()}/north"
    with pytest.raises(ConnectionError, match=f"{url} answered 503"):
        asyncio.run(example.get(url))


def test_all_endpoints_are_asked_at_the_same_time(example):
    began: set[str] = set()

    def gathered(task):
        async def body():
            began.add(task.name)
            async with asyncio.timeout(LIMIT):
                while len(began) < len(example.REGIONS):
                    await asyncio.sleep(0)
            return await task.fn()

        return with_body(task, body)

    tasks = [
        gathered(task) if task.name in example.REGIONS else task
        for task in example.aggregation.get_all_tasks().values()
    ]
    run = AsyncExecutor(max_concurrency=4).execute(Workflow("aggregation", tasks))
    assert len(run["totals"]) == 4


@pytest.mark.parametrize("executor", [SequentialExecutor(), ThreadedExecutor(max_workers=2)])
def test_other_executors_run_async_tasks_alike(example, executor):
    run = executor.execute(example.aggregation)
    assert run["summary"] == "590.00 in 4 regions, most of it in the east"


def test_second_run_restores_every_task_and_starts_no_service(example, store):
    executor = AsyncExecutor(max_concurrency=4, state_store=store)
    first = executor.execute(example.aggregation)
    fresh = load_example("async_aggregation.py")
    second = executor.execute(fresh.aggregation)
    assert {task_run.origin for task_run in second.tasks.values()} == {Origin.RESTORED}
    assert second["summary"] == first["summary"]
    assert fresh.service_url.cache_info().currsize == 0
