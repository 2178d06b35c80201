"""Examples that leave a store and come into another one: export, import, and conversations."""

import json
from pathlib import Path

import numpy as np
import pytest
from campaigns import some
from command import EXAMPLES, IDS, SEED, at_terminal, process, refused, run, unchanged
from hypothesis import given, settings
from hypothesis import strategies as st
from stores import tree

from edge_icl import Example, InputError, Memory, Vector
from edge_icl.cli.formats import table

pytest_plugins = ["cli_fixtures"]


def init(name: str, *more: str) -> None:
    assert run("--store", name, "init", "--seed", SEED.hex(), "--shots", "3", *more).code == 0


@pytest.mark.parametrize(
    ("file", "more"),
    [
        ("a.jsonl", ()),
        ("a.csv", ()),
        ("a.tsv", ()),
        ("a.anything", ("--format", "csv")),
        ("a.anything", ("--format", "messages", "--fields", "tags,source")),
    ],
)
def test_an_import_of_an_export_makes_the_same_store_without_the_encoder_at_work(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, file: str, more: tuple[str, ...]
) -> None:
    copy = tmp_path / file
    assert run("export", "--vectors", "--file", str(copy), *more).out == f"wrote 5 examples to {copy}\n"
    monkeypatch.setattr("edge_icl.encode.encoder.Encoder.encode", pytest.fail)
    init("copy")

    kind = () if not more else ("--format", "csv" if "csv" in more else "jsonl")
    ran = run("--store", "copy", "import", str(copy), *kind)

    assert (ran.code, ran.out) == (0, "added 5 examples, 5 with the vectors that came along\n"), ran.err
    assert tree(home / "stores" / "copy") == tree(home / "stores" / "default")


def _possible(text: str) -> bool:
    try:
        Example.create(text, text)
    except InputError:
        return False
    return True


anything = st.text(min_size=1, max_size=20).filter(_possible)
examples = st.builds(
    Example.create, anything, anything, tags=st.lists(anything, max_size=3), source=st.none() | anything
)


KINDS = [one for one in table.names(table.WRITTEN) if one != "tsv"]  # which cannot hold every text


@pytest.mark.parametrize("kind", some(KINDS, "jsonl", "json", "csv", "parquet", "messages"))
@given(taught=st.lists(examples, max_size=6))
@settings(max_examples=10)
def test_whatever_the_texts_a_round_trip_gives_the_same_store(
    fetched_models: Path, tmp_path_factory: pytest.TempPathFactory, taught: list[Example], kind: str
) -> None:
    folder = tmp_path_factory.mktemp("round")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EDGE_ICL_HOME", str(fetched_models.parent))
        with Memory.create(folder / "one", seed=SEED) as memory:
            vectors = [made_up(memory, n) for n in range(len(taught))]
            distinct = dict(zip(taught, vectors, strict=True))
            memory.add_many(distinct, vectors=distinct.values())
        exported = run(
            "--store", str(folder / "one"), "export", "--vectors", "--format", kind, "--file",
            str(folder / "copy"), "--fields", "input,output,tags,source",
        )  # fmt: skip
        assert exported.code == 0, exported.err
        with Memory.create(folder / "two", seed=SEED):
            pass
        ran = run("--store", str(folder / "two"), "import", "--format", kind, str(folder / "copy"))

    assert ran.code == (0 if taught else 1), ran.err
    assert tree(folder / "one") == tree(folder / "two")


def made_up(memory: Memory, number: int) -> Vector:
    rng = np.random.default_rng(number)
    components = rng.integers(-127, 128, memory.settings.dimension).astype(np.int8)
    return Vector(memory.settings.encoder_digest, components.tobytes())


@pytest.mark.usefixtures("home")
def test_vectors_of_another_encoder_are_made_anew_and_those_of_the_same_taken() -> None:
    lines = [json.loads(line) for line in run("export", "--vectors").out.splitlines()]
    lines[0]["encoder"] = "another"
    del lines[1]["vector"]
    init("copy")

    ran = run("--store", "copy", "import", "-", stdin="\n".join(map(json.dumps, lines)))

    assert ran.out == "added 5 examples, 3 with the vectors that came along\n"
    roots = [json.loads(run("--store", name, "status", "--json").out)["root"] for name in ("default", "copy")]
    assert roots[0] == roots[1]


@pytest.mark.parametrize(
    ("change", "wrong"),
    [
        ({"vector": "!"}, "line 1: its vector is damaged"),
        ({"vector": "gA=="}, "line 1: its vector is damaged"),
        ({"vector": 5}, "line 1: its vector and its encoder are not both text"),
        ({"vector": "AAAA"}, "a vector has 3 components and the store's have 384"),
    ],
)
def test_a_vector_that_cannot_be_one_is_refused(home: Path, change: dict[str, object], wrong: str) -> None:
    line = json.loads(run("export", "--vectors").out.splitlines()[0]) | change
    init("copy")
    with unchanged(home):
        refused(run("--store", "copy", "import", "-", stdin=json.dumps(line)), wrong)


@pytest.mark.usefixtures("home")
def test_one_example_cannot_have_two_vectors() -> None:
    line = json.loads(run("export", "--vectors").out.splitlines()[0])
    other = line | {"vector": Vector("", bytes(384)).text()}

    ran = run("--store", "copy", "import", "-", stdin=f"{json.dumps(line)}\n{json.dumps(other)}")

    refused(ran, "comes with two different vectors")


def test_an_import_goes_only_into_an_empty_store(home: Path) -> None:
    lines = run("export").out
    with unchanged(home):
        refused(run("import", "-", stdin=lines), "holds examples already", "edge-icl add --file")
        refused(run("--store", "none", "import", "-", stdin="{"), "stdin has 1 bad row")
    assert run("--store", "new", "import", "-", stdin=lines).out == "added 5 examples\n"


@pytest.mark.usefixtures("bare_home")
def test_an_export_has_the_fields_that_are_asked_for() -> None:
    first = min(EXAMPLES, key=lambda example: IDS[example.input])
    header, row = run("export", "--format", "csv", "--fields", "id,output").out.splitlines()[:2]
    line = json.loads(run("export", "--vectors").out.splitlines()[0])

    assert (header, row) == ("id,output", f"{IDS[first.input]},{first.output}")
    assert list(line)[:2] == ["input", "output"]
    assert len(Vector.from_text(line["encoder"], line["vector"]).components) == 384
    assert json.loads(run("export", "--format", "messages").out.splitlines()[0]) == {
        "messages": [
            {"role": "user", "content": first.input},
            {"role": "assistant", "content": first.output},
        ]
    }
    refused(run("export", "--fields", "id,nope"), "name some of id, input, output", code=2)


def test_a_table_without_quotes_refuses_what_it_cannot_hold(home: Path, tmp_path: Path) -> None:
    run("add", "a\tb", "x")
    file = tmp_path / "x.tsv"

    refused(run("export", "--file", str(file)), "cannot hold the line break or tab in 'a\\tb'")
    assert not file.exists()


def conversation(*said: tuple[str, object]) -> str:
    return json.dumps({"messages": [{"role": role, "content": content} for role, content in said]})


@pytest.mark.usefixtures("home")
def test_conversations_are_examples_of_their_last_question_and_answer() -> None:
    lines = [
        conversation(("system", "Be brief"), ("user", "Taxi"), ("assistant", "travel")),
        conversation(("user", "Hi"), ("assistant", "Hello"), ("user", "Tea"), ("assistant", "food")),
        conversation(("user", [{"type": "text", "text": "Pens"}]), ("assistant", "office")),
    ]
    ran = run("--store", "new", "add", "--file", "-", stdin="\n".join(lines))

    assert (ran.code, ran.out) == (0, "added 3 examples\n")
    assert ran.err.startswith(
        "edge-icl: read as OpenAI messages: 3 conversations\n"
        "edge-icl: of 1 conversation with earlier turns only the last question and answer was taken; "
        "--turns all teaches each\n"
        "edge-icl: left out: a system message in 1 conversation\n"
    )
    assert (
        json.loads(run("--store", "new", "add", "--file", "-", "--json", stdin="\n".join(lines)).out)[
            "shortened"
        ]
        == 1
    )
    found = {tuple(line.split("\t")[1:]) for line in run("--store", "new", "list").out.splitlines()}
    assert found == {("travel", "Taxi"), ("food", "Tea"), ("office", "Pens")}


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (conversation(("system", "Be brief")), "it holds no message of a user"),
        (conversation(("user", "a"), ("assistant", "b"), ("user", "c")), "its last question has no answer"),
        (conversation(("user", "a"), ("assistant", None)), "of its assistant holds something else than text"),
        (conversation(("user", [{"type": "image_url"}]), ("assistant", "b")), "of its user holds something"),
        ('{"messages": ["a"]}', "its messages are not a list of objects"),
        ('{"messages": 1}', "its messages are not a list of objects"),
    ],
)
def test_a_conversation_that_teaches_nothing_is_a_bad_row(home: Path, line: str, reason: str) -> None:
    with unchanged(home):
        refused(
            run("add", "--file", "-", stdin=line), f"line 1: {reason}" if reason.startswith("it") else reason
        )


@pytest.mark.parametrize(
    "text",
    [
        "input;output;tags;source\nTaxi, fast;travel;a, b;me\n",
        "output|input|tags|more|source\ntravel|Taxi, fast|b,a|1|me\n",
        "input\toutput\ttags\tsource\nTaxi, fast\ttravel\ta,b\tme\n",
        'output, input, tags, source\ntravel, "Taxi, fast", "[""a"", ""b""]", me\n',
        '"input","output","source","tags"\r\n"Taxi, fast","travel","me","b,a"\r\n',
    ],
)
@pytest.mark.usefixtures("home")
def test_what_parts_the_columns_of_a_table_is_found_out(tmp_path: Path, text: str) -> None:
    file = tmp_path / "x.csv"
    file.write_bytes(text.encode())

    added = json.loads(run("add", "--file", str(file), "--json").out)["ids"][0]

    shown = json.loads(run("show", added, "--json").out)
    assert {name: shown[name] for name in shown if name != "id"} == {
        "input": "Taxi, fast", "output": "travel", "tags": ["a", "b"], "source": "me",
    }  # fmt: skip


@pytest.mark.usefixtures("home")
def test_every_field_of_a_file_may_have_another_name() -> None:
    line = json.dumps({"q": "Taxi", "a": "travel", "labels": ["x"], "from": "me", "tags": 5})
    names = ("--input-field", "q", "--output-field", "a", "--tags-field", "labels", "--source-field", "from")
    added = json.loads(run("add", "--file", "-", *names, "--json", stdin=line).out)["ids"][0]

    shown = json.loads(run("show", added, "--json").out)
    assert (shown["input"], shown["output"], shown["tags"], shown["source"]) == ("Taxi", "travel", ["x"], "me")


@pytest.mark.usefixtures("home")
def test_tags_that_only_look_like_a_list_are_a_bad_row(tmp_path: Path) -> None:
    file = tmp_path / "x.csv"
    file.write_text("input,output,tags\na,b,[x\n")

    refused(run("add", "--file", str(file)), "line 2: its tags begin like a JSON list, but are not one")


@pytest.mark.usefixtures("bare_home")
def test_an_export_to_a_terminal_shows_control_characters() -> None:
    assert at_terminal("export", "--format", "csv").out.startswith("input,output,tags,source\n")
    assert process("export", "--format", "tsv").out.startswith("input\toutput\ttags\tsource\n")
