"""The key file: made once, for this user alone."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from flowweaver.errors import StoreError
from flowweaver.serialize.keyfile import key_path, load_key


@pytest.fixture(autouse=True)
def home(monkeypatch, tmp_path):
    for name in ("FLOWWEAVER_KEY", "FLOWWEAVER_KEY_FILE", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_key_is_made_for_this_user_alone(home):
    key = load_key()
    path = home / ".config" / "flowweaver" / "key"
    assert path.read_bytes().strip() == key
    assert len(bytes.fromhex(key.decode())) == 32
    assert (mode_of(path), mode_of(path.parent)) == (0o600, 0o700)
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("umask", [0o000, 0o077])
def test_modes_do_not_hang_on_the_umask(umask):
    before = os.umask(umask)
    try:
        load_key()
    finally:
        os.umask(before)
    assert (mode_of(key_path()), mode_of(key_path().parent)) == (0o600, 0o700)


def test_key_stays_the_same():
    assert load_key() == load_key()


def test_two_places_have_two_keys(monkeypatch, tmp_path):
    first = load_key()
    monkeypatch.setenv("FLOWWEAVER_KEY_FILE", str(tmp_path / "other"))
    assert load_key() != first


def test_key_from_the_environment_makes_no_file(monkeypatch, home):
    monkeypatch.setenv("FLOWWEAVER_KEY", "any text \udcff")
    assert load_key() == b"any text \xff"
    assert list(home.iterdir()) == []


def test_empty_key_in_the_environment_is_none(monkeypatch):
    monkeypatch.setenv("FLOWWEAVER_KEY", "")
    assert len(load_key()) == 64


def test_text_of_a_key_file_works_in_the_environment(monkeypatch):
    key = load_key()
    monkeypatch.setenv("FLOWWEAVER_KEY", key_path().read_text().strip())
    assert load_key() == key


def test_named_file_is_used(monkeypatch, home):
    monkeypatch.setenv("FLOWWEAVER_KEY_FILE", "~/mine/key")
    load_key()
    assert key_path() == home / "mine" / "key"
    assert key_path().exists()


def test_configuration_directory_is_honoured(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "conf"))
    assert key_path() == tmp_path / "conf" / "flowweaver" / "key"


def test_relative_configuration_directory_is_overlooked(monkeypatch, home):
    monkeypatch.setenv("XDG_CONFIG_HOME", "conf")
    assert key_path() == home / ".config" / "flowweaver" / "key"


def test_user_without_a_home_is_told_what_to_set(monkeypatch):
    monkeypatch.setenv("FLOWWEAVER_KEY_FILE", "~no-such-user/key")
    with pytest.raises(StoreError, match="set FLOWWEAVER_KEY"):
        key_path()


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o601])
def test_file_open_to_others_is_refused_with_the_command_that_helps(mode):
    load_key()
    key_path().chmod(mode)
    with pytest.raises(StoreError, match=rf"mode {mode:04o}\); run: chmod 600 {key_path()}"):
        load_key()


@pytest.mark.parametrize("mode", [0o720, 0o702, 0o777])
def test_file_that_others_could_replace_is_refused(mode):
    load_key()
    key_path().parent.chmod(mode)
    with pytest.raises(StoreError, match=f"run: chmod 700 {key_path().parent}"):
        load_key()


@pytest.mark.parametrize("mode", [0o755, 0o1777])
def test_directory_where_others_cannot_replace_it_will_do(mode):
    key = load_key()
    key_path().parent.chmod(mode)
    assert load_key() == key


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_file_of_another_user_is_refused():
    load_key()
    os.chown(key_path(), 12_345, -1)
    with pytest.raises(StoreError, match="belongs to another user"):
        load_key()


@pytest.mark.parametrize("content", [b"", b" \n"])
def test_empty_file_is_refused(content):
    load_key()
    key_path().write_bytes(content)
    with pytest.raises(StoreError, match="is empty"):
        load_key()


def test_pipe_in_place_of_the_file_does_not_block():
    key_path().parent.mkdir(parents=True)
    os.mkfifo(key_path(), 0o600)
    with pytest.raises(StoreError, match="not a regular file"):
        load_key()


def test_place_where_no_file_can_be_made_is_named(monkeypatch, home):
    (home / "file").touch()
    monkeypatch.setenv("FLOWWEAVER_KEY_FILE", str(home / "file" / "key"))
    with pytest.raises(StoreError, match=r"file/key can't be used.*set FLOWWEAVER_KEY"):
        load_key()


def test_file_system_without_links_leaves_nothing_behind(monkeypatch, home):
    def link(source, target):
        raise PermissionError("no links here")

    monkeypatch.setattr(os, "link", link)
    with pytest.raises(StoreError, match="no links here"):
        load_key()
    assert list(key_path().parent.iterdir()) == []


def test_key_that_another_process_made_meanwhile_wins(monkeypatch):
    link = os.link

    def link_second(source, target):
        Path(target).write_bytes(b"theirs")
        Path(target).chmod(0o600)
        link(source, target)

    monkeypatch.setattr(os, "link", link_second)
    assert load_key() == b"theirs"


def test_modes_are_not_asked_where_there_are_none(monkeypatch):
    monkeypatch.setattr(sys, "platform", "win32")
    key = load_key()
    key_path().chmod(0o644)
    assert load_key() == key


RACE = """
import sys
from flowweaver.serialize.keyfile import load_key
print("ready", flush=True)
sys.stdin.readline()
print(load_key().decode(), flush=True)
"""


def test_processes_that_start_at_once_get_one_key(home):
    environment = {"HOME": str(home)}
    racers = [
        subprocess.Popen(
            [sys.executable, "-c", RACE],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(6)
    ]
    for racer in racers:
        assert racer.stdout.readline() == "ready\n"
    for racer in racers:
        racer.stdin.write("\n")
        racer.stdin.flush()
    keys = {racer.communicate(timeout=60)[0] for racer in racers}
    assert keys == {load_key().decode() + "\n"}
    assert list(key_path().parent.iterdir()) == [key_path()]


def test_blank_key_is_refused(monkeypatch):
    monkeypatch.setenv("FLOWWEAVER_KEY", " \t")
    with pytest.raises(StoreError, match="FLOWWEAVER_KEY is blank"):
        load_key()
