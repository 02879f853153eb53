"""The files of one run: who made which, and whether they are as they were."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from hashlib import blake2b

from flowweaver.files.content import GONE, content_digest
from flowweaver.records import FileRecord


def digest_with(digest: str, files: Iterable[FileRecord]) -> str:
    """Return what a result is known by to those who take it: its files are part of it."""
    listed = sorted((file.path, file.digest) for file in files)
    if not listed:
        return digest
    state = blake2b(digest.encode(), digest_size=20, person=b"files")
    for path, content in listed:
        state.update(f"{len(path)}:{path}={content};".encode("utf-8", "surrogateescape"))
    return state.hexdigest()


def changed_files(files: Iterable[FileRecord]) -> Iterator[tuple[FileRecord, str]]:
    """Yield the files that are not as they were when the result was committed, and how."""
    for file in files:
        now = content_digest(file.path)
        if now == GONE:
            yield file, f"the file `{file.path}` is gone"
        elif now != file.digest:
            yield file, f"the file `{file.path}` has changed since it was made"


class MadeFiles:
    """Which task of a run made which file: no two may write the same."""

    def __init__(self) -> None:
        self._makers: dict[str, tuple[str, str]] = {}

    def claim(self, name: str, files: Iterable[FileRecord]) -> str | None:
        """Note the files of a TaskRun's result; return why they can't be its, if so.

        A file that others made may be part of further results as long as it stays as it is.
        """
        for file in files:
            maker, digest = self._makers.setdefault(file.path, (name, file.digest))
            if maker != name and digest != file.digest:
                return (
                    f"Tasks {maker!r} and {name!r} both write {file.path!r}, so what the first one "
                    "made is lost. Give each a file of its own."
                )
            if maker == name:
                self._makers[file.path] = (name, file.digest)
        return None
