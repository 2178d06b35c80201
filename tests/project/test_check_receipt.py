"""docs/check_receipt.py, one file without edge-icl, finds where a receipt or a store does not hold."""

from __future__ import annotations

import ast
import importlib.util
import io
import json
import os
import runpy
import struct
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import redirect_stdout
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest import mock

import cryptography
import pytest
from command import IDS, Ran, run
from hypothesis import given
from hypothesis import settings as how_often
from hypothesis import strategies as st
from repository import REPOSITORY
from stores import PASSPHRASE, SETTINGS, commit, make, replace_file, row, rows

from edge_icl import InputError, SignatureError
from edge_icl.access import receipts
from edge_icl.access.signing import SigningKey
from edge_icl.store import pages
from edge_icl.store.disk import Store
from edge_icl.store.manifest import page_file
from edge_icl.store.pages import Row

pytest_plugins = ["cli_fixtures"]

SCRIPT = REPOSITORY / "docs" / "check_receipt.py"
HOLDS, UNKNOWN, WRONG = 0, 1, 3
KEY = SigningKey(
    public="d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
    private="9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
)
"""The first test vector of RFC 8032, section 7.1."""

WITHOUT_US = """
import importlib.util, runpy, sys
sys.path.append(sys.argv.pop(1))
assert importlib.util.find_spec("edge_icl") is None and importlib.util.find_spec("numpy") is None
sys.argv.pop(0)
try:
    runpy.run_path(sys.argv[0], run_name="__main__")
finally:
    assert not [name for name in sys.modules if name.startswith("edge_icl")]
"""
"""Runs the program in a Python that has the standard library, and what is in one folder."""


@pytest.fixture(scope="session")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the package cryptography, and what it needs, alone."""
    folder = tmp_path_factory.mktemp("packages")
    whole = Path(cryptography.__file__).parent
    for path in (whole, *whole.parent.glob("_cffi_backend*"), *whole.parent.glob("cffi")):
        (folder / path.name).symlink_to(path)
    return folder


Check = Callable[..., Ran]


@pytest.fixture
def alone(packages: Path) -> Check:
    """Run the program as others do, and return what it said."""

    def checked(*args: object, folder: Path = packages, passphrase: str = PASSPHRASE.decode()) -> Ran:
        command = [sys.executable, "-I", "-S", "-B", "-W", "error", "-c", WITHOUT_US, folder, SCRIPT, *args]
        done = subprocess.run(
            [*map(str, command)],
            env={**os.environ, "EDGE_ICL_PASSPHRASE": passphrase},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        return Ran(done.returncode, done.stdout, done.stderr)

    return checked


@pytest.fixture
def check() -> Check:
    """Run the program in this process, which is faster."""

    def checked(*args: object, passphrase: str = PASSPHRASE.decode()) -> Ran:
        out = io.StringIO()
        with (
            mock.patch.dict("os.environ", EDGE_ICL_PASSPHRASE=passphrase),
            mock.patch.multiple(sys, argv=["check_receipt.py", *map(str, args)], stdin=io.StringIO()),
            redirect_stdout(out),
            pytest.raises(SystemExit) as ended,
        ):
            runpy.run_path(str(SCRIPT), run_name="__main__")
        return Ran(ended.value.code, out.getvalue(), "")

    return checked


def forgotten(store: Store, *gone: int) -> Path:
    """Forget some rows, and return the file of the signed receipt."""
    removed = [row(number).id for number in gone]
    change = commit(store, removed=removed)
    file = store.path.parent / "receipt.json"
    file.write_text(receipts.sign(KEY, store.settings, removed, change.root_before, change.after))
    return file


def resigned(file: Path, **fields: Any) -> None:
    """Have other fields in a receipt, signed by one who signs anything."""
    told = {
        name: value for name, value in (json.loads(file.read_text()) | fields).items() if name != "signature"
    }
    text = json.dumps(told, separators=(",", ":"), sort_keys=True)
    signed = {**told, "signature": KEY.sign(b"edge-icl/receipt\n" + text.encode())}
    file.write_text(json.dumps(signed, separators=(",", ":"), sort_keys=True) + "\n")


@pytest.mark.usefixtures("bare_home")
def test_what_the_command_line_wrote_holds(bare_home: Path, tmp_path: Path, alone: Check) -> None:
    file, store = tmp_path / "receipt.json", bare_home / "stores" / "default"
    assert run("forget", IDS["Printer paper"], "--yes", "--receipt", str(file), "--sign").code == 0
    key = json.loads(run("status", "--json").out)["signing_key"]

    ran = alone(file, "--key", key, "--store", store)

    root = json.loads(run("status", "--json").out)["root"]
    assert ran.out.splitlines()[:1] == [f"ok      it is, to the byte, what was signed with the key {key}"]
    assert f"ok      the store's root is {root}: it is as it was then\n" in ran.out
    assert (ran.code, ran.out.splitlines()[-1]) == (HOLDS, "all holds")
    assert run("verify", "--receipt", str(file), "--key", key).code == 0


@pytest.mark.usefixtures("kind")
@pytest.mark.parametrize(
    ("held", "gone"), [(10, (3,)), (3000, (3, 77, 500, 2999)), (4, (0, 1, 2, 3)), (257, (9,))]
)
def test_a_sound_store_holds_also_when_it_has_changed_since(
    tmp_path: Path, alone: Check, check: Check, held: int, gone: tuple[int, ...]
) -> None:
    store = make(tmp_path / "store", rows(range(held)))
    file = forgotten(store, *gone)

    ran = alone(file, "--store", store.path)
    assert ran == check(file, "--store", store.path)
    assert ran.code == HOLDS, ran
    assert "it is as it was then" in ran.out
    assert "its leaves are those of this root" in ran.out
    assert f"among the {held - len(gone):,} in the store" in ran.out
    commit(store, added=rows([5000, 5001]), labels="yes")
    ran = check(file, "--store", store.path, "--key", KEY.public)
    assert ran.code == HOLDS, ran.out
    assert "it has changed since" in ran.out
    assert "its leaves" not in ran.out


@pytest.mark.usefixtures("kind")
def test_what_came_back_is_found_and_another_store_is_told(tmp_path: Path, check: Check) -> None:
    store = make(tmp_path / "store", rows(range(600)))
    other = make(tmp_path / "other", rows(range(3)), settings=replace(SETTINGS, seed=bytes(32)))
    file = forgotten(store, 3, 77)

    ran = check(file, "--store", other.path)
    assert (ran.code, "the receipt is of another store" in ran.out) == (WRONG, True)
    commit(store, added=rows([77]))
    ran = check(file, "--store", store.path)
    assert (ran.code, ran.out.splitlines()[-1]) == (WRONG, "it does not hold")
    assert f"WRONG   in the store: {row(77).id.hex()}\n" in ran.out


def with_page(store: Store, data: bytes) -> None:
    """Put bytes in the place of the only page, and name them in the manifest as a program can."""
    now = store.snapshot().manifest
    (leaf,) = now.pages
    new = replace(now, pages=(leaf._replace(digest=store.settings.digest(data)),))
    replace_file(store, page_file(leaf.digest), page_file(new.pages[0].digest), data)
    replace_file(store, "manifest", "manifest", new.encode())


def under_another_id(store: Store) -> None:
    """Hold the example as if it were another one."""
    page = store.snapshot().load()[0]
    held = list(page.rows())
    with_page(store, pages.encode(pages.Page.of([*held[:-1], Row(held[-1].id, held[-1].vector, row(3).text)])))


def in_a_header(store: Store) -> None:
    """Hold its text in the header of a page, which loads as before in other programs."""
    data = pages.encode(store.snapshot().load()[0])
    size = int.from_bytes(data[:8], "little")
    hidden = {"__metadata__": {"hidden": row(3).text.decode()}, **json.loads(data[8 : 8 + size])}
    header = json.dumps(hidden, separators=(",", ":")).encode()
    with_page(store, len(header).to_bytes(8, "little") + header + data[8 + size :])


def behind_a_page(store: Store) -> None:
    """Hold its text behind the columns of a page."""
    with_page(store, pages.encode(store.snapshot().load()[0]) + row(3).text)


def in_the_manifest(store: Store) -> None:
    """Hold its page in a manifest that says two things."""
    data = store.snapshot().manifest.encode()
    replace_file(store, "manifest", "manifest", data.replace(b'{"pages":', b'{"pages":[],"pages":'))


def beside_the_pages(store: Store) -> None:
    """Hold its text in a field of the manifest."""
    data = store.snapshot().manifest.encode().removesuffix(b"}\n")
    replace_file(
        store, "manifest", "manifest", data + b',"x":' + json.dumps(row(3).text.decode()).encode() + b"}\n"
    )


PLANTED: dict[str, Callable[[Store], object]] = {
    "a stray page": lambda store: store.folder.create({page_file("ab" * 32): row(3).text}),
    "a draft": lambda store: (store.path / "manifest.new").write_bytes(b""),
    "a file in a folder": lambda store: [(store.path / "x").mkdir(), (store.path / "x" / "y").write_bytes(b"")],
    "a link": lambda store: (store.path / "cache" / "x").symlink_to(store.path / "lock"),
    "a dangling link": lambda store: (store.path / "cache" / "x").symlink_to("nowhere"),
    "a pipe": lambda store: os.mkfifo(store.path / "cache" / "x"),
    "its id in the cache": lambda store: store.folder.create({"cache/x": b"state " + row(3).id}),
    "its id in letters": lambda store: store.folder.create({"cache/x": row(3).id.hex().encode()}),
    "its id in the lock": lambda store: (store.path / "lock").write_bytes(row(3).id.hex().encode()),
    "its text under another id": under_another_id,
    "its text in a header": in_a_header,
    "its text behind a page": behind_a_page,
    "a manifest that says two things": in_the_manifest,
    "its text in the manifest": beside_the_pages,
}


@pytest.mark.usefixtures("kind")
@pytest.mark.parametrize("what", PLANTED)
def test_what_is_planted_is_found(tmp_path: Path, check: Check, what: str) -> None:
    store = make(tmp_path / "store", rows(range(10)))
    file = forgotten(store, 3)
    assert check(file, "--store", store.path).code == HOLDS

    PLANTED[what](store)

    ran = check(file, "--store", store.path)
    assert (ran.code, ran.out.splitlines()[-1]) == (WRONG, "it does not hold"), ran.out


@pytest.mark.usefixtures("kind")
def test_leaves_that_are_not_those_of_the_root_are_found(tmp_path: Path, check: Check) -> None:
    store = make(tmp_path / "store", rows(range(600)))
    file = forgotten(store, 3, 77)
    leaves = json.loads(file.read_text())["leaves"]

    for lie in ([], leaves[1:], [[leaves[0][0], leaves[0][1], "ab" * 32], *leaves[1:]]):
        resigned(file, leaves=lie)
        assert check(file).code == HOLDS
        ran = check(file, "--store", store.path)
        assert (ran.code, "WRONG   its leaves are not those of this root\n" in ran.out) == (WRONG, True)


def test_a_receipt_alone_says_no_more_than_it_can(tmp_path: Path, check: Check) -> None:
    file = forgotten(make(tmp_path / "store", rows(range(10))), 3)
    text, other = file.read_text(), "00" * 32

    assert check(file).code == check(file, "--key", KEY.public).code == HOLDS
    ran = check(file, "--key", other)
    assert (ran.code, f"it is not signed with the key {other}" in ran.out) == (WRONG, True)
    for name in json.loads(text):
        fields = json.loads(text)
        del fields[name]
        file.write_text(json.dumps(fields, separators=(",", ":"), sort_keys=True) + "\n")
        assert check(file).code == WRONG, name
    resigned(
        file,
        edge_icl_receipt=2,
        **{name: value for name, value in json.loads(text).items() if name != "edge_icl_receipt"},
    )
    ran = check(file)
    assert (ran.code, "version 2 is newer than this program" in ran.out) == (WRONG, True)
    file.write_text('{"root_after": "", "ids": [3]}')
    assert "this is not a receipt" in check(file).out
    file.unlink()
    assert check(file).code == UNKNOWN


def test_a_receipt_without_a_signature_is_never_said_to_hold_whole(tmp_path: Path, check: Check) -> None:
    store = make(tmp_path / "store", rows(range(10)))
    file = forgotten(store, 3)
    fields = json.loads(file.read_text())
    file.write_text(json.dumps({name: fields[name] for name in ("ids", "root_after")}, indent=1))

    ran = check(file, "--store", store.path)

    assert (ran.code, ran.out.splitlines()[-1]) == (UNKNOWN, "not all can be told")
    assert "none of its ids is among the 9 in the store" in ran.out
    assert check(file, "--key", KEY.public).code == WRONG
    commit(store, added=rows([3]))
    assert check(file, "--store", store.path).code == WRONG


def test_without_cryptography_or_a_passphrase_what_cannot_be_told_is_said(
    tmp_path: Path, alone: Check, check: Check, kind: str
) -> None:
    store = make(tmp_path / "store", rows(range(10)))
    file = forgotten(store, 3)

    ran = alone(file, "--store", store.path, folder=tmp_path)
    assert (ran.code, "its signature cannot be checked: pip install cryptography" in ran.out) == (UNKNOWN, True)
    assert ("none of its ids" in ran.out) == (kind == "plain")
    for passphrase, words in (("", "without its passphrase nothing"), ("another", "does not open the store")):
        ran = check(file, "--store", store.path, passphrase=passphrase)
        assert (ran.code, words in ran.out) == ((UNKNOWN, True) if kind == "encrypted" else (HOLDS, False))


def test_what_is_no_store_is_none(tmp_path: Path, check: Check) -> None:
    file = forgotten(make(tmp_path / "store", rows(range(10))), 3)
    folder = tmp_path / "folder"

    assert check(file, "--store", folder).code == UNKNOWN
    folder.mkdir()
    for text in ("", "{", "[]", "3", "{}", '{"seed": 3}', '{"sealed": 3}', '{"seed": ""}', "[" * 100_000):
        (folder / "store.json").write_text(text)
        assert check(file, "--store", folder).code in {UNKNOWN, WRONG}, text


# Without a process each


@pytest.fixture(scope="module")
def script() -> ModuleType:
    """The program as a module."""
    spec = importlib.util.spec_from_file_location("check_receipt", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def fields_in(script: ModuleType, data: bytes) -> dict[str, Any] | None:
    """Return what the program reads, None if it refuses it."""
    script.found = {HOLDS}
    try:
        fields = script.read_receipt(data)
        script.check_signature(fields, None)
    except script.DoesNotHold:
        return None
    return fields if script.found == {HOLDS} else None


@pytest.fixture(scope="module")
def changing(tmp_path_factory: pytest.TempPathFactory, kind: str) -> Iterator[tuple[Store, dict[str, Any]]]:
    """A store of two pages, and what its receipt says."""
    store = make(tmp_path_factory.mktemp("changing") / "store", rows(range(300)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EDGE_ICL_PASSPHRASE", PASSPHRASE.decode())
        yield store, json.loads(forgotten(store, 3).read_text())


@how_often(max_examples=100, deadline=None)
@given(data=st.data())
def test_it_reads_what_we_read_and_refuses_any_other_byte(
    data: st.DataObject, script: ModuleType, changing: tuple[Store, dict[str, Any]]
) -> None:
    ids = data.draw(st.sets(st.integers(0, 400).map(lambda number: row(number).id), min_size=1, max_size=9))
    now = changing[0].snapshot().manifest
    whole = receipts.sign(KEY, SETTINGS, ids, "ab" * 32, now).encode()
    place = data.draw(st.integers(0, len(whole) - 1))
    byte = data.draw(st.binary(max_size=2).filter(lambda some: some != whole[place : place + 1]))
    changed = whole[:place] + byte + whole[place + 1 :]

    assert fields_in(script, whole)["ids"] == [one.hex() for one in receipts.read(whole).ids]
    assert fields_in(script, changed) is None
    with pytest.raises((InputError, SignatureError)):
        receipts.read(changed)


@how_often(max_examples=100, deadline=None)
@given(data=st.data())
def test_a_store_of_which_any_byte_is_another_does_not_hold(
    data: st.DataObject, script: ModuleType, changing: tuple[Store, dict[str, Any]]
) -> None:
    store, fields = changing
    files = sorted(
        path for path in store.path.rglob("*") if path.is_file() and path.name not in {"lock", "key"}
    )
    file = data.draw(st.sampled_from(files))
    held = file.read_bytes()
    place, more = data.draw(st.integers(0, len(held) - 1)), data.draw(st.integers(1, 255))
    file.write_bytes(held[:place] + bytes([held[place] ^ more]) + held[place + 1 :])

    try:
        with pytest.raises((script.DoesNotHold, ValueError, LookupError, TypeError, OSError, struct.error)):
            script.check_store(fields, script.Store(store.path))
    finally:
        file.write_bytes(held)


def test_the_program_needs_nothing_but_python_and_cryptography() -> None:
    tree = ast.parse(SCRIPT.read_text(encoding="utf-8"))
    names = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    names |= {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}

    assert {name.split(".")[0] for name in names} - {"cryptography", "__future__"} <= sys.stdlib_module_names
    assert not {"socket", "subprocess", "urllib"} & names
    assert "write" not in {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
