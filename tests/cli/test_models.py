import json
import os
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import tiny
from command import at_terminal, process, refused, run, unchanged
from repository import SUPPORT

from edge_icl import Memory, Options
from edge_icl.llm import trial
from edge_icl.llm.requantize import requantize
from edge_icl.models import catalogue, location, record
from edge_icl.runtime import child

LLM = "smollm2-135m-instruct"
SPLIT = {"split.no": tiny.Short(0), "split.count": tiny.Short(2), "split.tensors.count": 24}
"""Values of the first part of a model in two."""


def write(path: Path, data: bytes) -> Path:
    """Replace a file; the models of the tests are hard links."""
    path.unlink(missing_ok=True)
    path.write_bytes(data)
    return path


def test_list_names_what_is_here_and_what_can_be_fetched(models_home: Path, tmp_path: Path) -> None:
    file = write(tmp_path / "tiny.gguf", tiny.llama())

    assert run("models", "import", "mine", str(file)).out == "imported mine\n"
    found = {one["name"]: one for one in json.loads(run("models", "list", "--json").out)}
    assert (found[LLM]["installed"], found[LLM]["default"], found[LLM]["size"]) == (True, True, 98_362_432)
    assert found[LLM]["installed_size"] == location.path(LLM).stat().st_size
    delivered = found[f"{LLM}-q4_1"]
    assert (delivered["size"], delivered["installed_size"]) == (98_362_432, 98_362_432)
    assert (found["qwen2.5-7b-instruct"]["installed"], found["qwen2.5-7b-instruct"]["size"]) == (False, None)
    assert (found["mine"]["kind"], found["mine"]["size"]) == ("llm", len(tiny.llama()))
    text = at_terminal("models", "list").out
    assert all(name in text for name in found)
    assert max(map(len, text.splitlines())) <= 80
    assert models_home.exists()


@pytest.mark.usefixtures("models_home")
def test_fetching_what_is_here_opens_no_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")

    assert run("models", "fetch").out == (
        f"{LLM} is here already, and whole\nall-minilm-l6-v2 is here already, and whole\n"
    )
    assert json.loads(run("models", "fetch", LLM, "--json").out) == [
        {"name": LLM, "source": None, "failures": [], "requantized": None, "kept": None}
    ]


def test_a_model_that_is_here_as_it_was_delivered_is_made_faster_when_told(
    models_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    as_delivered(models_home, monkeypatch)
    faster = ("models", "fetch", LLM, "--faster")
    with monkeypatch.context() as patch:
        patch.setattr(child, "command", lambda _: [sys.executable, "-c", "raise SystemExit(3)"])
        failed = run(*faster)
    assert (failed.code, failed.out) == (0, f"{LLM} is here already, and whole\n")
    why = "llama.cpp's quantizer ended its process (exit code 3)"
    assert failed.err == (
        f"edge-icl: {LLM} is kept as it was delivered, which works and is slower: {why}\n"
        f"edge-icl: to requantize it later: edge-icl models fetch {LLM} --faster\n"
    )

    assert run(*faster).out == f"requantized {LLM} to Q8_0\n"
    assert run(*faster).out == f"{LLM} is here already, and whole\n"


def as_delivered(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have a tiny model under the default's name, and in the catalogue as the file that is delivered."""
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    entry = catalogue.find(LLM)
    assert entry is not None
    assert entry.requantized is not None
    source = home / "tiny.gguf"
    source.write_bytes(tiny.llama())
    requantize(source, home / "tiny.Q8_0.gguf", "Q8_0", size=1)
    known = [record.hash_file(home / name) for name in ("tiny.gguf", "tiny.Q8_0.gguf")]
    files = (catalogue.SourceFile("tiny.gguf", known[0].sha256, known[0].size),)
    made = replace(entry.requantized, sha256=known[1].sha256, size=known[1].size)
    mine = replace(entry, files=files, requantized=made, reference=None)
    others = [one for one in catalogue.CATALOGUE if one.name != LLM]
    monkeypatch.setattr(catalogue, "CATALOGUE", (mine, *others))
    location.remove(LLM)
    run("models", "import", LLM, str(source))


def test_fetching_an_unknown_model_is_refused(own_home: Path) -> None:
    with unchanged(own_home):
        refused(run("models", "fetch", "nope"), "the catalogue has no model nope", "edge-icl models list")


def test_a_model_is_imported_used_and_removed(models_home: Path) -> None:
    assert models_home.exists()
    original = location.path(LLM)

    done = json.loads(run("models", "import", "mine", str(original), "--json").out)
    assert run("models", "path", "mine").out == f"{done['path']}\n"
    assert json.loads(run("models", "path", "mine", "--json").out) == {"name": "mine", "path": done["path"]}
    assert run("models", "remove", "mine", "--yes").out == "removed mine\n"
    refused(run("models", "path", "mine"), "there is no model mine on this machine")
    refused(run("models", "remove", "mine"), "there is no model mine on this machine")


def test_a_name_is_not_taken_twice(models_home: Path, tmp_path: Path) -> None:
    file = write(tmp_path / "tiny.gguf", tiny.llama())

    with unchanged(models_home / "models"):
        refused(run("models", "import", LLM, str(file)), f"there is a model {LLM} already")


def test_verify_reads_every_byte_and_exits_with_3(models_home: Path) -> None:
    assert run("models", "verify").out == f"all-minilm-l6-v2: as it was installed\n{LLM}: as it was installed\n"
    encoder = "all-minilm-l6-v2"
    file = models_home / "models" / encoder / "tokenizer.json"
    data = file.read_bytes()
    write(file, data[:-1] + bytes([data[-1] ^ 1]))
    ran = process("models", "verify")

    assert ran.code == 3
    assert ran.out == (
        f"{encoder}: {file} is not what was installed; fetch it again: edge-icl models fetch {encoder}\n"
        f"{LLM}: as it was installed\n"
    )
    found = json.loads(run("models", "verify", "all-minilm-l6-v2", "--json").out)
    assert (found["ok"], found["models"][0]["ok"]) == (False, False)
    assert run("models", "verify", LLM).code == 0


@pytest.mark.usefixtures("own_home")
def test_without_models_verify_names_the_command_that_brings_them() -> None:
    ran = run("models", "verify")

    assert (ran.code, ran.out) == (0, "")
    assert "edge-icl models fetch" in ran.err


@pytest.mark.usefixtures("own_home")
def test_an_encoder_is_imported_from_its_folder(tmp_path: Path) -> None:
    folder = tiny.bert(tmp_path / "bert")

    assert run("models", "import", "small", str(folder)).code == 0
    assert run("init", "--encoder", "small").code == 0
    assert json.loads(run("add", "taxi to the airport", "travel", "--json").out)["added"] == 1
    assert os.environ["EDGE_ICL_HOME"] in run("models", "path", "small").out


@pytest.mark.usefixtures("own_home")
@pytest.mark.parametrize(
    ("name", "more", "told"),
    [
        ("odd.gguf", {"general.architecture": "nonsense"}, "unknown model architecture: 'nonsense'"),
        ("mmproj.gguf", {"general.architecture": "clip", "general.type": "mmproj"}, "CLIP cannot be used"),
        ("words.gguf", {"tokenizer.ggml.tokens": None}, "cannot find tokenizer vocab"),
    ],
)
def test_what_llama_cpp_cannot_run_is_not_imported(
    tmp_path: Path, name: str, more: dict[str, object], told: str
) -> None:
    file = write(tmp_path / name, tiny.llama(more=more))

    ran = run("models", "import", "mine", str(file))

    refused(ran, f"llama.cpp refuses {file}: ", told, "; take another file: the GGUF of a generative model")
    assert "fetch" not in ran.err
    refused(run("models", "path", "mine"), "there is no model mine on this machine")


@pytest.mark.usefixtures("own_home")
@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("one-00001-of-00002.gguf", "one-00002-of-00002.gguf is missing"),
        ("other.gguf", "its name hides where the others are"),
    ],
)
def test_a_part_without_the_others_is_not_imported(tmp_path: Path, name: str, told: str) -> None:
    file = write(tmp_path / name, tiny.llama(more=SPLIT))

    refused(run("models", "import", "mine", str(file)), told)
    refused(run("models", "path", "mine"), "there is no model mine on this machine")


@pytest.mark.usefixtures("own_home")
def test_what_is_truncated_is_not_imported(tmp_path: Path) -> None:
    file = write(tmp_path / "half.gguf", tiny.llama()[:-100])

    refused(run("models", "import", "mine", str(file)), "is truncated")


@pytest.mark.usefixtures("own_home")
def test_what_ends_llama_cpp_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    child = [sys.executable, str(SUPPORT / "faulty.py"), "abort", "always"]
    monkeypatch.setattr(trial, "_command", lambda: child)
    file = write(tmp_path / "tiny.gguf", tiny.llama())

    ran = run("models", "import", "mine", str(file))

    refused(ran, f"llama.cpp cannot run {file} on this machine: llama.cpp ended its process (SIGABRT: ")
    refused(run("models", "path", "mine"), "there is no model mine on this machine")


def test_what_is_imported_has_been_checked(own_home: Path, tmp_path: Path) -> None:
    file = write(tmp_path / "tiny.gguf", tiny.llama())

    assert run("models", "import", "mine", str(file)).code == 0

    kept = json.loads((own_home / "models" / "mine" / "check.json").read_text())["results"]
    assert [fit["passed"] for fit in kept.values()] == [True]
    assert run("models", "verify", "mine").out == "mine: as it was installed\n"
    assert run("models", "remove", "mine", "--yes").code == 0
    assert [path.name for path in (own_home / "models").iterdir() if path.is_dir()] == []


@pytest.fixture
def mine(models_home: Path, tmp_path: Path) -> str:
    """An imported LLM beside the built-in one."""
    assert run("models", "import", "mine", str(write(tmp_path / "tiny.gguf", tiny.llama()))).code == 0
    return "mine"


def default_of(*option: str) -> dict[str, object]:
    """Return what `models default` tells."""
    return json.loads(run("models", "default", *option, "--json").out)


def test_the_default_model_is_what_the_variable_says_or_what_is_set_or_built_in(
    mine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert default_of() == {"model": LLM, "by": "built in", "installed": True}
    assert run("models", "default", mine).out == "mine\n"
    assert default_of() == {"model": mine, "by": "setting", "installed": True}
    assert [one["name"] for one in listed() if one["default"]] == ["all-minilm-l6-v2", mine]
    run("init")
    assert json.loads(run("status", "--json").out)["model"] == mine
    monkeypatch.setenv("EDGE_ICL_MODEL", LLM)
    assert default_of() == {"model": LLM, "by": "environment", "installed": True}
    told = run("models", "default", mine)
    assert (told.out, told.err) == (
        f"{LLM}\n",
        "edge-icl: EDGE_ICL_MODEL says so, which comes before what is set here\n",
    )
    monkeypatch.setenv("EDGE_ICL_MODEL", "")
    assert default_of()["model"] == mine
    assert run("models", "default", "--reset").out == f"{LLM}\n"
    assert default_of()["by"] == "built in"


def listed() -> list[dict[str, object]]:
    """Return what `models list` tells."""
    return json.loads(run("models", "list", "--json").out)


def test_the_default_answers_where_no_model_is_named(mine: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def answered(*option: str) -> object:
        asked = ("ask", "Taxi downtown", "--labels", "off", "--max-tokens", "1", "--json")
        return json.loads(run(*asked, *option).out)["model"]

    run("add", "Uber to the airport", "travel")
    run("models", "default", mine)
    with Memory.open() as memory:
        assert memory.ask("Taxi downtown", Options(labels="off", max_tokens=1)).model == mine

    assert answered() == mine
    assert answered("--model", LLM) == LLM
    monkeypatch.setenv("EDGE_ICL_MODEL", LLM)
    assert answered() == LLM
    assert answered("--model", mine) == mine


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("mien", "there is no model mien on this machine; did you mean mine?"),
        ("qwen2.5-7b-instruct", "fetch it once: edge-icl models fetch qwen2.5-7b-instruct"),
        ("nope", "add it with `edge-icl models import nope FILE`"),
        ("", "the name of the model is empty"),
        ("all-minilm-l6-v2", "is an encoder, not an LLM"),
    ],
)
def test_only_a_model_that_is_here_becomes_the_default(mine: str, name: str, told: str) -> None:
    refused(run("models", "default", name), told)
    refused(run("models", "default", mine, "--reset"), "give a NAME or --reset", code=2)
    refused(run("models", "default", "./mine.gguf"), "edge-icl models import NAME ./mine.gguf", code=2)
    assert default_of()["by"] == "built in"


def test_the_setting_is_private_and_what_else_is_in_it_stays(mine: str, own_home: Path) -> None:
    file = own_home / "settings.json"
    file.write_text('{"later": [1], "model": "other"}')

    run("models", "default", mine)

    assert json.loads(file.read_text()) == {"later": [1], "model": "mine"}
    assert file.stat().st_mode & 0o777 == 0o600
    run("models", "default", "--reset")
    assert json.loads(file.read_text()) == {"later": [1]}


@pytest.mark.parametrize("damage", ["{", "[]", '{"model": 7}', "\x00", ""])
def test_a_damaged_setting_is_told_with_what_to_type(mine: str, own_home: Path, damage: str) -> None:
    run("add", "Uber to the airport", "travel")
    (own_home / "settings.json").write_text(damage)

    for line in ("models default", "models list", "ask Taxi --ask-model always --labels off"):
        refused(
            run(*line.split()),
            "settings.json",
            "is damaged; say again which it is, `edge-icl models default NAME`",
        )
    assert "is damaged" in run("status").out
    assert "is damaged" in run("doctor").out
    assert run("models", "default", mine).out == "mine\n"


def test_a_default_that_is_gone_is_told_with_what_to_type(
    mine: str, own_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask = ("ask", "Taxi", "--labels", "off")
    run("add", "Uber to the airport", "travel")
    (own_home / "settings.json").write_text('{"model": "gone"}')
    refused(run(*ask), "there is no model gone on this machine, and it is the default; take another", "--reset")
    monkeypatch.setenv("EDGE_ICL_MODEL", "lost")
    refused(run(*ask), "there is no model lost on this machine, and $EDGE_ICL_MODEL names it")
    assert "(not ready: " in run("status").out


def test_a_model_is_removed_when_that_is_confirmed(mine: str) -> None:
    run("models", "default", mine)

    refused(run("models", "remove", mine), "removing the model mine must be confirmed", "give --yes")
    asked = at_terminal("models", "remove", mine, typed="no\n")
    assert (asked.code, asked.out) == (1, "")
    assert "remove the model mine, " in asked.err
    assert default_of()["model"] == mine
    done = at_terminal("models", "remove", mine, typed="y\n")

    assert done.out == "removed mine\n"
    assert f"it was the default; that is {LLM} now" in done.err
    assert default_of() == {"model": LLM, "by": "built in", "installed": True}
    gone = run("models", "remove", LLM, "--yes")
    assert (
        f"it was the default; that is {LLM}, and not here: fetch it once: edge-icl models fetch {LLM}"
        in gone.err
    )
    refused(
        run("models", "remove", "mnie"), "there is no model mnie on this machine; `edge-icl models list` shows"
    )


def test_list_has_whole_names_and_the_sizes_on_the_disk(mine: str, own_home: Path, tmp_path: Path) -> None:
    long = "an-imported-model-with-a-name-of-its-very-own-and-long"
    run("models", "import", long, str(write(tmp_path / "tiny.gguf", tiny.llama())))
    folder = own_home / "models" / long
    size = sum(path.stat().st_size for path in folder.iterdir())

    found = {one["name"]: one for one in listed()}
    screen, piped = at_terminal("models", "list").out, run("models", "list").out

    assert found[long]["bytes"] == size
    assert found["qwen2.5-7b-instruct"]["bytes"] is None
    assert all(f"\n{name} " in f"\n{screen}" and f"\n{name}\t" in f"\n{piped}" for name in found)
