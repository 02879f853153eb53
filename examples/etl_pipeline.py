"""Extract, check, transform and load a data set, so that a crash costs only the task it hit.

What to learn here:

- A task takes another task's result by naming it: `validate(extract)` gets what `extract` returned.
- A parameter that no task provides, such as `database`, is a parameter of the workflow.
- Rows that fail a check are results too: they travel on with their reasons, and none is lost.
- `load` may be attempted again after a kill, so it replaces its rows in one transaction.

The data are 344 penguins measured near Palmer Station, Antarctica (Gorman, Williams and Fraser
2014, doi:10.1371/journal.pone.0090081, CC0), uncleaned, as the package `palmerpenguins` ships them.

Needed beyond FlowWeaver: pip install palmerpenguins

Run it twice, and interrupt it wherever you like:

    flowweaver run examples/etl_pipeline.py:etl
"""

import csv
import sqlite3
from collections import Counter
from contextlib import closing
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Literal, TypedDict

from flowweaver import Origin, SequentialExecutor, SQLiteStateStore, Workflow, task

SHIPPED_FILE = "palmerpenguins/data/penguins-raw.csv"

PLAUSIBLE = {
    "Culmen Length (mm)": (30, 65),
    "Culmen Depth (mm)": (12, 23),
    "Flipper Length (mm)": (165, 240),
    "Body Mass (g)": (2500, 6500),
}

Row = dict[str, str]
Measure = Literal["bill_length_mm", "bill_depth_mm", "flipper_mm", "mass_g"]
MEASURES: tuple[Measure, ...] = ("bill_length_mm", "bill_depth_mm", "flipper_mm", "mass_g")


class Reject(TypedDict):
    """A row that was set apart, and every reason why."""

    row: Row
    reasons: list[str]


class Checked(TypedDict):
    """The rows of the source, each in exactly one of two lists."""

    accepted: list[Row]
    rejected: list[Reject]


class Penguin(TypedDict):
    """One row of the table `penguin`."""

    study: str
    sample: int
    species: str
    island: str
    sex: str
    bill_length_mm: float
    bill_depth_mm: float
    flipper_mm: float
    mass_g: float


class Quality(TypedDict):
    """What the report says, as numbers."""

    read: int
    loaded: int
    rejected: int
    reasons: dict[str, int]
    ranges: dict[str, tuple[float, float]]


def shipped_file() -> str:
    """Return where the package's file is, or say how to get it."""
    try:
        return str(distribution("palmerpenguins").locate_file(SHIPPED_FILE))
    except PackageNotFoundError:
        raise FileNotFoundError(
            "The data are not here. Install them: pip install palmerpenguins"
        ) from None


@task
def extract(source: str | None = None) -> list[Row]:
    """Read all rows as text, from `source` or from the file that the package ships."""
    path = shipped_file() if source is None else source
    with Path(path).open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def range_flaw(row: Row, column: str) -> str | None:
    """Say what is wrong with a measurement, or None."""
    low, high = PLAUSIBLE[column]
    if row[column] in ("", "NA"):
        return f"{column} is missing"
    try:
        value = float(row[column])
    except ValueError:
        return f"{column} is not a number"
    return None if low <= value <= high else f"{column} is out of range"


def key(row: Row) -> tuple[str, str, str]:
    """Return what tells one penguin from all others."""
    return row["studyName"], row["Sample Number"], row["Species"]


@task
def validate(extract: list[Row]) -> Checked:
    """Set bad rows apart, each with every reason found."""
    checked = Checked(accepted=[], rejected=[])
    seen = set()
    for row in extract:
        reasons = [flaw for column in PLAUSIBLE if (flaw := range_flaw(row, column))]
        if row["Sex"] not in ("MALE", "FEMALE"):
            reasons.append("Sex is unknown")
        if key(row) in seen:
            reasons.append("row is a duplicate")
        seen.add(key(row))
        if reasons:
            checked["rejected"].append(Reject(row=row, reasons=reasons))
        else:
            checked["accepted"].append(row)
    return checked


@task
def transform(validate: Checked) -> list[Penguin]:
    """Turn accepted rows into typed ones with short names."""
    return [
        Penguin(
            study=row["studyName"],
            sample=int(row["Sample Number"]),
            species=row["Species"].split()[0],
            island=row["Island"],
            sex=row["Sex"].lower(),
            bill_length_mm=float(row["Culmen Length (mm)"]),
            bill_depth_mm=float(row["Culmen Depth (mm)"]),
            flipper_mm=float(row["Flipper Length (mm)"]),
            mass_g=float(row["Body Mass (g)"]),
        )
        for row in validate["accepted"]
    ]


@task
def load(transform: list[Penguin], validate: Checked, database: str = "build/penguins.db") -> int:
    """Replace the rows of both tables in one transaction, and count what the table holds."""
    Path(database).parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("BEGIN IMMEDIATE")
        connection.execute(
            "CREATE TABLE IF NOT EXISTS penguin (study, sample, species, island, sex,"
            " bill_length_mm, bill_depth_mm, flipper_mm, mass_g,"
            " PRIMARY KEY (study, sample, species))"
        )
        connection.execute(
            "CREATE TABLE IF NOT EXISTS rejected (study, sample, species, reason)",
        )
        connection.execute("DELETE FROM penguin")
        connection.execute("DELETE FROM rejected")
        connection.executemany(
            "INSERT INTO penguin VALUES (:study, :sample, :species, :island, :sex,"
            " :bill_length_mm, :bill_depth_mm, :flipper_mm, :mass_g)",
            transform,
        )
        connection.executemany(
            "INSERT INTO rejected VALUES (?, ?, ?, ?)",
            [
                (*key(bad["row"]), reason)
                for bad in validate["rejected"]
                for reason in bad["reasons"]
            ],
        )
        (count,) = connection.execute("SELECT count(*) FROM penguin").fetchone()
    return int(count)


@task
def quality(extract: list[Row], validate: Checked, transform: list[Penguin], load: int) -> Quality:
    """Measure what was read, rejected and loaded."""
    return Quality(
        read=len(extract),
        loaded=load,
        rejected=len(validate["rejected"]),
        reasons=dict(Counter(r for bad in validate["rejected"] for r in bad["reasons"])),
        ranges={
            measure: (
                min(penguin[measure] for penguin in transform),
                max(penguin[measure] for penguin in transform),
            )
            for measure in MEASURES
            if transform
        },
    )


@task
def report(quality: Quality) -> str:
    """Put the data-quality report into words."""
    lines = ["{read} rows read, {loaded} loaded, {rejected} rejected".format_map(quality)]
    lines += [f"  {count:3} x {reason}" for reason, count in sorted(quality["reasons"].items())]
    lines += [f"{name}: {low} to {high}" for name, (low, high) in quality["ranges"].items()]
    return "\n".join(lines)


etl = Workflow("etl", [extract, validate, transform, load, quality, report])

if __name__ == "__main__":
    executor = SequentialExecutor(state_store=SQLiteStateStore(".flowweaver/state.db"))
    run = executor.execute(etl)
    print(run["report"])
    restored = [t for t in run.tasks.values() if t.origin is Origin.RESTORED]
    print(f"{len(restored)} of {len(run.tasks)} tasks restored")
