"""The files of one run: who made which, whether they are as they were, what is kept of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from hashlib import blake2b
from pathlib import Path, PurePosixPath
from typing import Any

from flowweaver.errors import StoreCorruptError
from flowweaver.files.content import GONE, content_digest
from flowweaver.files.output import OutputFile
from flowweaver.records import FileRecord
from flowweaver.serialize import Encoded, decode, encode


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


def content_of(path: str) -> Encoded:
    """Return what a file or folder holds, to be kept in a store."""
    root = Path(path)
    if not root.is_dir():
        return encode(root.read_bytes())
    parts: dict[str, bytes | None] = {
        item.relative_to(root).as_posix(): None if item.is_dir() else item.read_bytes()
        for item in sorted(root.rglob("*"))
    }
    return encode(parts)


def put_back(file: FileRecord, kept: Encoded) -> None:
    """Write a file or folder as it was from what is kept of it.

    Raises:
        StoreCorruptError: What is kept holds something else than files and folders.
    """
    content = decode(kept)
    target = OutputFile(file.path)
    target.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(content, bytes):
        target.write_bytes(content)
        return
    with target.writing() as folder:
        folder.mkdir()
        for name, part in _checked(file, content).items():
            _write_part(folder / name, part)


def _write_part(path: Path, part: bytes | None) -> None:
    if part is None:
        path.mkdir(parents=True, exist_ok=True)
    else:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(part)


def _checked(file: FileRecord, content: Any) -> Mapping[str, bytes | None]:
    """Return the parts of a folder; whoever can write a store could name any place."""
    is_sound = isinstance(content, dict) and all(
        isinstance(name, str)
        and name
        and not PurePosixPath(name).is_absolute()
        and ".." not in PurePosixPath(name).parts
        and "\\" not in name
        and (part is None or isinstance(part, bytes))
        for name, part in content.items()
    )
    if not is_sound:
        raise StoreCorruptError(
            f"What is kept of {file.path!r} holds something else than files. Run the task that "
            "makes it again (force=[...]), or put a backup of the store in its place."
        )
    parts: Mapping[str, bytes | None] = content
    return parts
