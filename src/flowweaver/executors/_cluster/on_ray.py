"""The connection of a run to a Ray cluster."""

from __future__ import annotations

import asyncio
import os
import pickle
import signal
import threading
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import CancelledError, Future
from contextlib import contextmanager, suppress
from functools import cache
from time import monotonic, sleep
from typing import Any

import ray
from ray import exceptions

from flowweaver.executors._cluster import job
from flowweaver.executors._cluster.backend import Desk
from flowweaver.executors._cluster.unserved import wants
from flowweaver.executors._workers.overheard import Overheard
from flowweaver.executors._workers.wire import Message
from flowweaver.plugins import TaskOptions

# Ray kills a worker some time after it was told to. If its body ended meanwhile, the next job
# would be sent to that worker, and die of a kill that was not meant for it. So a job that took
# this long asks before it ends, and a younger one is not killed before it would have to ask.
_ASKS_AFTER_SECONDS = 0.1
_KILLED_AFTER_SECONDS = 0.25
# How long the mailbox remembers that a job was given up, or has ended.
_KNOWN_SECONDS = 60.0
# How long to wait for the end of a thread that has nothing left to do.
_PATIENCE_SECONDS = 5.0
# What Ray raises when a worker, its node or an object it had made was lost.
_DEATHS = (
    exceptions.WorkerCrashedError,
    exceptions.NodeDiedError,
    exceptions.OutOfMemoryError,
    exceptions.ObjectLostError,
    exceptions.TaskCancelledError,
)


class RayCluster:
    """Jobs of one run as tasks of a Ray cluster. A body has its worker's process to itself."""

    shared = False

    def __init__(self) -> None:
        self._refs: dict[str, Any] = {}
        self._lock = threading.Lock()
        self._post = post_here()

    def open(self, desk: Desk) -> None:
        """Say who hears of the run's jobs."""
        self._desk = desk
        self._post.open()

    def slots(self) -> int:
        """Return how many processors the cluster has."""
        return int(ray.cluster_resources().get("CPU", 0))

    def ship(
        self, job_id: str, payload: bytes, options: TaskOptions, references: Sequence[object]
    ) -> None:
        """Have a job performed, with what the references stand for beside it."""
        self._post.listen(job_id, self._desk)
        remote = (
            _perform.options(**_resources(options.resources)) if options.resources else _perform
        )
        ref = remote.remote(payload, self._post.mailbox, job_id, *references)
        with self._lock:
            self._refs[job_id] = ref
        ref.future().add_done_callback(lambda future: self._ended(job_id, ref, future))

    def put(self, data: bytes) -> object:
        """Keep bytes in the cluster's object store."""
        reference: object = ray.put(data)
        return reference

    def lack(self, options: TaskOptions) -> str:
        """Return what no node of the cluster has of what a task is given."""
        given = _resources(options.resources)
        wanted = {"CPU": given["num_cpus"], "GPU": given["num_gpus"], **given["resources"]}
        wanted = {name: amount for name, amount in wanted.items() if amount}
        if "memory" in given:
            wanted["memory"] = given["memory"]
        nodes = [node["Resources"] for node in ray.nodes() if node["Alive"]]
        if any(all(has.get(name, 0) >= wanted[name] for name in wanted) for has in nodes):
            return ""
        return (
            f"The Ray cluster at {ray.get_runtime_context().gcs_address} has no node with "
            f"{wants(wanted)}, and tasks wait for one: add one, or ask for less (resources=)."
        )

    def give_up(self, job_id: str) -> None:
        """Kill the process that performs the job, or have it not begun."""
        began = self._post.forget(job_id)
        with self._lock:
            ref = self._refs.pop(job_id, None)
        if ref is None:
            return
        with suppress(Exception):  # the cluster may be gone
            now = monotonic()
            if began is None:
                began = now
                ray.cancel(ref, force=False)  # it may still be waiting
            wait = began + _KILLED_AFTER_SECONDS - now
            self._post.mailbox.give_up.remote(job_id, [ref], wait)

    def answer(self, _: str, question: object, answer: tuple[bool, Any]) -> None:
        """Give a body the answer to what it asked."""
        self._post.mailbox.answer.remote(question, pickle.dumps(answer, 5))

    def close(self) -> None:
        """Give up what is still there."""
        with self._lock:
            left = list(self._refs)
        for job_id in left:
            self.give_up(job_id)
        self._post.close()

    def is_there(self, _: object) -> bool:
        """Ray tells of a loss by failing the job that takes what was lost."""
        return True

    def _ended(self, job_id: str, ref: object, future: Future[bytes]) -> None:
        self._post.forget(job_id)
        with self._lock:
            if self._refs.pop(job_id, None) is None:
                return
        try:
            self._desk.reported(job_id, future.result(), ref)
        except _DEATHS as error:
            self._desk.died(job_id, str(error).partition("\n")[0])
        except exceptions.RayTaskError as error:
            self._desk.refused(job_id, error.cause or error)
        except (exceptions.RaySystemError, exceptions.LocalRayletDiedError, ConnectionError,
                CancelledError) as error:  # fmt: skip
            self._desk.lost(f"Ray says {type(error).__name__}: {error}")
        except Exception as error:
            self._desk.refused(job_id, error)


def _resources(wanted: Mapping[str, float]) -> dict[str, Any]:
    rest = dict(wanted)
    given: dict[str, Any] = {"num_cpus": rest.pop("cpus", 1), "num_gpus": rest.pop("gpu", 0)}
    if "memory" in rest:
        given["memory"] = int(rest.pop("memory"))
    return {**given, "resources": rest}


# Messages from bodies --------------------------------------------------------------------------


class Mailbox:
    """An actor that holds the messages of bodies until the runner takes them.

    It also decides which came first: that a job ended, or that it was given up.
    """

    def __init__(self) -> None:
        self._ended: set[str] = set()
        self._given_up: set[str] = set()
        self._messages: asyncio.Queue[Any] = asyncio.Queue()
        self._questions: dict[int, asyncio.Future[bytes]] = {}
        self._number = 0

    async def tell(self, job_id: str, message: Message) -> None:
        """Take a message."""
        self._messages.put_nowait((job_id, message, None))

    async def ask(self, job_id: str, message: Message) -> bytes:
        """Take a message and return the answer to it."""
        self._number = number = self._number + 1
        self._questions[number] = asyncio.get_running_loop().create_future()
        self._messages.put_nowait((job_id, message, number))
        try:
            return await self._questions[number]
        finally:
            del self._questions[number]

    async def answer(self, number: int, answer: bytes) -> None:
        """Pass on an answer."""
        question = self._questions.get(number)
        if question is not None and not question.done():
            question.set_result(answer)

    async def give_up(self, job_id: str, refs: list[Any], wait: float) -> bool:
        """Keep the job from ending and kill it after `wait` seconds; False if it has ended."""
        if job_id in self._ended:
            return False
        self._remember(self._given_up, job_id)
        await asyncio.sleep(wait)
        for ref in refs:
            ray.cancel(ref, force=True)
        return True

    async def may_end(self, job_id: str) -> bool:
        """Return whether the job may end: whether it was not given up."""
        if job_id in self._given_up:
            return False
        self._remember(self._ended, job_id)
        return True

    def _remember(self, jobs: set[str], job_id: str) -> None:
        jobs.add(job_id)
        asyncio.get_running_loop().call_later(_KNOWN_SECONDS, jobs.discard, job_id)

    async def take(self) -> list[tuple[str, Message, int | None]]:
        """Wait for messages and return all there are."""
        batch = [await self._messages.get()]
        while not self._messages.empty():
            batch.append(self._messages.get_nowait())
        return batch


class Post:
    """The mailbox of this process's connection to Ray, shared by all its runs.

    It is looked into only while there are runs, since a call of Ray after `ray.shutdown` ends the
    whole process.
    """

    def __init__(self, connection: tuple[str, str]) -> None:
        self.connection = connection
        self.mailbox = (
            ray.remote(Mailbox).options(num_cpus=0, max_concurrency=1000, max_restarts=-1).remote()
        )
        self._desks: dict[str, Desk] = {}
        self._began: dict[str, float] = {}
        self._runs = 0
        self._thread = threading.Thread()

    def open(self) -> None:
        """Start to look into the mailbox, for one more run."""
        with _posts_lock:
            self._runs += 1
            if self._runs == 1:
                self._thread = threading.Thread(
                    target=self._take, name="flowweaver-post", daemon=True
                )
                self._thread.start()

    def close(self) -> None:
        """Stop looking for one of the runs, and altogether after the last one."""
        with _posts_lock:
            self._runs -= 1
            if not self._runs:
                with suppress(Exception):  # a cluster that is gone has ended the thread
                    self.mailbox.tell.remote("", ("end",))
                self._thread.join(_PATIENCE_SECONDS)

    def listen(self, job_id: str, desk: Desk) -> None:
        """Have messages of a job passed on."""
        self._desks[job_id] = desk

    def forget(self, job_id: str) -> float | None:
        """Pass on no more messages of a job; return when it began, or None if that is unknown."""
        self._desks.pop(job_id, None)
        return self._began.pop(job_id, None)

    def _take(self) -> None:
        with suppress(Exception, SystemExit):  # the connection was closed
            while self._runs:
                for job_id, message, question in ray.get(self.mailbox.take.remote()):
                    desk = self._desks.get(job_id)
                    if desk is not None:
                        if message[0] == "began":
                            self._began[job_id] = monotonic()
                        desk.told(job_id, message, question)


_posts: list[Post] = []
_posts_lock = threading.Lock()


def post_here() -> Post:
    """Return the mailbox of the present connection; made when first needed."""
    context = ray.get_runtime_context()
    # Each local cluster counts its jobs from one, but no two have a node of the same id.
    connection = context.get_node_id(), context.get_job_id()
    with _posts_lock:
        if not _posts or _posts[-1].connection != connection:
            _posts[:] = [Post(connection)]
        return _posts[-1]


# On the workers --------------------------------------------------------------------------------


class _Channel:
    """Messages by way of the mailbox."""

    def __init__(self, mailbox: Any, job_id: str) -> None:
        self._mailbox = mailbox
        self._job_id = job_id

    def tell(self, message: Message) -> None:
        """Send a message."""
        self._mailbox.tell.remote(self._job_id, message)

    def ask(self, message: Message) -> Any:
        """Send a message and wait for the answer."""
        return pickle.loads(ray.get(self._mailbox.ask.remote(self._job_id, message)))


def _perform_there(payload: bytes, mailbox: Any, job_id: str, *given: bytes) -> bytes:
    began = monotonic()
    with _uninterrupted():
        report = job.perform_job(payload, _Channel(mailbox, job_id), given, _overheard())
    if monotonic() - began >= _ASKS_AFTER_SECONDS and not _may_end(mailbox, job_id):
        sleep(_KNOWN_SECONDS)  # until Ray kills this process
        os._exit(1)
    return report


@cache
def _overheard() -> Overheard:
    """Return the listener to programs that bodies start; once made, it stays for good."""
    overheard = Overheard(os.pipe(), os.pipe())
    overheard.listen(wanted=True)
    return overheard


@contextmanager
def _uninterrupted() -> Iterator[None]:
    """Hide from bodies the interrupt that Ray sends to a job given up before it begins."""
    before = signal.signal(signal.SIGINT, lambda *_: None)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _may_end(mailbox: Any, job_id: str) -> bool:
    try:
        return bool(ray.get(mailbox.may_end.remote(job_id)))
    except exceptions.RayError:
        return True  # the mailbox is gone, and the runner with it


_perform: Any = ray.remote(max_retries=0, retry_exceptions=False)(_perform_there)
