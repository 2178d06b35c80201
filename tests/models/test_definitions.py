"""What an encoder is: pooling, instruction, centre and scale, from its folder or the user; and joined ones."""

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tiny
from command import at_terminal, refused, run
from repository import DATA
from safetensors.numpy import load_file, save_file
from stores import tree

from edge_icl import Example, Memory
from edge_icl.encode.encoder import Encoder
from edge_icl.encode.settings import CENTRE_UNIT, SPREAD, EncoderSettings, numbers_of
from edge_icl.errors import InputError, ModelError, ModelFileError, ModelMissingError
from edge_icl.models import location, record
from edge_icl.models.choices import Choices
from edge_icl.models.common_texts import COMMON_TEXTS
from edge_icl.models.convert import convert
from edge_icl.models.importing import import_model
from edge_icl.models.installed import InstalledEncoder
from edge_icl.models.joining import join

TEXTS = [text for texts in COMMON_TEXTS.values() for text in texts]
ALL_CHARACTERS = "".join(TEXTS)
MODULES = '[{"type": "sentence_transformers.models.Transformer"}, {"type": "sentence_transformers.models.%s"}]'


@pytest.fixture
def folder(own_home: Path, tmp_path: Path) -> Path:
    """An encoder that reads all common texts."""
    assert own_home
    return tiny.bert(
        tmp_path / "reader", reads=tiny.characters(ALL_CHARACTERS), max_position_embeddings=tiny.POSITIONS
    )


def write(folder: Path, name: str, value: object) -> None:
    place = folder / name
    place.parent.mkdir(exist_ok=True)
    place.write_text(value if isinstance(value, str) else json.dumps(value))


def imported(name: str, folder: Path, *how: object) -> InstalledEncoder:
    made = import_model(name, folder, *how)
    assert isinstance(made, InstalledEncoder)
    return made


def definition(made: InstalledEncoder) -> EncoderSettings:
    assert made.record.encoder is not None
    return made.record.encoder


def vectors(made: InstalledEncoder, texts: list[str]) -> np.ndarray:
    return Encoder(made.networks, threads=1).encode(texts)


@pytest.mark.parametrize("case", json.loads((DATA / "transformers.json").read_text()), ids=lambda c: c["name"])
def test_the_conversion_computes_what_transformers_does(tmp_path: Path, case: dict) -> None:
    """The vectors are those of the transformers library: see `support/transformers_vectors.py`."""
    onnxruntime = pytest.importorskip("onnxruntime")
    folder = tiny.bert(tmp_path / "bert", **case["config"])
    for int8, nearness in ((False, 1 - 1e-6), (True, 0.99)):
        session = onnxruntime.InferenceSession(convert(folder, pooling=case["pooling"], int8=int8))
        for ids, expected in zip(case["ids"], case["vectors"], strict=True):
            vector = session.run(None, {"input_ids": np.array([ids])})[0]
            assert vector @ np.array(expected) > nearness


def test_the_first_token_is_taken_where_the_folder_says_so(folder: Path) -> None:
    write(folder, "1_Pooling/config.json", {"pooling_mode_cls_token": True, "pooling_mode_mean_tokens": False})

    first = imported("first", folder)
    (folder / "1_Pooling/config.json").unlink()
    mean, chosen = imported("mean", folder), imported("chosen", folder, Choices(pooling="first"))

    assert [definition(made).pooling for made in (first, mean, chosen)] == ["first", "mean", "first"]
    assert first.digest == chosen.digest != mean.digest
    assert not np.array_equal(vectors(first, ["taxi"]), vectors(mean, ["taxi"]))


@pytest.mark.parametrize(
    ("file", "value", "complaint"),
    [
        ("modules.json", MODULES % "Dense", "steps Transformer, Dense"),
        ("modules.json", "[1]", "steps 1"),
        ("1_Pooling/config.json", {"pooling_mode_max_tokens": True}, "max_tokens"),
        (
            "1_Pooling/config.json",
            {"pooling_mode_cls_token": True, "pooling_mode_mean_tokens": True},
            "cls_token and mean_tokens",
        ),
        (
            "1_Pooling/config.json",
            {"pooling_mode_mean_tokens": True, "include_prompt": False},
            "instruction out",
        ),
        ("sentence_bert_config.json", {"max_seq_length": "long"}, "no length"),
        ("config_sentence_transformers.json", {"prompts": {"query": 1}}, "not texts"),
        ("config_sentence_transformers.json", "[]", "not what its name says"),
    ],
)
def test_what_a_folder_wants_and_we_cannot_do_is_refused(
    folder: Path, file: str, value: object, complaint: str
) -> None:
    write(folder, file, value)

    with pytest.raises(ModelFileError, match=complaint):
        import_model("mine", folder)
    assert not location.installed()


def test_the_folders_own_instruction_is_put_in_front_and_another_may_be_chosen(folder: Path) -> None:
    plain = imported("plain", folder)
    write(
        folder,
        "config_sentence_transformers.json",
        {"prompts": {"query": "query: ", "passage": "passage: "}, "default_prompt_name": "query"},
    )

    own, none = imported("own", folder), imported("none", folder, Choices(instruction=""))
    other = imported("other", folder, Choices(instruction="passage: "))

    assert [definition(made).instruction for made in (plain, own, none, other)] == [
        "",
        "query: ",
        "",
        "passage: ",
    ]
    assert plain.digest == none.digest
    uncentred = imported("uncentred", folder, Choices(instruction="", centred=False))
    asked = imported("asked", folder, Choices(centred=False))
    assert np.array_equal(vectors(uncentred, ["query: taxi"]), vectors(asked, ["taxi"]))


def test_an_imported_encoders_vectors_of_common_texts_are_centred_and_use_the_eight_bits(folder: Path) -> None:
    centred, plain = imported("centred", folder), imported("plain", folder, Choices(centred=False))

    found = vectors(centred, TEXTS).astype(float)
    assert np.abs(found.mean(0)).max() < 6  # the rest is what 8 bits change
    assert found.std() == pytest.approx(SPREAD, rel=0.2)
    assert np.abs(vectors(plain, TEXTS).astype(float).mean(0)).max() > 20
    assert definition(plain).centre == ""
    centre = np.array(numbers_of(definition(centred).centre)) / CENTRE_UNIT
    assert np.linalg.norm(centre) > 0.3


@pytest.mark.parametrize(("part", "rows"), [("word", 9), ("position", 3)])
def test_weights_of_another_tokenizer_are_refused(folder: Path, part: str, rows: int) -> None:
    tensors = load_file(folder / "model.safetensors")
    name = f"embeddings.{part}_embeddings.weight"
    tensors[name] = tensors[name][:rows].copy()
    save_file(tensors, folder / "model.safetensors")

    with pytest.raises(ModelFileError, match=f"has {rows} {part} embeddings, and its tokenizer needs"):
        import_model("mine", folder)

    assert location.installed() == ()


def test_an_encoder_that_cannot_read_the_common_texts_gets_no_centre(own_home: Path, tmp_path: Path) -> None:
    assert own_home
    made = imported("mine", tiny.bert(tmp_path / "bert"))

    assert definition(made) == EncoderSettings(tiny.DIMENSION, 115, tiny.POSITIONS)


@pytest.mark.parametrize(
    "machine",
    [
        {"OPENBLAS_NUM_THREADS": "1"},
        {"OPENBLAS_CORETYPE": "Prescott"},
        {"OPENBLAS_CORETYPE": "Haswell", "NPY_DISABLE_CPU_FEATURES": "AVX512F AVX512CD AVX512_SKX"},
    ],
    ids=["one thread", "an old processor", "no AVX-512"],
)
def test_every_machine_finds_the_same_centre(folder: Path, machine: dict[str, str]) -> None:
    here = definition(imported("mine", folder))
    code = (
        "import sys, json; from pathlib import Path; from edge_icl.models.choices import AS_IT_SAYS\n"
        "from edge_icl.models.definition import define\n"
        "print(json.dumps(define(Path(sys.argv[1]), AS_IT_SAYS).as_json()))"
    )

    there = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code, str(folder)],
        capture_output=True,
        check=True,
        text=True,
        env=os.environ | machine,
    )

    assert json.loads(there.stdout) == here.as_json()


def test_an_encoders_record_is_read_as_it_was_written(folder: Path) -> None:
    made = imported("mine", folder, Choices(instruction="query: ", languages=("de", "fr")))

    assert record.read(made.folder) == made.record
    assert made.languages == ("de", "fr")
    assert 0.5 <= made.likeness < 1


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("pooling", "max"),
        ("instruction", 5),
        ("instruction", "x" * 1001),
        ("centre", "AAAA"),
        ("centre", "?"),
        ("windows", 0),
        ("likeness", 2),
        ("languages", "de"),
        ("parts", [{"dimension": 2, "scale": 1, "max_tokens": 8}]),
        ("parts", "x"),
    ],
)
def test_a_damaged_record_is_said_to_be_one(folder: Path, field: str, value: object) -> None:
    place = imported("mine", folder).folder / "model.json"
    place.write_text(json.dumps(json.loads(place.read_text()) | {field: value}))

    with pytest.raises(ModelFileError, match="not the record of a model"):
        location.find_encoder("mine")


@pytest.mark.parametrize("text", ["x" * 1001, "a\0b", "\ud800"])
def test_an_instruction_that_is_not_a_short_text_is_refused(folder: Path, text: str) -> None:
    with pytest.raises(InputError, match="instruction"):
        import_model("mine", folder, Choices(instruction=text))


def test_choices_are_for_encoders_of_the_users_own(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "tiny.gguf").write_bytes(tiny.llama())

    with pytest.raises(InputError, match="takes no choices"):
        import_model("mine", tmp_path / "tiny.gguf", Choices(instruction="query: "))
    with pytest.raises(InputError, match="takes no choices"):
        import_model("all-minilm-l6-v2", folder, Choices(pooling="first"))


def test_joined_encoders_vectors_are_those_of_each_one_after_another(folder: Path, tmp_path: Path) -> None:
    parts = [imported("one", folder), imported("two", tiny.bert(tmp_path / "other", seed=5))]
    texts = ["a taxi to the airport", "my card", "pay " * 60, ""]
    shared = location.path("one") / "model.onnx"
    shared.chmod(0o644)

    both, turned = join("both", ["one", "two"]), join("turned", ["two", "one"])

    expected = [vectors(part, texts) for part in parts]
    for threads in (1, 2, 5):
        made = Encoder(both.networks, threads=threads).encode(texts)
        assert np.array_equal(made, np.concatenate(expected, axis=1))
    assert np.array_equal(vectors(turned, texts), np.concatenate(expected[::-1], axis=1))
    assert len({made.digest for made in (*parts, both, turned)}) == 4
    assert stat.S_IMODE(shared.stat().st_mode) in {0o644, 0o666}  # others may read it still; 0o666 on Windows
    for name in ("one", "two", "turned"):
        location.remove(name)
    assert location.verify("both") == both
    assert np.array_equal(vectors(both, texts), np.concatenate(expected, axis=1))


def test_a_text_is_known_to_joined_encoders_if_one_of_them_knows_it(folder: Path, tmp_path: Path) -> None:
    import_model("one", folder)
    narrow = imported("two", tiny.bert(tmp_path / "other", seed=5))
    both = join("both", ["two", "one"])

    assert not Encoder(narrow.networks).readings(["Wo ist der Bahnhof?"])[0].known
    assert Encoder(both.networks).readings(["Wo ist der Bahnhof?"])[0].known


def test_a_store_of_joined_encoders_forgets_exactly(folder: Path, tmp_path: Path) -> None:
    import_model("one", folder)
    import_model("two", tiny.bert(tmp_path / "other", seed=5))
    join("both", ["one", "two"])
    kept = [Example.create(text, f"label {i % 3}") for i, text in enumerate(TEXTS[:80])]
    gone = [Example.create(text, f"label {i % 4}") for i, text in enumerate(TEXTS[80:100])]

    with Memory.create(tmp_path / "with", encoder="both", seed=bytes(32)) as memory:
        memory.add_many([*gone[:10], *kept, *gone[10:]])
        ids = [held.id for held in memory.examples() if held.example in gone]
        memory.forget(*ids)
        assert memory.verify(deep=True).ok
    with Memory.create(tmp_path / "without", encoder="both", seed=bytes(32)) as memory:
        memory.add_many(reversed(kept))

    assert len(ids) == len(gone)
    assert tree(tmp_path / "with") == tree(tmp_path / "without")


def test_what_cannot_be_joined_is_refused(folder: Path, tmp_path: Path) -> None:
    import_model("one", folder)
    (tmp_path / "tiny.gguf").write_bytes(tiny.llama())
    import_model("llm", tmp_path / "tiny.gguf")

    with pytest.raises(InputError, match="cannot be joined"):
        join("both", ["one"])
    with pytest.raises(InputError, match="cannot be joined"):
        join("both", ["one", "one"])
    with pytest.raises(ModelFileError, match="is an LLM"):
        join("both", ["one", "llm"])
    with pytest.raises(ModelMissingError, match="no model nope"):
        join("both", ["one", "nope"])
    with pytest.raises(ModelError, match="already"):
        join("one", ["one", "llm"])
    with pytest.raises(ModelError, match="catalogue"):
        join("gte-small", ["one", "llm"])


def test_the_command_imports_joins_and_tells_what_it_took(folder: Path, tmp_path: Path) -> None:
    other = tiny.bert(tmp_path / "other", seed=5)

    one = run("models", "import", "one", str(folder), "--instruction", "query: ", "--pooling", "first")
    assert one.out == "imported one\n"
    assert f"{tiny.DIMENSION} dimensions; first pooling, instruction 'query: '; near copies" in one.err
    assert run("models", "import", "two", str(other), "--language", "de").code == 0
    both = run("models", "import", "both", "--join", "one", "two")
    assert f"{2 * tiny.DIMENSION} dimensions; first pooling, " in both.err
    listed = {one["name"]: one for one in json.loads(run("models", "list", "--json").out)}
    assert listed["both"]["summary"] == "joined: one, two"
    assert listed["both"]["installed_size"] > listed["one"]["installed_size"]
    assert "multilingual-e5-small" in at_terminal("models", "list").out
    assert run("--store", str(tmp_path / "store"), "init", "--encoder", "both").code == 0

    refused(run("models", "import", "x", str(folder), str(other)), "one file or folder", "--join", code=2)
    refused(run("models", "import", "x", "--join", "one"), "cannot be joined", "two to")
    refused(
        run("models", "import", "x", "--join", "one", "two", "--pooling", "mean"), "leave", "options", code=2
    )
