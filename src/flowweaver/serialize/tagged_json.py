"""Exact JSON with tags: containers, scalars JSON lacks, and parts of other codecs in them.

The bytes are one line of JSON, a newline, and the parts (arrays, frames, bytes) one after the
other. An object with one key that starts with "$" is a tag; a dict that looks so is written in
pairs, so nothing a user stores is mistaken for one.
"""

from __future__ import annotations

import pathlib
from collections.abc import Callable
from json import JSONDecoder, JSONEncoder
from math import isfinite
from typing import Any

from flowweaver.serialize.display import LONGEST, Shown, show
from flowweaver.serialize.encoded import Data
from flowweaver.serialize.headed import first_line
from flowweaver.serialize.ordering import in_order
from flowweaver.serialize.registry import (
    code_free_codec_for,
    decode_by,
    part_form_named,
    preview_by,
    run_codec,
)
from flowweaver.serialize.spool import joined, spooling
from flowweaver.serialize.tags import TAGS, float_text
from flowweaver.serialize.verdicts import Unfit

_SHOWN_WHOLE = 100_000
_LONG_INT_BITS = 2_000

_write = JSONEncoder(
    ensure_ascii=False, check_circular=False, allow_nan=False, separators=(",", ":")
).encode


class TaggedJson:
    """Form of everything exact that isn't plain JSON."""

    name = "tagged"
    runs_code = False

    def encode(self, value: Any) -> Data:
        """Return the tagged JSON line and the parts; equal values of equal types give the same.

        Raises:
            Unfit: something inside can't be kept exactly.
            CodecFailure: a user's codec failed on something inside.
        """
        packer = _Packer()
        try:
            with spooling(None):  # the parts go into one file, together
                line = _write(packer.pack(value)).encode()
        except UnicodeEncodeError as error:
            raise Unfit("the name of its time zone isn't proper text") from error
        return joined([line, b"\n", *packer.parts])

    def decode(self, data: Data) -> Any:
        """Return the value."""
        return _unpack(data, lambda codec, part: decode_by(part_form_named(codec), part))

    def preview(self, data: Data) -> str:
        """Return the value as Python writes it; the JSON text itself when that is large."""
        if len(data) > _SHOWN_WHOLE and b"\n" not in bytes(data[:_SHOWN_WHOLE]):
            return bytes(data[:LONGEST]).decode(errors="replace")
        return show(_unpack(data, _show_part))


def _show_part(codec: str, part: Data) -> object:
    return bytes(part) if codec == "bytes" else Shown(preview_by(part_form_named(codec), part))


class _Packer:
    """Turns a value into what JSON has, and collects its parts."""

    __slots__ = ("parts", "size")

    def __init__(self) -> None:
        self.parts: list[Data] = []
        self.size = 0

    def pack(self, value: Any) -> object:
        """Return the JSON form of a value; `shape_of` has made sure that its depth is bounded."""
        return _PACKS.get(type(value), _pack_by_codec)(self, value)

    def add_part(self, codec: str, data: Data) -> object:
        """Put a codec's bytes beside the JSON and return what stands for them in it."""
        place = {"$part": [codec, self.size, len(data)]}
        self.parts.append(data)
        self.size += len(data)
        return place


def _pack_by_codec(packer: _Packer, value: object) -> object:
    codec = code_free_codec_for(type(value))
    if codec is None:
        raise Unfit("no codec that runs no code handles its type")
    return packer.add_part(codec.name, run_codec(codec, value))


def _pack_same(_: _Packer, value: object) -> object:
    return value


def _pack_int(_: _Packer, value: int) -> object:
    # Python refuses to turn very long ints into decimals, and back.
    return value if value.bit_length() <= _LONG_INT_BITS else {"$int": hex(value)}


def _pack_float(_: _Packer, value: float) -> object:
    return value if isfinite(value) else {"$float": float_text(value)}


def _pack_str(_: _Packer, value: str) -> object:
    return value if _is_proper(value) else {"$str": value.encode("utf-8", "surrogatepass").hex()}


def _is_proper(text: str) -> bool:
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _pack_list(packer: _Packer, value: list[Any]) -> object:
    return [packer.pack(item) for item in value]


def _pack_dict(packer: _Packer, value: dict[Any, Any]) -> object:
    if all(type(key) is str and not key.startswith("$") and _is_proper(key) for key in value):
        return {key: packer.pack(item) for key, item in value.items()}
    return {"$dict": [packer.pack(part) for pair in value.items() for part in pair]}


def _pack_tuple(packer: _Packer, value: tuple[Any, ...]) -> object:
    return {"$tuple": [packer.pack(item) for item in value]}


def _in_bytes(value: object) -> bytes:
    return bytes(TaggedJson().encode(value))


def _pack_set(packer: _Packer, value: set[Any]) -> object:
    return {"$set": [packer.pack(item) for item in in_order(value, _in_bytes)]}


def _pack_frozenset(packer: _Packer, value: frozenset[Any]) -> object:
    return {"$frozenset": [packer.pack(item) for item in in_order(value, _in_bytes)]}


def _pack_bytes(packer: _Packer, value: bytes) -> object:
    return packer.add_part("bytes", value)


def _pack_bytearray(packer: _Packer, value: bytearray) -> object:
    return {"$bytearray": packer.add_part("bytes", bytes(value))}


def _pack_range(packer: _Packer, value: range) -> object:
    return {"$range": [packer.pack(n) for n in (value.start, value.stop, value.step)]}


def _pack_path(packer: _Packer, value: pathlib.PurePath) -> object:
    return {"$path": [type(value).__name__, packer.pack(str(value))]}


def _tagger(name: str, pack: Callable[[Any], object]) -> Callable[[_Packer, Any], object]:
    return lambda _, value: {name: pack(value)}


_PATHS: dict[str, type[pathlib.PurePath]] = {
    kind.__name__: kind
    for kind in (
        pathlib.PosixPath,
        pathlib.PurePosixPath,
        pathlib.PureWindowsPath,
        pathlib.WindowsPath,
    )
}

_PACKS: dict[type, Callable[[_Packer, Any], object]] = {
    type(None): _pack_same,
    bool: _pack_same,
    int: _pack_int,
    float: _pack_float,
    str: _pack_str,
    list: _pack_list,
    dict: _pack_dict,
    tuple: _pack_tuple,
    set: _pack_set,
    frozenset: _pack_frozenset,
    bytes: _pack_bytes,
    bytearray: _pack_bytearray,
    range: _pack_range,
    **dict.fromkeys(_PATHS.values(), _pack_path),
    **{tag.kind: _tagger(tag.name, tag.pack) for tag in TAGS},
}

_UNPACKS: dict[str, Callable[[Any], object]] = {
    "$int": lambda body: int(body, 16),
    "$float": float,
    "$str": lambda body: bytes.fromhex(body).decode("utf-8", "surrogatepass"),
    "$dict": lambda body: dict(zip(body[::2], body[1::2], strict=True)),
    "$tuple": tuple,
    "$set": set,
    "$frozenset": frozenset,
    "$bytearray": bytearray,
    "$range": lambda body: range(*body),
    "$path": lambda body: _PATHS[body[0]](body[1]),
    **{tag.name: tag.unpack for tag in TAGS},
}


def _unpack(data: Data, open_part: Callable[[str, Data], object]) -> Any:
    """Return the value; `open_part` makes the parts from their codec's name and bytes."""
    line = first_line(data)
    parts = memoryview(data)[len(line) + 1 :]

    def replace_tag(found: dict[str, Any]) -> object:
        if len(found) != 1:
            return found
        [(tag, body)] = found.items()
        if tag == "$part":
            codec, offset, size = body
            return open_part(codec, parts[offset : offset + size])
        return _UNPACKS[tag](body) if tag.startswith("$") else found

    return JSONDecoder(object_hook=replace_tag).decode(line.decode())
