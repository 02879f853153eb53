"""Tagged forms of the scalar types that JSON doesn't have."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, time, timedelta, timezone, tzinfo
from decimal import Decimal
from math import copysign, isnan
from typing import Any, NamedTuple
from uuid import UUID, SafeUUID

from flowweaver.secret import Secret, withheld
from flowweaver.serialize.describe import contained
from flowweaver.serialize.lazy import is_exactly, need
from flowweaver.serialize.verdicts import Unfit

_MICROSECOND = timedelta(microseconds=1)


class Tag(NamedTuple):
    """How one type is written as JSON, under which tag, and read back."""

    name: str
    kind: type
    pack: Callable[[Any], object]
    unpack: Callable[[Any], object]


def float_text(value: float) -> str:
    """Return text that `float` turns back, also for infinities and a NaN with its sign."""
    return "-nan" if isnan(value) and copysign(1, value) < 0 else repr(value)


def _pack_complex(value: complex) -> list[str]:
    return [float_text(value.real), float_text(value.imag)]


def _unpack_complex(body: list[str]) -> complex:
    return complex(float(body[0]), float(body[1]))


def _pack_decimal(value: Decimal) -> str:
    # `str` writes "E" or "e" as the decimal context says, but equal values must give equal bytes.
    return str(value).upper()


def _pack_moment(value: datetime | time) -> list[object]:
    return [value.replace(tzinfo=None).isoformat(), value.fold, _pack_zone(value.tzinfo)]


def _unpack_datetime(body: list[Any]) -> datetime:
    return datetime.fromisoformat(body[0]).replace(fold=body[1], tzinfo=_unpack_zone(body[2]))


def _unpack_time(body: list[Any]) -> time:
    return time.fromisoformat(body[0]).replace(fold=body[1], tzinfo=_unpack_zone(body[2]))


def _pack_zone(zone: tzinfo | None) -> object:
    if zone is None:
        return None
    if type(zone) is timezone:
        offset = zone.utcoffset(None) // _MICROSECOND
        named = zone.tzname(None) != timezone(zone.utcoffset(None)).tzname(None)
        return [offset, zone.tzname(None)] if named else [offset]
    key = getattr(zone, "key", None)
    # A zone read from a file may carry any key; only the cached zone is what its key gives back.
    if is_exactly(type(zone), "zoneinfo", "ZoneInfo") and _zone_of(key) is zone:
        return key
    raise Unfit("its time zone is of another kind than zoneinfo or a fixed offset")


def _zone_of(key: str | None) -> object:
    return contained(need("zoneinfo").ZoneInfo, key)


def _unpack_zone(body: Any) -> tzinfo | None:
    if body is None:
        return None
    if isinstance(body, str):
        return need("zoneinfo").ZoneInfo(body)  # type: ignore[no-any-return]
    return timezone(body[0] * _MICROSECOND, *body[1:])


def _unpack_timedelta(body: list[int]) -> timedelta:
    return timedelta(*body)


def _pack_secret(value: Secret[Any]) -> None:
    if value.is_there:
        raise Unfit("it is a secret")


def _pack_uuid(value: UUID) -> list[object]:
    return [value.hex, value.is_safe.value]


def _unpack_uuid(body: list[Any]) -> UUID:
    return UUID(body[0], is_safe=SafeUUID(body[1]))


TAGS = (
    Tag("$complex", complex, _pack_complex, _unpack_complex),
    Tag("$date", date, date.isoformat, date.fromisoformat),
    Tag("$datetime", datetime, _pack_moment, _unpack_datetime),
    Tag("$decimal", Decimal, _pack_decimal, Decimal),
    Tag("$secret", Secret, _pack_secret, lambda _: withheld()),
    Tag("$time", time, _pack_moment, _unpack_time),
    Tag(
        "$timedelta",
        timedelta,
        lambda value: [value.days, value.seconds, value.microseconds],
        _unpack_timedelta,
    ),
    Tag("$uuid", UUID, _pack_uuid, _unpack_uuid),
)
