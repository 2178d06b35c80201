"""The commands that look: list, show, search, status, export, verify; and init."""

import json
from importlib import metadata
from pathlib import Path

import pytest
from command import EXAMPLES, IDS, at_terminal, process, refused, run, unchanged

pytest_plugins = ["cli_fixtures"]

PAPER = IDS["Printer paper"]


def test_init_makes_a_store_with_settings_of_ones_own(models_home: Path) -> None:
    ran = run("--store", "mine", "init", "--shots", "3", "--seed", "ab" * 32)

    assert (ran.code, ran.out, ran.err) == (0, f"made the store {models_home}/stores/mine\n", "")
    assert json.loads(run("status", "--store", "mine", "--json").out)["shots"] == 3
    with unchanged(models_home):
        refused(run("--store", "mine", "init"), "there is a store at", "already")
    made = json.loads(run("--store", "other", "init", "--shots", "3", "--seed", "ab" * 32, "--json").out)
    assert made["root"] == json.loads(run("status", "--store", "mine", "--json").out)["root"]


def test_a_task_is_kept_with_the_store_and_shown(models_home: Path) -> None:
    made = json.loads(run("init", "--task", " Cafe\u0301 or not? ", "--json").out)

    assert made["task"] == "Café or not?"
    assert json.loads(run("status", "--json").out)["task"] == "Café or not?"
    assert "Café or not?" in run("status").out
    run("--store", "other", "init")
    assert json.loads(run("--store", "other", "status", "--json").out)["task"] is None


@pytest.mark.parametrize(
    ("task", "wrong"), [("", "empty"), ("x" * 1001, "1001 characters, more than 1000"), ("a\0b", "NUL")]
)
def test_a_task_that_cannot_be_kept_makes_no_store(models_home: Path, task: str, wrong: str) -> None:
    with unchanged(models_home):
        refused(run("init", "--task", task), "the task", wrong)


@pytest.mark.parametrize("seed", ["ab", "zz" * 32, "ab" * 33, ""])
def test_a_seed_is_64_hex_digits(seed: str) -> None:
    refused(run("init", "--seed", seed), "--seed", "hex digits", code=2)


@pytest.mark.usefixtures("bare_home")
def test_list_gives_a_pipe_whole_lines_and_a_terminal_a_table() -> None:
    by_id = sorted(EXAMPLES, key=lambda example: IDS[example.input])

    assert process("list").out == "".join(f"{IDS[e.input]}\t{e.output}\t{e.input}\n" for e in by_id)
    assert at_terminal("list").out == "id        output  input\n" + "".join(
        f"{IDS[e.input][:8]}  {e.output:6}  {e.input}\n" for e in by_id
    )
    assert [json.loads(line)["id"] for line in run("list", "--json").out.splitlines()] == sorted(IDS.values())
    assert PAPER in at_terminal("-v", "list").out


@pytest.mark.usefixtures("bare_home")
def test_list_shows_what_fits_up_to_a_limit() -> None:
    assert len(run("list", "--tag", "2026").out.splitlines()) == 2
    assert len(run("list", "--tag", "2026", "--source", "old.csv").out.splitlines()) == 0
    assert run("list", "--tag", "nope").err == "edge-icl: no example fits\n"
    limited = at_terminal("list", "--limit", "2")
    assert (len(limited.out.splitlines()), limited.err) == (3, "edge-icl: 3 more\n")


@pytest.mark.usefixtures("bare_home")
def test_an_example_is_shown_whole_by_the_beginning_of_its_id() -> None:
    key = IDS["Uber to the airport"]

    assert run("show", key[:6]).out == (
        f"id      {key}\ninput   Uber to the airport\noutput  travel\ntags    2026\n"
    )
    assert run("show", IDS["Uber to airport"]).out.endswith("source  old.csv\n")
    assert json.loads(run("show", PAPER, "--json").out) == {
        "id": PAPER,
        "input": "Printer paper",
        "output": "office",
    }


@pytest.mark.usefixtures("home")
def test_search_gives_the_nearest_first() -> None:
    first, second = run("search", "a cab to the airport", "--limit", "2").out.splitlines()
    found = [json.loads(line) for line in run("search", "Printer paper", "--json").out.splitlines()]

    assert {first.split("\t")[3], second.split("\t")[3]} == {"Uber to the airport", "Uber to airport"}
    assert (len(found), found[0]["id"], found[0]["similarity"]) == (5, PAPER, 1.0)
    assert [one["similarity"] for one in found] == sorted((one["similarity"] for one in found), reverse=True)
    run("forget", "--all", "--yes")
    assert run("search", "x").err == "edge-icl: the store is empty\n"


def test_status_says_what_is_there_and_what_is_missing(home: Path) -> None:
    found = json.loads(run("status", "--json").out)
    store = home / "stores" / "default"

    assert found["path"] == str(store)
    assert (found["examples"], found["shots"], found["cache_bytes"]) == (5, 3, 0)
    assert found["bytes"] == sum(path.stat().st_size for path in store.rglob("*") if path.is_file())
    assert len(found["root"]) == 64
    assert (found["encoder"], found["encoder_ready"]) == ("all-minilm-l6-v2", True)
    assert (found["model"], found["model_ready"]) == ("smollm2-135m-instruct", True)
    assert "cpu" in found["backends"]
    assert found["llama_cpp"] == metadata.version("llama-cpp-python")
    assert found["threads"] >= 1
    run("models", "remove", "smollm2-135m-instruct", "--yes")
    run("models", "remove", "all-minilm-l6-v2", "--yes")
    text = run("status").out
    assert "(not ready: edge-icl models fetch smollm2-135m-instruct)" in text
    assert "(not ready: edge-icl models fetch all-minilm-l6-v2)" in text


def test_status_knows_the_gpu_by_the_libraries(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from edge_icl.cli import machine
    from edge_icl.llm import build

    package = tmp_path / "llama_cpp"
    (package / "lib").mkdir(parents=True)
    (package / "__init__.py").touch()
    for name in (
        "libggml-base.so",
        "libggml-cpu-haswell.so.0.25",
        "libggml-cuda.so",
        "libllama.so",
        "ggml-hip.dll",
    ):
        (package / "lib" / name).touch()
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(__import__("sys").modules, "llama_cpp", raising=False)

    assert build.backends() == ("cpu", "cuda", "hip")
    assert build.gpus() == ("cuda", "hip")
    assert machine.gpu_layers(None) == "all"
    (package / "lib" / "libggml-cuda.so").unlink()
    (package / "lib" / "ggml-hip.dll").unlink()
    assert machine.gpu_layers(None) == 0


def test_export_writes_a_private_new_file(bare_home: Path, tmp_path: Path) -> None:
    file = tmp_path / "copy.jsonl"
    lines = run("export").out

    assert run("export", "--json").out == lines
    assert run("export", "--file", str(file)).out == f"wrote 5 examples to {file}\n"
    assert file.read_text() == lines
    assert file.stat().st_mode & 0o777 == 0o600
    refused(run("export", "--file", str(file)), "already")
    refused(run("export", "--file", str(bare_home / "stores" / "default" / "x")), "inside the store")


def test_verify_finds_a_sound_store_sound(bare_home: Path) -> None:
    with unchanged(bare_home):
        found = json.loads(run("verify", "--deep", "--json").out)
        text = at_terminal("verify").out

    assert found == {"ok": True, "deep": True, "differences": [], "root": found["root"]}
    assert text == (
        f"the store is sound: 5 examples; every file is what the manifest says\nroot {found['root']}\n"
    )


def test_verify_names_each_difference_and_exits_with_3(bare_home: Path) -> None:
    store = bare_home / "stores" / "default"
    (store / "pages" / "note").write_text("Printer paper")
    (page,) = (store / "pages").glob("*.safetensors")
    page.write_bytes(page.read_bytes()[:-1] + b"x")
    ran = run("verify")

    assert ran.code == 3
    assert ran.out.splitlines() == [
        f"pages/{page.name}: damaged: its content is not what its name says",
        "pages/note: stray: the manifest does not name it; it is wiped now",
    ]
    assert ran.err == "edge-icl: the store has 2 differences\n"
    assert json.loads(run("verify", "--json").out)["ok"] is False


def test_verify_checks_a_store_that_cannot_be_opened(bare_home: Path) -> None:
    (bare_home / "stores" / "default" / "manifest").write_bytes(b"{}")

    refused(run("list"), "manifest")
    assert run("verify").code == 3


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "{}",
        '{"ids": 3, "root_after": ""}',
        '{"ids": [], "root_after": ""}',
        f'{{"ids": ["{PAPER[:8]}"], "root_after": ""}}',
        f'{{"ids": ["{PAPER}"], "root_after": 3}}',
        "[" * 100_000,
    ],
)
def test_verify_takes_only_a_receipt_for_a_receipt(bare_home: Path, tmp_path: Path, text: str) -> None:
    (tmp_path / "r").write_text(text)

    with unchanged(bare_home):
        refused(run("verify", "--receipt", str(tmp_path / "r")), "not a receipt")
        refused(run("verify", "--receipt", str(tmp_path / "none")), "cannot be read")


@pytest.mark.usefixtures("home")
def test_a_receipt_finds_what_came_back(tmp_path: Path) -> None:
    run("forget", PAPER, "--yes", "--receipt", str(tmp_path / "r"))
    run("add", "Printer paper", "office")
    ran = run("verify", "--receipt", str(tmp_path / "r"))

    assert (ran.code, ran.out) == (3, f"{PAPER}: present: the receipt says that it was forgotten\n")


@pytest.mark.usefixtures("home")
def test_a_receipt_is_not_held_against_another_store(tmp_path: Path) -> None:
    file = tmp_path / "r"
    run("forget", PAPER, "--yes", "--receipt", str(file))
    assert run("--store", "other", "init").code == 0

    refused(run("--store", "other", "verify", "--receipt", str(file)), "the receipt is of another store")
    fields = json.loads(file.read_text())
    file.write_text(json.dumps({name: value for name, value in fields.items() if name != "store"}))
    told = run("--store", "other", "verify", "--receipt", str(file))
    assert told.code == 0
    assert "is gone" not in told.out
    assert "or the receipt is of another store" in told.out
    assert (
        "what the receipt names is gone; the store is as it was then"
        in run("verify", "--receipt", str(file)).out
    )
