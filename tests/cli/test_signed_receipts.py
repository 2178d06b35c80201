"""A receipt for others is signed with the key of a home, checked in another."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from command import EXAMPLES, IDS, SEED, process, refused, run, unchanged
from small_encoders import FIRST, imported_encoders, small_encoders

from edge_icl import Memory, SignatureError
from edge_icl.access import receipts

__all__ = ["imported_encoders", "small_encoders"]

pytest_plugins = ["cli_fixtures"]

PAPER, TRAIN = IDS["Printer paper"], IDS["Train to Berlin"]
ED25519 = "cryptography.hazmat.primitives.asymmetric.ed25519"


@pytest.fixture(scope="module", params=[None, "correct horse"], ids=["plain", "encrypted"])
def passphrase(request: pytest.FixtureRequest) -> str | None:
    """Sign what was forgotten from both kinds of store."""
    return request.param


@pytest.fixture
def receipt(bare_home: Path, tmp_path: Path) -> Path:
    """A signed receipt of an example of the default store."""
    file = tmp_path / "receipt.json"
    assert run("forget", PAPER, "--yes", "--receipt", str(file), "--sign").code == 0
    return file


def public() -> str:
    """The public key of this home."""
    return str(json.loads(run("status", "--json").out)["signing_key"])


@pytest.mark.usefixtures("bare_home")
def test_a_signed_receipt_is_private_and_verify_says_who_signed_it(tmp_path: Path) -> None:
    file = tmp_path / "receipt.json"
    ran = process("forget", PAPER, "--yes", "--receipt", str(file), "--sign")

    assert (ran.code, ran.err) == (
        0,
        f"edge-icl: the receipt is signed with the key of your home, {public()}\n",
    )
    assert ran.out.startswith("forgot 1 example\n")
    assert file.stat().st_mode & 0o777 == 0o600
    claims = receipts.read(file.read_bytes())
    assert claims.ids == (bytes.fromhex(PAPER),)
    assert claims.root_after == json.loads(run("status", "--json").out)["root"]
    told = run("verify", "--receipt", str(file), "--key", public())
    assert told.code == 0
    assert told.out.splitlines()[-2:] == [
        "what the receipt names is gone; the store is as it was then",
        f"the receipt is signed at {claims.signed.time}, as it says, with the key of this home, {public()}",
    ]
    assert f"signing key  {public()}" in " ".join(run("status").out.split(" ")).replace("\t", "  ")


@pytest.mark.usefixtures("bare_home")
def test_what_is_printed_is_the_same_with_a_signature_and_without(tmp_path: Path) -> None:
    signed = run("forget", PAPER, "--yes", "--json", "--receipt", str(tmp_path / "one"), "--sign")
    plain = run("forget", TRAIN, "--yes", "--json", "--receipt", str(tmp_path / "other"))

    assert json.loads(signed.out).keys() == json.loads(plain.out).keys()
    assert json.loads((tmp_path / "one").read_text())["ids"] == json.loads(signed.out)["ids"]
    assert run("verify", "--receipt", str(tmp_path / "other")).code == 0
    found = run("verify", "--receipt", str(tmp_path / "other"), "--key", public())
    assert (found.code, found.out) == (3, "receipt: unproven: not signed\n")


def test_in_another_home_the_key_is_named_and_not_taken_for_its_own(
    receipt: Path, bare_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key, store = public(), str(bare_home / "stores" / "default")
    monkeypatch.setenv("EDGE_ICL_HOME", str(bare_home.parent / "another"))

    for words in ((), ("--key", key)):
        told = run("--store", store, "verify", "--receipt", str(receipt), *words)
        assert told.code == 0
        assert told.out.endswith(f", as it says, with {key}\n")
    found = run("--store", store, "verify", "--receipt", str(receipt), "--key", "00" * 32)
    assert (found.code, found.out) == (
        3,
        f"receipt: unproven: signed with the key {key}, and not with {'00' * 32}\n",
    )
    assert not (bare_home.parent / "another").exists()


def test_a_changed_receipt_is_found(receipt: Path) -> None:
    receipt.write_text(receipt.read_text().replace(PAPER, TRAIN))

    ran = run("verify", "--receipt", str(receipt))
    assert (ran.code, ran.out) == (
        3,
        "receipt: unproven: not what was signed: it was changed since, or is not whole\n",
    )
    assert ran.err == "edge-icl: the receipt does not hold; nothing is wrong with the store\n"
    found = json.loads(run("verify", "--receipt", str(receipt), "--json").out)
    assert found["ok"] is False
    assert "signed" not in found


def test_signing_and_a_key_go_with_a_receipt(bare_home: Path) -> None:
    with unchanged(bare_home):
        refused(run("forget", PAPER, "--yes", "--sign"), "--sign goes with --receipt", code=2)
        refused(run("verify", "--key", "00" * 32), "--key goes with --receipt", code=2)


def test_where_nothing_can_be_signed_nothing_is_forgotten(
    bare_home: Path, tmp_path: Path, passphrase: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ("forget", PAPER, "--yes", "--receipt", str(tmp_path / "r"), "--sign")
    with monkeypatch.context() as patch, unchanged(bare_home):
        patch.setitem(sys.modules, ED25519, None)
        refused(run(*words), "a signed receipt needs the package cryptography", "edge-icl[encrypt]")
    run(*words[:1], TRAIN, *words[2:])
    (tmp_path / "r").unlink()
    (bare_home / "sign.key").chmod(0o644)
    with unchanged(bare_home):
        refused(run(*words), "other users can read", "chmod 600")
    (bare_home / "sign.key").write_bytes(b"")
    (bare_home / "sign.key").chmod(0o600)
    with unchanged(bare_home):
        refused(run(*words), "is damaged")
    assert not (tmp_path / "r").exists()


def test_what_fails_when_all_is_forgotten_is_told_truly(
    bare_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> str:
        raise MemoryError

    monkeypatch.setattr(receipts, "sign", fail)
    words = ("forget", PAPER, "--yes", "--receipt", str(tmp_path / "r"), "--sign")

    ran = run("--json", *words)

    assert (ran.code, ran.out) == (1, "")
    told = json.loads(ran.err)
    assert told["committed"] is True
    assert told["error"].startswith(
        "the examples are forgotten, but their receipt cannot be signed: MemoryError;"
    )
    assert not (tmp_path / "r").exists()
    assert "Printer paper" not in run("list").out
    assert run("verify").code == 0


def test_a_program_signs_and_checks(small_encoders: Path) -> None:
    with Memory.create("work", seed=SEED, encoder=FIRST) as memory:
        memory.add_many(EXAMPLES)
        assert memory.forget(PAPER).signed is None
        assert not (small_encoders / "sign.key").exists()
        done = memory.forget(TRAIN, sign=True)
        key = json.loads(done.signed)["key"]

        for told in (done, done.signed, done.signed.encode(), json.loads(done.signed)):
            found = memory.verify(receipt=told, signed_by=key)
            assert found.ok
            assert (found.signature.key, found.signature.own) == (key, True)
        assert "signed" not in done.as_json()
        assert memory.verify(receipt=done.as_json()).signature is None
        assert not memory.verify(receipt=done.signed.replace(TRAIN, PAPER)).ok
        (small_encoders / "sign.key").write_bytes(b"{}")
        with pytest.raises(SignatureError) as raised:
            memory.forget(IDS["Sandwich at noon"], sign=True)
        assert not raised.value.committed
        assert len(memory) == 3
