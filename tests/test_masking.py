"""How secrets are taken out of text, whatever they turn up as."""

from __future__ import annotations

import base64
import html
import itertools
import json
import random
import shlex
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from io import StringIO
from types import FrameType
from typing import Any
from urllib.parse import quote, quote_plus, urlencode

import pytest

from flowweaver.masking import MASK, MaskedStream, Masker, Passage, masker

AWKWARD = [
    "plain-token-value",
    "with 'single' and \"double\" quotes",
    "back\\slash\tand tab",
    "first line of it\nsecond line of it\n",
    "pässwörd-ünïcode-✓",
    "a&b<c>d=e/f?g#h%20i+j",
    "  spaces around it  ",
    "$shell `like` \x1b[31mand red\x1b[0m",
]
WAYS: dict[str, Callable[[str], str]] = {
    "as it is": lambda text: f"before {text} after",
    "in a repr": lambda text: repr({"a": text}),
    "in an ASCII repr": lambda text: ascii({"a": text}),
    "as bytes": lambda text: repr(["x", text.encode()]),
    "in JSON": lambda text: json.dumps({"a": [text]}),
    "in readable JSON": lambda text: json.dumps({"a": text}, ensure_ascii=False),
    "in JSON in a repr": lambda text: repr(json.dumps({"a": text})),
    "in JSON in JSON": lambda text: json.dumps(json.dumps({"a": text})),
    "in a URL": lambda text: f"https://host/?token={quote(text, safe='')}&x=1",
    "in a path": lambda text: f"https://host/{quote(text)}/x",
    "in a form": lambda text: urlencode({"a": text}),
    "in another form": quote_plus,
    "in HTML": html.escape,
    "for a shell": shlex.quote,
    "in hexadecimal": lambda text: text.encode().hex(),
    "in base64": lambda text: base64.b64encode(text.encode()).decode(),
    "in the middle of base64": lambda text: base64.b64encode(f"user:{text}!".encode()).decode(),
    "in base64 for URLs": lambda text: base64.urlsafe_b64encode(f"a:{text}".encode()).decode(),
}


def masker_of(*secrets: object) -> Masker:
    made = Masker()
    for secret in secrets:
        made.note(secret)
    return made


def remains_of(secret: str, text: str) -> list[str]:
    """Return what of a secret's lines is in a text, as it is."""
    return [line for line in secret.splitlines() if line.strip() in text]


@pytest.mark.parametrize("secret", AWKWARD)
@pytest.mark.parametrize("way", WAYS)
def test_it_is_found_whatever_it_turns_up_as(secret: str, way: str) -> None:
    written = WAYS[way](secret)
    masked = masker_of(secret).mask(written)
    assert MASK in masked
    if way != "as it is":
        # Nothing of the secret can be had back: what is left is what stood around it.
        assert len(masked) - len(MASK) <= len(written) - len(secret.strip()) // 2
    assert remains_of(secret, masked) == []


def test_each_line_is_found_wherever_it_stands() -> None:
    key = "-----BEGIN KEY-----\nMIIEpAIBAAKCAQEA\nu1SU1LfVLPHCozMx\n-----END KEY-----\n"
    masked = masker_of(key).mask("error in line\n  | u1SU1LfVLPHCozMx\n  | MIIEpAIBAAKCAQEA rest")
    assert masked == "error in line\n  | ***\n  | *** rest"
    assert masker_of(key).mask("-----BEGIN KEY-----\nothers") == "-----BEGIN KEY-----\nothers"


def test_longer_secrets_go_first() -> None:
    assert masker_of("token", "token-and-more").mask("token-and-more token") == "*** ***"


def test_what_is_short_is_left_alone() -> None:
    assert masker_of("abc", "", b"", None, True).mask("abcabc True None") == "abcabc True None"


def test_text_is_found_in_what_else_is_secret() -> None:
    credentials = {"user": "the-user", "keys": [b"the-bytes", 123456], "x": ("the-tuple",)}
    text = "the-user the-bytes 123456 the-tuple user keys"
    assert masker_of(credentials).mask(text) == "*** *** *** *** user keys"


def test_password_in_a_url_is_found_alone() -> None:
    made = masker_of("postgresql://me:p4ss%40word@host:5432/db")
    assert made.mask('no entry for "p4ss@word" (p4ss%40word)') == 'no entry for "***" (***)'
    assert made.mask("user me on host") == "user me on host"


def test_what_is_no_url_does_no_harm() -> None:
    assert masker_of("http://[half").mask("x http://[half") == "x ***"


def test_only_so_many_are_known() -> None:
    made = masker_of(*(f"secret number {number}" for number in range(1005)))
    assert made.mask("secret number 1004") == MASK
    assert made.mask("secret number 2") == "secret number 2"


def test_nothing_is_changed_where_nothing_is_secret() -> None:
    assert Masker().mask("anything") == "anything"
    assert not Masker().knows_any


@pytest.mark.parametrize("seed", range(30))
def test_text_in_pieces_is_as_text_in_one(seed: int) -> None:
    dice = random.Random(seed)
    made = masker_of(*AWKWARD, "abcab", "abcabcd-and-more", "pass", "passage")
    words = [*AWKWARD, "abcab", "pass", "passag", "plain-tok", "x", " ", "\n", "first line"]
    text = "".join(dice.choice(words) for _ in range(60))
    passage, said, rest = Passage(made), "", text
    while rest:
        size = dice.randrange(1, 12)
        said += passage.take(rest[:size])
        rest = rest[size:]
    said += passage.rest()
    for secret in (*AWKWARD, "abcabcd-and-more"):
        assert remains_of(secret, said) == []
    assert "abcab" not in said
    assert "passage" not in said


def test_what_begins_no_secret_is_not_held_back() -> None:
    passage = Passage(masker_of("secret-value"))
    assert passage.take("50% done") == "50% done"
    assert passage.take("the sec") == "the "
    assert passage.take("ond line") == "second line"
    assert passage.rest() == ""


def test_pieces_of_several_writers_do_not_part_each_other() -> None:
    masker.note("secret-in-pieces")
    stream = StringIO()
    masked = MaskedStream(stream)
    with ThreadPoolExecutor(1) as one, ThreadPoolExecutor(1) as another:
        for piece in ("secr", "et-in-", "pieces", "\n"):
            one.submit(masked.write, piece).result()
            masked.write("between\n")
            another.submit(masked.write, piece).result()
    masked.end()
    assert stream.getvalue() == "between\n" * 2 + "***between\n***" + "\nbetween\n\n"


def test_stream_is_masked_and_says_that_all_was_written() -> None:
    masker.note("stream-secret-value")
    stream = StringIO()
    masked = MaskedStream(stream)
    assert masked.write("a stream-sec") == len("a stream-sec")
    masked.writelines(["ret-value b", " stream-secret"])
    assert stream.getvalue() == "a *** b "
    masked.end()
    assert stream.getvalue() == "a *** b stream-secret"
    assert masked.isatty() is False


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le", "utf-32-le"])
@pytest.mark.parametrize("around", [10, 3_000_000])
def test_it_is_found_in_data(encoding: str, around: int) -> None:
    data = bytes(around) + AWKWARD[4].encode(encoding) + bytes(around)
    assert masker_of(AWKWARD[4]).is_in(memoryview(data))
    assert not masker_of(AWKWARD[0]).is_in(data)


@pytest.mark.parametrize("offset", range(-20, 3))
def test_it_is_found_where_pieces_of_data_meet(offset: int) -> None:
    data = bytes((1 << 20) + offset) + AWKWARD[0].encode() + bytes(1 << 20)
    assert masker_of(AWKWARD[0]).is_in(data)


def test_it_is_found_encoded_in_small_data() -> None:
    data = base64.b64encode(f"user:{AWKWARD[0]}".encode())
    assert masker_of(AWKWARD[0]).is_in(b"Basic " + data)


def test_what_is_short_is_not_looked_for_in_data() -> None:
    assert not masker_of("1234567").is_in(b"1234567")


@pytest.mark.parametrize("line", range(12))
def test_what_is_known_is_masked_while_it_is_noted_again(line: int) -> None:
    masker, lines, seen = Masker(), itertools.count(), []
    masker.note("known-from-the-start")
    masker.note("one-more")

    def look(frame: FrameType, event: str, _: object) -> Any:
        """Mask, as another thread might, before one line of `note` is executed."""
        if frame.f_code is not Masker.note.__code__:
            return None
        if event == "line" and next(lines) == line:
            seen.append(masker.mask("it is known-from-the-start."))
        return look

    before = sys.gettrace()
    sys.settrace(look)
    try:
        masker.note("known-from-the-start")
    finally:
        sys.settrace(before)
    assert set(seen) <= {f"it is {MASK}."}
    assert masker.mask("it is known-from-the-start.") == f"it is {MASK}."
