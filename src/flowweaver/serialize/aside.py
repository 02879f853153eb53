"""Values that contain secrets: all of them is stored but the secrets."""

from __future__ import annotations

import pickle
from io import BytesIO
from typing import Any

from flowweaver.errors import UnstorableError
from flowweaver.masking import masker
from flowweaver.secret import Secret, withheld
from flowweaver.serialize.describe import Raised, contained
from flowweaver.serialize.encoded import Encoded
from flowweaver.serialize.encoding import encode
from flowweaver.serialize.pickle_names import Renamed


def encode_without_secrets(
    value: object, root: str, kept_in: Renamed = ()
) -> tuple[Encoded, tuple[Secret[Any], ...]]:
    """Return a value as it is kept, its secrets without their values, and these secrets.

    For `kept_in` see `encode`.

    Raises:
        UnstorableError: It can't be kept for another reason.
    """
    try:
        return encode(value, root=root, kept_in=kept_in), ()
    except UnstorableError:
        if not masker.is_used:
            raise
        found = contained(_set_aside, value)
        if isinstance(found, Raised) or not found[1]:
            raise
    rest, secrets = found
    return encode(rest, root=root, kept_in=kept_in), secrets


def dumps_without_secrets(value: object) -> bytes:
    """Return a pickle of a value, its secrets without their values.

    Raises whatever code of the value's raises.
    """
    data, secrets = _pickled_aside(value) if masker.is_used else (b"", ())
    return pickle.dumps(_loaded(data) if secrets else value)


def _set_aside(value: object) -> tuple[object, tuple[Secret[Any], ...]]:
    """Return a copy of a value whose secrets have no value, and those that the value has."""
    data, secrets = _pickled_aside(value)
    return _loaded(data), secrets


def _pickled_aside(value: object) -> tuple[bytes, tuple[Secret[Any], ...]]:
    file = BytesIO()
    pickler = _Aside(file, pickle.HIGHEST_PROTOCOL)
    pickler.dump(value)
    return file.getvalue(), tuple(pickler.found)


def _loaded(data: bytes) -> object:
    return _Back(BytesIO(data)).load()


class _Aside(pickle.Pickler):
    """Writes a placeholder for each secret and collects the secrets."""

    def __init__(self, file: BytesIO, protocol: int) -> None:
        super().__init__(file, protocol)
        self.found: list[Secret[Any]] = []

    def persistent_id(self, obj: Any) -> str | None:
        if type(obj) is not Secret:
            return None
        self.found.append(obj)
        return "secret"


class _Back(pickle.Unpickler):
    """Puts a secret without a value in place of each placeholder."""

    def persistent_load(self, _: Any) -> Secret[Any]:
        return withheld()
