"""Weights that are no longer what was installed: refused, with what mends them, and nothing is kept of them."""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import ggufs
import numpy as np
import pytest
import tiny
from command import refused, run
from safetensors.numpy import load_file

from edge_icl import Memory
from edge_icl.errors import ModelFileError
from edge_icl.llm.engine_options import EngineOptions
from edge_icl.models import checked, exposed, location, placed, record, seen
from edge_icl.models.importing import import_model
from edge_icl.models.installed import GRAPH, TOKENIZER

LONG = "taxi to the airport please " * 300


@pytest.fixture(autouse=True)
def fresh_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forget what other tests have seen."""
    monkeypatch.setattr(seen, "_here", {})


@pytest.fixture
def encoder(tmp_path: Path) -> Path:
    """A small encoder's folder, installed as "small"."""
    import_model("small", tiny.bert(tmp_path / "bert"))
    return location.folder("small")


@pytest.fixture
def llm(tmp_path: Path) -> Path:
    """A small LLM's folder, installed as "tiny"."""
    (tmp_path / "tiny.gguf").write_bytes(tiny.llama())
    import_model("tiny", tmp_path / "tiny.gguf")
    return location.folder("tiny")


@pytest.fixture
def store(encoder: Path, tmp_path: Path) -> Path:
    """A store with a few examples."""
    path = tmp_path / "store"
    with Memory.create(path, encoder="small") as memory:
        memory.add("taxi to the airport", "travel")
        memory.add("a cat sat", "pets")
    return path


def damage(file: Path) -> bytes:
    """Change a byte near a file's end; its size stays. Return what it was."""
    sound = file.read_bytes()
    place = len(sound) - 100
    with file.open("r+b") as opened:
        opened.seek(place)
        opened.write(bytes([sound[place] ^ 0x7F]))
    return sound


def other_weights(graph: Path, folder: Path) -> None:
    """Change a tensor of the graph that was made of a folder: it still is a graph, of another encoder."""
    data = graph.read_bytes()
    for weights in sorted(load_file(folder / "model.safetensors").values(), key=lambda one: -one.size):
        for tensor in (weights, weights.T):
            raw = np.ascontiguousarray(tensor).astype("<f4").tobytes()
            place = data.find(raw)
            if place >= 0:
                with graph.open("r+b") as opened:
                    opened.seek(place)
                    opened.write((-3 * np.frombuffer(raw, "<f4")).tobytes())
                return
    raise AssertionError("no weights of the folder are in the graph")


def content(store: Path) -> dict[str, bytes]:
    """Return every file of a store."""
    return {str(path.relative_to(store)): path.read_bytes() for path in store.rglob("*") if path.is_file()}


def in_library(use: Callable[[Memory], object]) -> Callable[[Path], object]:
    """Return what opens a store and uses it."""

    def done(store: Path) -> object:
        with Memory.open(store, model="tiny") as memory:
            return use(memory)

    return done


USES: dict[str, Callable[[Path], object]] = {
    "add": in_library(lambda memory: memory.add("pay my card", "money")),
    "search": in_library(lambda memory: memory.search("a taxi")),
    "find like": in_library(lambda memory: list(memory.find(like="a taxi"))),
    "ask": in_library(lambda memory: memory.ask("a taxi")),
}
COMMANDS = {
    "add": ("pay my card", "money"),
    "search": ("a taxi",),
    "forget": ("--like", "a taxi", "--dry-run"),
    "ask": ("--model", "tiny", "a taxi"),
}


@pytest.mark.parametrize("use", USES)
@pytest.mark.parametrize("part", [GRAPH, TOKENIZER])
def test_a_damaged_encoder_is_refused_and_nothing_is_stored(
    store: Path, encoder: Path, llm: Path, use: str, part: str
) -> None:
    before = content(store)
    damage(encoder / part)

    with pytest.raises(ModelFileError, match=r"is not what was installed.*edge-icl models remove small"):
        USES[use](store)

    assert content(store) == before


@pytest.mark.parametrize("use", USES)
def test_an_encoder_with_other_weights_stores_and_finds_nothing(
    store: Path, encoder: Path, llm: Path, tmp_path: Path, use: str
) -> None:
    before = content(store)
    other_weights(encoder / GRAPH, tmp_path / "bert")

    with pytest.raises(ModelFileError, match=r"is not what was installed.*edge-icl models remove small"):
        USES[use](store)

    assert content(store) == before


def test_damaged_weights_are_refused_and_no_state_of_them_is_kept(store: Path, llm: Path) -> None:
    file = llm / "tiny.gguf"
    before = content(store)
    sound = damage(file)

    with pytest.raises(ModelFileError, match=r"is not what was installed.*edge-icl models remove tiny"):
        USES["ask"](store)

    assert content(store) == before
    file.write_bytes(sound)
    assert USES["ask"](store)


def test_every_part_of_a_model_is_looked_at(store: Path, tmp_path: Path) -> None:
    first, second = ggufs.split(ggufs.llama(tmp_path / "two.gguf"), parts=2)
    import_model("two", first)
    damage(location.folder("two") / second.name)

    with (
        Memory.open(store, model="two") as memory,
        pytest.raises(ModelFileError, match=f"{second.name} is not what was installed"),
    ):
        memory.ask("a taxi")


def test_a_long_example_is_not_measured_with_a_damaged_vocabulary(store: Path, llm: Path) -> None:
    damage(llm / "tiny.gguf")

    with (
        Memory.open(store, model="tiny") as memory,
        pytest.raises(ModelFileError, match="is not what was installed"),
    ):
        memory.add(LONG, "travel")


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_says_in_one_sentence_what_mends_it(
    store: Path, encoder: Path, llm: Path, command: str
) -> None:
    damage(encoder / GRAPH)

    done = run(command, "--store", str(store), *COMMANDS[command])

    refused(done, "is not what was installed; remove it and import it again: edge-icl models remove small")


def test_what_was_not_written_to_is_not_read_again(encoder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seen, "_COARSE", 0)
    location.assure(location.find_encoder("small"))
    monkeypatch.setattr(seen, "_here", {})  # as in another process
    monkeypatch.setattr(record, "hash_file", lambda *_, **__: pytest.fail("it was read again"))

    location.assure(location.find_encoder("small"))


@pytest.mark.parametrize("keeps", ["all", "the size and the times"])
def test_what_was_seen_of_another_file_says_nothing(
    encoder: Path, monkeypatch: pytest.MonkeyPatch, keeps: str
) -> None:
    monkeypatch.setattr(seen, "_COARSE", 0)
    location.assure(location.find_encoder("small"))
    monkeypatch.setattr(seen, "_here", {})
    graph = encoder / GRAPH
    status = graph.stat()
    if keeps == "all":  # a folder from elsewhere, with all that was kept beside the model
        shutil.copytree(encoder, encoder.with_name("copy"))
        shutil.rmtree(encoder)
        encoder.with_name("copy").rename(encoder)
    damage(graph)
    os.utime(graph, ns=(status.st_atime_ns, status.st_mtime_ns))

    with pytest.raises(ModelFileError, match="is not what was installed"):
        location.assure(location.find_encoder("small"))


def forged(place: Path) -> None:
    """Keep of the files what another user would want to be believed."""
    fields = json.loads(place.read_bytes())
    for name, mark in fields["files"].items():
        status = (place.parent / name).stat()
        fields["files"][name] = [mark[0], status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino]
    place.write_text(json.dumps(fields))


@pytest.mark.skipif(os.name != "posix", reason="Windows has no such modes")
def test_a_record_that_others_may_write_to_is_not_believed(
    encoder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(seen, "_COARSE", 0)
    location.assure(location.find_encoder("small"))
    monkeypatch.setattr(seen, "_here", {})
    damage(encoder / GRAPH)
    place = encoder / seen.NAME
    forged(place)
    location.assure(location.find_encoder("small"))  # what its owner writes is believed
    monkeypatch.setattr(seen, "_here", {})
    place.chmod(0o666)

    with pytest.raises(ModelFileError, match="is not what was installed"):
        location.assure(location.find_encoder("small"))


@pytest.mark.parametrize("text", ["", "{", "[]", '{"files": 3, "format": 1}', "[" * 100_000, '{"format": 2}'])
def test_a_damaged_record_of_what_was_seen_counts_as_none(
    encoder: Path, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    (encoder / seen.NAME).write_text(text)
    model = location.find_encoder("small")

    location.assure(model)

    damage(encoder / GRAPH)
    with pytest.raises(ModelFileError, match="is not what was installed"):
        location.assure(model)


def test_a_folder_that_cannot_be_written_is_checked_all_the_same(
    encoder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(seen, "_COARSE", 0)
    (encoder / f".{seen.NAME}.{os.getpid()}").mkdir()  # in the way of the draft
    model = location.find_encoder("small")
    location.assure(model)
    assert not (encoder / seen.NAME).exists()

    with monkeypatch.context() as patch:
        patch.setattr(record, "hash_file", lambda *_, **__: pytest.fail("it was read again"))
        location.assure(model)  # this process has seen it
    damage(encoder / GRAPH)
    with pytest.raises(ModelFileError, match="is not what was installed"):
        location.assure(model)


@pytest.mark.skipif(os.name != "posix", reason="Windows has no FIFOs in folders")
def test_what_is_no_file_in_the_place_of_one_is_refused_and_not_waited_for(encoder: Path, llm: Path) -> None:
    for name in (seen.NAME, checked.NAME):
        (llm / name).unlink(missing_ok=True)
        os.mkfifo(llm / name)
    checked.settle(location.find_llm("tiny"), EngineOptions(threads=3))  # kept results count as none
    for file in (encoder / TOKENIZER, llm / "tiny.gguf"):
        file.unlink()
        os.mkfifo(file)

    for find in (lambda: location.find_encoder("small"), lambda: location.find_llm("tiny")):
        with pytest.raises(ModelFileError, match="is not a regular file"):
            find()


def test_what_is_written_into_weights_in_use_ends_their_use(store: Path, llm: Path) -> None:
    with Memory.open(store, model="tiny") as memory:
        memory.ask("a taxi")
        kept = content(store)
        damage(llm / "tiny.gguf")

        with pytest.raises(ModelFileError, match="was written to while it was in use"):
            memory.ask("a cat")

        assert content(store) == kept


def test_weights_that_are_replaced_while_in_use_are_used_on(store: Path, llm: Path) -> None:
    with Memory.open(store, model="tiny") as memory:
        memory.ask("a taxi")
        location.remove("tiny")

        assert memory.ask("a cat")


@pytest.mark.skipif(os.name != "posix", reason="Windows has no such modes")
@pytest.mark.parametrize("what", ["the folder of models", "the model's folder", "its file", "its record"])
def test_what_all_users_may_write_to_is_not_used(store: Path, encoder: Path, what: str) -> None:
    path = {
        "the folder of models": encoder.parent,
        "the model's folder": encoder,
        "its file": encoder / GRAPH,
        "its record": encoder / record.NAME,
    }[what]
    path.chmod(0o777)

    refused(run("search", "--store", str(store), "a taxi"), f"all users may write to {path}", "chmod -R o-w")

    path.chmod(0o1777 if path.is_dir() else 0o664)
    assert run("search", "--store", str(store), "a taxi").code == 0


@pytest.mark.skipif(os.name != "posix", reason="Windows has no such modes")
def test_doctor_tells_of_a_group_that_may_write(encoder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (encoder / GRAPH).chmod(0o664)
    assert exposed.others(placed.exposable(location.folder("small"))) == ""

    monkeypatch.setattr(exposed, "_known", lambda paths: [(path, as_of_group(path)) for path in paths])

    assert exposed.others(placed.exposable(location.folder("small"))).startswith("group 4321 may write to")


def as_of_group(path: Path) -> os.stat_result:
    """Return what is known of a file as if it were of a group of several users."""
    fields = list(path.stat())
    fields[5] = 4321
    return os.stat_result(fields)
