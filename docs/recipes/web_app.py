"""Run workflows from a web application, and say where they stand.

The application's own event loop drives the run; a run that a restart cut short is continued by the
next request for the same order. FastAPI is Starlette: the same functions serve as its routes.

    uvicorn web_app:app
"""

from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from flowweaver import (
    AsyncExecutor,
    RunLockedError,
    SQLiteStateStore,
    Workflow,
    WorkflowFailed,
    current_task,
    load_run,
    task,
)
from flowweaver.errors import UnknownNameError

STORE = SQLiteStateStore(Path("orders.db"))
EXECUTOR = AsyncExecutor(max_concurrency=20, state_store=STORE)


@task
async def check(order: str) -> str:
    if not order.isalnum():
        raise ValueError(f"{order!r} is no order")
    return order


@task(effect="idempotent", retries=3)
async def charge(check: str) -> str:
    # What is paid for twice is told from what was asked for twice by this key.
    return f"{check} paid ({current_task().idempotency_key.partition('/')[2]})"


orders = Workflow("orders", [check, charge])


async def place(request: Request) -> JSONResponse:
    order = request.path_params["order"]
    try:
        run = await EXECUTOR.execute_async(orders, {"order": order}, run_id=f"order-{order}")
    except RunLockedError:
        return JSONResponse({"order": order, "status": "running"}, status_code=202)
    except WorkflowFailed as error:
        return JSONResponse({"order": order, "error": str(error)}, status_code=422)
    return JSONResponse({"order": order, "status": run.status.value, "receipt": run["charge"]})


def look(request: Request) -> JSONResponse:  # a plain function: it reads the store on a thread
    order = request.path_params["order"]
    try:
        run = load_run(orders, STORE, f"order-{order}")
    except UnknownNameError:
        return JSONResponse({"order": order, "status": "unknown"}, status_code=404)
    tasks = {name: one.status.value for name, one in run.tasks.items()}
    return JSONResponse({"order": order, "status": run.status.value, "tasks": tasks})


app = Starlette(
    routes=[
        Route("/orders/{order}", place, methods=["POST"]),
        Route("/orders/{order}", look, methods=["GET"]),
    ]
)
