"""Files in the formats of other programs: each row is read as what it is, which is said, or it is refused."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Any

import pytest
from command import refused, run
from hypothesis import given
from hypothesis import strategies as st

import edge_icl
from edge_icl import InputError

pytest_plugins = ["cli_fixtures"]

Pairs = list[tuple[str, str]]


def written(folder: Path, rows: list[Any], name: str = "rows.jsonl") -> Path:
    """A file with a JSON value a line."""
    file = folder / name
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return file


def pairs(file: Path, **how: Any) -> Pairs:
    return [(one.input, one.output) for one in edge_icl.read(file, **how)]


def spoken(*said: tuple[str, Any], **more: Any) -> dict[str, Any]:
    return {"messages": [{"role": role, "content": content} for role, content in said], **more}


def shared(*said: tuple[str, str], field: str = "conversations") -> dict[str, Any]:
    return {field: [{"from": who, "value": value} for who, value in said]}


KNOWN = [
    (spoken(("user", "Taxi"), ("assistant", "travel")), "OpenAI messages: 1 conversation"),
    (spoken(("developer", ""), ("user", "Taxi"), ("assistant", "travel")), "OpenAI messages: 1 conversation"),
    (shared(("human", "Taxi"), ("gpt", "travel")), "ShareGPT: 1 conversation"),
    (shared(("user", "Taxi"), ("assistant", "travel"), field="conversation"), "ShareGPT: 1 conversation"),
    (
        {"conversations": spoken(("user", "Taxi"), ("assistant", "travel"))["messages"]},
        "ShareGPT: 1 conversation",
    ),
    ({"instruction": "Taxi", "input": "", "output": "travel"}, "Alpaca: 1 row"),
    ({"instruction": "Taxi", "output": "travel"}, "Alpaca: 1 row"),
    ({"instruction": "Taxi", "context": None, "response": "travel"}, "Dolly: 1 row"),
    ({"prompt": "Taxi", "completion": " travel"}, "prompt and completion: 1 row"),
    ({"id": 1, "text": "Taxi", "label": ["travel"], "Comments": []}, "doccano: 1 row"),
    ({"id": 1, "data": "Taxi", "label": ["travel"]}, "doccano: 1 row"),
    ({"text": "Taxi", "label": "travel", "answer": "accept", "_task_hash": 5}, "Prodigy: 1 row"),
    ({"text": "Taxi", "accept": ["travel"], "options": [{"id": "travel"}]}, "Prodigy: 1 row"),
    ({"text": "Taxi", "label": "travel", "idx": 0}, "text and label: 1 row"),
    ({"sentence": "Taxi", "label": "travel"}, "sentence and label: 1 row"),
    ({"question": "Taxi", "answer": "travel"}, "question and answer: 1 row"),
]


@pytest.mark.parametrize(("row", "told"), KNOWN)
def test_a_row_of_a_known_format_is_read_and_it_is_said_as_what(
    tmp_path: Path, row: dict[str, Any], told: str
) -> None:
    found = edge_icl.read(written(tmp_path, [row]))

    assert [(one.input, one.output) for one in found] == [("Taxi", "travel")]
    assert found.notes[0] == f"read as {told}"
    assert found.format == told.split(":", maxsplit=1)[0]


def test_rows_of_several_formats_stand_in_one_file(tmp_path: Path) -> None:
    plain = {"input": "Taxi", "output": "travel"}

    found = edge_icl.read(written(tmp_path, [plain, *(row for row, _ in KNOWN)]))

    assert {(one.input, one.output) for one in found} == {("Taxi", "travel")}
    assert len(found) == len(KNOWN) + 1
    assert (
        "input and output: 1 row; OpenAI messages: 2 conversations; ShareGPT: 3 conversations" in found.notes[0]
    )


@pytest.mark.parametrize("name", ["rows.json", "rows.jsonl", "rows.ndjson"])
@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize("around", [False, True])
def test_an_array_is_read_whatever_the_file_is_called(
    tmp_path: Path, name: str, indent: int | None, around: bool
) -> None:
    rows = [{"input": f"number {i}", "output": "[{"} for i in range(3)]
    (tmp_path / name).write_text(json.dumps({"version": 1, "data": rows} if around else rows, indent=indent))

    found = edge_icl.read(tmp_path / name)

    assert [one.input for one in found] == ["number 0", "number 1", "number 2"]
    assert found.notes == ()


def test_objects_that_are_laid_out_over_lines_are_read_with_the_line_of_each(tmp_path: Path) -> None:
    rows = [{"input": "a", "output": "b"}, {"input": "c", "output": None}, {"input": "d", "output": "e"}]
    file = tmp_path / "rows.jsonl"
    file.write_text("\n".join(json.dumps(row, indent=4) for row in rows))

    found = edge_icl.read(file, skip_bad=True)

    assert [one.input for one in found] == ["a", "d"]
    assert found.bad == ((5, "the output is null"),)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('[{"input": "a", "output": "b"},\n {"input": "c"', "line 2 of .*rows.json is not JSON"),
        ('[{"input": "a", "output": "b"}', "line 1 of .*rows.json ends within its list"),
        ('[{"input": "a", "output": "b"}\n{"input": "c"}]', "line 2 of .* has no comma between two members"),
        ('{"train": [{"a": 1}], "test": [{"a": 1}]}', r"one JSON object with several lists \(train, test\)"),
        ("[]", "holds no examples"),
        ('["a", "b"]', "line 1: it is not a JSON object"),
    ],
)
def test_a_json_document_that_is_no_list_of_rows_is_refused(tmp_path: Path, text: str, told: str) -> None:
    (tmp_path / "rows.json").write_text(text)

    with pytest.raises(InputError, match=told):
        edge_icl.read(tmp_path / "rows.json")


@given(
    rows=st.lists(st.dictionaries(st.sampled_from(["input", "output", "x"]), st.text(max_size=5)), min_size=1),
    indent=st.sampled_from([None, 1]),
)
def test_an_array_has_the_same_rows_as_lines(
    tmp_path_factory: pytest.TempPathFactory, rows: list[dict[str, str]], indent: int | None
) -> None:
    folder = tmp_path_factory.mktemp("rows")
    (folder / "rows.json").write_text(json.dumps(rows, indent=indent))

    def seen(file: Path) -> object:
        try:
            found = edge_icl.read(file, skip_bad=True)
        except InputError as error:
            return str(error).split("bad row")[0].rpartition("/")[2].partition(" ")[2]
        return found.examples, found.notes, [reason for _, reason in found.bad]

    assert seen(folder / "rows.json") == seen(written(folder, rows))


def test_the_instruction_is_never_left_out(tmp_path: Path) -> None:
    rows = [
        {"instruction": "Translate.", "input": "Good morning", "output": "Bonjour"},
        {"instruction": "Name a colour.", "input": "", "output": "red"},
        {"instruction": "", "input": "only this", "output": "x"},
    ]
    table = tmp_path / "rows.csv"
    table.write_text("output;instruction;input\nBonjour;Translate.;Good morning\n")

    assert pairs(written(tmp_path, rows)) == [
        ("Translate.\n\nGood morning", "Bonjour"),
        ("Name a colour.", "red"),
        ("only this", "x"),
    ]
    assert pairs(table) == [("Translate.\n\nGood morning", "Bonjour")]
    assert edge_icl.read(table).notes == ("read as Alpaca: 1 row",)


def test_fields_that_say_something_and_are_left_out_are_named_once(tmp_path: Path) -> None:
    rows = [
        {"input": "a", "output": "b", "system": "Be brief.", "row": 5},
        {"input": "c", "output": "d", "system": "Be brief.", "rationale": ""},
        {"instruction": "e", "context": "f", "response": "g", "category": "qa", "id": 1},
    ]

    found = edge_icl.read(written(tmp_path, rows))

    assert found.notes[1:] == ("left out: the field system in 2 rows", "left out: the field category in 1 row")


def test_what_the_user_names_is_read_and_nothing_else(tmp_path: Path) -> None:
    file = written(tmp_path, [{"instruction": "a", "input": "b", "output": "c"}])

    found = edge_icl.read(file, input_field="input")

    assert [(one.input, one.output) for one in found] == [("b", "c")]
    assert found.notes == ("left out: the field instruction in 1 row",)


CONVERSATION = (
    ("system", "You answer in rhyme."),
    ("user", "Tell me about owls"),
    ("assistant", "Owls prowl."),
    ("user", "And bats?"),
    ("assistant", "Bats chase gnats."),
)


def test_each_turn_is_taught_with_what_came_before_it_where_that_is_wanted(tmp_path: Path) -> None:
    file = written(tmp_path, [spoken(*CONVERSATION)])

    assert pairs(file) == [("And bats?", "Bats chase gnats.")]
    assert pairs(file, turns="all") == [
        ("Tell me about owls", "Owls prowl."),
        ("User: Tell me about owls\nAssistant: Owls prowl.\nUser: And bats?", "Bats chase gnats."),
    ]
    assert edge_icl.read(file, turns="all").notes[1:] == ("left out: a system message in 1 conversation",)
    assert edge_icl.read(file).notes[1].startswith("of 1 conversation with earlier turns only the last")


@pytest.mark.parametrize("weight", [0, 0.0, "0"])
def test_an_answer_of_weight_nought_is_not_taught(tmp_path: Path, weight: object) -> None:
    row = spoken(("user", "a"), ("assistant", "b"), ("user", "c"), ("assistant", "d"))
    row["messages"][3]["weight"] = weight

    found = edge_icl.read(written(tmp_path, [row]))

    assert [(one.input, one.output) for one in found] == [("a", "b")]
    assert found.notes[1:] == ("left out: an answer of weight 0 in 1 conversation",)
    row["messages"][1]["weight"] = weight
    with pytest.raises(InputError, match=r"holds no examples \(left out: an answer of weight 0"):
        edge_icl.read(written(tmp_path, [row]))


def test_what_has_weight_nought_came_before_a_later_question(tmp_path: Path) -> None:
    row = spoken(("user", "a"), ("assistant", "b"), ("user", "c"), ("assistant", "d"))
    row["messages"][1]["weight"] = 0

    assert pairs(written(tmp_path, [row]), turns="all") == [("User: a\nAssistant: b\nUser: c", "d")]


def test_messages_of_one_side_that_follow_each_other_are_one(tmp_path: Path) -> None:
    row = spoken(("assistant", "Hello!"), ("user", "a"), ("user", "b"), ("assistant", "c"), ("assistant", "d"))

    assert pairs(written(tmp_path, [row])) == [("a\n\nb", "c\n\nd")]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (spoken(("user", "a"), ("tool", "x"), ("assistant", "b")), "a message of a tool"),
        (
            {
                "messages": [
                    {"role": "user", "content": "a"},
                    {"role": "assistant", "tool_calls": [{"id": "x"}]},
                ]
            },
            "a message of its assistant calls a tool",
        ),
        (shared(("human", "a"), ("function_call", "{}"), ("observation", "x"), ("gpt", "b")), "of a tool"),
        (spoken(("user", [{"type": "image_url"}]), ("assistant", "b")), "something else than text (image_url)"),
        (spoken(("narrator", "a"), ("assistant", "b")), "a message is of narrator, where user, assistant or"),
        ({"text": "a", "label": ["b", "c"]}, "it has 2 labels (b, c), and an example has one output"),
        ({"text": "a", "label": [[0, 1, "PER"]]}, "its labels are of parts of its text"),
        ({"text": "a", "entities": [{"label": "PER"}]}, "it has labels of parts of its text"),
        ({"text": "a", "label": []}, "it has no label"),
        ({"text": "a", "accept": ["b", "c"]}, "it has 2 labels (b, c)"),
        ({"text": "a", "accept": [], "answer": "accept"}, "it has no label"),
        ({"input": "a", "output": None}, "the output is null"),
        ({"input": "a", "output": ["b", "c"]}, "the output is a list of 2 (b, c), and an example has one"),
    ],
)
def test_a_row_that_is_no_example_is_refused_with_its_line_and_the_reason(
    tmp_path: Path, row: dict[str, Any], reason: str
) -> None:
    found = edge_icl.read(written(tmp_path, [{"input": "a", "output": "b"}, row]), skip_bad=True)

    ((line, told),) = found.bad
    assert line == 2
    assert reason in told


def test_what_was_rejected_or_ignored_is_left_out(tmp_path: Path) -> None:
    rows = [{"text": one, "label": "x", "answer": one} for one in ("accept", "reject", "ignore", "reject")]

    found = edge_icl.read(written(tmp_path, rows))

    assert [one.input for one in found] == ["accept"]
    assert found.notes[1:] == (
        "left out: what was rejected in 2 rows",
        "left out: what was ignored in 1 row",
    )


@given(
    number=st.one_of(
        st.integers().map(str),
        st.tuples(st.integers(), st.integers(0, 10**20)).map(lambda parts: f"{parts[0]}.{parts[1]}"),
        st.tuples(st.integers(0, 99), st.sampled_from("eE"), st.integers(-400, 400)).map(
            lambda parts: f"{parts[0]}{parts[1]}{parts[2]}"
        ),
        st.sampled_from(["true", "false", "-0", "5.0", "5.00", "1e5"]),
    )
)
def test_numbers_and_truth_values_are_text_as_they_stand_in_the_file(
    tmp_path_factory: pytest.TempPathFactory, number: str
) -> None:
    folder = tmp_path_factory.mktemp("rows")
    (folder / "rows.jsonl").write_text(f'{{"input": {number}, "output": [{number}]}}\n')
    (folder / "rows.json").write_text(f'[{{"text": "a", "label": {number}}}]')
    (folder / "rows.csv").write_text(f"input,output\n{number},{number}\n")

    assert pairs(folder / "rows.jsonl") == pairs(folder / "rows.csv") == [(number, number)]
    assert pairs(folder / "rows.json") == [("a", number)]


@pytest.mark.parametrize(
    ("fields", "asked"),
    [
        (["text", "label", "label_text"], "--input-field text --output-field label"),
        (["Subject Line", "Team Label"], "--input-field 'Subject Line' --output-field 'Team Label'"),
        (["id", "x", "y"], "--input-field x --output-field y"),
    ],
)
@pytest.mark.parametrize("ending", ["jsonl", "csv"])
def test_a_file_that_is_not_understood_is_refused_with_the_options_to_type(
    home: Path, tmp_path: Path, fields: list[str], asked: str, ending: str
) -> None:
    file = tmp_path / f"rows.{ending}"
    row = dict.fromkeys(fields, "a")
    file.write_text(json.dumps(row) if ending == "jsonl" else ",".join(fields) + "\n" + ",".join(row.values()))

    ran = run("add", "--file", str(file))

    refused(ran, ", ".join(fields), asked)
    assert run("add", "--file", str(file), *shlex.split(asked)).code == 0


@pytest.mark.usefixtures("home")
def test_the_format_may_be_named_for_any_file_and_for_stdin(tmp_path: Path) -> None:
    row = json.dumps({"text": "Taxi", "label": "travel"})
    (tmp_path / "rows.txt").write_text(row)

    named = run("add", "--file", str(tmp_path / "rows.txt"), "--format", "doccano", "--json")
    piped = run("add", "--file", "-", "--format", "prodigy", "--json", stdin=row)

    assert json.loads(named.out)["format"] == "doccano"
    assert json.loads(named.out)["notes"] == ["read as doccano: 1 row"]
    assert json.loads(piped.out)["format"] == "Prodigy"
    refused(run("add", "--file", "-", "--format", "alpaca", stdin=row), "line 1: there is no field instruction")
    refused(
        run("add", "--file", "-", "--format", "alpaca", "--input-field", "text", stdin=row),
        "leave out --input-field and --output-field",
        code=2,
    )


ASKED = [
    {"instruction": "Taxi", "input": "downtown"},
    {"instruction": "Taxi", "context": "downtown"},
    {"instruction": "Taxi", "input": "downtown", "output": "travel"},
    {"prompt": "Taxi\n\ndowntown", "completion": " x"},
    {"input": "Taxi\n\ndowntown"},
    spoken(("user", "Hi"), ("assistant", "Hello"), ("user", "Taxi\n\ndowntown")),
    shared(("human", "Taxi\n\ndowntown"), ("gpt", "x")),
    {"text": "Taxi\n\ndowntown", "label": ["x"]},
]


@pytest.mark.usefixtures("home")
def test_a_file_of_another_program_is_asked_with_all_that_its_questions_say(tmp_path: Path) -> None:
    run("add", "Taxi\n\ndowntown", "certainly")
    file = written(tmp_path, ASKED)

    ran = run("ask", "--file", str(file), "--ask-model", "never")
    table = run("ask", "--file", str(file), "--out", str(tmp_path / "out.jsonl"), "--ask-model", "never")

    told = [f"edge-icl: read as {name}" for name in ("Alpaca", "Dolly", "prompt and completion")]
    assert ran.out.splitlines() == ["certainly"] * len(ASKED)
    assert [line for line in ran.err.splitlines() if "read as" in line][:3] == told
    assert table.code == 0, table.err
    rows = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert [{name: row[name] for name in was} for row, was in zip(rows, ASKED, strict=True)] == ASKED
    assert {row["answer"] for row in rows} == {"certainly"}
    assert run("ask", "--file", str(file), "--out", str(tmp_path / "out.json")).code == 0
    assert json.loads((tmp_path / "out.json").read_text()) == rows


@pytest.mark.usefixtures("home")
def test_a_table_of_instructions_is_asked_with_them_and_comes_back_as_it_is(tmp_path: Path) -> None:
    run("add", "Taxi\n\ndowntown", "certainly")
    (tmp_path / "x.csv").write_text("n;instruction;input\n1;Taxi;downtown\n")

    ran = run("ask", "--file", str(tmp_path / "x.csv"))

    assert ran.out == (
        "n;instruction;input;answer;probability;asked_model\n1;Taxi;downtown;certainly;1.0;false\n"
    ), ran.err


@pytest.mark.parametrize("name", ["x.jsonl", "x.csv", "x.json"])
@pytest.mark.parametrize("out", [False, True])
def test_questions_in_a_field_that_is_not_named_stop_after_one_sentence(
    home: Path, tmp_path: Path, name: str, out: bool
) -> None:
    rows = [{"id": str(i), "subject": "Taxi", "day": "Monday"} for i in range(3)]
    text = {
        "x.jsonl": "".join(json.dumps(row) + "\n" for row in rows),
        "x.csv": "id,subject,day\n" + "".join(",".join(row.values()) + "\n" for row in rows),
        "x.json": json.dumps(rows),
    }
    (tmp_path / name).write_text(text[name])
    words = ["ask", "--file", str(tmp_path / name), *(["--out", str(tmp_path / "out.csv")] if out else [])]

    refused(run(*words), "(it has id, subject, day)", "--input-field subject")
    assert run(*words, "--input-field", "subject", "--ask-model", "never").code == 0


def test_an_array_on_one_line_may_be_of_any_length(tmp_path: Path) -> None:
    rows = [{"input": f"number {i} " + "x" * (i % 97), "output": "\\" * (i % 3) + '"'} for i in range(3000)]
    (tmp_path / "rows.json").write_text(json.dumps(rows))

    assert pairs(tmp_path / "rows.json") == [(row["input"], row["output"]) for row in rows]


UNREAD: list[tuple[Any, str]] = [
    (
        {"id": 1, "body": "Taxi", "meta": {}, "about": ["travel"]},
        "name its fields: --input-field body --output-field about",
    ),
    (
        {"id": 1, "data": {"text": "Taxi"}, "annotations": [{"choices": ["travel"]}]},
        "give each row the fields input",
    ),
    ({"text": "Taxi", "cats": {"travel": 1.0}}, "give each row the fields input and output, both texts"),
    ({"input": ["Taxi", "Soup"], "output": ["travel", "food"]}, "to_json(orient='records')"),
    ({"text": {"0": "Taxi", "1": "Soup"}, "label": {"0": "travel", "1": "food"}}, "to_json(orient='records')"),
    ({"input": {"subject": "Taxi"}, "output": "travel"}, "correct them"),
    ({"input": ["Taxi", "Soup"], "output": "travel"}, "correct them"),
]


@pytest.mark.parametrize(("row", "advice"), UNREAD)
def test_a_file_none_of_whose_rows_is_read_gets_advice_that_works(
    tmp_path: Path, row: Any, advice: str
) -> None:
    file = written(tmp_path, [row])

    with pytest.raises(InputError) as caught:
        edge_icl.read(file)

    assert advice in caught.value.hint
    assert "--skip-bad" not in caught.value.hint
    if "--input-field" in caught.value.hint:
        named = caught.value.hint.split()
        assert pairs(file, input_field=named[-3], output_field=named[-1]) == [("Taxi", "travel")]
