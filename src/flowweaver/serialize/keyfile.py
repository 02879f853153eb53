"""The key that signs pickles: from the environment, or a file of this user alone."""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path

from flowweaver.errors import StoreError
from flowweaver.syncing import sync_directory

_ADVICE = "set FLOWWEAVER_KEY, or name a file of your own by FLOWWEAVER_KEY_FILE"


def load_key() -> bytes:
    """Return the key: $FLOWWEAVER_KEY, else the key file's content, made if there is none.

    Raises:
        StoreError: the file can't be made or read, is empty, or is open to other users.
    """
    text = os.environ.get("FLOWWEAVER_KEY")
    if text:
        if not text.strip():
            raise StoreError(f"FLOWWEAVER_KEY is blank, which is no key; {_ADVICE}.")
        return os.fsencode(text)
    path = key_path()
    try:
        if not path.exists():
            _create(path)
        return _read(path)
    except OSError as error:
        raise StoreError(f"The key file {path} can't be used ({error}); {_ADVICE}.") from error


def key_path() -> Path:
    """Return $FLOWWEAVER_KEY_FILE, else flowweaver/key in the user's configuration."""
    named = os.environ.get("FLOWWEAVER_KEY_FILE")
    # The XDG rules overlook a relative directory.
    config = Path(os.environ.get("XDG_CONFIG_HOME", ""))
    try:
        if named:
            return Path(named).expanduser()
        base = config if config.is_absolute() else Path.home() / ".config"
    except RuntimeError as error:
        raise StoreError(f"There is no home directory for a key ({error}); {_ADVICE}.") from error
    return base / "flowweaver" / "key"


def _create(path: Path) -> None:
    """Make the key file; of several processes doing so at once, one key stays."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{os.urandom(8).hex()}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(os.urandom(32).hex().encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())
        # Unlike a rename, a link never replaces the key that another process has made.
        os.link(temporary, path)
    except FileExistsError:
        pass
    finally:
        temporary.unlink()
    # Without it a power cut could take the key and leave what it signed.
    sync_directory(path.parent)


def _read(path: Path) -> bytes:
    # Non-blocking, for something else than a file might stand there and never answer.
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    with os.fdopen(descriptor, "rb") as file:
        _refuse_if_open(path, os.fstat(descriptor), path.parent.stat())
        key = file.read().strip()
    if not key:
        raise StoreError(f"The key file {path} is empty; remove it to get a new key, or {_ADVICE}.")
    return key


def _refuse_if_open(path: Path, file: os.stat_result, directory: os.stat_result) -> None:
    """Raise unless only this user (or root) can read or replace the key."""
    if not stat.S_ISREG(file.st_mode):
        raise StoreError(f"The key file {path} is not a regular file; {_ADVICE}.")
    if sys.platform == "win32":
        return  # access lists say it there, which a user's own folder inherits
    if file.st_uid not in (0, os.geteuid()):
        raise StoreError(f"The key file {path} belongs to another user; {_ADVICE}.")
    if file.st_mode & 0o077:
        raise StoreError(
            f"Other users can read or change the key file {path} "
            f"(mode {stat.S_IMODE(file.st_mode):04o}); run: chmod 600 {path}"
        )
    if directory.st_mode & 0o022 and not directory.st_mode & stat.S_ISVTX:
        raise StoreError(
            f"Other users can replace the key file {path}: its directory has mode "
            f"{stat.S_IMODE(directory.st_mode):04o}; run: chmod 700 {path.parent}"
        )
