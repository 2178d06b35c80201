"""Encrypted stores on the command line: where a passphrase comes from, and what is said where it does not."""

import json
import os
import pty
import shutil
import subprocess
import sys
from pathlib import Path

import keyring
import pytest
from campaigns import later
from command import IDS, PROGRAM, Ran, process, refused, run, unchanged
from keyrings import Drawer, drawer
from small_encoders import SECOND, imported_encoders, small_encoders
from stores import tree

__all__ = ["drawer", "imported_encoders", "small_encoders"]

pytest_plugins = ["cli_fixtures"]


@pytest.fixture(scope="module")
def passphrase() -> str:
    return "correct horse"


@pytest.fixture
def forgetful(bare_home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home whose store is encrypted, and nothing that knows its passphrase."""
    monkeypatch.delenv("EDGE_ICL_PASSPHRASE")
    return bare_home


def descriptor(text: str) -> str:
    """Return the number of a file descriptor from which a text can be read."""
    source, target = os.pipe()
    os.write(target, text.encode())
    os.close(target)
    return str(source)


def typing(*args: str, typed: list[str]) -> Ran:
    """Run a command at a real terminal, where a person types a line at each question."""
    keyboard, terminal = pty.openpty()
    child = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, *args],
        stdin=terminal,
        stdout=subprocess.PIPE,
        stderr=terminal,
        start_new_session=True,
        env=os.environ | {"NO_COLOR": "1"},
    )
    os.close(terminal)
    shown = b""
    for line in typed:
        while not shown.endswith(b": "):
            shown += os.read(keyboard, 1)
        os.write(keyboard, f"{line}\n".encode())
        shown += os.read(keyboard, 1)
    try:
        while more := os.read(keyboard, 1000):
            shown += more
    except OSError:  # on Linux the end of a terminal is an error
        pass
    os.close(keyboard)
    out, _ = child.communicate(timeout=60)
    return Ran(child.returncode, out.decode(), shown.decode())


@pytest.mark.usefixtures("bare_home")
def test_the_environment_has_the_passphrase() -> None:
    assert len(run("list").out.splitlines()) == 5
    assert run("verify", "--deep").code == 0
    assert json.loads(run("status", "--json").out)["encrypted"] is True
    assert "encrypted  yes" in run("status").out


@pytest.mark.usefixtures("forgetful")
def test_a_file_descriptor_has_the_passphrase() -> None:
    for end in ("", "\n", "\r\n", "\nanother line\n"):
        assert len(run("list", "--passphrase-fd", descriptor(f"correct horse{end}")).out.splitlines()) == 5


@pytest.mark.usefixtures("forgetful")
def test_what_follows_the_passphrase_is_left_to_the_command(models_home: Path) -> None:
    row = json.dumps({"input": "Bus to Ulm", "output": "travel"})
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, "add", "--file", "-", "--json", "--passphrase-fd", "0"],
        input=f"correct horse\n{row}\n".encode(),
        capture_output=True,
        check=True,
    )

    assert json.loads(done.stdout)["added"] == 1


@pytest.mark.usefixtures("forgetful")
def test_a_person_types_the_passphrase_unseen() -> None:
    ran = typing("list", typed=["correct horse"])

    assert (ran.code, len(ran.out.splitlines())) == (0, 5)
    assert ran.err.startswith("passphrase of ")
    assert "correct horse" not in ran.err


def test_a_new_passphrase_is_typed_twice(models_home: Path, forgetful: Path) -> None:
    ran = typing("--store", "mine", "init", "--encrypt", typed=["secret", "secret"])

    assert (ran.code, ran.out) == (0, f"made the encrypted store {models_home}/stores/mine\n")
    assert "secret" not in ran.err
    ran = typing("--store", "other", "init", "--encrypt", typed=["secret", "sacred"])
    assert (ran.code, ran.out) == (1, "")
    assert "edge-icl: error: the two passphrases differ; nothing was changed; try again" in ran.err
    assert not (models_home / "stores" / "other").exists()


@pytest.mark.parametrize("line", ["list", "add a b", "status", "verify", "forget --all --yes", "passphrase"])
def test_nobody_there_to_type_is_told_in_a_sentence(forgetful: Path, line: str) -> None:
    with unchanged(forgetful):
        refused(
            run(*line.split()),
            "is encrypted, and there is no terminal",
            "EDGE_ICL_PASSPHRASE",
            "--passphrase-fd",
        )


@pytest.mark.parametrize(
    "line", ["list", "add a b", "status", "verify --deep", "forget --all --yes", "passphrase"]
)
def test_a_wrong_passphrase_is_told_and_changes_nothing(forgetful: Path, line: str) -> None:
    with unchanged(forgetful):
        ran = run(*line.split(), "--passphrase-fd", descriptor("wrong"))
        refused(ran, "this passphrase does not open the store")


@pytest.fixture
def plain(forgetful: Path, models_home: Path) -> Path:
    """A home with a plain store beside the encrypted one, and nothing that knows a passphrase."""
    assert run("--store", "plain", "add", "a", "b").code == 0
    return models_home


OPENING = (
    "list", "add c d", "add --file rows.jsonl", "import rows.jsonl", "fix ID c", "edit ID", "labels --set no",
    "report --out memory.html",
    "forget --all --yes", "status", "show ID", "export", "search a", "ask a", "verify", "verify --deep",
    "passphrase",
)  # fmt: skip


@pytest.mark.parametrize("line", OPENING)
@pytest.mark.parametrize("how", ["--passphrase-fd", "variable", "--encrypted"])
def test_a_plain_store_is_refused_where_a_passphrase_is_given(
    plain: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: str, how: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rows.jsonl").write_text('{"input": "c", "output": "d"}\n')
    if how == "variable":
        monkeypatch.setenv("EDGE_ICL_PASSPHRASE", "correct horse")
    how_words = {"--passphrase-fd": [how, descriptor("x")], "variable": [], "--encrypted": [how]}[how]

    with unchanged(plain):
        ran = run("--store", "plain", *line.split(), *how_words)
        refused(ran, "is not encrypted; if it is the store that you mean, leave ")


def test_a_plain_store_has_no_passphrase_to_change(plain: Path) -> None:
    with unchanged(plain):
        refused(
            run("--store", "plain", "passphrase"), "is not encrypted", "edge-icl --store NEW init --encrypt"
        )
    assert json.loads(run("--store", "plain", "status", "--json").out)["encrypted"] is False


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has /proc")
def test_neither_a_child_nor_who_lists_processes_sees_a_passphrase(
    bare_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "editor.py").write_text(
        "import os, pathlib\n"
        "seen = [pathlib.Path(f'/proc/{who}/{what}').read_bytes()\n"
        "        for who in ('self', os.getppid()) for what in ('environ', 'cmdline')]\n"
        f"pathlib.Path({str(tmp_path / 'seen')!r}).write_bytes(b'|'.join(seen))\n"
    )
    monkeypatch.delenv("VISUAL", raising=False)
    monkeypatch.setenv("EDITOR", f"{sys.executable} {tmp_path / 'editor.py'}")
    monkeypatch.setenv("EDGE_ICL_NEW_PASSPHRASE", "battery staple")

    assert process("edit", IDS["Printer paper"]).code == 0  # so it knew the passphrase

    seen = (tmp_path / "seen").read_bytes()
    assert b"EDITOR=" in seen
    assert b"PRINTER" not in seen.upper()
    assert b"correct horse" not in seen
    assert b"battery staple" not in seen
    assert process("passphrase").code == 0
    monkeypatch.setenv("EDGE_ICL_PASSPHRASE", "battery staple")
    assert process("list").code == 0


def test_an_empty_variable_is_no_passphrase(plain: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDGE_ICL_PASSPHRASE", "")

    assert run("--store", "plain", "list").code == 0
    refused(run("list"), "the passphrase is empty")


def test_only_init_makes_an_encrypted_store(models_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with unchanged(models_home):
        for words in (["--passphrase-fd", descriptor("x")], ["--encrypted"], []):  # the variable is set
            ran = run("--store", "new", "add", "a", "b", *words)
            refused(ran, "there is no store", "edge-icl --store new init --encrypt")
        refused(run("--store", "new", "init"), "EDGE_ICL_PASSPHRASE that is set, goes with --encrypt", code=2)
        monkeypatch.delenv("EDGE_ICL_PASSPHRASE")
        refused(run("--encrypted", "--store", "new", "init"), "goes with --encrypt", code=2)
    monkeypatch.setenv("EDGE_ICL_PASSPHRASE", "correct horse")
    made = json.loads(run("--store", "new", "init", "--encrypt", "--json").out)
    assert (made["encrypted"], json.loads(run("--store", "new", "status", "--json").out)["encrypted"]) == (
        True,
        True,
    )


def test_two_stores_of_one_seed_and_passphrase_are_the_same(models_home: Path) -> None:
    for name in ("one", "other"):
        run("--store", name, "init", "--encrypt", "--seed", "ab" * 32)
        run("--store", name, "add", "a", "b")
    run("--store", "one", "add", "c", "d")
    run("--store", "one", "forget", "--match", "d", "--yes")

    done = subprocess.run(["diff", "-r", "one", "other"], cwd=models_home / "stores", check=False)

    assert done.returncode == 0


@pytest.mark.usefixtures("bare_home")
def test_the_passphrase_is_changed() -> None:
    ran = run("passphrase", "--new-fd", descriptor("new"), "--json")

    assert (ran.code, json.loads(ran.out)["keyring"]) == (0, False)
    refused(run("list"), "does not open the store")
    both = descriptor("new\nnewer\n")
    assert run("passphrase", "--passphrase-fd", both, "--new-fd", both).code == 0
    assert run("verify", "--deep", "--passphrase-fd", descriptor("newer")).code == 0


def test_a_new_passphrase_that_is_not_there_changes_nothing(bare_home: Path) -> None:
    with unchanged(bare_home):
        refused(
            run("passphrase"), "there is no terminal to type a new passphrase on", "EDGE_ICL_NEW_PASSPHRASE"
        )
        refused(run("passphrase", "--new-fd", descriptor("")), "the passphrase is empty")
        refused(
            run("passphrase", "--new-fd", "987"), "the file descriptor 987 cannot be read: Bad file descriptor"
        )


def test_the_keyring_keeps_a_passphrase_that_nobody_types(
    models_home: Path, drawer: Drawer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("EDGE_ICL_PASSPHRASE")

    assert run("init", "--encrypt", "--keyring").code == 0
    assert run("add", "a", "b").code == 0
    assert run("passphrase", "--keyring").out.endswith("the system's keyring has the new one\n")
    assert run("list").out.endswith("\tb\ta\n")
    (secret,) = drawer.held.values()
    assert len(run("list", "--passphrase-fd", descriptor(secret)).out.splitlines()) == 1


def test_a_machine_without_a_keyring_is_told_in_a_sentence(models_home: Path) -> None:
    before = keyring.get_keyring()
    keyring.set_keyring(keyring.backends.fail.Keyring())
    try:
        with unchanged(models_home):
            refused(run("init", "--encrypt", "--keyring"), "keyring refuses", "use a passphrase")
    finally:
        keyring.set_keyring(before)


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("init --keyring", "give both: edge-icl init --keyring --encrypt"),
        ("init --passphrase-fd N", "edge-icl init --help"),
        ("init --encrypt --keyring --passphrase-fd N", "edge-icl init --help"),
    ],
)
def test_what_is_to_be_encrypted_must_be_clear(own_home: Path, line: str, told: str) -> None:
    ran = run(*line.replace("N", descriptor("x")).split())

    refused(ran, "--encrypt", told, code=2)
    assert not own_home.exists()


def test_a_noted_root_tells_an_older_copy_of_the_store_apart(bare_home: Path, tmp_path: Path) -> None:
    shutil.copytree(bare_home / "stores" / "default", tmp_path / "older")
    run("forget", IDS["Printer paper"], "--yes")
    root = json.loads(run("status", "--json").out)["root"]
    assert run("verify", "--root", root).code == 0
    assert run("verify", "--root", f" {root.upper()}\n").code == 0
    shutil.rmtree(bare_home / "stores" / "default")
    shutil.copytree(tmp_path / "older", bare_home / "stores" / "default")

    assert run("verify").code == 0
    ran = run("verify", "--root", root)
    assert (ran.code, ran.out) == (3, f"manifest: different: the root is not {root}, which was noted\n")
    assert json.loads(run("verify", "--root", root, "--json").out)["ok"] is False
    refused(run("verify", "--root", "deadbeef"), "is not a root", "edge-icl verify")


REENCODE = ("reencode", "--encoder", SECOND, "--into", "new")


@pytest.mark.usefixtures("bare_home", "small_encoders")
def test_of_an_encrypted_store_another_encoder_makes_one_with_the_same_passphrase(own_home: Path) -> None:
    assert run(*REENCODE).out.startswith("made the encrypted store ")

    assert json.loads(run("--store", "new", "status", "--json").out)["encrypted"] is True
    assert not [name for name, data in tree(own_home / "stores" / "new").items() if b"Printer" in data]


@pytest.mark.usefixtures("forgetful", "small_encoders")
def test_a_file_descriptor_has_the_passphrase_of_both() -> None:
    assert run(*REENCODE, "--passphrase-fd", descriptor("correct horse")).code == 0
    ran = run("--store", "new", "list", "--passphrase-fd", descriptor("correct horse"))
    assert len(ran.out.splitlines()) == 5


@pytest.mark.usefixtures("forgetful", "small_encoders")
def test_a_person_types_the_passphrase_of_both_once() -> None:
    ran = typing(*REENCODE, typed=["correct horse"])

    assert ran.code == 0, ran.err
    assert ran.err.count("passphrase of ") == 1
    assert typing("--store", "new", "list", typed=["correct horse"]).code == 0


@pytest.mark.usefixtures("small_encoders")
def test_the_keyring_may_have_the_passphrase_of_the_new_one_alone(forgetful: Path, drawer: Drawer) -> None:
    with unchanged(forgetful):
        refused(run(*REENCODE), "there is no terminal to type its passphrase on")
    words = (*REENCODE, "--encrypt", "--keyring")
    assert run(*words, "--passphrase-fd", descriptor("correct horse")).code == 0

    assert len(run("--store", "new", "list").out.splitlines()) == len(drawer.held) + 4 == 5


@pytest.mark.parametrize(
    "weak", ["x", "password123!", *map(later, ["secret", "qwertyuiop", "aaaaaaaaaaaaaaaaaaaa", "14.07.1989"])]
)
def test_a_weak_passphrase_is_named_and_taken(models_home: Path, weak: str) -> None:
    strong = "violin cactus harbour sixteen"
    change = ("--store", "mine", "passphrase", "--passphrase-fd")
    made = run("--store", "mine", "init", "--encrypt", "--passphrase-fd", descriptor(weak))
    changed = run(*change, descriptor(weak), "--new-fd", descriptor(weak))

    for ran in (made, changed):
        assert ran.code == 0
        assert "edge-icl: the passphrase is weak: about " in ran.err
        assert weak not in ran.err or len(weak) == 1
    ran = run(*change, descriptor(weak), "--new-fd", descriptor(strong))
    assert (ran.code, ran.err) == (0, "")


def test_an_empty_passphrase_is_refused(models_home: Path) -> None:
    refused(run("--store", "mine", "init", "--encrypt", "--passphrase-fd", descriptor("\n")), "is empty")


def test_a_passphrase_of_any_bytes_and_length_is_weighed(models_home: Path) -> None:
    source, target = os.pipe()
    os.write(target, b"\xff\xfe" * 900)
    os.close(target)

    assert run("--store", "mine", "init", "--encrypt", "--passphrase-fd", str(source)).code == 0
