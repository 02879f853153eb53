"""Run workflows from a FastAPI application, and say where they stand.

The application's own event loop drives the run; a run that a restart cut short is continued by the
next request for the same order.

    uvicorn web_app:app
"""

from pathlib import Path
from typing import Any

from fastapi import FastAPI, HTTPException, Response

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
app = FastAPI(title="Orders")


@app.post("/orders/{order}")
async def place(order: str, response: Response) -> dict[str, Any]:
    try:
        run = await EXECUTOR.execute_async(orders, {"order": order}, run_id=f"order-{order}")
    except RunLockedError:
        response.status_code = 202
        return {"order": order, "status": "running"}
    except WorkflowFailed as error:
        raise HTTPException(422, str(error)) from error
    return {"order": order, "status": run.status.value, "receipt": run["charge"]}


@app.get("/orders/{order}")
def look(order: str) -> dict[str, Any]:  # a plain function: it reads the store on a thread
    try:
        run = load_run(orders, STORE, f"order-{order}")
    except UnknownNameError as error:
        raise HTTPException(404, f"There is no order {order}.") from error
    tasks = {name: one.status.value for name, one in run.tasks.items()}
    return {"order": order, "status": run.status.value, "tasks": tasks}
