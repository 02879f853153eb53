"""The path of a file that a task makes, written whole or not at all."""

from __future__ import annotations

import io
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from flowweaver.syncing import sync_directory

if TYPE_CHECKING:
    _LocalPath = Path
else:
    _LocalPath = type(Path())


class OutputFile(_LocalPath):
    """The path of a file or folder that a task makes.

    A parameter annotated so takes a path, and what the body leaves there is part of the task's
    result: a later run makes it again when it is gone or changed. Opened for writing, the file
    gets its name only when it is closed and on disk, so that neither a kill nor an error leaves
    half a file::

        @task
        def clean(source: InputFile, target: OutputFile) -> OutputFile:
            with target.open("w") as file:
                file.write(source.read_text().upper())
            return target
    """

    __slots__ = ()

    def open(  # type: ignore[override]  # the overloads are those of Path
        self,
        mode: str = "r",
        buffering: int = -1,
        encoding: str | None = None,
        errors: str | None = None,
        newline: str | None = None,
    ) -> IO[Any]:
        """Open the file; one opened for writing ("w" or "x") takes its name when it is closed.

        Raises:
            ValueError: The mode changes a file in place ("a" or "+"), which could not be undone.
        """
        if not set(mode) & set("wxa+"):
            return super().open(mode, buffering, encoding, errors, newline)
        if set(mode) & set("a+"):
            raise ValueError(
                f"The output file {str(self)!r} can't be opened with mode {mode!r}: it is written "
                "anew each time. Open it with 'w'."
            )
        if "x" in mode and self.exists():
            raise FileExistsError(f"The output file {str(self)!r} exists already.")
        if _is_special(self):
            return super().open(mode, buffering, encoding, errors, newline)
        raw = _Unfinished(self)
        if "b" in mode:
            return _Bytes(raw)
        return _Text(_Bytes(raw), encoding=encoding, errors=errors, newline=newline)

    def write_text(
        self,
        data: str,
        encoding: str | None = None,
        errors: str | None = None,
        newline: str | None = None,
    ) -> int:
        """Write the file with this text, whole or not at all."""
        with self.open("w", encoding=encoding, errors=errors, newline=newline) as file:
            return file.write(data)

    def write_bytes(self, data: Any) -> int:
        """Write the file with these bytes, whole or not at all."""
        with self.open("wb") as file:
            return file.write(data)

    @contextmanager
    def writing(self) -> Iterator[Path]:
        """Give a path beside this one to write a file or folder to; it takes its name at the end.

        For libraries that take paths: ``with target.writing() as path: frame.to_parquet(path)``.
        On an error what was written there is removed.
        """
        if _is_special(self):
            yield Path(self)
            return
        target = Path(os.path.realpath(self))
        part = _part_of(target)
        _remove(part)
        try:
            yield part
            _take_mode(part, target)
            _give_name(part, target)
        finally:
            _remove(part)


class _Unfinished(io.FileIO):
    """A file under a name of its own that takes the name it is for when it is closed."""

    def __init__(self, output: Path) -> None:
        self._target = Path(os.path.realpath(output))
        self._part = _part_of(self._target)
        self._is_wanted = True
        _remove(self._part)
        super().__init__(self._part, "xb")
        _take_mode(self._part, self._target)

    def give_up(self) -> None:
        """Let the file go when it is closed."""
        self._is_wanted = False

    def close(self) -> None:
        """Sync the file and give it its name, or remove it."""
        if self.closed:
            return
        try:
            is_whole = self._is_wanted and self._is_current()
            if is_whole:
                os.fsync(self.fileno())
                _give_name(self._part, self._target)
            elif self._is_current():
                _remove(self._part)
        finally:
            super().close()

    def _is_current(self) -> bool:
        """Whether no later attempt has taken the name: what was given up may still be writing."""
        try:
            return os.path.samestat(os.fstat(self.fileno()), self._part.stat())
        except OSError:
            return False


class _GivenUpOnErrors(io.IOBase):
    """A way into an unfinished file; an error in its block gives the file up."""

    __slots__ = ()

    def give_up(self) -> None:
        """Let the file go when it is closed."""
        raise NotImplementedError

    def __exit__(self, kind: Any, *rest: object) -> None:
        if kind is not None:
            self.give_up()
        self.close()

    def __del__(self) -> None:
        if not self.closed:  # nobody has closed it: so nobody said that it was whole
            self.give_up()
            self.close()


class _Bytes(_GivenUpOnErrors, io.BufferedWriter):
    """Bytes on their way into an unfinished file."""

    def __init__(self, raw: _Unfinished) -> None:
        super().__init__(raw)
        self._unfinished = raw

    def give_up(self) -> None:
        """Let the file go when it is closed."""
        self._unfinished.give_up()


class _Text(_GivenUpOnErrors, io.TextIOWrapper):
    """Text on its way into an unfinished file."""

    def __init__(self, buffer: _Bytes, **options: Any) -> None:
        super().__init__(buffer, **options)
        self._bytes = buffer

    def give_up(self) -> None:
        """Let the file go when it is closed."""
        self._bytes.give_up()


def _part_of(target: Path) -> Path:
    """Return the name beside a file that it has until it is whole, with the suffix it will have."""
    return target.with_name(f".part-{target.name}")


def _is_special(path: Path) -> bool:
    """Whether a path leads to a device, a pipe or the like, in whose place nothing is to be put."""
    try:
        mode = path.stat().st_mode
    except OSError:
        return False
    return not (stat.S_ISREG(mode) or stat.S_ISDIR(mode))


def _take_mode(part: Path, target: Path) -> None:
    """Let a file be read and written by whoever may do so with the one it takes the place of."""
    import shutil

    with suppress(FileNotFoundError):
        shutil.copymode(target, part)


def _give_name(part: Path, target: Path) -> None:
    """Put a finished file or folder in its place, for good."""
    if target.is_dir() and not target.is_symlink():
        old = target.with_name(f".old-{target.name}")
        _remove(old)
        target.rename(old)
        part.rename(target)
        _remove(old)
    else:
        part.replace(target)
    sync_directory(target.parent)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        import shutil

        shutil.rmtree(path, ignore_errors=True)
    else:
        with suppress(OSError):
            path.unlink()
