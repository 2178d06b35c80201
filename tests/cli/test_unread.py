"""Texts that the store's encoder cannot read: said with counts and a remedy, and never taken for each other."""

import csv
import json
import re
import shlex
from pathlib import Path

import pytest
import tiny
from command import at_terminal, run
from repository import SHARED

from edge_icl.cli import sight
from edge_icl.models import catalogue

pytest_plugins = ["cli_fixtures"]

THAI = {
    "รถไฟไปเชียงใหม่": "travel",
    "เครื่องบินไปภูเก็ต": "travel",
    "ข้าวเย็นของทีมขาย": "meals",
    "ชานมไข่มุกสามแก้ว": "meals",
    "กระดาษและปากกา": "office",
}
MAIL = "Calls are answered on weekdays; at night please write to the address on our door. " * 12
MAILS = {f"{MAIL}The lamp is broken": "refund", f"{MAIL}Where is my parcel": "shipping"}
ADVICE = (
    "for other languages than English: edge-icl models fetch multilingual-e5-small, "
    "then edge-icl --store {0} reencode --encoder multilingual-e5-small --into {0}-multilingual"
)
UNREAD = (
    "edge-icl: {} in characters that the encoder all-minilm-l6-v2 does not know: "
    "it cannot tell such texts apart; "
)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file of examples in Thai, with two in English among them."""
    path = tmp_path / "thai.csv"
    with path.open("w", newline="", encoding="utf-8") as stream:
        rows = csv.writer(stream)
        rows.writerows([("input", "output"), *THAI.items(), ("Printer paper", "office"), ("A taxi", "travel")])
    return path


@pytest.mark.usefixtures("models_home")
def test_add_says_once_how_many_inputs_it_cannot_read(file: Path) -> None:
    ran = run("--store", "shop", "add", "--file", str(file))

    assert (ran.code, ran.out) == (0, "added 7 examples\n")
    assert ran.err.startswith(UNREAD.format("5 of 7 inputs are") + ADVICE.format("shop") + "\n")
    assert ran.err.count("\n") == 2  # the other line says that the store was made
    again = run("--store", "shop", "add", "--file", str(file))
    assert (again.out, again.err) == ("added 0 examples; 7 were there already\n", "")


@pytest.mark.usefixtures("home")
def test_the_json_has_the_counts_and_what_is_read_is_not_spoken_of(file: Path) -> None:
    added = json.loads(run("add", "--file", str(file), "--json").out)
    assert (added["unread"], added["cut"]) == (5, 0)

    ran = run("add", "Café near the “station”, cash only", "meals")
    assert (ran.code, ran.err) == (0, "")
    one = run("add", "\U0001f355", "meals")
    assert one.err.startswith(UNREAD.format("the input is"))


@pytest.mark.usefixtures("models_home")
def test_an_input_that_is_cut_is_told_too(tmp_path: Path) -> None:
    assert run("models", "import", "small", str(tiny.bert(tmp_path / "small"))).code == 0
    run("init", "--encoder", "small")

    ran = run("add", "my card " * 400, "it")

    told = "the input is longer than the encoder small reads: what comes after makes no difference"
    assert (ran.code, ran.err) == (0, f"edge-icl: {told}\n")


@pytest.mark.usefixtures("models_home")
def test_import_search_edit_and_learn_say_it_too(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run("import", str(file)).err.startswith(UNREAD.format("5 of 7 inputs are"))
    assert run("search", "ชานม").err.startswith(UNREAD.format("the input is"))
    assert run("search", "tea").err == ""
    (tmp_path / "editor.py").write_text(
        "import pathlib, sys\n"
        "path = pathlib.Path(sys.argv[1])\n"
        "path.write_text(path.read_text(encoding='utf-8').replace('A taxi', chr(0x1f695)), encoding='utf-8')\n"
    )
    monkeypatch.setenv("EDITOR", f"python {shlex.quote(str(tmp_path / 'editor.py'))}")
    (taxi,) = (row for row in run("list").out.splitlines() if row.endswith("A taxi"))
    assert run("edit", taxi.split("\t")[0]).err.startswith(UNREAD.format("the input is"))
    (tmp_path / "questions.txt").write_text("ขนมปังสองก้อน\nขนมไทย\nA tart\n", encoding="utf-8")
    learnt = at_terminal(
        "learn", "--ask-model", "never", "--file", str(tmp_path / "questions.txt"), typed="q\n"
    )
    assert "2 of 3 inputs are in characters that the encoder" in learnt.err


@pytest.mark.usefixtures("models_home")
def test_status_check_and_doctor_name_an_encoder_for_the_language(file: Path) -> None:
    run("--store", "shop", "add", "--file", str(file))
    told = "5 of 7 inputs looked at are not in English, the language that the encoder all-minilm-l6-v2 reads"

    status = run("--store", "shop", "status").out
    assert re.search(
        rf"^languages +{re.escape(told)}; {re.escape(ADVICE.format('shop'))}$", status, re.MULTILINE
    )
    fields = json.loads(run("--store", "shop", "status", "--json").out)
    assert fields["foreign"] == {"texts": 7, "foreign": 5, "told": 0}
    assert fields["advice"] == f"{told}; {ADVICE.format('shop')}"
    assert f"{told}; {ADVICE.format('shop')}\n" in run("--store", "shop", "check").out
    assert json.loads(run("--store", "shop", "check", "--json").out)["foreign"] == fields["foreign"]
    checks = json.loads(run("doctor", "--json").out)["checks"]
    (note,) = (check for check in checks if check["name"] == "encoder")
    assert (note["level"], note["detail"], note["remedy"]) == ("note", f"shop: {told}", ADVICE.format("shop"))


@pytest.mark.usefixtures("home")
def test_of_a_store_in_english_nothing_is_said() -> None:
    fields = json.loads(run("status", "--json").out)

    assert (fields["foreign"]["foreign"], fields["advice"]) == (0, None)
    assert "languages" not in run("status").out
    assert "encoder" not in {check["name"] for check in json.loads(run("doctor", "--json").out)["checks"]}


@pytest.mark.parametrize("examples", [THAI, MAILS], ids=["unknown", "long"])
@pytest.mark.usefixtures("models_home")
def test_unlike_texts_are_no_near_copies_of_what_is_forgotten(examples: dict[str, str], tmp_path: Path) -> None:
    lines = [json.dumps({"input": input, "output": output}) for input, output in examples.items()]
    (tmp_path / "rows.jsonl").write_text("\n".join(lines))
    run("add", "--file", str(tmp_path / "rows.jsonl"))
    first, *others = examples

    planned = json.loads(run("forget", "--like", f" {first}!", "--dry-run", "--json").out)
    assert [one["input"] for one in planned["examples"]] == [first]
    forgotten = run("forget", "--like", first, "--yes", "--json")
    assert (json.loads(forgotten.out)["forgotten"], json.loads(forgotten.out)["similar_left"]) == (1, 0)
    assert {json.loads(line)["input"] for line in run("list", "--json").out.splitlines()} == {*others}


@pytest.mark.usefixtures("models_home")
def test_a_twin_that_the_encoder_cannot_read_is_named() -> None:
    run("add", "รถไฟไปเชียงใหม่", "travel")
    added = json.loads(run("add", "รถไฟ ไปเชียงใหม่!", "travel", "--json").out)

    ran = run("forget", added["ids"][0], "--yes")

    assert "1 example that is left is nearly the same" in ran.err


@pytest.mark.parametrize("name", ["cjk_emoji.jsonl", "thai.csv"])
@pytest.mark.usefixtures("models_home")
def test_the_cases_of_users_are_told_at_add_and_forgotten_one_by_one(name: str) -> None:
    path = SHARED / "cases" / name
    if not path.exists():
        pytest.skip(f"needs {path}")
    added = json.loads(run("add", "--file", str(path), "--json").out)

    assert added["unread"] == added["added"] == len(added["ids"])
    for id in added["ids"][:-1]:
        assert json.loads(run("forget", id, "--yes", "--json").out)["similar_left"] == 0


def test_the_encoder_that_is_advised_can_be_fetched_and_reads_many_languages() -> None:
    advised = catalogue.find(sight.MULTILINGUAL)

    assert advised is not None
    assert {"en", "de", "ru", "th", "zh"} <= {*advised.languages}
    assert "--encoder NAME" in run("reencode", "--help").out
