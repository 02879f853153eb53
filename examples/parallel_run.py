"""Run independent tasks side by side on threads, then join their results.

What to learn here:

- Tasks that don't need each other run at the same time, up to `max_workers`.
- There are no layers: `check gzip` starts as soon as `gzip` is done, while `xz` still works.
- One function can serve under several names; `inputs` says whose result each parameter takes.
- A `**` parameter takes the results of all direct dependencies by name: that is the join.

The work is real: three compressors, which let go of the interpreter lock, pack the source text
of Python's own library.

Needed beyond FlowWeaver: nothing.

    flowweaver run examples/parallel_run.py:parallel --executor threads --workers 3
"""

import bz2
import gzip
import lzma
import sysconfig
from pathlib import Path

from flowweaver import Origin, SQLiteStateStore, Task, ThreadedExecutor, Workflow, task

CHECKS = ("check gzip", "check bzip2", "check xz")
UNPACK = {b"\x1f\x8b": gzip.decompress, b"BZ": bz2.decompress, b"\xfd7": lzma.decompress}


@task
def text(megabytes: int = 3) -> bytes:
    """Gather the beginning of the standard library's source text."""
    modules = sorted(Path(sysconfig.get_path("stdlib")).glob("*.py"))
    return b"".join(module.read_bytes() for module in modules)[: megabytes * 1_000_000]


@task(name="gzip")
def pack_gzip(text: bytes) -> bytes:
    """Pack with gzip."""
    return gzip.compress(text, mtime=0)


@task(name="bzip2")
def pack_bzip2(text: bytes) -> bytes:
    """Pack with bzip2."""
    return bz2.compress(text)


@task(name="xz")
def pack_xz(text: bytes) -> bytes:
    """Pack with xz: the slowest of the three."""
    return lzma.compress(text)


def check(packed: bytes, text: bytes) -> int:
    """Unpack, compare with the original, and return the packed size in bytes."""
    if UNPACK[packed[:2]](packed) != text:
        raise ValueError("the packed text does not come back as it was")
    return len(packed)


@task(depends_on=CHECKS)
def ranking(text: bytes, **sizes: int) -> list[tuple[str, float]]:
    """Join: each check's name with its size relative to the original, smallest first."""
    return sorted(((name, size / len(text)) for name, size in sizes.items()), key=lambda r: r[1])


checks = [Task(name, check, inputs={"packed": name.removeprefix("check ")}) for name in CHECKS]
parallel = Workflow("parallel", [text, pack_gzip, pack_bzip2, pack_xz, *checks, ranking])

if __name__ == "__main__":
    executor = ThreadedExecutor(max_workers=3, state_store=SQLiteStateStore(".flowweaver/state.db"))
    run = executor.execute(parallel)
    for name, ratio in run["ranking"]:
        print(f"{name}: {ratio:.1%} of the original")
    restored = [t for t in run.tasks.values() if t.origin is Origin.RESTORED]
    print(f"{len(restored)} of {len(run.tasks)} tasks restored")
