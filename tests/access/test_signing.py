"""The key with which a home signs is made once, is for its user alone, and is never replaced unasked."""

from __future__ import annotations

import json
import os
import shlex
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from command import loaded
from hypothesis import given
from hypothesis import strategies as st
from stores import make, rows

from edge_icl import NotInstalledError, SignatureError, StoreExposedError
from edge_icl.access import home_files
from edge_icl.access.signing import LARGEST, NAME, SigningKey, holds, own_key, own_public

KEY = SigningKey(
    public="d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
    private="9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
)
"""The first test vector of RFC 8032, section 7.1."""

OF_NOTHING = (
    "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"
    "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"
)
"""The signature of the empty message with it."""


def spoiled(home: Path, data: bytes, mode: int = 0o600) -> Path:
    home.mkdir(mode=0o700)
    path = home / NAME
    path.write_bytes(data)
    path.chmod(mode)
    return path


def test_a_signature_is_that_of_the_standard() -> None:
    assert KEY.belongs()
    assert KEY.sign(b"") == OF_NOTHING
    assert holds(b"", OF_NOTHING, by=KEY.public)


@given(message=st.binary(max_size=40), place=st.integers(0, 255), bit=st.integers(0, 3))
def test_no_bit_of_a_message_a_signature_or_a_key_can_be_another(message: bytes, place: int, bit: int) -> None:
    signature = KEY.sign(message)

    def flipped(digits: str) -> str:
        at = place % len(digits)
        return digits[:at] + f"{int(digits[at], 16) ^ (1 << bit):x}" + digits[at + 1 :]

    assert holds(message, signature, by=KEY.public)
    assert not holds(message, flipped(signature), by=KEY.public)
    assert not holds(message, signature, by=flipped(KEY.public))
    assert not holds(message + b"x", signature, by=KEY.public)
    assert not holds(b"x" + message, signature, by=KEY.public)


def test_the_key_is_made_once_and_for_this_user_alone(own_home: Path) -> None:
    assert own_public() is None
    assert not own_home.exists()

    key = own_key()

    assert key.belongs()
    assert own_key() == key
    assert own_public() == key.public
    assert stat.S_IMODE((own_home / NAME).stat().st_mode) == 0o600
    assert [path.name for path in own_home.iterdir()] == [NAME]
    assert key.private not in repr(key)


def test_processes_that_need_the_key_at_once_get_the_same(own_home: Path) -> None:
    script = (
        "import sys; from edge_icl.access.signing import own_key; sys.stdin.read(); print(own_key().public)"
    )
    children = [
        subprocess.Popen([sys.executable, "-P", "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        for _ in range(6)
    ]
    for child in children:
        child.stdin.close()
    found = {child.stdout.read() for child in children}
    for child in children:
        child.stdout.close()
        child.wait()

    assert found == {f"{own_public()}\n".encode()}
    assert [path.name for path in own_home.iterdir()] == [NAME]


def test_a_key_that_came_meanwhile_is_not_replaced(own_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def link(draft: Path, path: Path) -> None:
        path.write_bytes(KEY.encode())
        path.chmod(0o600)
        raise FileExistsError

    monkeypatch.setattr(os, "link", link)

    assert own_key() == KEY
    assert [path.name for path in own_home.iterdir()] == [NAME]


def test_where_there_are_no_links_a_key_is_made_all_the_same(
    own_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def link(draft: Path, path: Path) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "link", link)

    assert own_key() == own_key()
    assert [path.name for path in own_home.iterdir()] == [NAME]


def test_a_home_that_is_reached_by_a_link_has_a_key(
    own_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flushed = []
    monkeypatch.setattr(home_files.Files, "flush_directory", lambda _, path: flushed.append(path))
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    own_home.symlink_to(tmp_path / "elsewhere")

    assert own_key().public == own_public()
    assert flushed == [tmp_path / "elsewhere"]


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644])
def test_a_key_that_others_can_read_signs_nothing_until_it_is_closed(own_home: Path, mode: int) -> None:
    path = spoiled(own_home, KEY.encode(), mode)

    with pytest.raises(SignatureError, match="other users can read") as raised:
        own_key()
    assert own_public() is None
    assert path.read_bytes() == KEY.encode()
    _, move, _, close, _ = raised.value.hint.split("`")
    subprocess.run(shlex.split(close), check=True)
    assert own_key() == KEY
    path.chmod(mode)
    subprocess.run(shlex.split(move), check=True)
    assert own_key() != KEY


OTHER = {**json.loads(KEY.encode()), "public": "00" * 32}


@pytest.mark.parametrize(
    "data",
    [
        *(b"", b"{}\n", KEY.encode()[:-1], KEY.encode() + b" ", KEY.encode().replace(b"d75a", b"D75A")),
        json.dumps(OTHER, separators=(",", ":"), sort_keys=True).encode() + b"\n",
        b"x" * (LARGEST + 1),
        b"[" * 1000,
    ],
)
def test_a_damaged_key_signs_nothing_and_stays(own_home: Path, data: bytes) -> None:
    path = spoiled(own_home, data)

    with pytest.raises(SignatureError, match="damaged; restore it from a backup, or move it away") as raised:
        own_key()

    assert path.read_bytes() == data
    subprocess.run(shlex.split(raised.value.hint.split("`")[1]), check=True)
    assert own_key().belongs()


def test_a_pipe_in_its_place_is_no_key_and_stops_nothing(own_home: Path) -> None:
    own_home.mkdir(mode=0o700)
    os.mkfifo(own_home / NAME, 0o600)

    with pytest.raises(SignatureError, match="damaged"):
        own_key()
    assert own_public() is None


def test_a_link_in_its_place_is_refused(own_home: Path) -> None:
    other = spoiled(own_home, KEY.encode()).rename(own_home / "other")
    (own_home / NAME).symlink_to("other")

    with pytest.raises(SignatureError, match="damaged"):
        own_key()
    assert own_public() is None
    assert other.read_bytes() == KEY.encode()


def test_a_home_that_others_may_write_to_has_no_key(own_home: Path) -> None:
    spoiled(own_home, KEY.encode())
    own_home.chmod(0o777)

    with pytest.raises(StoreExposedError):
        own_key()
    assert own_public() is None


def test_a_disk_that_refuses_is_told_in_a_sentence(own_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(home_files, "put", refuse)

    with pytest.raises(SignatureError, match="cannot be read or made: No space left on device"):
        own_key()


def test_without_cryptography_the_extra_is_named(own_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cryptography.hazmat.primitives.asymmetric.ed25519", None)

    with pytest.raises(NotInstalledError, match=r"a signed receipt needs .*edge-icl\[encrypt\]"):
        own_key()
    with pytest.raises(NotInstalledError):
        holds(b"", OF_NOTHING, by=KEY.public)
    assert not own_home.exists()


def test_what_does_not_sign_loads_nothing_of_it(own_home: Path, tmp_path: Path) -> None:
    store = make(tmp_path / "store", rows(range(3)))
    spoiled(own_home, KEY.encode())
    gone = store.snapshot().ids()[0].hex()
    where = ("--store", str(store.path))

    for line in (["forget", gone, "--yes", "--receipt", str(tmp_path / "r")], ["verify"]):
        found = loaded(*where, *line)
        assert not {name for name in found if name.startswith("cryptography")}, line
        assert "edge_icl.access.signing" not in found, line
