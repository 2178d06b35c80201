import json
from pathlib import Path

import pytest
from command import IDS, at_terminal, process, refused, run, unchanged

pytest_plugins = ["cli_fixtures"]


def listed() -> list[dict[str, object]]:
    """The examples of the default store."""
    return [json.loads(line) for line in run("list", "--json").out.splitlines()]


@pytest.mark.usefixtures("home")
def test_one_example_is_added_and_named() -> None:
    ran = run("add", "Taxi downtown", "travel", "--tag", "b", "--tag", "a", "--source", "me", "--json")
    added = json.loads(ran.out)

    assert (ran.code, added["added"], added["duplicates"], len(added["ids"])) == (0, 1, 0, 1)
    assert json.loads(run("show", added["ids"][0], "--json").out) == {
        "id": added["ids"][0],
        "input": "Taxi downtown",
        "output": "travel",
        "tags": ["a", "b"],
        "source": "me",
    }
    assert run("add", "Printer paper", "office").out == f"{IDS['Printer paper']} was there already\n"


@pytest.mark.usefixtures("models_home")
def test_the_first_example_makes_the_store() -> None:
    refused(run("list"), "there is no store")

    assert process("add", "Taxi downtown", "travel").code == 0
    assert [one["input"] for one in listed()] == ["Taxi downtown"]


@pytest.mark.usefixtures("home")
def test_a_text_that_begins_with_a_dash_goes_after_two_dashes() -> None:
    assert run("add", "--", "-5 degrees", "cold").code == 0


@pytest.mark.usefixtures("home")
def test_a_table_is_added_with_the_columns_that_are_named(tmp_path: Path) -> None:
    file = tmp_path / "notes.data"
    file.write_text('text,label,other\n"Lunch, and coffee",food,1\nTaxi,travel,2\n')
    ran = run(
        "add", "--file", str(file), "--format", "csv", "--input-field", "text", "--output-field", "label",
        "--source", "notes", "--tag", "new",
    )  # fmt: skip

    assert (ran.code, ran.out, ran.err) == (0, "added 2 examples\n", "")
    added = [one for one in listed() if one.get("source") == "notes"]
    assert sorted((one["input"], one["output"]) for one in added) == [
        ("Lunch, and coffee", "food"),
        ("Taxi", "travel"),
    ]
    assert all(one["tags"] == ["new"] for one in added)


@pytest.mark.usefixtures("home")
def test_what_was_exported_can_be_added_again() -> None:
    lines = run("export").out
    run("forget", "--all", "--yes")

    assert json.loads(run("add", "--file", "-", "--json", stdin=lines).out)["added"] == 5
    assert run("export").out == lines
    assert run("add", "--file", "-", stdin=lines).out == "added 0 examples; 5 were there already\n"


def test_bad_rows_are_told_with_their_lines_and_nothing_is_added(home: Path, tmp_path: Path) -> None:
    file = tmp_path / "rows.jsonl"
    rows = ['{"input": "a", "output": "b"}', "{", '{"input": "a"}', '{"input": "", "output": "b"}', "[]"]
    file.write_text("\n".join(rows))

    with unchanged(home):
        refused(
            run("add", "--file", str(file)),
            f"{file} has 4 bad rows (line 2: it is not JSON",
            "line 3: there is no field output (it has input)",
            "line 4: the input is empty; and 1 more)",
            "--skip-bad",
        )


@pytest.mark.usefixtures("home")
def test_bad_rows_are_skipped_and_listed_where_that_is_wanted() -> None:
    good, empty, tagged = '"input": "a"', '"input": []', '"input": "c", "tags": "e"'
    rows = "".join(f'{{{fields}, "output": "b"}}\n' for fields in (good, empty, tagged))
    ran = run("add", "--file", "-", "--skip-bad", stdin=rows)

    assert (ran.code, ran.out) == (0, "added 1 example\n")
    assert ran.err == (
        "edge-icl: skipped line 2: the input is an empty list\n"
        "edge-icl: skipped line 3: its tags are not a list\n"
    )
    assert json.loads(run("add", "--file", "-", "--skip-bad", "--json", stdin=rows).out)["skipped"] == [
        {"line": 2, "reason": "the input is an empty list"},
        {"line": 3, "reason": "its tags are not a list"},
    ]


def test_a_file_without_a_usable_row_is_refused(home: Path) -> None:
    with unchanged(home):
        refused(run("add", "--file", "-", stdin="\n"), "stdin holds no examples")
        refused(run("add", "--file", "-", "--skip-bad", stdin="{"), "none of its rows can be used")


@pytest.mark.parametrize("nothing", ["\u200b", " \ufeff\u2060 ", "\u200d\ufe0f", "\u3164"])
def test_an_input_of_which_nothing_can_be_seen_is_refused(home: Path, tmp_path: Path, nothing: str) -> None:
    file = tmp_path / "rows.jsonl"
    file.write_text(json.dumps({"input": nothing, "output": "x"}) + "\n")
    with unchanged(home):
        for line in (("add", nothing, "x"), ("add", "--file", str(file))):
            refused(run(*line), "the input is empty but for characters that cannot be seen")


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("add", "see edge-icl add --help"),
        ("add one", "an OUTPUT is missing; give the one that you want: edge-icl add one OUTPUT"),
        ("add a b c", "are two texts, and 3 came; quote each: edge-icl add 'a b' c"),
        ("add a b --file x.csv", "leave the texts out: edge-icl add --file x.csv"),
        ("add --file x.dat", "say what it is with --format"),
        ("add --file x.csv.gz", "unpack it, and name what was in it"),
        ("add --file x.xlsx", "save its rows as a .csv, with a header, and name that"),
    ],
)
def test_what_to_add_must_be_clear(line: str, told: str) -> None:
    refused(run(*line.split()), told, code=2)


@pytest.mark.usefixtures("home")
def test_a_text_that_is_the_name_of_a_file_may_mean_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("rides.csv").write_text("input,output\nFerry to Rhodes,travel\n")

    refused(run("add", "rides.csv"), "to add what that file holds", "edge-icl add --file rides.csv", code=2)
    added = run("add", "rides.csv", "travel")
    assert added.code == 0
    assert added.err == (
        "edge-icl: rides.csv is taught as a text; to add what is in the file of that name: "
        "edge-icl add --file rides.csv\n"
    )
    asked = run("ask", "rides.csv")
    assert "to ask what is in the file of that name: edge-icl ask --file rides.csv\n" in asked.err
    assert asked.code == 0


@pytest.mark.usefixtures("home")
def test_a_bar_is_shown_only_to_a_terminal() -> None:
    rows = "\n".join(json.dumps({"input": f"number {i}", "output": "x"}) for i in range(3))

    assert run("add", "--file", "-", stdin=rows).err == ""
    assert at_terminal("add", "a", "b").out.startswith("added ")


@pytest.mark.usefixtures("home")
def test_white_space_around_an_output_is_left_out_and_that_is_said_once(tmp_path: Path) -> None:
    poem = "  Roses are red\n  Violets are blue"
    rows = [("Tram", "travel "), ("Bus", "\u00a0travel"), ("Ferry", "travel"), ("A poem", poem)]
    (tmp_path / "rows.jsonl").write_text(
        "".join(json.dumps({"input": one, "output": other}) + "\n" for one, other in rows)
    )

    run("--store", "new", "init")
    added = run("--store", "new", "add", "--file", str(tmp_path / "rows.jsonl"))

    assert added.err == "edge-icl: white space around 2 outputs was left out, which made 3 labels one: travel\n"
    found = [json.loads(line) for line in run("--store", "new", "labels", "--json").out.splitlines()]
    assert {one["label"]: one["count"] for one in found} == {"travel": 3, poem: 1}
    assert json.loads(run("--store", "new", "--json", "add", "Taxi", " travel ").out)["stripped"] == 1
    assert "is empty" in run("--store", "new", "add", "Taxi", "  ").err


@pytest.mark.usefixtures("home")
def test_an_import_keeps_every_space(tmp_path: Path) -> None:
    (tmp_path / "rows.jsonl").write_text('{"input": "Tram", "output": "travel "}\n')

    run("--store", "new", "init")
    assert run("--store", "new", "import", str(tmp_path / "rows.jsonl")).err == ""
    assert '"label": "travel "' in run("--store", "new", "labels", "--json").out
