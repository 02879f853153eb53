"""What can be wrong with a store on disk: each as one error with the file and the way out."""

from __future__ import annotations

import errno
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from flowweaver.errors import (
    StoreCorruptError,
    StoreError,
    StoreVersionError,
    StoreWriteError,
    SupersededError,
    UnknownNameError,
    near_matches,
)

Place = Path | str
"""Where a store is: its file, or its URL."""

_REMEDIES = {
    errno.ENOSPC: "free some space on its disk, then run again",
    errno.EDQUOT: "free some of your quota, then run again",
    errno.EFBIG: "raise the limit on file sizes, then run again",
    errno.EROFS: "put the store on a disk that can be written",
    errno.EACCES: "give yourself the right to write there, or put the store elsewhere",
    errno.EPERM: "give yourself the right to write there, or put the store elsewhere",
    errno.ENOENT: "bring its directory back, then run again",
    errno.EMFILE: "close some files or raise the limit on open files, then run again",
    errno.ENFILE: "close some files or raise the limit on open files, then run again",
}


def damaged(path: Place, detail: str) -> StoreCorruptError:
    """Say that the store is not as it was written."""
    return StoreCorruptError(
        f"The state store {path} is damaged: {detail}. What is in it was left as it is. "
        "`flowweaver doctor` says more; put a backup in its place, or move it away to start afresh."
    )


def refuse_emptied(path: Path) -> None:
    """Refuse an empty file that was a store once: its results, or its log, stand beside it.

    Raises:
        StoreCorruptError: It is such a one.
    """
    beside = _left_beside(path)
    # Looked at once more: whoever has just made it may have begun to fill it.
    if beside is not None and path.stat().st_size == 0:
        raise damaged(path, f"it is empty, but {beside.name} stands beside it")


def _left_beside(path: Path) -> Path | None:
    results, log = (path.with_name(path.name + ending) for ending in (".results", "-wal"))
    with suppress(OSError):
        # What is being written for a new store has no place yet.
        if any(found.suffix != ".tmp" and found.is_dir() for found in results.iterdir()):
            return results
    with suppress(OSError):
        if log.stat().st_size > 0:
            return log
    return None


def result_lost(path: Place, digest: str, detail: str) -> StoreCorruptError:
    """Say that a stored result is missing or not as it was written."""
    return StoreCorruptError(
        f"The result {digest} in {path} is damaged: {detail}. Run the task it belongs to again "
        "(force=[...]) to write it anew, or put a backup of the store in its place."
    )


def foreign(path: Place, detail: str) -> StoreVersionError:
    """Say that the file belongs to another program."""
    return StoreVersionError(
        f"{path} is not a state store of FlowWeaver: {detail}. It was left as it is; "
        "give another path to the store."
    )


def newer(path: Place, found: int, known: int) -> StoreVersionError:
    """Say that the store was made by a newer FlowWeaver."""
    return StoreVersionError(
        f"The state store {path} has version {found}; this FlowWeaver knows versions up to "
        f"{known}. It was left as it is; upgrade FlowWeaver, or give another path to the store."
    )


def outdated(path: Place, found: int, known: int) -> StoreVersionError:
    """Say that the store is of an older version and can't be brought up to date."""
    return StoreVersionError(
        f"The state store {path} has version {found} and must be migrated to {known}, but it is "
        "read-only. Make it and its directory writable, then try again."
    )


def not_a_file(path: Path) -> StoreError:
    """Say that something else stands where the store's file should be."""
    kind = "a directory" if path.is_dir() else "not a regular file"
    return StoreError(f"The state store {path} is {kind}; give the path of a file.")


def unwritable(path: Place, reason: str, remedy: str) -> StoreWriteError:
    """Say that a commit failed and what would help."""
    return StoreWriteError(
        f"Writing to the state store {path} failed: {reason}. Nothing of this commit was kept; "
        f"{remedy}."
    )


def uncertain(path: Place) -> StoreWriteError:
    """Say that the connection was lost in a commit, and nobody could be asked about it since."""
    return StoreWriteError(
        f"The connection to the state store {path} was lost in a commit, and the server could not "
        "be reached again to ask whether it came through. Run again once it can be: what is in "
        "the store is then seen."
    )


def too_large(path: Place, digest: str, size: int, limit: int) -> StoreWriteError:
    """Say that a result is over what the store takes."""
    return unwritable(
        path,
        f"result {digest} has {size:,} bytes, and the store takes {limit:,}",
        "let the task write it to a file or a bucket, and return where it is",
    )


def unreadable(path: Place, reason: str, remedy: str) -> StoreError:
    """Say that the store can't be read and what would help."""
    return StoreError(f"Reading the state store {path} failed: {reason}; {remedy}.")


def from_os(path: Place, error: OSError, *, writing: bool) -> StoreError:
    """Say which operation the system refused, on which file, and what would help."""
    reason = error.strerror or str(error)
    if error.filename is not None and str(error.filename) != str(path):
        reason += f" ({error.filename})"
    remedy = _REMEDIES.get(error.errno or 0, "see to its disk, then run again")
    return (unwritable if writing else unreadable)(path, reason, remedy)


def busy(path: Place, seconds: float, *, writing: bool) -> StoreError:
    """Say that another process kept the store locked for too long."""
    kind = StoreWriteError if writing else StoreError
    return kind(
        f"The state store {path} was kept locked by another process for {seconds:g} s. "
        "End the program that holds it (a database browser, a backup?), then run again."
    )


def gone(path: Place) -> StoreWriteError:
    """Say that the file was removed while in use."""
    return unwritable(path, "it was removed or replaced", "put it back, or run again from afresh")


def never_smaller(path: Place) -> StoreWriteError:
    """Say that nothing can be taken out of the store on this system."""
    return StoreWriteError(
        f"Nothing can be removed from {path} on Windows, where a file that is open can't be "
        "replaced. Copy its runs to a SQLite store: flowweaver store copy."
    )


def superseded(run_id: str) -> SupersededError:
    """Say that another runner took the run over."""
    return SupersededError(
        f"Run {run_id} was taken over by another process, or deleted; nothing more was written. "
        "`flowweaver show` says who works on it now."
    )


def released(run_id: str) -> SupersededError:
    """Say that the lease was given back before."""
    return SupersededError(f"The lease on run {run_id} was released; claim the run again.")


def wrong_run(found: str, run_id: str) -> StoreError:
    """Say that a record was handed in under the lease of another run."""
    return StoreError(f"A record of run {found!r} can't be committed to run {run_id!r}.")


def no_base(run_id: str) -> StoreError:
    """Say that a run can't be the base of another."""
    return StoreError(
        f"Run {run_id!r} can't be the base of another: there is none, or it differs from its own."
    )


def unknown_run(run_id: str, known: Iterable[str]) -> UnknownNameError:
    """Say that there is no such run, with near matches."""
    return UnknownNameError(f"There is no run {run_id!r}{near_matches(run_id, known)}")
