"""A store with another encoder: what it holds, what it may not overwrite, and what is left where it fails."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
import tiny
from campaigns import later
from hypothesis import given, settings
from hypothesis import strategies as st
from keyrings import Drawer, drawer
from small_encoders import FIRST, JOINED, SECOND, imported_encoders, small_encoders
from stores import QUICK, tree

from edge_icl import (
    EdgeIclError,
    Example,
    InputError,
    Keyring,
    Memory,
    ModelFileError,
    ModelMissingError,
    NotAStoreError,
    PassphraseError,
    StoreAccessError,
    StoreClosedError,
    StoreEncoderError,
    StoreExistsError,
)
from edge_icl.aio import AsyncMemory
from edge_icl.models.importing import import_model
from edge_icl.models.location import find_encoder
from edge_icl.store.disk import Store
from edge_icl.store.manifest import LABELS_SETTINGS
from edge_icl.store.settings import Settings
from edge_icl.store.writer import writing

__all__ = ["drawer", "imported_encoders", "small_encoders"]

pytestmark = pytest.mark.usefixtures("small_encoders")

SEED = bytes(range(32))
SENTENCES = ["a cat sat on the mat", "the dog sat", "taxi to the airport", "please pay my card", "pay the taxi"]
EXAMPLES = [
    Example.create(sentence, ("animal", "animal", "travel", "money", "money")[i], tags=["x"][: i % 2])
    for i, sentence in enumerate(SENTENCES)
]


def taught(path: Path, examples: list[Example] = EXAMPLES, **more: Any) -> Path:
    """Make a store with the first encoder."""
    with Memory.create(path, seed=SEED, encoder=FIRST, shots=2, **more) as memory:
        memory.add_many(examples)
    return path


@pytest.fixture
def old(tmp_path: Path) -> Path:
    return taught(tmp_path / "old", task="Sort", labels="yes")


@contextmanager
def untouched(store: Path) -> Iterator[None]:
    """Check that the block changes no byte of a store."""
    before = tree(store)
    yield
    assert tree(store) == before


def beside(store: Path) -> list[str]:
    """Return the names beside a store."""
    return sorted(path.name for path in store.parent.iterdir() if path.name not in (store.name, "home"))


words = st.lists(st.sampled_from(tiny.WORDS[4:]), min_size=1, max_size=5).map(" ".join)
made_with = st.fixed_dictionaries(
    {
        "seed": st.just(SEED),
        "shots": st.integers(1, 4),
        "task": st.sampled_from([None, "Sort"]),
        "labels": st.sampled_from(LABELS_SETTINGS),
    }
)
some_examples = st.lists(st.builds(Example.create, words, words, tags=st.lists(words, max_size=2)), max_size=12)


@pytest.mark.campaign
@given(
    given_examples=some_examples,
    later=some_examples,
    forgotten=st.sets(st.integers(0, 11)),
    how=made_with,
    secret=st.sampled_from([None, "secret"]),
    encoder=st.sampled_from([SECOND, JOINED]),
)
@settings(max_examples=25)
def test_the_new_store_is_the_one_that_had_this_encoder_from_the_beginning(
    tmp_path_factory: pytest.TempPathFactory,
    given_examples: list[Example],
    later: list[Example],
    forgotten: set[int],
    how: dict[str, Any],
    secret: str | None,
    encoder: str,
) -> None:
    folder = tmp_path_factory.mktemp("same")
    sealed = {"passphrase": secret, "stretch": QUICK}
    with Memory.create(folder / "old", encoder=FIRST, **how, **sealed) as memory:
        memory.add_many(given_examples)
        ids = memory.ids()
        some = [ids[i] for i in forgotten if i < len(ids)]
        if some:
            memory.forget(*some[::2])
        done = memory.reencode(folder / "new", encoder, passphrase=secret)
        assert (done.source_root, done.examples) == (memory.root, len(memory))

    with (
        Memory.create(folder / "direct", encoder=encoder, **how, **sealed) as direct,
        Memory.open(folder / "new", create=False, passphrase=secret) as new,
    ):
        direct.add_many(given_examples[:0:-2])
        direct.add_many(given_examples)
        if some:
            direct.forget(*some[::2])
        assert new.root == direct.root == done.root
        assert new.encrypted is direct.encrypted is done.encrypted is (secret is not None)
        for memory in (new, direct):
            memory.add_many(later)
            if some[1::2]:
                memory.forget(*some[1::2])
        assert new.root == direct.root
        assert new.verify(deep=True).ok
    if secret is None:
        assert tree(folder / "new") == tree(folder / "direct")


def test_everything_that_a_store_was_made_with_stays(tmp_path: Path) -> None:
    with Memory.open(taught(tmp_path / "usual"), create=False) as memory:
        usual = memory.settings
    made: Settings = replace(usual, shots=3, iterations=4, step=20, task="Sort")
    Store.create(tmp_path / "old", made, labels="no")

    with Memory.open(tmp_path / "old", create=False) as memory:
        memory.add_many(EXAMPLES)
        memory.reencode(tmp_path / "new", SECOND)
        ids = memory.ids()

    with Memory.open(tmp_path / "new", create=False) as new:
        kept = ("seed", "shots", "iterations", "step", "task")
        assert all(getattr(new.settings, name) == getattr(made, name) for name in kept)
        assert (new.settings.encoder, new.settings.dimension, new.labels_setting) == (SECOND, 16, "no")
        assert new.ids() == ids
        assert {held.example for held in new.examples()} == set(EXAMPLES)


def test_the_old_store_keeps_every_byte_and_its_own_encoder_is_not_needed(
    old: Path, tmp_path: Path, small_encoders: Path
) -> None:
    (small_encoders / "models" / FIRST).rename(tmp_path / "gone")

    with untouched(old), Memory.open(old, create=False) as memory:
        memory.reencode(tmp_path / "new", SECOND)
        with pytest.raises(ModelMissingError):
            memory.embed(["a cat"])


def test_an_encoder_of_the_same_name_and_other_weights_is_another_one(
    old: Path, tmp_path: Path, small_encoders: Path
) -> None:
    (small_encoders / "models" / FIRST).rename(tmp_path / "gone")
    import_model(FIRST, tiny.bert(tmp_path / "retrained", seed=2))

    with Memory.open(old, create=False) as memory:
        with pytest.raises(StoreEncoderError, match="edge-icl reencode --help"):
            memory.embed(["a cat"])
        memory.reencode(tmp_path / "new", FIRST)
    with Memory.open(tmp_path / "new", create=False) as new:
        assert new.search("the dog sat", limit=1)[0].input == "the dog sat"


def test_a_store_of_which_only_the_beginnings_were_read_gets_vectors_of_whole_texts(tmp_path: Path) -> None:
    long = Example.create("pay my card " * 40, "money")
    found = find_encoder(FIRST)
    earlier = found.record.encoder_digest(replace(found.settings, windows=1))
    direct = taught(tmp_path / "direct", [long, *EXAMPLES])
    with Memory.open(direct, create=False) as memory:
        Store.create(tmp_path / "old", replace(memory.settings, encoder_digest=earlier))

    with Memory.open(tmp_path / "old", create=False) as memory:
        memory.add_many([*EXAMPLES, long])
        memory.reencode(tmp_path / "new", FIRST)

    assert tree(tmp_path / "new") == tree(direct)


def test_a_receipt_and_a_short_id_hold_for_the_new_store(old: Path, tmp_path: Path) -> None:
    with Memory.open(old, create=False) as memory:
        (cat,) = memory.find(match="cat")
        short = memory.short(memory.find(match="airport")[0].id)
        receipt = memory.forget(cat.id)
        memory.reencode(tmp_path / "new", SECOND)

    with Memory.open(tmp_path / "new", create=False) as new:
        found = new.verify(receipt=receipt.as_json())
        assert found.ok
        assert found.same_store
        assert new.get(short).input == "taxi to the airport"


def test_what_is_forgotten_or_added_while_texts_are_embedded_is_taken_into_account(
    old: Path, tmp_path: Path
) -> None:
    told: list[tuple[str, int, int]] = []
    with Memory.open(old, create=False) as memory, Memory.open(old, create=False) as other:

        def meanwhile(*step: Any) -> None:
            told.append(step)
            if step[1:] == (5, 5):
                other.forget(other.find(match="airport")[0].id)
                other.add("the cat", "animal")
                other.set_labels("no")

        done = memory.reencode(tmp_path / "new", SECOND, progress=meanwhile)
        assert done.source_root == other.root

    assert {stage for stage, *_ in told} == {"embed"}
    assert told[-1] == ("embed", 1, 1)
    with Memory.open(tmp_path / "new", create=False) as new:
        inputs = [held.input for held in new.examples()]
        assert sorted(inputs) == sorted({*SENTENCES, "the cat"} - {"taxi to the airport"})
        assert new.labels_setting == "no"
    assert not [name for name, data in tree(tmp_path / "new").items() if b"airport" in data]


@pytest.mark.parametrize("how", ["raise", "close"])
def test_what_ends_the_embedding_leaves_nothing(old: Path, tmp_path: Path, how: str) -> None:
    memory = Memory.open(old, create=False)

    def stop(*_: Any) -> None:
        if how == "raise":
            raise ZeroDivisionError
        memory._opened.lifetime.closed = True  # as `close` does, called from another thread

    with untouched(old), pytest.raises((ZeroDivisionError, StoreClosedError)):
        memory.reencode(tmp_path / "new", SECOND, progress=stop)
    memory.close()

    assert beside(old) == []


def test_a_task_that_is_cancelled_leaves_nothing(old: Path, tmp_path: Path) -> None:
    async def main() -> None:
        async with await AsyncMemory.open(old, create=False) as memory:
            running = asyncio.create_task(
                memory.reencode(tmp_path / "new", SECOND, progress=lambda *_: running.cancel())
            )
            try:
                await running
            except asyncio.CancelledError:
                assert not (tmp_path / "new").exists()
            else:  # it was faster
                assert await memory.count() == 5
            done = await memory.reencode(tmp_path / "other", SECOND)
            assert done.as_json()["examples"] == 5

    asyncio.run(main())


def test_an_empty_store_becomes_an_empty_one(tmp_path: Path) -> None:
    with Memory.open(taught(tmp_path / "old", []), create=False) as memory:
        assert memory.reencode(tmp_path / "new", SECOND).examples == 0
    with Memory.open(tmp_path / "new", create=False) as new:
        assert (len(new), new.settings.encoder) == (0, SECOND)


@pytest.mark.parametrize(
    ("into", "encoder", "error", "words"),
    [
        ("new", FIRST, StoreEncoderError, "was made with the encoder first already; nothing is to be done"),
        ("new", "nowhere", ModelMissingError, "edge-icl models import nowhere FILE"),
        ("new", "multilingual", ModelMissingError, "there is no model"),
        ("new", "all-minilm-l6-v2", ModelMissingError, "fetch it once: edge-icl models fetch all-minilm-l6-v2"),
        ("new", "llm", ModelFileError, "llm is an LLM, not an encoder"),
        ("old", SECOND, InputError, "is where the store itself is; choose another name"),
        ("old/pages/new", SECOND, InputError, "is where the store itself is"),
        ("filled", SECOND, StoreExistsError, "there is a store at .*filled already; choose another name"),
        ("empty", SECOND, StoreExistsError, "there is a store at .*empty already"),
        ("file", SECOND, NotAStoreError, "is a file, not a store"),
        ("folder", SECOND, NotAStoreError, "is a directory but not a store"),
    ],
)
def test_what_cannot_be_made_is_refused_before_anything_is_embedded(
    old: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, into: str, encoder: str, error: Any, words: str
) -> None:
    if encoder == "llm":
        (tmp_path / "llm.gguf").write_bytes(tiny.llama())
        import_model("llm", tmp_path / "llm.gguf")
    taught(tmp_path / "filled")
    taught(tmp_path / "empty", [])
    (tmp_path / "file").write_text("mine")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "mine").write_text("mine")
    monkeypatch.setattr("edge_icl.encode.encoder.Encoder.encode", pytest.fail)

    with untouched(tmp_path), Memory.open(old, create=False) as memory, pytest.raises(error, match=words):
        memory.reencode(tmp_path / into, encoder)


def test_a_folder_that_is_closed_to_the_user_is_refused_before_anything_is_embedded(
    old: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "closed").mkdir(0o500)
    if os.geteuid() == 0:  # who may write everywhere
        monkeypatch.setattr("os.access", lambda path, _mode: Path(path).name != "closed")
    monkeypatch.setattr("edge_icl.encode.encoder.Encoder.encode", pytest.fail)

    with Memory.open(old, create=False) as memory, pytest.raises(StoreAccessError, match="ermission denied"):
        memory.reencode(tmp_path / "closed" / "new", SECOND)


def test_a_store_that_another_process_makes_meanwhile_is_left_alone(old: Path, tmp_path: Path) -> None:
    def meanwhile(_stage: str, done: int, _total: int) -> None:
        if done == 1:
            taught(tmp_path / "new")

    with Memory.open(old, create=False) as memory, pytest.raises(StoreExistsError):
        memory.reencode(tmp_path / "new", SECOND, progress=meanwhile)
    with Memory.open(tmp_path / "new", create=False) as new:
        assert (len(new), new.settings.encoder) == (5, FIRST)


@pytest.fixture
def cut_off(old: Path, tmp_path: Path) -> Path:
    """A whole new store, and beside it, as `new`, what an attempt leaves that was killed in the last moment."""
    with Memory.open(old, create=False) as memory:
        memory.reencode(tmp_path / "whole", SECOND)
    with Memory.open(tmp_path / "whole", create=False) as whole:
        Store.create(tmp_path / "new", whole.settings, labels="auto")
    return tmp_path / "new"


def test_what_another_process_puts_meanwhile_into_the_empty_store_is_left_alone(
    old: Path, cut_off: Path
) -> None:
    def meanwhile(_stage: str, done: int, _total: int) -> None:
        if done == 1:
            with Memory.open(cut_off, create=False) as other:
                other.add("a dog", "animal")

    with Memory.open(old, create=False) as memory, pytest.raises(StoreExistsError):
        memory.reencode(cut_off, SECOND, progress=meanwhile)
    with Memory.open(cut_off, create=False) as new:
        assert [held.input for held in new.examples()] == ["a dog"]


def test_the_empty_store_of_an_attempt_that_was_cut_off_is_taken_and_only_then(
    old: Path, cut_off: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Memory.open(old, create=False) as memory:
        memory.reencode(cut_off, SECOND)
        monkeypatch.setattr("edge_icl.encode.encoder.Encoder.encode", pytest.fail)
        with pytest.raises(StoreExistsError):
            memory.reencode(cut_off, SECOND)

    assert tree(cut_off) == tree(cut_off.with_name("whole"))


def test_a_sealed_store_makes_a_sealed_one(tmp_path: Path, small_encoders: Path) -> None:
    sealed = taught(tmp_path / "old", passphrase="secret", stretch=QUICK)
    with Memory.open(sealed, create=False, passphrase="secret") as memory:
        with pytest.raises(PassphraseError, match="no passphrase was given for it"):
            memory.reencode(tmp_path / "new", SECOND)
        assert beside(sealed) == []
        memory.reencode(tmp_path / "new", SECOND, passphrase="another")
        memory.reencode(tmp_path / "same", SECOND, passphrase="secret")

    for name, passphrase in (("new", "another"), ("same", "secret")):
        with Memory.open(tmp_path / name, create=False, passphrase=passphrase) as new:
            assert (len(new), new.encrypted) == (5, True)
        assert not [file for file, data in tree(tmp_path / name).items() if b"taxi" in data]
    assert (tmp_path / "same" / "key").read_bytes() != (sealed / "key").read_bytes()


def test_a_plain_store_makes_a_sealed_one_if_a_passphrase_is_given(old: Path, tmp_path: Path) -> None:
    with Memory.open(old, create=False) as memory:
        assert memory.reencode(tmp_path / "new", SECOND, passphrase="secret").encrypted
    with pytest.raises(PassphraseError):
        Memory.open(tmp_path / "new", create=False)


def test_a_keyring_has_a_passphrase_for_each_store_and_none_for_what_was_not_made(
    tmp_path: Path, drawer: Drawer
) -> None:
    kept = taught(tmp_path / "old", passphrase=Keyring(), stretch=QUICK)
    assert len(drawer.held) == 1
    with Memory.open(kept, create=False) as memory:
        with pytest.raises(ZeroDivisionError):
            memory.reencode(tmp_path / "new", SECOND, progress=lambda *_: 1 // 0)
        assert len(drawer.held) == 1

        memory.reencode(tmp_path / "new", SECOND)

    assert len(drawer.held) == 2
    for name in ("old", "new"):
        with Memory.open(tmp_path / name, create=False) as memory:
            assert (len(memory), memory.encrypted) == (5, True)


CALLS = (
    "open",
    "write",
    "fsync",
    "replace",
    "unlink",
    "rmdir",
    "mkdir",
    "utime",
    "lstat",
    "listdir",
    "ftruncate",
)
FULL = OSError(28, os.strerror(28))


@dataclass(frozen=True)
class Way:
    """A way to be cut off at the n-th call of the operating system.

    Attributes:
        instead: what happens in place of the call.
        lasting: whether it happens in place of all later calls, too.
        calls: which ones count.
        each: every how manieth of them is tried, outside of a campaign.
    """

    instead: Callable[[], None]
    lasting: bool = False
    calls: tuple[str, ...] = CALLS
    each: int = 13


class Stopping:
    """Lets something be cut off at a call; at none, it counts them."""

    def __init__(self, way: Way, at: int | None = None) -> None:
        self.way, self.at = way, at
        self.done = 0

    def wrapped(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def checked(*args: Any, **more: Any) -> Any:
            number, self.done = self.done, self.done + 1
            if self.at is not None and (number == self.at or (self.way.lasting and number > self.at)):
                self.way.instead()
            return call(*args, **more)

        return checked

    @contextmanager
    def at_work(self) -> Iterator[None]:
        with ExitStack() as stack:
            for name in self.way.calls:
                stack.enter_context(mock.patch.object(os, name, self.wrapped(getattr(os, name))))
            yield


def refuse() -> None:
    raise FULL


def press() -> None:
    raise KeyboardInterrupt


WAYS = {
    "killed": Way(lambda: os._exit(9)),
    "the disk is full": Way(refuse, lasting=True),
    "one call is refused": Way(refuse),
    "one flush is refused": Way(refuse, calls=("fsync",), each=1),
    "Ctrl-C": Way(press),
}


def attempt(memory: Memory, new: Path, secret: str | None, stopping: Stopping) -> bool:
    """Make the new store and be cut off; return whether it is said to be made."""
    try:
        with stopping.at_work():
            memory.reencode(new, SECOND, passphrase=secret)
    except (EdgeIclError, KeyboardInterrupt) as ended:
        said = getattr(ended, "committed", memory.commits > 0)
        return said if said is (memory.commits > 0) else pytest.fail(str(ended))
    return True


def killed(memory: Memory, new: Path, secret: str | None, stopping: Stopping) -> bool | None:
    """Make the new store in a process that ends outright; return True where it came to its end before that."""
    child = os.fork()
    if not child:
        with suppress(BaseException), stopping.at_work():
            memory.reencode(new, SECOND, passphrase=secret)
        os._exit(0)
    return {9: None, 0: True}[os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])]


def places(way: Way, old: Path, whole: Path, secret: Any, *, campaign: bool) -> range:
    """Make a whole new store, and return at which calls to be cut off."""
    counting = Stopping(way)
    with Memory.open(old, create=False, passphrase=secret) as memory, counting.at_work():
        memory.reencode(whole, SECOND, passphrase=secret)
    return range(0, counting.done, 1 if campaign else way.each)


@pytest.mark.parametrize("secret", [None, later("secret")])
@pytest.mark.parametrize("way", WAYS)
def test_wherever_it_is_cut_off_the_new_store_is_whole_or_not_there_and_starting_over_works(
    tmp_path: Path, campaign: bool, way: str, secret: str | None
) -> None:
    """After a kill, or on a disk that stays full, it may also be empty."""
    old, whole = taught(tmp_path / "old", passphrase=secret, stretch=QUICK), tmp_path / "whole"
    tried = places(WAYS[way], old, whole, secret, campaign=campaign)
    before, root, seen = tree(old), examined(whole, secret)[1], set()

    for n in tried:
        new, stopping = tmp_path / f"new-{n}", Stopping(WAYS[way], n)
        with Memory.open(old, create=False, passphrase=secret) as memory:
            said = (killed if way == "killed" else attempt)(memory, new, secret, stopping)
        assert tree(old) == before

        found, its_root = examined(new, secret)
        assert said in {None, found == "whole"}
        assert found != "empty" or way in {"killed", "the disk is full"}
        seen.add(found)
        if found == "whole":
            assert its_root == root
        else:
            with Memory.open(old, create=False, passphrase=secret) as memory:
                assert memory.reencode(new, SECOND, passphrase=secret).root == root
        if secret is None:
            with writing(Store.open(new)):  # empties a lock file that could not be emptied
                pass
            assert tree(new) == tree(whole)

    assert seen >= {"missing", "whole"}


def examined(new: Path, secret: str | None) -> tuple[str, str]:
    """Return what is at the place of a new store, and its root."""
    if not new.exists():
        return "missing", ""
    with Memory.open(new, create=False, passphrase=secret) as made:
        assert len(made) in {0, len(EXAMPLES)}
        return "whole" if len(made) else "empty", made.root


@pytest.mark.parametrize("way", ["one call is refused", "Ctrl-C"])
def test_wherever_it_ends_the_keyring_has_the_passphrases_of_the_stores_that_are_there(
    tmp_path: Path, campaign: bool, drawer: Drawer, way: str
) -> None:
    old = taught(tmp_path / "old", passphrase=Keyring(), stretch=QUICK)
    tried, made = places(WAYS[way], old, tmp_path / "whole", None, campaign=campaign), 2

    for n in tried:
        with Memory.open(old, create=False) as memory:
            said = attempt(memory, tmp_path / f"new-{n}", None, Stopping(WAYS[way], n))
        made += said
        assert len(drawer.held) == made
        if said:
            assert examined(tmp_path / f"new-{n}", None)[0] == "whole"
