"""The codecs there are: FlowWeaver's own and the user's."""

from __future__ import annotations

from typing import Any, Protocol

from flowweaver.errors import DefinitionError, UndecodableError, near_matches
from flowweaver.serialize.compare import difference
from flowweaver.serialize.describe import Raised, contained, error_text, type_name
from flowweaver.serialize.encoded import Data
from flowweaver.serialize.verdicts import CodecFailure


class Form(Protocol):
    """A way to write values, known by the name that is stored beside the bytes.

    `name` is stored beside the bytes and must never change. `runs_code` says whether `decode`
    can run code that the bytes chose; what such a codec wrote is decoded only when signed.
    """

    @property
    def name(self) -> str:
        """Return the name that is stored beside the bytes."""

    @property
    def runs_code(self) -> bool:
        """Return whether `decode` can run code that the bytes chose."""

    def encode(self, value: Any) -> Data:
        """Return the value's bytes, the same for equal values; raise if it can't."""

    def decode(self, data: Any) -> Any:
        """Return a new value, equal in value and type to the one encoded.

        `data` is `bytes` for a user's codec, `Data` for one of FlowWeaver's own.
        """

    def preview(self, data: Any) -> str:
        """Return a line for people, running no code that the bytes chose."""


class Codec(Form, Protocol):
    """A form for the values of some types."""

    def handles(self, kind: type) -> bool:
        """Return whether values of exactly this type are for this codec."""


_own_forms: dict[str, Form] = {}
_own_codecs: list[Codec] = []
_users: dict[str, Codec] = {}


def install(form: Form) -> None:
    """Add a form of FlowWeaver's own that is found by its name only, never by a value's type."""
    _own_forms[form.name] = form


def install_codec(codec: Codec) -> None:
    """Add a codec of FlowWeaver's own."""
    install(codec)
    _own_codecs.append(codec)


def register(codec: Codec) -> None:
    """Add a codec for further types; the one registered last is asked first.

    Its values may stand alone or inside containers; inside containers only if it runs no code.
    Registering the same name again replaces the earlier codec (as a notebook does). Worker
    processes need it too, so register where your tasks are imported.

    Raises:
        DefinitionError: the name is empty, doesn't print, or is one of FlowWeaver's own.
    """
    name = codec.name
    if not name or not name.isprintable():
        raise DefinitionError(f"A codec's name must be printable text, not {name!r}.")
    if name in _own_forms:
        raise DefinitionError(f"{name!r} is a codec of FlowWeaver's own; choose another name.")
    _users.pop(name, None)
    _users[name] = codec


def codec_for(kind: type) -> Codec | None:
    """Return the codec for values of this type, users' first; None leaves it to pickle."""
    for codec in reversed(list(_users.values())):
        if codec.handles(kind):
            return codec
    return next((codec for codec in _own_codecs if codec.handles(kind)), None)


def has_users_codecs() -> bool:
    """Return whether anybody has registered a codec."""
    return bool(_users)


def is_of_users_codec(kind: type) -> bool:
    """Return whether a codec that a user registered writes values of this type."""
    return any(codec.handles(kind) for codec in _users.values())


def code_free_codec_for(kind: type) -> Codec | None:
    """Return the codec for values of this type if it runs no code."""
    codec = codec_for(kind)
    return None if codec is None or codec.runs_code else codec


def form_named(name: str) -> Form:
    """Return the codec or other form of this name.

    Raises:
        UndecodableError: there is none in this process.
    """
    form = _own_forms.get(name) or _users.get(name)
    if form is None:
        raise UndecodableError(
            f"No codec {name!r} is known here. Import the module that registers it "
            "(flowweaver.serialize.register), then read again"
            f"{near_matches(name, [*_own_forms, *_users])}"
        )
    return form


def part_form_named(name: str) -> Form:
    """Return the code-free codec of this name that may stand inside a container.

    Raises:
        UndecodableError: there is none: a stored container never asks for another kind.
    """
    form = form_named(name)
    if form.runs_code or (name in _own_forms and form not in _own_codecs):
        raise UndecodableError(
            f"A stored container asks for codec {name!r}, which FlowWeaver never writes inside "
            "one; restore the store from a backup, or run its task again."
        )
    return form


def is_passed_on(name: str) -> bool:
    """Return whether any process can decode a value of this codec by itself, to an equal value."""
    form = _own_forms.get(name)
    return form is not None and form in _own_codecs


def decode_by(form: Form, data: Data) -> Any:
    """Return the value that a form decodes from bytes, wherever in memory they are."""
    return form.decode(_as_it_takes(form, data))


def preview_by(form: Form, data: Data) -> str:
    """Return a form's preview of bytes, wherever in memory they are."""
    return form.preview(_as_it_takes(form, data))


def _as_it_takes(form: Form, data: Data) -> Data:
    return data if _own_forms.get(form.name) is form else bytes(data)


def needs_signature(codec: str) -> bool:
    """Return whether decoding what this codec wrote can run code; an unknown one might."""
    known = _own_forms.get(codec) or _users.get(codec)
    return known is None or known.runs_code


def run_codec(codec: Codec, value: object) -> Data:
    """Return the value's bytes; a user's codec is held to giving back what it got.

    Raises:
        Unfit: the codec is ours and leaves this value to pickle.
        CodecFailure: the codec is a user's and failed; the message says how.
    """
    if codec in _own_codecs:
        return codec.encode(value)
    data = contained(_write_checked, codec, value)
    if isinstance(data, Raised):
        raise CodecFailure(f"codec {codec.name!r}: {error_text(data.error)}") from data.error
    return data


def _write_checked(codec: Codec, value: object) -> bytes:
    data = codec.encode(value)
    if type(data) is not bytes:
        raise TypeError(f"encode gave {type_name(type(data))} instead of bytes")
    odd = difference(value, codec.decode(data), lambda x: codec.decode(codec.encode(x)), "it")
    if odd is not None:
        raise ValueError(f"{odd[0]}: {odd[1]}")
    return data
