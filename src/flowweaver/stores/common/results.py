"""Large results as files beside the store, named by their digest.

`<store>.results/ab/abcd...` holds the bytes of one result. It is written in a directory that only
its writer uses and synced before the transaction that refers to it begins; inside that transaction
it is moved to its place. Files are removed inside a transaction too. So what something refers to
is whole and stays, and what a kill leaves behind is told by its free lock and swept.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from flowweaver.plugins import MAPPED_FROM, Data, FileMemory, file_memory
from flowweaver.records import ResultRecord
from flowweaver.serialize import Encoded
from flowweaver.stores.common import problems
from flowweaver.stores.common.disk import (
    BINARY,
    NotPlainError,
    entries,
    make_parents,
    open_plain,
    sync_file,
    write_all,
)
from flowweaver.stores.common.oslock import open_locked
from flowweaver.syncing import sync_directory

LARGE = 256 * 1024
"""Results of more bytes than this go to files."""

_DIGEST = re.compile(r"[0-9a-f]{40}")
_STAGE = ".tmp"
_LOCK = "lock"
_CHUNK = 1024 * 1024

Identity = tuple[int, int, int, int]


def verified(store: Path | str, digest: str, codec: str, data: Data) -> Encoded:
    """Return the value if codec and bytes are those of the digest; raise if not."""
    if not Encoded(codec, data, digest).fits():
        raise problems.result_lost(store, digest, "its checksum does not match")
    return Encoded.verified(codec, data, digest)


class Unused(NamedTuple):
    """What nothing refers to, with sizes in bytes: stored results, lone files, source."""

    results: Mapping[str, int] = MappingProxyType({})
    files: Mapping[str, int] = MappingProxyType({})
    code: Mapping[str, int] = MappingProxyType({})

    @property
    def total(self) -> tuple[int, int]:
        """How many there are and their bytes."""
        parts = (self.results, self.files, self.code)
        return sum(map(len, parts)), sum(sum(part.values()) for part in parts)


class ResultFiles:
    """The large results of one store."""

    def __init__(self, store: Path) -> None:
        self.store = store
        self._root = store.with_name(store.name + ".results")
        # What the files looked like whose checksums were verified, and by which codec.
        self._seen: dict[str, tuple[str, Identity]] = {}

    def stage(self, results: Sequence[ResultRecord]) -> Staged | None:
        """Write the large ones of `results` to disk without giving them their places yet."""
        large = [record.encoded for record in results if len(record.encoded.data) > LARGE]
        if not large:
            return None
        staged = Staged(self, self._root)
        try:
            for encoded in large:
                if not encoded.is_verified:
                    verified(self.store, encoded.digest, encoded.codec, encoded.data)
                staged.add(encoded)
        except BaseException:
            staged.discard()
            raise
        return staged

    def encoded(self, digest: str, codec: str, size: int) -> Encoded:
        """Return the value of `size` bytes in a file, in memory of its own that it is mapped to.

        Its checksum is verified when it is read for the first time, and not again in this process
        as long as the file stays as it is.
        """
        data, identity = self._mapped(digest, size)
        if self._seen.get(digest) == (codec, identity):
            return Encoded.verified(codec, data, digest)
        whole = verified(self.store, digest, codec, data)
        self._seen[digest] = (codec, identity)
        return whole

    def _mapped(self, digest: str, size: int) -> tuple[Data, Identity]:
        try:
            return _mapped(self.path(digest), size)
        except (FileNotFoundError, NotADirectoryError):
            raise problems.result_lost(self.store, digest, "its file is missing") from None
        except NotPlainError as error:
            detail = f"{error.filename} is {error.strerror}"
            raise problems.result_lost(self.store, digest, detail) from None
        except _WrongSizeError as error:
            raise problems.result_lost(self.store, digest, str(error)) from None
        except OSError as error:
            raise problems.from_os(self.store, error, writing=False) from error

    def note(self, encoded: Encoded) -> None:
        """Take down that a file holds a value, which was verified when it was written."""
        with suppress(OSError):
            status = self.path(encoded.digest).stat()
            self._seen[encoded.digest] = (encoded.codec, _identity(status))

    def path(self, digest: str) -> Path:
        """Return where a result stands."""
        return self._root / digest[:2] / digest

    def sizes(self) -> dict[str, int]:
        """Return the sizes in bytes of the files there are, by digest; others' are left out."""
        found = {}
        for directory in self._directories(staging=False):
            for entry in entries(directory):
                if _DIGEST.fullmatch(entry.name) and entry.is_file(follow_symlinks=False):
                    with suppress(FileNotFoundError):  # removed since
                        found[entry.name] = entry.stat(follow_symlinks=False).st_size
        return found

    def remove(self, digests: Iterable[str]) -> None:
        """Remove files; called inside a writing transaction."""
        for digest in digests:
            path = self.path(digest)
            with suppress(OSError):
                path.unlink()
            _remove_empty(path.parent, self._root)

    def remove_leftovers(self) -> None:
        """Remove what kills left half-written."""
        for directory in self._directories(staging=True):
            with suppress(OSError):
                fd = open_locked(directory / _LOCK)
                if fd is not None:
                    _remove_stage(directory, fd)
        _remove_empty(self._root)

    def _directories(self, *, staging: bool) -> Iterator[Path]:
        for entry in entries(self._root):
            if entry.name.endswith(_STAGE) is staging and entry.is_dir(follow_symlinks=False):
                yield Path(entry.path)


class Staged:
    """Large results on disk but not in place: `settle` in the transaction, then `discard`."""

    def __init__(self, files: ResultFiles, root: Path) -> None:
        self._files = files
        self._root = root
        self._directory, self._fd = _new_stage(root)
        self._values: list[Encoded] = []

    def add(self, encoded: Encoded) -> None:
        """Write one result unless it stands in its place already, whole."""
        self._values.append(encoded)
        if not _holds(self._files.path(encoded.digest), encoded.data):
            self._write(encoded)

    def settle(self) -> None:
        """Put the files in their places, for good."""
        touched = set()
        for encoded in self._values:
            path = self._files.path(encoded.digest)
            written = self._directory / encoded.digest
            if not written.exists():
                if path.exists():
                    continue
                self._write(encoded)  # swept since it was seen
            make_parents(path)
            written.replace(path)
            self._files.note(encoded)
            touched.add(path.parent)
        for directory in touched:
            sync_directory(directory)

    def discard(self) -> None:
        """Remove what has no place; the rest stays."""
        _remove_stage(self._directory, self._fd)
        _remove_empty(self._root)

    def _write(self, encoded: Encoded) -> None:
        path = self._directory / encoded.digest
        if path.exists() or _taken_over(encoded.data, path):
            return
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | BINARY, 0o600)
        try:
            write_all(fd, encoded.data)
            sync_file(fd)
        finally:
            os.close(fd)


def _taken_over(data: Data, path: Path) -> bool:
    """Give the file without a name that bytes are in a name; False if that can't be done."""
    memory = file_memory(data)
    try:
        # One that has a name is somebody else's.
        if memory is None or os.fstat(memory.fd).st_nlink:
            return False
        # Python follows the link to the file only where it is given a descriptor, too.
        os.link(f"/proc/self/fd/{memory.fd}", path, src_dir_fd=memory.fd)
    except OSError:
        return False  # it is on another disk
    sync_file(memory.fd)
    return True


def _new_stage(root: Path) -> tuple[Path, int]:
    while True:
        directory = root / f"{os.urandom(8).hex()}{_STAGE}"
        with suppress(FileNotFoundError):  # a sweep took the empty directory away
            make_parents(directory)
            directory.mkdir(mode=0o700)
            fd = open_locked(directory / _LOCK)
            if fd is not None:
                return directory, fd


def _remove_stage(directory: Path, fd: int) -> None:
    import shutil

    shutil.rmtree(directory, ignore_errors=True)
    os.close(fd)
    # Where an open file can't be unlinked, the lock file has stayed.
    shutil.rmtree(directory, ignore_errors=True)


def _remove_empty(*directories: Path) -> None:
    with suppress(OSError):
        for directory in directories:
            directory.rmdir()


class _WrongSizeError(Exception):
    """A file has not the size of what it is to hold."""


def _mapped(path: Path, size: int) -> tuple[Data, Identity]:
    """Return the bytes of a file, and what the file is known by; changes to them stay here."""
    with os.fdopen(open_plain(path), "rb") as file:
        identity = _identity(os.fstat(file.fileno()))
        if identity[0] != size:
            raise _WrongSizeError(f"its file has {identity[0]:,} bytes and not {size:,}")
        if sys.platform == "win32":  # a mapped file can't be removed there
            return file.read(), identity
        if size < MAPPED_FROM:
            room = bytearray(size)
            if file.readinto(room) < size:
                raise _WrongSizeError("its file was cut short while it was read")
            return memoryview(room), identity
        return memoryview(FileMemory(file.fileno(), size)), identity


def _identity(status: os.stat_result) -> Identity:
    return status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino


def _holds(path: Path, data: Data) -> bool:
    try:
        with os.fdopen(open_plain(path), "rb") as file:
            return os.fstat(file.fileno()).st_size == len(data) and all(
                file.read(_CHUNK) == data[start : start + _CHUNK]
                for start in range(0, len(data), _CHUNK)
            )
    except OSError:
        return False
