"""Models by path: a program ships its own, in a folder that is only read, and keeps its data elsewhere."""

from __future__ import annotations

import os
import shutil
import stat
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import tiny
from small_encoders import FIRST, JOINED, SECOND, imported_encoders, small_encoders
from stores import tree

from edge_icl import Example, Memory, ModelFileError, ModelMissingError, StoreEncoderError
from edge_icl.llm import trial
from edge_icl.models import checked, location, placed, record, seen
from edge_icl.models.importing import import_model

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["imported_encoders", "small_encoders"]

SEED = bytes(range(32))
EXAMPLES = [
    Example.create(text, label)
    for text, label in (("a cat sat", "animal"), ("the dog sat on the mat", "animal"), ("pay my card", "money"))
]


@pytest.fixture
def shipped(imported_encoders: Path, tmp_path: Path, own_home: Path) -> Iterator[Path]:
    """A program's folder of models, an LLM and encoders, which cannot be written; the home is empty."""
    place = tmp_path / "program" / "models"
    notes = shutil.ignore_patterns(seen.NAME, checked.NAME)
    shutil.copytree(imported_encoders, place, ignore=notes)
    file = tmp_path / "some.gguf"
    file.write_bytes(tiny.llama())
    shutil.copytree(import_model("tiny", file).path.parent, place / "tiny", ignore=notes)
    shutil.rmtree(own_home)
    for path in (*place.rglob("*"), place):
        path.chmod(0o555 if path.is_dir() else 0o444)
    yield place
    for path in (place, *place.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)


def forget_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forget what this process has seen of models, as another one would have."""
    monkeypatch.setattr(seen, "_here", {})
    monkeypatch.setattr(checked, "_settled", {})
    monkeypatch.setattr(checked, "_in_use", {})


def taught(store: Path, encoder: str | os.PathLike[str]) -> None:
    with Memory.create(store, seed=SEED, shots=2, encoder=encoder) as memory:
        memory.add_many(EXAMPLES)


def test_a_program_asks_with_models_beside_it_and_writes_nothing_there(
    shipped: Path, tmp_path: Path, own_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(seen, "_COARSE", 0)
    before, store = tree(shipped), tmp_path / "data" / "store"
    forget_process(monkeypatch)
    for _ in range(2):
        with Memory.open(store, encoder=shipped / FIRST, model=shipped / "tiny") as memory:
            memory.add_many(EXAMPLES)
            written = memory.ask("the dog", labels="off", max_tokens=3)
            recalled = memory.ask("a cat sat")
            assert memory.settings.encoder == FIRST
            assert memory.likeness == location.find_encoder(str(shipped / FIRST)).likeness
        forget_process(monkeypatch)
        # What the first run noted is in the home: nothing is hashed or tried again.
        monkeypatch.setattr(record, "hash_file", lambda *_, **__: pytest.fail("a model was read again"))
        monkeypatch.setattr(trial, "guarded", lambda *_, **__: pytest.fail("the LLM was tried again"))

    assert (written.model, written.kind, recalled.text) == ("tiny", "written", "animal")
    assert tree(shipped) == before
    notes = sorted((own_home / "models" / ".checks").iterdir())
    assert sorted(path.name.split("-")[-1] for path in notes) == ["check.json", "seen.json", "seen.json"]
    assert {stat.S_IMODE(path.stat().st_mode) for path in notes} == {0o600}
    with pytest.raises(ModelMissingError):
        location.find_encoder(FIRST)  # no model is in the home


@pytest.mark.usefixtures("small_encoders")
def test_the_encoder_of_a_store_is_found_by_its_path_its_name_or_its_digest(
    tmp_path: Path, own_home: Path
) -> None:
    ours = own_home / "models"
    program = Path(shutil.copytree(ours / FIRST, tmp_path / "program" / "encoder"))
    taught(tmp_path / "by_path", program)
    taught(tmp_path / "by_name", FIRST)

    stores = [tmp_path / "by_path", tmp_path / "by_name"]
    found, names = [], []
    for store in stores:
        for encoder in (None, program, str(program), FIRST):
            with Memory.open(store, encoder=encoder) as memory:
                found.append([(one.id, one.similarity) for one in memory.search("the cat")])
        with Memory.open(store) as memory:
            names.append(memory.settings.encoder)
    assert names == ["encoder", FIRST]
    assert all(one == found[0] for one in found)

    location.remove(FIRST)
    with Memory.open(stores[1], encoder=program) as memory:
        assert memory.search("the cat")
    with Memory.open(stores[0]) as memory, pytest.raises(ModelMissingError, match="there is no model encoder"):
        memory.search("the cat")


@pytest.mark.usefixtures("small_encoders")
def test_another_encoder_at_the_path_is_refused_by_its_digest(tmp_path: Path, own_home: Path) -> None:
    place = tmp_path / "encoder"
    shutil.copytree(own_home / "models" / FIRST, place)
    taught(tmp_path / "store", place)
    before = tree(tmp_path / "store")
    shutil.rmtree(place)
    shutil.copytree(own_home / "models" / SECOND, place)

    with pytest.raises(StoreEncoderError, match=f"was made with encoder encoder, not the one at {place}"):
        Memory.open(tmp_path / "store", encoder=place)
    with pytest.raises(StoreEncoderError, match=f"made with encoder encoder, not {SECOND}"):
        Memory.open(tmp_path / "store", encoder=SECOND)
    with pytest.raises(StoreEncoderError, match="not nowhere"):
        Memory.open(tmp_path / "store", encoder="nowhere")
    assert tree(tmp_path / "store") == before


def test_a_shipped_file_that_was_changed_is_not_used(shipped: Path, tmp_path: Path) -> None:
    for path in (shipped / FIRST / "model.onnx", shipped / "tiny" / "some.gguf"):
        data = bytearray(path.read_bytes())
        data[-1] ^= 1
        path.parent.chmod(0o755)
        path.unlink()
        path.write_bytes(bytes(data))

    told = r"onnx is not what was installed; put the folder there again"
    with (
        Memory.open(tmp_path / "store", encoder=shipped / FIRST) as memory,
        pytest.raises(ModelFileError, match=told),
    ):
        memory.add("a cat", "animal")
    with pytest.raises(ModelFileError, match=r"some\.gguf is not what was installed"):
        location.verify(str(shipped / "tiny"))


@pytest.mark.usefixtures("small_encoders")
def test_a_path_where_no_model_is_says_what_is_there_and_what_to_give(tmp_path: Path, own_home: Path) -> None:
    here = own_home / "models"
    bert = tiny.bert(tmp_path / "bert")
    places = {
        tmp_path / "nothing": (ModelMissingError, "there is nothing at .*nothing"),
        bert: (ModelMissingError, "bert is not the folder of an installed model; .*models import NAME"),
        here / FIRST / "model.onnx": (ModelMissingError, "is not the folder of an installed model"),
    }
    for place, (kind, told) in places.items():
        with pytest.raises(kind, match=told):
            Memory.open(tmp_path / "store", encoder=place)
        assert not (tmp_path / "store").exists()
    with pytest.raises(ModelFileError, match="is an encoder, not an LLM"):
        location.find_llm(str(here / FIRST))


@pytest.mark.usefixtures("small_encoders")
def test_another_encoder_may_be_given_by_its_path_too(tmp_path: Path, own_home: Path) -> None:
    for name in (SECOND, JOINED):
        shutil.move(own_home / "models" / name, tmp_path / "shipped" / name)
    taught(tmp_path / "store", FIRST)
    with Memory.open(tmp_path / "store") as memory:
        compared = memory.check(encoder=tmp_path / "shipped" / JOINED).other_encoder
        made = memory.reencode(tmp_path / "new", tmp_path / "shipped" / SECOND)

    assert (compared.name, made.encoder) == (JOINED, SECOND)
    with Memory.open(tmp_path / "new", encoder=tmp_path / "shipped" / SECOND) as memory:
        assert memory.search("the cat", limit=1)[0].output == "animal"


def test_a_model_in_the_home_that_cannot_be_written_has_its_notes_apart(
    shipped: Path, own_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (own_home / "models").mkdir(parents=True)
    (own_home / "models" / "tiny").symlink_to(shipped / "tiny")
    monkeypatch.setattr(os, "access", lambda *_: False)  # the user who runs the tests may be root
    forget_process(monkeypatch)

    checked.settle(location.find_llm("tiny"))
    forget_process(monkeypatch)

    assert checked.known(location.find_llm("tiny")) is not None
    assert not (shipped / "tiny" / "check.json").exists()
    assert placed.notes(own_home / "models" / "tiny", checked.NAME)[0].exists()
