"""What could run code is read only when its signature fits."""

from __future__ import annotations

import hashlib
import hmac
import os
from dataclasses import replace

import pytest

from flowweaver.errors import StoreError, UndecodableError
from flowweaver.serialize import Signer, decode_trusted, encode, preview
from flowweaver.serialize.encoded import seal

from .awkward import Plain

KEY = b"k" * 32


class Attack:
    def __init__(self, target):
        self.target = target

    def __reduce__(self):
        return os.mkdir, (str(self.target),)


@pytest.fixture
def pickled():
    return encode(Plain(x=1))


def test_signature_that_fits_is_accepted(pickled):
    signature = Signer(KEY).sign(pickled)
    assert Signer(KEY).decode(pickled, signature).x == 1


def test_signature_is_the_hmac_of_digest_and_place(pickled):
    message = f"{pickled.digest}\0here".encode()
    expected = "at:" + hmac.new(KEY, message, hashlib.sha256).hexdigest()
    assert Signer(KEY).sign(pickled, "here") == expected
    Signer(KEY).verify(pickled, expected, "here")


def test_signature_fits_one_place_only(pickled):
    signature = Signer(KEY).sign(pickled, "here")
    for place in ("there", ""):
        assert not Signer(KEY).fits(pickled.digest, signature, place)
        with pytest.raises(UndecodableError, match="for another place"):
            Signer(KEY).verify(pickled, signature, place)


def test_signature_of_an_earlier_version_covers_codec_and_bytes(pickled):
    old = hmac.new(KEY, b"pickle\0" + pickled.data, hashlib.sha256).hexdigest()
    Signer(KEY).verify(pickled, old, "anywhere")
    with pytest.raises(UndecodableError):
        Signer(KEY).verify(replace(pickled, data=pickled.data + b"."), old, "anywhere")


@pytest.mark.parametrize("signature", [None, ""])
def test_missing_signature_is_refused_with_a_way_out(pickled, signature):
    with pytest.raises(UndecodableError, match=r"no signature.*FLOWWEAVER_KEY.*run its task again"):
        Signer(KEY).verify(pickled, signature)


@pytest.mark.parametrize("signature", ["0" * 64, "x", "é\ud800".encode(errors="replace").decode()])
def test_wrong_signature_is_refused_with_a_way_out(pickled, signature):
    with pytest.raises(UndecodableError, match=r"doesn't fit.*FLOWWEAVER_KEY.*run its task again"):
        Signer(KEY).verify(pickled, signature)


def test_signature_of_another_key_is_refused(pickled):
    with pytest.raises(UndecodableError, match="another key"):
        Signer(KEY).verify(pickled, Signer(b"other").sign(pickled))


def test_signature_of_other_bytes_is_refused(pickled):
    other = encode(Plain(x=2))
    with pytest.raises(UndecodableError):
        Signer(KEY).verify(replace(pickled, data=other.data), Signer(KEY).sign(pickled))


def test_signature_does_not_carry_over_to_another_codec(pickled):
    signature = Signer(KEY).sign(seal("json", pickled.data))
    with pytest.raises(UndecodableError):
        Signer(KEY).verify(pickled, signature)


def test_unknown_codec_needs_a_signature():
    with pytest.raises(UndecodableError, match="no signature"):
        Signer(KEY).verify(seal("unheard-of", b""), None)


def test_malicious_pickle_is_run_by_nothing_but_a_decode_after_verify(tmp_path):
    target = tmp_path / "made by the pickle"
    forged = seal(
        "pickle",
        b"c" + os.mkdir.__module__.encode() + b"\nmkdir\n(V" + str(target).encode() + b"\ntR.",
    )
    assert "mkdir" in preview(forged)
    for signature in (None, "0" * 64, Signer(b"the attacker's").sign(forged)):
        with pytest.raises(UndecodableError):
            Signer(KEY).verify(forged, signature)
    assert not target.exists()
    decode_trusted(forged)
    assert target.exists(), "the pickle must be one that acts, or this test shows nothing"


def test_pickle_hidden_in_an_unsigned_container_is_never_run(tmp_path):
    target = tmp_path / "made by the pickle"
    attack = b"cos\nmkdir\n(V" + str(target).encode() + b"\ntR."
    line = f'[{{"$part":["pickle",0,{len(attack)}]}}]\n'.encode()
    forged = seal("tagged", line + attack)
    Signer(KEY).verify(forged, None)
    preview(forged)
    with pytest.raises(UndecodableError, match="asks for codec 'pickle'"):
        decode_trusted(forged)
    assert not target.exists()


@pytest.fixture
def no_key_to_be_had(monkeypatch, tmp_path):
    (tmp_path / "key").mkdir()
    monkeypatch.delenv("FLOWWEAVER_KEY", raising=False)
    monkeypatch.setenv("FLOWWEAVER_KEY_FILE", str(tmp_path / "key"))


@pytest.mark.usefixtures("no_key_to_be_had")
def test_what_runs_no_code_passes_without_a_key():
    assert Signer().decode(encode({"a": (1,)}), None) == {"a": (1,)}


@pytest.mark.usefixtures("no_key_to_be_had")
def test_key_is_asked_for_when_first_needed(pickled):
    signer = Signer()
    with pytest.raises(StoreError, match="set FLOWWEAVER_KEY"):
        signer.sign(pickled)


def test_key_is_read_once(monkeypatch, pickled):
    monkeypatch.setenv("FLOWWEAVER_KEY", "first")
    signer = Signer()
    signature = signer.sign(pickled)
    monkeypatch.setenv("FLOWWEAVER_KEY", "second")
    assert signer.sign(pickled) == signature == Signer(b"first").sign(pickled)


def test_key_is_not_shown_by_a_signer():
    assert KEY.decode() not in repr(Signer(KEY))
