"""Encrypted stores: who opens them, what the disk shows of them, and what a change of passphrase changes."""

from __future__ import annotations

import gc
import hashlib
import itertools
import json
import shutil
import sys
import unicodedata
from contextlib import suppress
from itertools import pairwise
from pathlib import Path

import pytest
import stores
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from expenses import EXAMPLES, SEED
from faults import NEVER, Crash, Faulty, PowerLoss, Tree, broken_disk, lay_out
from keyrings import Drawer, drawer
from safetensors.numpy import load
from stores import PASSPHRASE, QUICK, SETTINGS, Unflushed, check, commit, make, reopen, row, rows, tree

from edge_icl import (
    InputError,
    Keyring,
    Memory,
    NotInstalledError,
    Options,
    PassphraseError,
    StoreAccessError,
    StoreClosedError,
    StoreDamagedError,
    StoreFormatError,
    Stretch,
)
from edge_icl.access.passphrases import change_passphrase, unlocking
from edge_icl.store.keys import Key, WrappedKey
from edge_icl.store.rewrapping import rewrap
from edge_icl.store.sealing import Seal
from edge_icl.store.writer import writing

__all__ = ["drawer"]
TASK = "Classify the expense"
SECRET = "Zürich, and a goat"


@pytest.fixture
def encrypted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let `stores` make encrypted ones."""
    monkeypatch.setattr(stores, "encrypted", True)


def create(path: Path, passphrase: object = SECRET, *, seed: bytes | None = SEED) -> Memory:
    return Memory.create(path, seed=seed, shots=4, task=TASK, passphrase=passphrase, stretch=QUICK)


def test_a_session_with_an_encrypted_store_is_that_with_a_plain_one(models_home: Path, tmp_path: Path) -> None:
    with create(tmp_path / "sealed") as sealed, create(tmp_path / "plain", None) as plain:
        assert (sealed.encrypted, plain.encrypted) == (True, False)
        for memory in (sealed, plain):
            memory.add_many(EXAMPLES)
        assert sealed.ask("Taxi downtown").labels == plain.ask("Taxi downtown").labels
        shown = sealed.ask("Taxi downtown").examples[0]
        receipts = [memory.forget(shown.id).as_json() for memory in (sealed, plain)]
        assert sealed.root == plain.root
        assert {**receipts[0], "seconds": 0} == {**receipts[1], "seconds": 0}
        assert sealed.verify(deep=True, receipt=receipts[0]).ok
    with create(tmp_path / "never") as never:
        never.add_many([example for example in EXAMPLES if example != shown.example])
    assert tree(tmp_path / "sealed") == tree(tmp_path / "never")


def secrets_of(store: Path) -> list[bytes]:
    """Return what a plain store shows of itself: texts, ids, vectors, what was cached, the task, the seed."""
    with Memory.open(store) as memory:
        points = memory._opened.store.snapshot().points()
        held = [one.example for one in memory.examples()]
    entries = [entry.read_bytes() for entry in (store / "cache").iterdir()]
    assert len(entries) == 2  # a state of the model, and scores of labels
    return [
        *(form.encode() for one in held for form in (one.input, one.output) if len(form) > 5),
        *(one.tobytes() for one in points.ids),
        *(one.tobytes()[i : i + 24] for one in points.vectors for i in (0, 100, 360)),
        *(
            cached[i : i + 24]
            for cached in entries
            for i in range(40, len(cached), max(len(cached) // 50, 1))
            if len(set(cached[i : i + 24])) > 8
        ),
        *(TASK.encode(), SEED.hex().encode(), b"all-minilm-l6-v2", b"offsets", b'"pages"'),
    ]


def shown(found: Tree, secret: bytes) -> bool:
    return any(secret in name.encode() + data for name, data in found.items())


def test_the_disk_shows_nothing_of_what_a_plain_store_shows(models_home: Path, tmp_path: Path) -> None:
    for name, passphrase in (("plain", None), ("sealed", SECRET)):
        with create(tmp_path / name, passphrase) as memory:
            memory.add_many(EXAMPLES)
            memory.ask("Taxi downtown", Options(ask_model="always"))
    plain, sealed = tree(tmp_path / "plain"), tree(tmp_path / "sealed")
    known = secrets_of(tmp_path / "plain")

    assert {name.partition("/")[0] for name, data in sealed.items() if data} == {
        "store.json", "key", "manifest", "pages", "clustering", "cache",
    }  # fmt: skip
    assert all(shown(plain, secret) for secret in known)  # the control: they would be seen
    assert not any(shown(sealed, secret) for secret in [*known, SEED, SECRET.encode()])
    assert not any(shown(sealed, example.id(SEED).hex().encode()) for example in EXAMPLES)


def test_one_seed_and_another_passphrase_give_other_bytes(models_home: Path, tmp_path: Path) -> None:
    found = []
    for name, passphrase in (("one", "a"), ("same", b"a"), ("other", "b")):
        with create(tmp_path / name, passphrase) as memory:
            memory.add("Uber to the airport", "travel")
            found.append(tree(memory.path))

    one, same, other = found
    assert one == same
    assert {name for name in one if one[name] and one[name] == other.get(name)} == set()


def test_without_a_seed_every_store_has_a_key_of_its_own(models_home: Path, tmp_path: Path) -> None:
    one, other = [create(tmp_path / name, seed=None)._opened.store.key for name in ("one", "other")]

    assert one.data != other.data
    assert one.wrapped.salt != other.wrapped.salt


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_text_bytes_and_what_is_called_open_it_alike(models_home: Path, form: str) -> None:
    create(models_home / "store").close()
    text = unicodedata.normalize(form, SECRET)

    for passphrase in (text, text.encode(), lambda: text, text.encode):
        with Memory.open(models_home / "store", passphrase=passphrase) as memory:
            assert memory.settings.task == TASK


def test_a_wrong_passphrase_or_none_changes_nothing(models_home: Path, tmp_path: Path) -> None:
    create(tmp_path / "store").close()
    before = tree(tmp_path)

    for passphrase, told in (
        (SECRET.upper(), "does not open"),
        (b"\xff", "does not open"),
        (None, "no passphrase"),
    ):
        with pytest.raises(PassphraseError, match=told):
            Memory.open(tmp_path / "store", passphrase=passphrase)
    for passphrase in ("", b"", lambda: "", "\ud800"):
        with pytest.raises(InputError, match="the passphrase is"):
            Memory.open(tmp_path / "store", passphrase=passphrase)
        with pytest.raises(InputError, match="the passphrase is"):
            create(tmp_path / "new", passphrase)
    assert tree(tmp_path) == before


def test_a_plain_store_is_not_taken_for_an_encrypted_one(models_home: Path, tmp_path: Path) -> None:
    create(tmp_path / "store", None).close()

    for passphrase in (SECRET, SECRET.encode(), Keyring()):
        with pytest.raises(PassphraseError, match=r"is not encrypted; if .* leave the passphrase out"):
            Memory.open(tmp_path / "store", passphrase=passphrase)
    with (
        Memory.open(tmp_path / "store", passphrase=lambda: pytest.fail("none is needed")) as memory,
        pytest.raises(PassphraseError, match="is not encrypted"),
    ):
        memory.change_passphrase("new")


def test_a_store_that_must_be_made_is_encrypted_if_there_is_a_passphrase(models_home: Path) -> None:
    with Memory.open("work", passphrase=lambda: SECRET) as memory:
        assert memory.encrypted
    with pytest.raises(PassphraseError):
        Memory.open("work")


@pytest.mark.parametrize(
    "stretch", [Stretch(7, 1, 1), Stretch(8, 0, 1), Stretch(1 << 21, 1, 1), Stretch(31, 1, 4)]
)
def test_a_stretch_that_makes_no_sense_makes_no_store(models_home: Path, stretch: Stretch) -> None:
    with pytest.raises(InputError, match="is not valid"):
        Memory.create("work", passphrase=SECRET, stretch=stretch)
    assert not (models_home / "stores").exists()


def test_without_the_extra_it_says_what_to_install(
    models_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    create(tmp_path / "store").close()
    for module in ("kdf.argon2", "ciphers.aead"):
        monkeypatch.setitem(sys.modules, f"cryptography.hazmat.primitives.{module}", None)
        with pytest.raises(NotInstalledError, match=r"pip install 'edge-icl\[encrypt\]'"):
            Memory.open(tmp_path / "store", passphrase=SECRET)
        with pytest.raises(NotInstalledError, match=r"pip install 'edge-icl\[encrypt\]'"):
            create(tmp_path / "other")
    monkeypatch.setitem(sys.modules, "keyring", None)
    with pytest.raises(NotInstalledError, match=r"pip install 'edge-icl\[keyring\]'"):
        Keyring().find(WrappedKey(b"", QUICK, keyring=True))
    assert [path.name for path in tmp_path.iterdir() if path.name != "home"] == ["store"]


def test_another_passphrase_changes_the_key_and_nothing_else(models_home: Path, tmp_path: Path) -> None:
    with create(tmp_path / "store") as memory, Memory.open(tmp_path / "store", passphrase=SECRET) as other:
        memory.add_many(EXAMPLES)
        before = tree(memory.path)
        (tmp_path / "link").hardlink_to(memory.path / "key")

        memory.change_passphrase("new")

        after = tree(memory.path)
        assert {name for name in before if before[name] != after.get(name)} == {"key"}
        assert set((tmp_path / "link").read_bytes()) == {0}
        assert len(other) == len(EXAMPLES)  # who has it open need not notice
        assert memory.verify(deep=True).ok
    with pytest.raises(PassphraseError):
        Memory.open(tmp_path / "store", passphrase=SECRET)
    with Memory.open(tmp_path / "store", passphrase="new") as memory:
        assert len(memory) == len(EXAMPLES)


def opens(path: Path, passphrase: bytes) -> bool:
    """Tell whether a passphrase opens a store, in which a reader then finds everything."""
    try:
        store = stores.Store.open(path, unlock=lambda wrapped: wrapped.unwrap(passphrase), files=Unflushed())
    except PassphraseError:
        return False
    assert len(list(store.snapshot().examples())) == 9
    return True


@pytest.mark.parametrize("cut", [False, True], ids=["crash", "power cut"])
def test_a_change_of_passphrase_that_is_cut_off_leaves_the_old_or_the_new(
    encrypted: None, tmp_path: Path, cut: bool, campaign: bool
) -> None:
    start = tree(make(tmp_path / "start", rows(range(9))).path)
    new = stores.KEY.rewrapped(b"new")
    seen = set()

    def attempt(n: int) -> bool:
        lay_out(start, path := tmp_path / f"store {n}")
        files, old = PowerLoss(path), (path / "key").open("rb")
        store = reopen(path, files=files)
        files.live(n)
        try:
            rewrap(store, new, timeout=1)
        except Crash:
            assert files.fired
        for i, found in enumerate(files.outcomes(400 if campaign else 40) if cut else [tree(path)]):
            lay_out(found, place := tmp_path / f"place {n} {i}")
            (passphrase,) = [word for word in (PASSPHRASE, b"new") if opens(place, word)]
            assert files.fired or passphrase == b"new"
            seen.add(passphrase)
            with writing(stores.Store.open(place, unlock=lambda wrapped, it=passphrase: wrapped.unwrap(it))):
                pass
            expected = start if passphrase == PASSPHRASE else {**start, "key": new.wrapped.encode()}
            assert tree(place) == expected
            shutil.rmtree(place)
        (last,) = [word for word in (PASSPHRASE, b"new") if opens(path, word)]
        with writing(stores.Store.open(path, unlock=lambda wrapped: wrapped.unwrap(last))), old:
            wiped = not old.read().strip(b"\0")
        assert wiped == ((path / "key").read_bytes() == new.wrapped.encode())
        return files.fired

    moments = 0
    while attempt(moments):
        moments += 1
    assert moments > 6
    assert seen == {PASSPHRASE, b"new"}


def test_a_change_of_passphrase_without_a_fault_is_wiped(encrypted: None, tmp_path: Path) -> None:
    files = PowerLoss(make(tmp_path / "store", rows(range(9))).path)
    store = reopen(files.root, files=files)
    files.live(NEVER)

    rewrap(store, stores.KEY.rewrapped(b"new"), timeout=1)

    after = files.done[files.done.index("rename") + 1 :]  # zeros, after the new name is on the disk
    assert after == ["flush directory", "write", "flush", "unlink", "flush directory", "rest"]


def test_a_reader_who_opened_the_key_before_it_was_wiped_reads_the_next(
    encrypted: None, tmp_path: Path
) -> None:
    class Late(Unflushed):
        late = True

        def read(self, path: Path) -> bytes:
            if path.name == "key" and self.late:
                self.late = False
                return bytes(len(super().read(path)))
            return super().read(path)

    make(tmp_path / "store", rows(range(9)))

    assert len(reopen(tmp_path / "store", files=Late()).snapshot().points().ids) == 9


def test_the_keyring_opens_a_store_without_a_word(models_home: Path, drawer: Drawer, tmp_path: Path) -> None:
    with create(tmp_path / "store", Keyring(), seed=None) as memory:
        memory.add_many(EXAMPLES)
    (secret,) = drawer.held.values()

    with Memory.open(tmp_path / "store", passphrase=lambda: pytest.fail("none is needed")) as memory:
        assert len(memory) == len(EXAMPLES)
    with Memory.open(tmp_path / "store") as memory:
        memory.change_passphrase("mine")
        assert drawer.held == {}
        memory.change_passphrase(Keyring())
    (other,) = drawer.held.values()
    assert secret != other
    with Memory.open(tmp_path / "store", passphrase=other) as memory:
        assert memory.verify(deep=True).ok
    drawer.held.clear()
    with pytest.raises(PassphraseError, match="keyring does not have the passphrase"):
        Memory.open(tmp_path / "store")


def test_a_change_that_fails_leaves_a_store_that_opens(encrypted: None, drawer: Drawer, tmp_path: Path) -> None:
    start = tree(make(tmp_path / "start", rows(range(9))).path)

    def attempt(n: int) -> bool:
        lay_out(start, path := tmp_path / f"store {n}")
        files = Faulty(error=broken_disk())
        store = reopen(path, files=files)
        files.live(n)
        with suppress(StoreAccessError):
            change_passphrase(store, Keyring(), timeout=1)
        opened = stores.Store.open(path, unlock=unlocking(lambda: PASSPHRASE), files=Unflushed())
        told.add((files.fired, opened.key.wrapped.keyring, len(drawer.held)))
        assert len(drawer.held) == opened.key.wrapped.keyring
        drawer.held.clear()
        return files.fired

    told: set[tuple[bool, bool, int]] = set()
    assert next(n for n in itertools.count() if not attempt(n)) > 6
    assert told == {(True, False, 0), (True, True, 1), (False, True, 1)}


def test_an_audit_that_cannot_read_the_key_says_so(encrypted: None, tmp_path: Path) -> None:
    store = make(tmp_path / "store", rows(range(9)))

    for n in itertools.count():
        files = Faulty(n, error=broken_disk())
        try:
            told = [str(finding) for finding in check(store.path, files=files).differences]
        except StoreAccessError as error:
            told = [str(error)]
        assert bool(told) == files.fired
        if not files.fired:
            break
    assert n > 6


def test_the_keyring_keeps_nothing_of_a_store_that_could_not_be_made(models_home: Path, drawer: Drawer) -> None:
    (models_home / "stores").write_text("in the way")

    with pytest.raises(Exception, match="work"):
        create(Path(models_home / "stores" / "work"), Keyring(), seed=None)
    assert drawer.held == {}


def test_a_file_passes_for_no_other_role_and_no_other_store() -> None:
    seal = Seal(stores.KEY.data)
    sealed = seal.seal("pages/one", b"content")

    assert seal.open("pages/other", sealed) == b"content"
    for name in ("clustering/one", "cache/one", "manifest", "store.json"):
        with pytest.raises(StoreDamagedError, match=name):
            seal.open(name, sealed)
    with pytest.raises(StoreDamagedError):
        Seal(Key.new(PASSPHRASE, stretch=QUICK).data).open("pages/one", sealed)
    assert seal.open("manifest", seal.seal("manifest.new", b"x")) == b"x"


def test_a_key_is_checked_when_it_is_read() -> None:
    good = stores.KEY.wrapped.encode()
    assert WrappedKey.decode(good) == stores.KEY.wrapped
    for old, new in ((b'"memory":8', b'"memory":9'), (b'"format":1', b'"format":true'), (b"salt", b"salt2")):
        with pytest.raises(StoreDamagedError, match="key"):
            WrappedKey.decode(good.replace(old, new))
    greedy = WrappedKey(stores.KEY.wrapped.salt, Stretch(memory=1 << 30), keyring=False, wrapped=bytes(80))
    with pytest.raises(StoreDamagedError, match="key"):
        WrappedKey.decode(greedy.encode())
    with pytest.raises(StoreFormatError, match=r"format 2 .* reads format 1"):
        WrappedKey.decode(good.replace(b'"format":1', b'"format":2'))


def test_a_key_in_a_plain_store_is_a_stray_file(tmp_path: Path) -> None:
    store = make(tmp_path / "store", rows(range(3)))
    (store.path / "key").write_bytes(stores.KEY.wrapped.encode())

    assert [finding.path for finding in check(store.path).differences] == ["key"]


def test_the_default_stretch_is_that_of_rfc_9106_where_memory_is_scarce() -> None:
    assert Stretch() == Stretch(memory=64 * 1024, passes=3, lanes=4)


def test_settings_of_an_encrypted_store_are_covered_by_the_root(encrypted: None, tmp_path: Path) -> None:
    store = make(tmp_path / "store", rows(range(3)))
    commit(store, removed=[row(1).id])

    assert store.snapshot().manifest.settings == SETTINGS.digest(SETTINGS.encode())


def read_by_hand(store: Path, passphrase: bytes) -> list[bytes]:
    """Return the texts of a store, read as docs/format.md says, sharing no code with ours."""
    key = json.loads((store / "key").read_bytes())
    bound = {name: key[name] for name in ("keyring", "lanes", "memory", "passes", "salt")}
    stretched = Argon2id(
        salt=bytes.fromhex(key["salt"]),
        length=64,
        iterations=key["passes"],
        lanes=key["lanes"],
        memory_cost=key["memory"],
    ).derive(unicodedata.normalize("NFC", passphrase.decode()).encode())
    wrapping = json.dumps(bound, separators=(",", ":"), sort_keys=True).encode()
    cipher = AESSIV(AESSIV(stretched).decrypt(bytes.fromhex(key["wrapped"]), [wrapping]))
    envelope = json.loads((store / "store.json").read_bytes())
    settings = cipher.decrypt(bytes.fromhex(envelope["sealed"]), [b"store.json"])
    seed = bytes.fromhex(json.loads(settings)["seed"])
    manifest = json.loads(cipher.decrypt((store / "manifest").read_bytes(), [b"manifest"]))
    assert manifest["settings"] == hashlib.blake2b(settings, digest_size=32, key=seed).hexdigest()
    found = []
    for _, count, name in manifest["pages"]:
        data = cipher.decrypt((store / "pages" / f"{name}.safetensors").read_bytes(), [b"pages"])
        assert hashlib.blake2b(data, digest_size=32, key=seed).hexdigest() == name
        page = load(data)
        assert len(page["ids"]) == count
        text = page["text"].tobytes()
        found += [text[start:end] for start, end in pairwise(page["offsets"])]
    return found


def test_the_page_on_the_format_suffices_to_read_a_store(encrypted: None, tmp_path: Path) -> None:
    store = make(tmp_path / "store", rows(range(600)))
    commit(store, removed=[row(7).id])
    held = [example.canonical() for _, example in store.snapshot().examples()]

    assert read_by_hand(store.path, PASSPHRASE) == held
    rewrap(store, store.key.rewrapped("naïve".encode()), timeout=1)
    assert read_by_hand(store.path, unicodedata.normalize("NFD", "naïve").encode()) == held


def test_a_seed_and_a_passphrase_give_the_key_that_the_page_on_the_format_says() -> None:
    salt = hashlib.blake2b(b"edge-icl/salt", digest_size=16, key=SETTINGS.seed).digest()
    stretched = Argon2id(salt=salt, length=64, iterations=1, lanes=1, memory_cost=8).derive(PASSPHRASE)

    assert stores.KEY.wrapped.salt == salt
    assert stores.KEY.data == hashlib.blake2b(b"edge-icl/data key", digest_size=64, key=stretched).digest()


def test_closing_a_store_overwrites_its_key_in_memory(models_home: Path, tmp_path: Path) -> None:
    with create(tmp_path / "store") as memory:
        memory.add_many(EXAMPLES[:3])
        memory.change_passphrase("new")
        held, copy = memory._opened.store.key.data, bytes(memory._opened.store.key.data)
        kept = memory._opened.store.snapshot()

    assert set(held) == {0}
    owners = [one for one in gc.get_objects() if isinstance(one, Key | Seal | Memory)]
    seen = [getattr(one, "data", getattr(one, "_key", None)) for one in owners]
    assert not any(isinstance(data, bytes | bytearray) and copy == data for data in seen)
    with pytest.raises(StoreClosedError):
        memory.add("a", "b")
    with pytest.raises(StoreClosedError):
        memory._opened.store.folder.read("manifest")
    assert kept is not None
    with Memory.open(tmp_path / "store", passphrase="new") as memory:
        assert memory.verify(deep=True).ok
