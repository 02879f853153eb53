"""Values to bytes and back: which codec a value takes, and what happens when none fits."""

from __future__ import annotations

from functools import partial
from typing import Any

from flowweaver.errors import UndecodableError, UnstorableError
from flowweaver.masking import mask, masker
from flowweaver.serialize.arrays import NumpyArrays, NumpyScalars
from flowweaver.serialize.culprit import unstorable
from flowweaver.serialize.describe import Raised, clean, contained, error_text, shorten, size_text
from flowweaver.serialize.encoded import Encoded
from flowweaver.serialize.frames import TABLES
from flowweaver.serialize.likeness import likeness_of, with_meanings
from flowweaver.serialize.pickle_names import (
    Home,
    Name,
    Renamed,
    loaded,
    meaning_of,
    meanings_in,
)
from flowweaver.serialize.pickles import Pickle, encode_checked
from flowweaver.serialize.plain_json import PlainJson
from flowweaver.serialize.raw import RawBytes
from flowweaver.serialize.registry import (
    codec_for,
    decode_by,
    form_named,
    has_users_codecs,
    install,
    install_codec,
    is_of_users_codec,
    preview_by,
    run_codec,
)
from flowweaver.serialize.shape import BUILT_IN, CONTAINERS, MAX_DEPTH, Shape, is_plain, shape_of
from flowweaver.serialize.spool import joined, sealed
from flowweaver.serialize.tagged_json import TaggedJson
from flowweaver.serialize.verdicts import CodecFailure, SecretMet, Unfit, Verdict

# Values that many tasks return: their bytes and digest are made once. No floats, as 0.0 and -0.0
# are equal and not the same.
_OFTEN_MET = frozenset({type(None), bool, int, str})
_SMALL_BYTES = 64
_MOST_KNOWN = 1024
_known: dict[tuple[type, object], Encoded] = {}

_PLAIN_JSON = PlainJson()
_TAGGED_JSON = TaggedJson()
_PICKLE = Pickle()

for _form in (_PLAIN_JSON, _TAGGED_JSON, _PICKLE):
    install(_form)
for _codec in (RawBytes(), NumpyArrays(), NumpyScalars(), *TABLES):
    install_codec(_codec)


def encode(
    value: object, *, allow_pickle: bool = True, root: str = "result", kept_in: Renamed = ()
) -> Encoded:
    """Return `value` in bytes from which `decode` makes one equal in value and exact type.

    `root` names the value in errors. With `allow_pickle` off, what only code that the bytes
    chose could bring back is refused. What equal values are known by has the names of modules
    that `kept_in` gives for them.

    Raises:
        UnstorableError: it wouldn't come back so, or there is a secret in it; its path leads to
            the culprit inside.
    """
    kind = type(value)
    if kind not in _OFTEN_MET or (kind is str and len(value) > _SMALL_BYTES):  # type: ignore[arg-type]
        encoded = _encoded(value, allow_pickle, root, kept_in)
    elif (known := _known.get((kind, value))) is not None:
        encoded = known
    else:
        encoded = _encoded(value, allow_pickle, root)
        if len(encoded.data) <= _SMALL_BYTES:
            _keep_known(kind, value, encoded)
    if masker.is_in(encoded.data):
        raise unstorable(value, root, SecretMet(), _secret_in)
    return encoded


def _keep_known(kind: type, value: object, encoded: Encoded) -> None:
    if len(_known) >= _MOST_KNOWN:
        _known.clear()
    _known[kind, value] = encoded


def _secret_in(value: object) -> SecretMet | None:
    """Return what there is to say of a part with a secret in it, or None."""
    encoded = contained(_encoded, value, True, "part")
    has_one = isinstance(encoded, Encoded) and masker.is_in(encoded.data)
    return SecretMet() if has_one else None


def _encoded(value: object, allow_pickle: bool, root: str, kept_in: Renamed = ()) -> Encoded:
    if type(value) is bytes:
        return sealed("bytes", joined([value]))
    try:
        if is_plain(value):
            return _encode_plain(value)
        return _encode(value, allow_pickle, root, kept_in)
    except RecursionError as error:
        raise UnstorableError(root, f"it is nested too deeply ({error}); flatten it") from error
    except RuntimeError as error:
        reason = f"it can't be read to its end ({error_text(error)})"
        raise UnstorableError(root, f"{reason}; let no thread change it meanwhile") from error


def _encode_plain(value: object) -> Encoded:
    try:
        return sealed("json", _PLAIN_JSON.encode(value))
    except ValueError:
        # A NaN, a lone surrogate or a huge int.
        return sealed("tagged", _TAGGED_JSON.encode(value))


def _encode(value: object, allow_pickle: bool, root: str, kept_in: Renamed) -> Encoded:
    shape = shape_of(value)
    if shape is Shape.TOO_DEEP:
        reason = f"it is nested more than {MAX_DEPTH} levels deep; flatten it"
        raise UnstorableError(root, reason)
    try:
        encoded = _encode_by_codec(value, shape, allow_pickle)
        return _with_code(encoded, value) if has_users_codecs() else encoded
    except CodecFailure as error:
        raise unstorable(value, root, error, partial(_verdict_on, CodecFailure)) from error
    except Unfit as error:
        if not allow_pickle:
            raise unstorable(value, root, error, partial(_verdict_on, Verdict)) from error
    data = encode_checked(value, root)
    likeness = with_meanings(likeness_of(value, len(data), kept_in), meanings_in(data).values())
    return sealed("pickle", joined([data]), likeness)


def _with_code(encoded: Encoded, value: object) -> Encoded:
    """Return what is known by the code of its classes, too, where users' codecs write these."""
    kinds: set[type] = set()
    seen: set[int] = set()
    waiting: list[Any] = [value]
    while waiting:
        item = waiting.pop()
        kind = type(item)
        if kind not in CONTAINERS:
            if kind not in BUILT_IN and is_of_users_codec(kind):
                kinds.add(kind)
        elif id(item) not in seen:
            seen.add(id(item))
            waiting += [*item, *item.values()] if isinstance(item, dict) else item
    likeness = with_meanings(encoded.digest, filter(None, map(meaning_of, kinds)))
    return Encoded.verified(encoded.codec, encoded.data, encoded.digest, likeness)


def _encode_by_codec(value: object, shape: Shape, allow_pickle: bool) -> Encoded:
    """Return `value` by the first codec that keeps it.

    Raises:
        Unfit: none but pickle does.
        CodecFailure: a user's codec for it failed.
    """
    kind = type(value)
    codec = None if kind in BUILT_IN else codec_for(kind)
    if codec is not None and (allow_pickle or not codec.runs_code):
        return sealed(codec.name, run_codec(codec, value))
    if shape is Shape.TAGGED:
        return sealed("tagged", _TAGGED_JSON.encode(value))
    if kind in BUILT_IN:
        raise Unfit("one object is in it twice or contains itself, which takes pickle to keep")
    raise Unfit("only pickle could keep it, and that is off here")


def _verdict_on(kind: type[Verdict], value: object) -> Verdict | None:
    """Return the verdict of this kind on a part alone, or None."""
    try:
        _encode_by_codec(value, shape_of(value), False)
    except Verdict as verdict:
        return verdict if isinstance(verdict, kind) else None
    return None


def digest_of(value: object) -> str:
    """Return the digest that equal values share; raises what `encode` raises."""
    return _encoded(value, True, "result").known_by


def decode(encoded: Encoded) -> Any:
    """Return the value of bytes of any origin, running no code that they chose.

    Raises:
        UndecodableError: the bytes are not as written, need a module that isn't here, or could
            run code; `Signer.decode` reads those, and asks for their signature.
    """
    if form_named(encoded.codec).runs_code:
        raise UndecodableError(
            f"A value is stored as {encoded.codec} where FlowWeaver never does so, and is not "
            "read: it could run any code. Restore the store from a backup, or run its task again."
        )
    return decode_trusted(encoded)


def decode_trusted(encoded: Encoded, home: Home | None = None) -> Any:
    """Return the value of bytes that this run's own processes wrote, or whose signature fits.

    It runs code that the bytes chose where `needs_signature` says so. `home` finds what has moved
    since of the project's own classes and functions.

    Raises:
        UndecodableError: the bytes are not as written, or a module they need isn't here.
    """
    if not encoded.fits():
        raise UndecodableError(
            "The stored bytes are not as they were written (their digest doesn't fit); restore "
            "the store from a backup, or run the task again."
        )
    form = form_named(encoded.codec)
    if home is not None and form is _PICKLE:
        value = contained(loaded, encoded.data, home)
    else:
        value = contained(decode_by, form, encoded.data)
    if not isinstance(value, Raised):
        return value
    if isinstance(value.error, UndecodableError):
        raise value.error
    raise UndecodableError(
        f"The stored {encoded.codec} bytes can't be decoded ({error_text(value.error)}); "
        "bring back the code they were written with, or run the task again."
    ) from value.error


def names_in(encoded: Encoded) -> list[Name]:
    """Return what stored bytes name of the project's classes and functions; nothing is loaded."""
    if form_named(encoded.codec) is not _PICKLE:
        return []
    parted = [named.rpartition(":") for named in meanings_in(encoded.data)]
    return [(module, name) for module, _, name in parted]


def preview(encoded: Encoded, limit: int = 200) -> str:
    """Return at most `limit` printable characters that show the value, running none of its code."""
    form = contained(form_named, encoded.codec)
    text = None if isinstance(form, Raised) else contained(preview_by, form, encoded.data)
    if not isinstance(text, str):
        text = f"<{encoded.codec}, {size_text(len(encoded.data))}>"
    return shorten(clean(shorten(mask(text), limit + 1)), limit)
