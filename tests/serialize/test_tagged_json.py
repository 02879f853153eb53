"""Tags: what they look like, and what is never mistaken for one."""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from decimal import Context, Decimal, localcontext
from zoneinfo import TZPATH, ZoneInfo

import pytest

from flowweaver.errors import UndecodableError, UnstorableError
from flowweaver.serialize import decode_trusted, digest_of, encode
from flowweaver.serialize.encoded import seal
from flowweaver.serialize.tagged_json import TaggedJson
from flowweaver.serialize.verdicts import Unfit


class OwnZone(tzinfo):
    def utcoffset(self, moment):
        return timedelta(0)

    def __reduce__(self):
        return OwnZone, ()


@pytest.mark.parametrize(
    ("value", "data"),
    [
        ((1,), b'{"$tuple":[1]}\n'),
        ({2, 1}, b'{"$set":[1,2]}\n'),
        ({1: "a"}, b'{"$dict":[1,"a"]}\n'),
        ([b"\n", b"xy"], b'[{"$part":["bytes",0,1]},{"$part":["bytes",1,2]}]\n\nxy'),
        (Decimal("1.10"), b'{"$decimal":"1.10"}\n'),
        (datetime(2024, 1, 1, tzinfo=UTC), b'{"$datetime":["2024-01-01T00:00:00",0,[0]]}\n'),
        (float("-inf"), b'{"$float":"-inf"}\n'),
        ([(), {"$x": 1}], b'[{"$tuple":[]},{"$dict":["$x",1]}]\n'),
    ],
)
def test_bytes_are_these_for_ever(value, data):
    assert encode(value).data == data
    assert decode_trusted(seal("tagged", data)) == value


def test_dict_of_tag_shape_beside_tagged_values_stays_a_dict():
    value = [(), {"$tuple": [1]}, {"$part": ["bytes", 0, 0]}, {"$dict": []}, {"$": None}]
    assert decode_trusted(encode(value)) == value


def test_type_without_a_codec_is_unfit():
    with pytest.raises(Unfit):
        TaggedJson().encode([object()])


def test_decimal_bytes_do_not_follow_the_context():
    with localcontext(Context(capitals=0, prec=2)):
        small_letters = digest_of(Decimal("1.2345E+10"))
    assert small_letters == digest_of(Decimal("1.2345E+10"))


@pytest.mark.parametrize("codec", ["pickle", "tagged", "json", "unheard-of"])
def test_part_of_a_codec_that_is_never_written_there_is_refused(codec):
    line = f'[{{"$part":["{codec}",0,1]}}]\n.'.encode()
    with pytest.raises(UndecodableError):
        decode_trusted(seal("tagged", line))


@pytest.mark.parametrize("zone", [OwnZone(), timezone(timedelta(hours=1), "\ud800")])
def test_time_zone_of_another_kind_takes_pickle(zone):
    encoded = encode([datetime(2024, 1, 1, tzinfo=zone)])
    assert encoded.codec == "pickle"
    assert decode_trusted(encoded)[0].utcoffset() == zone.utcoffset(None)


def test_zone_outside_the_cache_takes_pickle():
    assert encode([datetime(2024, 1, 1, tzinfo=ZoneInfo.no_cache("UTC"))]).codec == "pickle"


@pytest.mark.parametrize("key", [None, "Europe/Berlin", "no/such/zone"])
def test_zone_that_was_read_from_a_file_is_refused(key, tmp_path):
    with (tmp_path / "zone").open("wb+") as file:
        file.write(b"TZif2" + b"\0" * 15 + b"\0\0\0\0" * 4 + b"\0\0\0\1" + b"\0\0\0\4")
        file.write(b"\0" * 6 + b"UTC\0")
        file.write(b"TZif2" + b"\0" * 15 + b"\0\0\0\0" * 4 + b"\0\0\0\1" + b"\0\0\0\4")
        file.write(b"\0" * 6 + b"UTC\0" + b"\nUTC0\n")
        file.seek(0)
        zone = ZoneInfo.from_file(file, key)
    with pytest.raises(UnstorableError, match=r"result\['t'\]\.tzinfo can't be stored"):
        encode({"t": datetime(2024, 1, 1, tzinfo=zone)})


def test_zone_unknown_here_is_undecodable():
    assert TZPATH is not None
    assert "zoneinfo" in sys.modules
    with pytest.raises(UndecodableError, match="no/such"):
        decode_trusted(seal("tagged", b'{"$datetime":["2024-01-01T00:00:00",0,"no/such"]}\n'))
