"""Who changes an encrypted store behind its owner's back: what is noticed, and that nothing is lost of it."""

from __future__ import annotations

import itertools
import shutil
import threading
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import pytest
from expenses import EXAMPLES
from hypothesis import given, settings
from hypothesis import strategies as st
from keyrings import Drawer, drawer
from stores import QUICK, tree

from edge_icl import (
    EdgeIclError,
    Example,
    InputError,
    Keyring,
    Memory,
    PassphraseError,
    StoreChangedError,
    StoreDamagedError,
    StoreError,
    Stretch,
)
from edge_icl.access.passphrases import unlocking
from edge_icl.access.verification import verify
from edge_icl.store.keys import WrappedKey

__all__ = ["drawer"]

PASSPHRASE = "correct horse"
Tree = dict[str, bytes]


def create(path: Path, passphrase: object = PASSPHRASE, *, examples: int = 4) -> Path:
    with Memory.create(path, shots=2, passphrase=passphrase, stretch=QUICK) as memory:
        memory.add_many(EXAMPLES[:examples])
    return path


def put(path: Path, found: Tree) -> None:
    """Make a store's directory hold exactly these files."""
    shutil.rmtree(path, ignore_errors=True)
    path.mkdir(mode=0o700)
    for name, data in found.items():
        if name.endswith("/"):
            (path / name).mkdir(mode=0o700)
        else:
            (path / name).write_bytes(data)


def opened(path: Path, passphrase: object = PASSPHRASE) -> list[str]:
    """Return the inputs of a store, opened again."""
    with Memory.open(path, create=False, passphrase=passphrase) as memory:
        return sorted(held.input for held in memory.examples())


def test_a_handle_on_a_store_made_anew_does_not_overwrite_its_key(models_home: Path, tmp_path: Path) -> None:
    for passphrase in ("another", None):
        with Memory.open(create(tmp_path / "store"), passphrase=PASSPHRASE) as memory:
            shutil.rmtree(tmp_path / "store")
            create(tmp_path / "store", passphrase)
            before = tree(tmp_path)

            with pytest.raises(StoreChangedError, match=r"is not the one that was opened.*open it again"):
                memory.change_passphrase("new")

        assert tree(tmp_path) == before
        assert len(opened(tmp_path / "store", passphrase)) == 4
        shutil.rmtree(tmp_path / "store")


def test_of_two_changes_of_the_passphrase_the_later_is_told_and_none_is_lost(
    models_home: Path, tmp_path: Path
) -> None:
    create(tmp_path / "store")
    with (
        Memory.open(tmp_path / "store", passphrase=PASSPHRASE) as one,
        Memory.open(tmp_path / "store", passphrase=PASSPHRASE) as other,
    ):
        one.change_passphrase("first")
        with pytest.raises(StoreChangedError, match="another key than when it was opened"):
            other.change_passphrase("second")
        one.change_passphrase("third")

    assert len(opened(tmp_path / "store", "third")) == 4


def test_of_many_threads_that_change_it_at_once_each_is_done_or_told(models_home: Path, tmp_path: Path) -> None:
    done: list[str] = []
    told: list[str] = []

    def change(memory: Memory, passphrase: str) -> None:
        start.wait()
        try:
            memory.change_passphrase(passphrase)
            done.append(passphrase)
        except StoreChangedError:
            told.append(passphrase)

    create(tmp_path / "store")
    start = threading.Barrier(8)
    with ExitStack() as stack:
        memories = [
            stack.enter_context(Memory.open(tmp_path / "store", passphrase=PASSPHRASE)) for _ in range(2)
        ]
        threads = [threading.Thread(target=change, args=(memories[i % 2], f"word {i}")) for i in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert sorted(done + told) == [f"word {i}" for i in range(8)]
    works = [word for word in done if _opens(tmp_path / "store", word)]
    assert works == done[-1:]
    assert not any(_opens(tmp_path / "store", word) for word in [*told, PASSPHRASE])


def _opens(path: Path, passphrase: str) -> bool:
    try:
        return len(opened(path, passphrase)) == 4
    except PassphraseError:
        return False


def test_a_key_that_was_set_back_or_swapped_is_not_replaced(models_home: Path, tmp_path: Path) -> None:
    create(tmp_path / "store")
    create(tmp_path / "other")
    keys = [(tmp_path / name / "key").read_bytes() for name in ("store", "other")]
    with Memory.open(tmp_path / "store", passphrase=PASSPHRASE) as memory:
        memory.change_passphrase("new")
        for data in (*keys, b"", b"{}"):
            (tmp_path / "store" / "key").write_bytes(data)
            before = tree(tmp_path)
            with pytest.raises(StoreChangedError):
                memory.change_passphrase("newer")
            assert tree(tmp_path) == before


def test_the_keyring_keeps_nothing_for_a_change_that_was_refused(
    models_home: Path, drawer: Drawer, tmp_path: Path
) -> None:
    with Memory.open(create(tmp_path / "store"), passphrase=PASSPHRASE) as memory:
        (tmp_path / "store" / "key").rename(tmp_path / "taken")
        with pytest.raises(StoreError):
            memory.change_passphrase(Keyring())
        (tmp_path / "taken").write_bytes(b"{}")
        (tmp_path / "taken").rename(tmp_path / "store" / "key")
        with pytest.raises(StoreError):
            memory.change_passphrase(Keyring())

    assert drawer.held == {}


@pytest.fixture(scope="module")
def trees(fetched_models: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Tree]:
    """States of stores that one user has under one passphrase, and of a plain one."""
    folder, found = tmp_path_factory.mktemp("stores"), {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EDGE_ICL_HOME", str(fetched_models.parent))
        create(folder / "store")
        found["older"] = tree(folder / "store")
        with Memory.open(folder / "store", passphrase=PASSPHRASE) as memory:
            memory.add_many(Example.create(f"Ferry number {n}", "travel") for n in range(300))
            memory.forget(memory.find(match=EXAMPLES[0].input)[0].id)
        found["now"] = tree(folder / "store")
        found["other"] = tree(create(folder / "other", examples=7))
        found["plain"] = tree(create(folder / "plain", None))
    return found


def swaps(trees: dict[str, Tree]) -> list[tuple[str, Tree]]:
    """Return everything that a thief without the passphrase can put together of what he finds."""
    now, found = trees["now"], []
    files = [name for name, data in now.items() if data]
    for one, other in itertools.permutations(files, 2):
        found.append((f"{other} in place of {one}", {**now, one: now[other]}))
    for state in ("older", "other", "plain"):
        for one in files:
            role = one.partition("/")[0]
            found += [
                (f"{state}'s {name} as {one}", {**now, one: data})
                for name, data in trees[state].items()
                if data and name.partition("/")[0] == role and data != now[one]
            ]
    found += [(f"without {name}", {n: d for n, d in now.items() if n != name}) for name in files]
    found += [
        (f"{name} with a flipped bit", {**now, name: data[:-9] + bytes([data[-9] ^ 1]) + data[-8:]})
        for name, data in now.items()
        if data
    ]
    return found


def test_no_file_of_another_state_or_store_passes_for_one_of_this(
    models_home: Path, tmp_path: Path, trees: dict[str, Tree]
) -> None:
    put(store := tmp_path / "store", trees["now"])
    right = opened(store)
    assert len(right) == 303
    attacks = swaps(trees)

    for what, found in attacks:
        put(store, found)
        try:
            assert opened(store) == right, what  # what it needed for that was not swapped
            assert not verify(store, unlock=unlocking(PASSPHRASE)).ok, what
        except StoreError:
            pass
        assert tree(store) == {"lock": b"", **found}, what

    assert len(attacks) > 40


def test_an_older_state_of_the_same_store_is_sound_and_a_noted_root_tells_it_apart(
    models_home: Path, tmp_path: Path, trees: dict[str, Tree]
) -> None:
    put(store := tmp_path / "store", trees["now"])
    unlock = unlocking(PASSPHRASE)
    noted = verify(store, unlock=unlock).root
    assert verify(store, unlock=unlock, root=noted).ok
    put(store, trees["older"])

    assert verify(store, unlock=unlock, deep=True).ok
    found = verify(store, unlock=unlock, root=noted)
    assert [str(one) for one in found.differences] == [
        f"manifest: different: the root is not {noted}, which was noted"
    ]


@pytest.mark.parametrize("root", ["", "x" * 64, "0" * 63, "0" * 65, "A" * 64, "0" * 64 + "\n"])
def test_what_is_no_root_is_refused(tmp_path: Path, root: str) -> None:
    with pytest.raises(InputError, match="is not a root"):
        verify(tmp_path, root=root)


def test_a_plain_store_in_an_encrypted_ones_place_is_written_by_no_handle(
    models_home: Path, tmp_path: Path, trees: dict[str, Tree]
) -> None:
    put(tmp_path / "store", trees["now"])
    with Memory.open(tmp_path / "store", passphrase=PASSPHRASE) as memory:
        put(tmp_path / "store", trees["plain"])
        before = tree(tmp_path / "store")
        work: tuple[Callable[[], object], ...] = (
            lambda: memory.add("Salary of Ms Berg", "private"),
            lambda: memory.forget(EXAMPLES[1].id(memory.settings.seed).hex()),
            lambda: memory.ask("Uber"),
            lambda: memory.change_passphrase("new"),
            lambda: len(memory),
        )
        for one in work:
            with pytest.raises(EdgeIclError):
                one()
        assert tree(tmp_path / "store") == before


@pytest.mark.parametrize(
    "stretch",
    [
        Stretch(memory=1 << 20, passes=5, lanes=1),
        Stretch(memory=1 << 16, passes=65, lanes=4),
        Stretch(memory=1 << 40, passes=1, lanes=1),
        Stretch(memory=1 << 16, passes=1 << 30, lanes=4),
        Stretch(memory=1 << 16, passes=3, lanes=1 << 20),
        Stretch(memory=-1, passes=3, lanes=1),
        Stretch(memory=True, passes=3, lanes=1),
    ],
)
def test_a_key_that_asks_for_much_memory_or_time_is_refused_before_it_costs_any(stretch: Stretch) -> None:
    greedy = WrappedKey(bytes(16), stretch, keyring=False, wrapped=bytes(80))

    with pytest.raises(StoreDamagedError, match="key"):
        WrappedKey.decode(greedy.encode())


@given(
    st.binary(max_size=400)
    | st.integers(1, 200_000).map(lambda n: b'{"format":' + b"[" * n)
    | st.integers(1, 5000).map(lambda n: b'{"format":' + b"9" * n + b"}")
)
@settings(max_examples=200)
def test_whatever_a_key_file_holds_the_result_is_one_sentence(data: bytes) -> None:
    with pytest.raises(StoreError) as raised:
        WrappedKey.decode(data)
    assert "\n" not in str(raised.value)
