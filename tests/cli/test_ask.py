import json
import re
from pathlib import Path

import pytest
from command import IDS, at_terminal, process, refused, run, unchanged

pytest_plugins = ["cli_fixtures"]

LABELS = {"food", "office", "travel"}


@pytest.mark.usefixtures("home")
def test_piped_the_answer_stands_alone() -> None:
    ran = process("ask", "Taxi downtown")

    assert (ran.code, ran.err) == (0, "")
    assert ran.out.removesuffix("\n") in LABELS


@pytest.mark.usefixtures("home")
def test_piped_the_examples_follow_where_they_are_wanted() -> None:
    words = ("ask", "Taxi downtown", "--select", "nearest", "--no-prior", "--examples")
    _, _, _, count, *rows = run(*words).out.splitlines()

    assert count == "answered from 3 examples"
    assert len(rows) == 3
    assert {row.split("\t")[0] for row in rows} < {key[:8] for key in IDS.values()}
    similar = [float(row.split("\t")[1]) for row in rows]
    assert similar == sorted(similar, reverse=True)


@pytest.mark.usefixtures("home")
def test_of_a_file_the_examples_follow_each_answer(tmp_path: Path) -> None:
    file = tmp_path / "q.txt"
    file.write_text("Taxi downtown\nUber to the airport\n")

    first, *behind = run("ask", "--file", str(file), "--examples").out.splitlines()

    taught = behind.index("travel")
    assert first in LABELS
    assert any("the nearest examples" in line for line in behind[:taught])
    assert behind[taught + 2] == "taught: the question is the input of 1 example"


@pytest.mark.usefixtures("home")
def test_a_table_has_no_room_for_the_examples(tmp_path: Path) -> None:
    file = tmp_path / "q.csv"
    file.write_text("input\nTaxi downtown\n")

    ran = run("ask", "--file", str(file), "--examples")

    refused(ran, "--examples does not go with a table", code=2)


@pytest.mark.usefixtures("home")
def test_json_has_the_answer_and_what_it_rests_on() -> None:
    words = ("--select", "nearest", "--shots", "2", "--ask-model", "always")
    found = json.loads(run("ask", "Taxi downtown", "--json", *words).out)

    fields = {"answer", "labels", "complete", "examples", "nearest", "dropped", "model", "select", "timings"}
    assert set(found) == fields | {"kind", "probability", "asked_model", "unlike", "labelling"}
    assert (found["kind"], found["asked_model"], found["unlike"]) == ("judged", True, False)
    assert found["labelling"]["labels"]
    assert found["probability"] == max(found["labels"].values())
    assert set(found["labels"]) == LABELS
    assert found["answer"] == max(found["labels"], key=found["labels"].get)
    assert (found["model"], found["select"], found["dropped"]) == ("smollm2-135m-instruct", "nearest", 0)
    assert {one["id"] for one in found["examples"]} == {IDS["Uber to the airport"], IDS["Uber to airport"]}
    assert {one["id"] for one in found["nearest"]} >= {one["id"] for one in found["examples"]}
    assert all(set(one) >= {"id", "input", "output", "similarity"} for one in found["examples"])


@pytest.mark.usefixtures("home")
def test_at_a_terminal_the_examples_follow_the_answer() -> None:
    ran = at_terminal("ask", "Taxi downtown", "--ask-model", "always")
    answer, empty, share, title, header, *rows, count, taken = ran.out.splitlines()

    assert (answer in LABELS, empty) == (True, "")
    words = "almost certain|very likely|likely|about as likely as not|unlikely"
    assert re.fullmatch(rf"({words}) \(probability 0\.\d\d among 3 outputs of the store\)", share)
    assert taken == "the outputs are taken as labels (3 different outputs in 5 examples: they repeat)"
    assert title == "the nearest examples"
    assert count == "the model was shown 3 examples; --explain shows them"
    assert header.split() == ["id", "similar", "output", "input"]
    assert len(rows) == 4
    assert all(any(row.startswith(key[:8]) for key in IDS.values()) for row in rows)


@pytest.mark.usefixtures("home")
def test_an_answer_can_be_written_and_kept_short() -> None:
    found = json.loads(run("ask", "Taxi downtown", "--labels", "off", "--max-tokens", "1", "--json").out)

    assert found["labels"] is None
    assert len(found["answer"].split()) <= 1


@pytest.mark.usefixtures("home")
def test_explain_shows_the_prompt_the_shares_and_the_times() -> None:
    text = run(
        "ask", "Taxi downtown", "--ask-model", "always", "--explain", "--threads", "1", "--gpu-layers", "0"
    ).out

    assert "\nprompt:\n\nInput: " in text
    assert "Input: Taxi downtown\nOutput:\n" in text
    assert "\nprobabilities:\n" in text
    assert "\nmilliseconds:\n" in text
    prompt = json.loads(run("ask", "Taxi downtown", "--explain", "--json").out)["prompt"]
    assert f"\n{prompt}\n" in text


@pytest.mark.usefixtures("home")
def test_without_examples_the_model_answers_alone() -> None:
    assert (
        "answered without examples"
        in at_terminal("ask", "Taxi", "--select", "none", "--labels", "off", "--max-tokens", "3").out
    )


@pytest.mark.usefixtures("home")
def test_one_bad_question_does_not_stop_the_rest(tmp_path: Path) -> None:
    file = tmp_path / "questions.jsonl"
    file.write_text('{"input": "Taxi"}\n{"input": ""}\n{"other": "x"}\n{"input": "Lunch"}\n')
    ran = run("ask", "--file", str(file))
    first, second, third, fourth = ran.out.splitlines()

    assert ran.code == 1
    assert (first in LABELS, second, third, fourth in LABELS) == (True, "", "", True)
    assert ran.err.splitlines() == [
        "edge-icl: line 2: the question is empty; give it some text",
        "edge-icl: line 3: there is no field input (it has other)",
        "edge-icl: 2 of 4 questions could not be answered",
    ]
    lines = [json.loads(line) for line in run("ask", "--file", str(file), "--json").out.splitlines()]
    assert [line.get("line") for line in lines] == [None, 2, 3, None]
    assert lines[1]["type"] == "InputError"
    assert lines[0]["answer"] == first


@pytest.mark.usefixtures("home")
def test_questions_come_as_plain_lines_too(tmp_path: Path) -> None:
    file = tmp_path / "questions.txt"
    file.write_text("Taxi\n\nLunch\n")

    ran = run("ask", "--file", str(file))
    assert (ran.code, len(ran.out.splitlines())) == (0, 2)
    assert run("ask", "--file", "-", "--format", "txt", stdin="Taxi\nLunch\n") == ran
    assert run("ask", "--file", "-", stdin='{"input": "Taxi"}\n{"input": "Lunch"}\n') == ran


@pytest.mark.usefixtures("home")
def test_a_file_of_questions_shows_how_far_it_is_at_a_terminal_alone(tmp_path: Path) -> None:
    file = tmp_path / "questions.txt"
    file.write_text("Taxi\n" * 12)
    ran = at_terminal("ask", "--file", str(file))
    assert "/12 [" in ran.err
    assert ran.out == run("ask", "--file", str(file)).out == "travel\n" * 12
    assert run("ask", "--file", str(file)).err == ""


@pytest.mark.usefixtures("home")
def test_no_questions_are_an_error() -> None:
    refused(run("ask", "--file", "-"), "there are no questions")


@pytest.mark.parametrize(
    "line",
    [
        "ask",
        "ask x --gpu-layers some",
        "ask x --labels maybe",
        "ask x --shots -1",
        "ask x --grammar a --json-schema b",
        "ask x --grammar a --labels on",
    ],
)
def test_what_to_ask_must_be_clear(line: str) -> None:
    refused(run(*line.split()), "edge-icl ask --help", code=2)


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize("json_too", [(), ("--json",)])
def test_a_file_without_the_field_of_the_questions_is_refused_in_one_sentence(
    tmp_path: Path, json_too: tuple[str, ...]
) -> None:
    file = tmp_path / "mails.jsonl"
    file.write_text('{"id": 1, "text": "Taxi", "note": "x"}\n{"id": 2, "text": "Lunch", "note": "y"}\n' * 3)

    ran = run(*json_too, "ask", "--file", str(file))

    assert (ran.code, ran.out, ran.err.count("\n")) == (1, "", 1)
    assert f"{file} has no field input (it has id, text, note); name the one with the question: " in ran.err
    assert "--input-field text" in ran.err
    assert run("ask", "--file", str(file), "--input-field", "text").out.count("\n") == 6


@pytest.mark.usefixtures("home")
def test_a_later_row_without_the_field_does_not_stop_the_others(tmp_path: Path) -> None:
    file = tmp_path / "mails.jsonl"
    file.write_text('{"input": "Taxi"}\n{"text": "Lunch"}\n{"input": "Taxi"}\n')

    ran = run("ask", "--file", str(file))

    assert (ran.code, ran.out.count("\n")) == (1, 3)
    assert "line 2: there is no field input" in ran.err


def test_a_question_and_a_file_are_not_asked_together() -> None:
    refused(run("ask", "x", "--file", "y.txt"), "leave the question out: edge-icl ask --file y.txt", code=2)


def test_asking_makes_no_store(models_home: Path) -> None:
    with unchanged(models_home):
        refused(run("ask", "Taxi"), "there is no store", "edge-icl init")


@pytest.fixture
def schema(tmp_path: Path) -> Path:
    """A schema with one field of two values."""
    file = tmp_path / "schema.json"
    kind = {"enum": ["cab", "meal"]}
    file.write_text(json.dumps({"type": "object", "properties": {"kind": kind}, "required": ["kind"]}))
    return file


@pytest.mark.usefixtures("home")
def test_a_schema_holds_the_answer_to_json(schema: Path) -> None:
    ran = run("ask", "Taxi downtown", "--json-schema", str(schema))

    assert (ran.code, ran.err) == (0, "")
    assert json.loads(ran.out)["kind"] in {"cab", "meal"}
    found = json.loads(run("ask", "Taxi downtown", "--json-schema", str(schema), "--json").out)
    assert (found["answer"], found["labels"], found["complete"]) == (ran.out.strip(), None, True)


@pytest.mark.usefixtures("home")
def test_a_grammar_holds_every_answer_of_a_file(tmp_path: Path) -> None:
    grammar, questions = tmp_path / "form.gbnf", tmp_path / "questions.txt"
    grammar.write_text('root ::= "yes" | "no"')
    questions.write_text("Taxi\nLunch\n")

    ran = run("ask", "--file", str(questions), "--grammar", str(grammar))
    assert (ran.code, ran.err) == (0, "")
    assert set(ran.out.split()) <= {"yes", "no"}


@pytest.mark.usefixtures("home")
def test_an_answer_that_is_cut_off_is_told(schema: Path, tmp_path: Path) -> None:
    cut = "edge-icl: the answer is cut off; give it more room with --max-tokens\n"
    ran = run("ask", "Taxi", "--json-schema", str(schema), "--max-tokens", "2", "--json")

    assert (ran.code, ran.err) == (0, cut)
    assert json.loads(ran.out)["complete"] is False
    questions = tmp_path / "questions.txt"
    questions.write_text("Taxi\n")
    ran = run("ask", "--file", str(questions), "--json-schema", str(schema), "--max-tokens", "2")
    assert ran.err == cut.replace("the answer", "line 1: the answer")


@pytest.mark.parametrize(
    ("option", "content", "wrong"),
    [
        ("--grammar", b'root ::= "a', "line 1 of the grammar is wrong"),
        ("--grammar", b'root ::= root "a"', "rule root may begin with itself"),
        ("--grammar", b"\xff", "is not UTF-8 text"),
        ("--json-schema", b'{"type": "strin"}', "the JSON schema cannot be made a grammar"),
        ("--json-schema", b"{'a': 1}", "is not JSON"),
        ("--json-schema", b"[1]", "is not a JSON schema"),
        ("--grammar", None, "cannot be read"),
        ("--json-schema", None, "cannot be read"),
    ],
)
@pytest.mark.usefixtures("home")
def test_what_is_no_grammar_and_no_schema_is_one_sentence(
    tmp_path: Path, option: str, content: bytes | None, wrong: str
) -> None:
    file = tmp_path / "file"
    if content is not None:
        file.write_bytes(content)
    refused(run("ask", "Taxi", option, str(file)), wrong)


@pytest.mark.usefixtures("fresh_models")
def test_verbose_tells_what_the_model_was_computed_on_and_what_loading_took(home: Path) -> None:
    told = run("ask", "Taxi downtown", "-v").err.splitlines()

    assert told[0].startswith("edge-icl: device: processor, ")
    assert told[0].endswith("; checked")
    assert "load smollm2-135m-instruct" in told[1]
    assert run("ask", "Taxi downtown").err == ""
