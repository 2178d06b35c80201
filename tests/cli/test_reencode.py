"""`edge-icl reencode`: what is said and made, whose passphrase it takes, and what a wrong word gets."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest
from command import EXAMPLES, IDS, Ran, refused, run, unchanged
from keyrings import Drawer, drawer
from small_encoders import FIRST, SECOND, imported_encoders, small_encoders
from stores import tree
from test_passphrases import descriptor, typing

__all__ = ["drawer", "imported_encoders", "small_encoders"]

pytest_plugins = ["cli_fixtures"]

WORDS = ("reencode", "--encoder", SECOND, "--into", "new")


@pytest.fixture
def taught(bare_home: Path, small_encoders: Path) -> Path:
    """A home with the taught store, without its encoder, and with two other encoders."""
    return bare_home


def status(*more: str) -> dict[str, object]:
    found: dict[str, object] = json.loads(run("--json", *more, "status").out)
    return found


def commands(ran: Ran) -> list[list[str]]:
    """Return the words of the commands that a run advises."""
    lines = [line.rpartition(": ")[2] for line in ran.err.splitlines()]
    return [shlex.split(line)[1:] for line in lines if line.startswith("edge-icl ")]


def test_it_says_what_it_made_and_what_to_do_next(taught: Path) -> None:
    old = tree(taught / "stores" / "default")

    ran = run(*WORDS)

    assert ran.code == 0, ran.err
    found = status("--store", "new")
    made, root = ran.out.splitlines()
    assert made.startswith(f"made the store {taught / 'stores' / 'new'}: 5 examples, ")
    assert made.endswith(f", encoder {SECOND}")
    assert root == f"root {found['root']}"
    assert (found["examples"], found["shots"], found["encoder"]) == (5, 3, SECOND)
    assert tree(taught / "stores" / "default") == old
    use, wipe = commands(ran)
    assert run(*use[:-1], EXAMPLES[0].input).out == "travel\n"
    assert run(*wipe, "--yes", "--no-similar").code == 0
    assert (status()["examples"], status("--store", "new")["examples"]) == (0, 5)


def test_it_says_what_the_new_encoder_does_not_read(taught: Path) -> None:
    ran = run(*WORDS)

    told = f"3 of 5 inputs are in characters that the encoder {SECOND} does not know"
    assert sum(line.startswith(f"edge-icl: {told}") for line in ran.err.splitlines()) == 1


def test_json_is_one_document(taught: Path) -> None:
    before = status()["root"]

    made = json.loads(run("--json", *WORDS).out)

    found = status("--store", "new")
    assert made.pop("seconds") >= 0
    assert made == {
        "path": str(taught / "stores" / "new"),
        "encoder": SECOND,
        "examples": 5,
        "encrypted": False,
        "root": found["root"],
        "source_root": before,
        "unread": 3,
        "cut": 0,
        "bytes": found["bytes"],
    }


@pytest.mark.usefixtures("taught")
def test_an_example_has_its_old_id_and_is_forgotten_by_it_in_both() -> None:
    run(*WORDS)

    for more in ((), ("--store", "new")):
        assert run(*more, "forget", IDS["Printer paper"], "--yes", "--no-similar").code == 0
        assert status(*more)["examples"] == 4


@pytest.mark.usefixtures("taught")
def test_embedding_is_the_stage_that_takes_time() -> None:
    assert "edge-icl: time: embed " in run("-v", *WORDS).err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("--encoder all-minilm-l6-v2 --into new", "fetch it once: edge-icl models fetch all-minilm-l6-v2"),
        ("--encoder second --into default", "is where the store itself is; choose another name"),
        ("--encoder second --into taken", "there is a store at"),
        ("--encoder second --into .new", "cannot be the name of a store"),
        ("--store nowhere --encoder second --into new", "there is no store at"),
        ("--store taken --encoder first --into new", "nothing is to be done; `edge-icl models list` shows"),
    ],
)
def test_what_cannot_be_is_refused_and_changes_nothing(taught: Path, words: str, said: str) -> None:
    run("--store", "taken", "init", "--encoder", FIRST)
    run("--store", "taken", "add", "a cat", "animal")
    with unchanged(taught):
        refused(run("reencode", *words.split()), said)


@pytest.mark.usefixtures("taught")
@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("--encoder second", "missing option '--into'"),
        ("--into new", "missing option '--encoder'"),
        ("--encoder second --into new --keyring", "--keyring goes with --encrypt"),
    ],
)
def test_wrong_usage_is_told(words: str, said: str) -> None:
    refused(run("reencode", *words.split()), said, code=2)


@pytest.mark.usefixtures("taught")
def test_of_a_plain_store_an_encrypted_one_is_made_if_that_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDGE_ICL_PASSPHRASE", "secret")
    refused(run(*WORDS), "is not encrypted")
    refused(run("--encrypted", *WORDS, "--encrypt"), "is not encrypted")

    assert run(*WORDS, "--encrypt").code == 0
    assert status("--store", "new")["encrypted"] is True
    monkeypatch.delenv("EDGE_ICL_PASSPHRASE")
    words = ("reencode", "--encoder", SECOND, "--encrypt", "--into", "other")
    assert run(*words, "--passphrase-fd", descriptor("secret")).code == 0
    assert run("--store", "other", "list", "--passphrase-fd", descriptor("secret")).code == 0


@pytest.mark.usefixtures("taught")
def test_a_person_types_a_new_passphrase_twice() -> None:
    ran = typing(*WORDS, "--encrypt", typed=["secret", "secret"])

    assert ran.code == 0, ran.err
    assert ran.err.startswith("new passphrase: ")


@pytest.mark.usefixtures("taught")
def test_the_keyring_has_a_random_passphrase_of_the_new_store(drawer: Drawer) -> None:
    assert run(*WORDS, "--encrypt", "--keyring").code == 0
    assert run("--store", "new", "reencode", "--encoder", FIRST, "--into", "third").code == 0

    assert len(drawer.held) == 2
    assert len(run("--store", "third", "list").out.splitlines()) == 5
