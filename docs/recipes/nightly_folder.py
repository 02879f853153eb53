"""Work through a folder each night: what is new or changed is read, all else is restored.

The folder is listed anew in each run (`cache=False`); a file counts by its content (`InputFile`),
whatever its date says.

    flowweaver run nightly_folder.py -p folder=incoming -p report=report.csv
"""

import csv
from pathlib import Path

from flowweaver import InputFile, OutputFile, Workflow, each, task


@task(cache=False)
def names(folder: str) -> list[str]:
    if not Path(folder).is_dir():
        raise NotADirectoryError(f"there is no folder {folder}")
    return sorted(str(path) for path in Path(folder).glob("*.csv"))


@task(inputs={"path": each("names")})
def read(path: InputFile) -> tuple[str, float]:
    with Path(path).open(newline="") as file:
        return Path(path).name, sum(float(row["amount"]) for row in csv.DictReader(file))


@task
def write(read: list[tuple[str, float]], report: OutputFile) -> OutputFile:
    with Path(report).open("w", newline="") as file:
        csv.writer(file).writerows([("file", "amount"), *read])
    return report


nightly = Workflow("nightly", [names, read, write])
