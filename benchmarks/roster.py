"""Who is measured: FlowWeaver, the floors, and the peers at pinned versions from PyPI."""

from __future__ import annotations

from pathlib import Path

from benchmarks.model import Subject

ROOT = Path(__file__).resolve().parent.parent

_SUBJECTS = (
    Subject("floors", "floor"),
    Subject("flowweaver_here", "FlowWeaver"),
    Subject("values", "FlowWeaver"),
    Subject("library", "floor"),
    Subject("simulation", "FlowWeaver"),
    Subject("faces", "FlowWeaver"),
    Subject("long_runs", "FlowWeaver"),
    Subject("flowweaver_fresh", "FlowWeaver", (str(ROOT),)),
    Subject(
        "peers.flowweaver_022",
        "flowweaver 0.2.2",
        ("flowweaver==0.2.2",),
        more="nothing; it is what FlowWeaver re-implements",
    ),
    Subject(
        "peers.hamilton",
        "Hamilton 1.90",
        ("apache-hamilton==1.90.0",),
        more="column-level lineage of data frames, materialisers, a tracking UI; "
        "its default executor has no retries, timeouts or state to keep",
    ),
    Subject(
        "peers.dask",
        "Dask 2026.8",
        ("dask==2026.8.0",),
        more="arrays and data frames larger than memory, graph optimisation, a cluster; "
        "keeps no state of a run",
    ),
    Subject(
        "peers.luigi",
        "Luigi 3.8",
        ("luigi==3.8.1",),
        more="a central scheduler with a web page, targets on HDFS, S3 and databases; asks the "
        "targets whether a task is done",
    ),
    Subject(
        "peers.joblib",
        "joblib 1.6",
        ("joblib==1.6.0",),
        more="memory-mapped arguments, caching of functions by their arguments; no graph, no run "
        "to go on with",
    ),
    Subject(
        "peers.cereyan",
        "cereyan 3.3",
        ("cereyan==3.3.1",),
        more="a server with schedules, waits, backfills and a page in one wheel, workers on other "
        "machines; offline, what a kill cut short begins anew",
    ),
    Subject(
        "peers.dbos",
        "DBOS 3.4",
        ("dbos==3.4.0",),
        more="workflows as plain code with any control flow, durable queues, messages and sleeps",
    ),
    Subject(
        "peers.parsl",
        "Parsl 2026.10",
        ("parsl==2026.10.26",),
        more="batch systems and pilot jobs on supercomputers, staging of files",
    ),
    Subject(
        "peers.stabilize",
        "stabilize 0.33",
        ("stabilize==0.33.1",),
        more="a durable message queue many processes work from, jumps and loops between stages, "
        "human approvals, agents",
    ),
    Subject(
        "peers.redun",
        "redun 0.44",
        ("redun==0.44.1",),
        quick=False,
        more="a call graph and provenance of every value, tasks that call tasks, AWS executors",
    ),
    Subject(
        "peers.dagster",
        "Dagster 1.13",
        ("dagster==1.13.28",),
        quick=False,
        more="assets with a catalogue, typed inputs and outputs, a web UI, schedules and sensors; "
        "writes an event log of every step",
    ),
    Subject(
        "peers.prefect",
        "Prefect 3.8",
        ("prefect==3.8.8", "fastapi==0.139.2"),
        quick=False,
        more="an API server (started for the run), a web UI, deployments, work pools, automations",
    ),
)

SUBJECTS = {subject.name: subject for subject in _SUBJECTS}
