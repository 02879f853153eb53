"""The connection of a run to a Dask cluster."""

from __future__ import annotations

import pickle
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import CancelledError
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import Any

from distributed import Client, Event, Future, KilledWorker, SchedulerPlugin, get_worker

from flowweaver.executors._cluster import job
from flowweaver.executors._cluster.backend import Desk
from flowweaver.executors._cluster.frames import keep_garbage_out_of_frames
from flowweaver.executors._cluster.unserved import wants
from flowweaver.executors._workers.wire import Message
from flowweaver.plugins import TaskOptions

_KEYS = "flowweaver-"
_REPORT = "report"
# Larger payloads go to a worker directly, not through the scheduler.
_LARGE_BYTES = 1_000_000
# Smaller reports are sent when a job ends, so that nobody has to ask its worker for them.
_SMALL_REPORT_BYTES = 16_384
# Resources under the names that Dask uses. Processors are its workers' threads, not a resource.
_LEFT_OUT = ("cpus",)
_DASK_NAMES = {"gpu": "GPU", "memory": "MEMORY"}


class OnceOnly(SchedulerPlugin):  # type: ignore[misc]  # untyped
    """Keeps the scheduler from performing a job twice.

    If a worker dies, its jobs are reported at once and not given to others; and a result that is
    lost with its worker stays lost.
    """

    name = "flowweaver"
    idempotent = True

    def start(self, scheduler: Any) -> None:
        """Note the scheduler, which calls this when the plug-in is added."""
        self._scheduler = scheduler

    def transition(self, key: Any, _: str, finish: str, *__: Any, **___: Any) -> None:
        """Let the next death of a job's worker be its last; treat a finished job as mere data."""
        if finish not in ("processing", "memory") or not isinstance(key, str):
            return
        if key.startswith(_KEYS) and (task := self._scheduler.tasks.get(key)) is not None:
            if finish == "memory":
                task.run_spec = None
            else:
                task.suspicious = max(task.suspicious, self._scheduler.allowed_failures)


class DaskCluster:
    """Jobs of one run as tasks of a Dask cluster."""

    shared = True

    def __init__(self, client: Client, topic: str) -> None:
        self._client = client
        self._topic = topic
        # None for a job that is on its way: it may begin before its future is there.
        self._futures: dict[str, Future | None] = {}
        self._workers: dict[str, str] = {}
        self._sent: dict[str, bytes] = {}
        self._lock = threading.Lock()
        self._ended: SimpleQueue[tuple[str, Future] | None] = SimpleQueue()

    def open(self, desk: Desk) -> None:
        """Say who hears of the run's jobs."""
        self._desk = desk
        keep_garbage_out_of_frames()  # Dask profiles the loop of the client's process too
        self._client.register_plugin(OnceOnly(), name=OnceOnly.name)
        self._client.subscribe_topic(self._topic, self._heard)
        threading.Thread(target=self._collect, name="flowweaver-dask", daemon=True).start()

    def slots(self) -> int:
        """Return how many threads the workers have."""
        return sum(self._client.nthreads().values())

    def ship(
        self, job_id: str, payload: bytes, options: TaskOptions, references: Sequence[object]
    ) -> None:
        """Have a job performed, with what the references stand for beside it."""
        given: Any = payload
        if len(payload) > _LARGE_BYTES:
            given = self.put(payload)
        with self._lock:
            self._futures[job_id] = None
        try:
            future = self._client.submit(
                _perform,
                given,
                self._topic,
                job_id,
                list(references),
                once=options.acts_once,
                key=_KEYS + job_id,
                pure=False,
                retries=0,
                resources=_resources(options),
            )
        except CancelledError:
            with self._lock:
                self._futures.pop(job_id, None)
            self._desk.died(job_id, "an argument of it was lost with another worker")
            return
        with self._lock:
            self._futures[job_id] = future
        future.add_done_callback(lambda done: self._ended.put((job_id, done)))

    def put(self, data: bytes) -> object:
        """Keep bytes on one of the workers."""
        return self._client.scatter(data, hash=False)

    def is_there(self, reference: Any) -> bool:
        """Return whether a worker is known to have it."""
        return bool(reference.status == "finished")

    def lack(self, options: TaskOptions) -> str:
        """Return what no worker offers: any place, or the resources of a task."""
        client = self._client
        workers = client.run_on_scheduler(_offered)
        where = f"The Dask cluster at {client.scheduler.address}"
        if not workers:
            return (
                f"{where} has no workers, and tasks wait for one: start some (`dask worker "
                f"{client.scheduler.address}`, or scale the cluster), or stop the run."
            )
        wanted = _resources(options) or {}
        if any(_offers(offered, wanted) for offered in workers):
            return ""
        return (
            f"{where} has no worker with {wants(wanted)}, and tasks wait for one: start one with "
            "`--resources`, or ask for less (resources=)."
        )

    def give_up(self, job_id: str) -> None:
        """Cancel the future, and have a worker that performs the job leave the body behind."""
        with self._lock:
            future = self._futures.pop(job_id, None)
            worker = self._workers.pop(job_id, None)
            self._sent.pop(job_id, None)
        if future is None:
            return
        if worker is not None:
            self._tell_worker(worker, job.give_up, job_id)
        self._client.loop.add_callback(self._cancel, future)

    async def _cancel(self, future: Future) -> None:
        with suppress(Exception):  # the client may be closed
            await self._client._cancel([future], reason="given up", force=True)

    def answer(self, job_id: str, question: object, answer: tuple[bool, Any]) -> None:
        """Give a body the answer to what it asked."""
        worker = self._workers.get(job_id)
        if worker is not None:
            self._tell_worker(worker, _deliver, question, pickle.dumps(answer, 5))

    def close(self) -> None:
        """Give up what is still there."""
        with self._lock:
            left = list(self._futures)
        with suppress(Exception):  # the client may be closed
            for job_id in left:
                self.give_up(job_id)
            self._client.unsubscribe_topic(self._topic)
            self._client.run_on_scheduler(_forget, self._topic)
        self._ended.put(None)

    def _tell_worker(self, worker: str, function: Callable[..., None], *args: Any) -> None:
        async def tell() -> None:
            with suppress(Exception):  # the worker may be gone
                await self._client._run(function, *args, workers=[worker])

        self._client.loop.add_callback(tell)

    def _heard(self, event: tuple[float, bytes]) -> None:
        job_id, worker, question, message = pickle.loads(event[1])
        with self._lock:
            known = job_id in self._futures
            if known and message[0] == _REPORT:
                self._sent[job_id] = message[1]
                return
            if known:
                self._workers[job_id] = worker
        if known:
            self._desk.told(job_id, message, question)
        elif message[0] == "began":
            self._tell_worker(worker, job.give_up, job_id)

    # What comes back -----------------------------------------------------------------------

    def _collect(self) -> None:
        while (batch := self._next_ended()) is not None:
            with self._lock:
                for job_id, _ in batch:
                    self._workers.pop(job_id, None)
                known = [item for item in batch if self._futures.pop(item[0], None) is not None]
                sent = {job_id: self._sent.pop(job_id, None) for job_id, _ in batch}
            for job_id, future in known:
                if (report := sent[job_id]) is not None:
                    self._desk.reported(job_id, report, future)
            if unsent := [item for item in known if sent[item[0]] is None]:
                self._report(unsent)

    def _next_ended(self) -> list[tuple[str, Future]] | None:
        """Wait for jobs that have ended; None once closed."""
        found = [self._ended.get()]
        with suppress(Empty):
            while True:
                found.append(self._ended.get_nowait())
        ended = [each for each in found if each is not None]
        return ended if len(ended) == len(found) else None

    def _report(self, batch: list[tuple[str, Future]]) -> None:
        finished = [item for item in batch if item[1].status == "finished"]
        try:
            reports = self._client.gather([future for _, future in finished])
        except Exception:
            reports = None
        if reports is None:  # one of them has no result after all: take them one by one
            for job_id, future in finished:
                self._failed(job_id, future)
        else:
            for (job_id, future), report in zip(finished, reports, strict=True):
                self._desk.reported(job_id, report, future)
        for job_id, future in batch:
            if future.status != "finished":
                self._failed(job_id, future)

    def _failed(self, job_id: str, future: Future) -> None:
        try:
            self._desk.reported(job_id, future.result(), future)
        except KilledWorker as error:
            self._desk.died(job_id, f"{error.last_worker.address} ended under it")
        except CancelledError as error:
            if self._client.status == "running" and "connection-lost" not in str(error):
                self._desk.died(job_id, "Dask cancelled it")
            else:
                self._desk.lost("the connection to the Dask scheduler is gone")
        except Exception as error:
            self._desk.refused(job_id, error)


def _forget(topic: str, dask_scheduler: Any) -> None:
    """Let go of a run's messages, which would stay with the scheduler; performed by it."""
    dask_scheduler._broker.truncate(topic)


def _offered(dask_scheduler: Any) -> list[dict[str, float]]:
    """Return the resources of each worker; performed by the scheduler."""
    return [dict(worker.resources) for worker in dask_scheduler.workers.values()]


def _offers(offered: Mapping[str, float], wanted: Mapping[str, float]) -> bool:
    return all(offered.get(name, 0) >= amount for name, amount in wanted.items())


def _resources(options: TaskOptions) -> dict[str, float] | None:
    wanted = {
        _DASK_NAMES.get(name, name): amount
        for name, amount in options.resources.items()
        if name not in _LEFT_OUT
    }
    return wanted or None


# On the workers --------------------------------------------------------------------------------


class _Channel:
    """Messages as events of the scheduler, which the runner has subscribed to."""

    def __init__(self, topic: str, job_id: str) -> None:
        self._worker = get_worker()
        self._topic = topic
        self._job_id = job_id

    def tell(self, message: Message, question: str = "") -> None:
        """Send a message."""
        packed = pickle.dumps((self._job_id, self._worker.address, question, message), 5)
        self._worker.log_event(self._topic, packed)

    def ask(self, message: Message) -> Any:
        """Send a message and wait for the answer."""
        question = f"{self._job_id}/{id(message)}/{threading.get_ident()}"
        slot: SimpleQueue[bytes] = SimpleQueue()
        _asked[question] = slot
        try:
            self.tell(message, question)
            return pickle.loads(slot.get())
        finally:
            del _asked[question]


def _perform(
    payload: bytes, topic: str, job_id: str, given: Sequence[bytes], *, once: bool
) -> bytes:
    keep_garbage_out_of_frames()
    if once and not _is_first(job_id):
        raise RuntimeError("an attempt of it was begun on a worker that was lost")
    channel = _Channel(topic, job_id)
    report = job.perform_job(payload, channel, given)
    if len(report) <= _SMALL_REPORT_BYTES:
        channel.tell((_REPORT, report))
    return report


def _is_first(job_id: str) -> bool:
    """Return whether no worker has begun the job before: Dask remakes lost results by itself."""
    begun = Event(_KEYS + job_id)
    if begun.is_set():
        return False
    begun.set()
    return True


def _deliver(question: str, answer: bytes) -> None:
    slot = _asked.get(question)
    if slot is not None:
        slot.put(answer)


_asked: dict[str, SimpleQueue[bytes]] = {}
