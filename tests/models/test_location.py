"""Models on this machine: finding, importing, verifying and removing them."""

import hashlib
import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import ggufs
import platformdirs
import pytest
import tiny

from edge_icl.encode.settings import EncoderSettings
from edge_icl.errors import ModelError, ModelFileError, ModelMissingError
from edge_icl.models import location, placed
from edge_icl.models.catalogue import DEFAULT_ENCODER, DEFAULT_LLM
from edge_icl.models.importing import import_model
from edge_icl.models.install import install_llm, staging
from edge_icl.models.installed import InstalledEncoder
from edge_icl.runtime.home import home


@pytest.fixture
def gguf(tmp_path: Path) -> Path:
    path = tmp_path / "downloads" / "some.gguf"
    path.parent.mkdir()
    path.write_bytes(tiny.llama())
    return path


@pytest.fixture
def bert(tmp_path: Path) -> Path:
    return tiny.bert(tmp_path / "bert")


def replace(path: Path, data: bytes) -> None:
    """Put other bytes in a file's place, leaving other links to it alone."""
    path.unlink()
    path.write_bytes(data)


def test_nothing_is_installed_at_first() -> None:
    assert location.installed() == ()


@pytest.mark.parametrize("find", [location.find_llm, location.find_encoder])
def test_a_missing_default_names_the_command_that_fetches_it(find: object) -> None:
    with pytest.raises(ModelMissingError, match=r"edge-icl models fetch (smollm2|all-minilm)"):
        find()


def test_a_missing_model_of_the_users_own_names_the_command_that_imports_it() -> None:
    with pytest.raises(ModelMissingError, match="edge-icl models import mine FILE"):
        location.find_llm("mine")


@pytest.mark.parametrize("name", ["", "..", ".hidden", "a/b", "a\\b", "a b", "-x", "é", "x" * 101, "a\n"])
def test_a_name_that_could_leave_the_folder_is_refused(name: str, gguf: Path) -> None:
    with pytest.raises(ModelError, match="cannot be the name"):
        import_model(name, gguf)


def test_an_imported_gguf_is_found_by_name_and_keeps_its_content(gguf: Path) -> None:
    made = import_model("mine", gguf)
    gguf.unlink()

    assert location.find_llm("mine") == made
    assert location.installed() == (made,)
    assert location.path("mine").read_bytes() == tiny.llama()
    assert location.verify("mine") == made


@pytest.mark.skipif(sys.platform == "win32", reason="a name that Windows has not")
def test_a_gguf_whose_name_no_record_can_have_gets_another(gguf: Path) -> None:
    made = import_model("mine", gguf.rename(gguf.with_name("some\\where.gguf")))

    assert location.installed() == (made,)
    assert location.verify("mine") == made


def test_an_imported_encoder_is_found_with_its_settings(bert: Path) -> None:
    made = import_model("mine", bert)

    assert location.find_encoder("mine") == made
    assert isinstance(made, InstalledEncoder)
    assert made.record.encoder == EncoderSettings(tiny.DIMENSION, 115, tiny.POSITIONS)
    assert sorted(path.name for path in location.path("mine").iterdir()) == [
        "model.json",
        "model.onnx",
        "tokenizer.json",
    ]


def test_an_encoders_digest_covers_graph_tokenizer_and_settings(bert: Path, tmp_path: Path) -> None:
    other_weights = tiny.bert(tmp_path / "weights", seed=1)
    other_tokenizer = tiny.bert(tmp_path / "tokenizer")
    (other_tokenizer / "tokenizer.json").write_text(tiny.tokenizer().to_str(pretty=False))
    other_length = tiny.bert(tmp_path / "length")
    (other_length / "sentence_bert_config.json").write_text('{"max_seq_length": 7}')
    folders = [bert, other_weights, other_tokenizer, other_length]

    digests = [import_model(f"mine-{i}", folder).digest for i, folder in enumerate(folders)]

    assert len(set(digests)) == 4
    assert import_model("again", bert).digest == digests[0]


def test_everything_is_private_whatever_the_umask(gguf: Path, bert: Path) -> None:
    old = os.umask(0)
    try:
        import_model("one", gguf)
        import_model("two", bert)
    finally:
        os.umask(old)

    for path in [home(), *home().rglob("*")]:
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path


def test_a_gguf_can_be_given_by_its_path(gguf: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(gguf.parent)
    installed = import_model("mine", gguf)

    for given in (str(gguf), "some.gguf", "./some.gguf"):
        model = location.find_llm(given)
        assert (model.name, model.path, model.digest) == ("some", gguf, installed.digest)


def test_a_path_where_nothing_is_or_no_gguf_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "text.gguf").write_text("text")

    with pytest.raises(ModelMissingError, match="there is no file"):
        location.find_llm("nowhere.gguf")
    with pytest.raises(ModelFileError, match="not a GGUF"):
        location.find_llm(str(tmp_path / "text.gguf"))


def test_an_llm_is_no_encoder_and_an_encoder_is_no_llm(gguf: Path, bert: Path) -> None:
    import_model("llm", gguf)
    import_model("encoder", bert)

    with pytest.raises(ModelFileError, match="is an LLM"):
        location.find_encoder("llm")
    with pytest.raises(ModelFileError, match="is an encoder"):
        location.find_llm("encoder")


def test_verify_finds_one_changed_byte_and_says_which_file(bert: Path) -> None:
    model = import_model("mine", bert)
    changed = bytearray(model.networks[0].graph.read_bytes())
    changed[-1] ^= 1
    replace(model.networks[0].graph, bytes(changed))

    with pytest.raises(ModelFileError, match=r"model\.onnx is not what was installed"):
        location.verify("mine")


def test_a_file_of_another_size_or_a_missing_one_is_found_without_reading_it(gguf: Path) -> None:
    model = import_model("mine", gguf)

    replace(model.path, b"GGUF")
    with pytest.raises(ModelFileError, match="has 4 bytes instead of"):
        location.find_llm("mine")

    model.path.unlink()
    with pytest.raises(ModelFileError, match="cannot be read"):
        location.find_llm("mine")


@pytest.mark.parametrize(
    "change",
    [
        lambda _: "",
        lambda _: "[]",
        lambda record: json.dumps(record | {"format": 2}),
        lambda record: json.dumps(record | {"kind": "cat"}),
        lambda record: json.dumps(record | {"files": {}}),
        lambda record: json.dumps(record | {"files": {"../../x": {"sha256": "00", "size": 1}}}),
        lambda record: json.dumps(record | {"files": {"x": {"sha256": "zz", "size": 1}}}),
        lambda record: json.dumps(record | {"files": {"x": {"sha256": "00", "size": True}}}),
        lambda record: json.dumps(record | {"kind": "encoder"}),
        lambda _: "[" * 100_000,
    ],
)
def test_a_damaged_record_is_a_clear_error_and_can_be_removed(gguf: Path, change: object) -> None:
    record = import_model("mine", gguf).path.with_name("model.json")
    replace(record, change(json.loads(record.read_text())).encode())

    with pytest.raises(ModelFileError, match="edge-icl models remove mine"):
        location.find_llm("mine")
    with pytest.raises(ModelFileError, match=r"model\.json"):
        location.installed()

    location.remove("mine")
    assert location.installed() == ()


def test_removing_leaves_nothing_and_removing_nothing_is_an_error(gguf: Path) -> None:
    import_model("mine", gguf)
    location.remove("mine")

    assert not list(placed.models_folder().rglob("*.gguf"))
    with pytest.raises(ModelMissingError):
        location.remove("mine")


def test_an_import_under_a_name_that_is_taken_changes_nothing(gguf: Path, bert: Path) -> None:
    made = import_model("mine", gguf)

    with pytest.raises(ModelError, match="there is a model mine already"):
        import_model("mine", bert)

    assert location.installed() == (made,)


@pytest.mark.parametrize("name", [DEFAULT_LLM, DEFAULT_ENCODER])
def test_a_name_of_the_catalogue_takes_only_the_catalogues_files(name: str, gguf: Path, bert: Path) -> None:
    for path in (gguf, bert):
        with pytest.raises(ModelFileError, match="take another name"):
            import_model(name, path)

    assert location.installed() == ()


@pytest.mark.campaign
def test_the_real_default_can_be_imported_under_its_own_name(models_home: Path, tmp_path: Path) -> None:
    assert models_home.exists()
    elsewhere = tmp_path / "copied.gguf"
    os.link(location.find_llm().path, elsewhere)
    location.remove(DEFAULT_LLM)

    made = import_model(DEFAULT_LLM, elsewhere)

    assert location.find_llm() == made


def test_an_import_that_fails_leaves_nothing(tmp_path: Path) -> None:
    bad = tmp_path / "bad.gguf"
    bad.write_bytes(tiny.gguf()[:-1])
    empty = tmp_path / "empty"
    empty.mkdir()

    for path, error in (
        (bad, ModelFileError),
        (empty, ModelFileError),
        (tmp_path / "none", ModelMissingError),
    ):
        with pytest.raises(error):
            import_model("mine", path)

    assert not [path for path in placed.models_folder().glob("**/*") if path.suffix != ".lock"]


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="needs a place that root cannot write either")
def test_a_home_that_cannot_be_written_is_a_clear_error(gguf: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDGE_ICL_HOME", "/proc/self/edge-icl")

    with pytest.raises(ModelError, match=r"/proc/self/edge-icl.* cannot be written"):
        import_model("mine", gguf)


def test_finding_a_model_imports_nothing_heavy(gguf: Path) -> None:
    import_model("mine", gguf)
    code = (
        "import sys, edge_icl; before = set(sys.modules); "
        "from edge_icl.models import location; location.find_llm('mine'); "
        "print({'numpy', 'onnx', 'onnxruntime', 'huggingface_hub', 'tokenizers'} & (set(sys.modules) - before))"
    )

    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert result.stdout == "set()\n"


def test_without_a_setting_the_home_is_the_platforms_own_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("EDGE_ICL_HOME")

    assert home() == Path(platformdirs.user_data_dir("edge-icl"))


@pytest.fixture
def split(tmp_path: Path) -> list[Path]:
    (tmp_path / "large").mkdir()
    return ggufs.split(ggufs.llama(tmp_path / "large" / "large.gguf"), parts=3)


def test_the_digest_of_one_file_is_its_sha_256_and_that_of_parts_covers_each(
    gguf: Path, split: list[Path]
) -> None:
    assert location.find_llm(str(gguf)).digest == hashlib.sha256(gguf.read_bytes()).hexdigest()
    digests = {location.find_llm(str(split[0])).digest}

    for part in split:
        data = part.read_bytes()
        part.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
        digests.add(location.find_llm(str(split[0])).digest)
        part.write_bytes(data)

    assert len(digests) == 1 + len(split)


def test_a_model_in_parts_is_installed_found_and_verified_as_one(split: list[Path]) -> None:
    with staging("import", "mine") as work:
        for part in split:
            (work / part.name).write_bytes(part.read_bytes())
        made = install_llm("mine", work, file=work / split[0].name, licence="unknown", source="import")

    assert location.find_llm("mine") == location.verify("mine") == made
    assert (made.path.name, made.digest) == (split[0].name, location.find_llm(str(split[0])).digest)
    last = made.path.with_name(split[-1].name)
    data = last.read_bytes()
    replace(last, data[:-1] + bytes([data[-1] ^ 1]))
    with pytest.raises(ModelFileError, match=r"00003-of-00003\.gguf is not what was installed.*remove mine"):
        location.verify("mine")
    last.unlink()
    with pytest.raises(ModelFileError, match=r"00003-of-00003\.gguf cannot be read"):
        location.find_llm("mine")
