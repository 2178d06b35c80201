"""Everything that the program advises is typed here, with the arguments filled in, and must be accepted."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from unittest import mock

import ggufs
import hints
import pytest
import tiny
from command import IDS, Ran, at_terminal, run
from keyrings import drawer  # noqa: F401 - a fixture
from small_encoders import imported_encoders, small_encoders  # noqa: F401 - fixtures

from edge_icl.models import location
from edge_icl.models.catalogue import DEFAULT_ENCODER, DEFAULT_LLM

pytest_plugins = ["cli_fixtures"]

SECRET = "correct horse"
FOOD = IDS["Sandwich at noon"]

FILLED = {
    "ENCODER": "first",
    "F": "rides.jsonl",
    "FILE": "llm.gguf",
    "ID": IDS["Train to Berlin"],
    "INPUT": "Tram downtown",
    "NAME": "other",
    "NEW": "fresh",
    "OUTPUT": "travel",
    "QUESTION": "Taxi downtown",
    "TEXT": "printer paper",
}
"""What a hint leaves to its reader -> what is filled in."""

FILES = {
    "rides.csv": "input,output\nFerry to Rhodes,travel\n",
    "rides.jsonl": '{"input": "Ferry to Rhodes", "output": "travel"}\n',
    "rides.dat": "",
    "object.json": "{}",
    "list.json": "[]",
    "grammar.gbnf": 'root ::= "a"\n',
    "texts.jsonl": '{"id": 1, "text": "Taxi downtown"}\n',
    "questions.csv": "input\nTaxi downtown\n",
    "questions.txt": "Taxi downtown\n",
    "labels.tsv": "input\tanswer\nUber to the airport\ttravel\n",
}
ROW = FILES["rides.jsonl"]
ALWAYS = "--ask-model always"


def taught(*texts: str) -> None:
    """Teach something more."""
    assert run("--store", "work", "add", "--", *texts).code == 0


def rows(*texts: tuple[str, str]) -> str:
    """Return examples as rows of a file."""
    return "".join(f'{{"input": "{input}", "output": "{output}"}}\n' for input, output in texts)


def emptied(_home: Path) -> None:
    """Forget all."""
    assert run("--store", "work", "forget", "--all", "--yes").code == 0


def setting(text: str) -> Callable[[Path], object]:
    """Have this in the file that says which model is the default."""
    return lambda home: (home / "settings.json").write_text(text)


def without_store(home: Path) -> None:
    """Have no store."""
    shutil.rmtree(home / "stores" / "work")


def damaged(home: Path) -> None:
    """Damage the pages of the store."""
    for file in (home / "stores" / "work" / "pages").iterdir():
        file.write_bytes(b"x" * file.stat().st_size)


def own_model(home: Path) -> Path:
    """Install a small model of the user's own, and return its file."""
    assert run("models", "import", "mine", str(ggufs.llama(home / "mine.gguf"))).code == 0
    return next(location.folder("mine").glob("*.gguf"))


def damaged_model(home: Path) -> None:
    """Install a model of the user's own, and cut it short."""
    own_model(home).write_bytes(b"GGUF")


def damaged_record(home: Path) -> None:
    """Install a model of the user's own, and damage what is known of it."""
    (own_model(home).parent / "model.json").write_text("{")


def open_to_all(home: Path) -> None:
    """Install a model of the user's own that all may write to."""
    own_model(home).chmod(0o666)


def encoder_as_gguf(_home: Path) -> None:
    """Have a file that is a model, and not one that writes."""
    ggufs.bert(Path("bert.gguf"))


def odd_gguf(_home: Path) -> None:
    """Have a file that llama.cpp does not know."""
    Path("odd.gguf").write_bytes(Path("llm.gguf").read_bytes().replace(b"llama", b"lemma"))


def other_encoder(_home: Path) -> None:
    """Have another encoder of the same name than the store was made with."""
    record = location.folder(DEFAULT_ENCODER) / "model.json"
    fields = json.loads(record.read_text())
    record.unlink()
    record.write_text(json.dumps({**fields, "scale": fields["scale"] + 1}))


def open_folder(home: Path) -> None:
    """Let others look into the folder of the stores."""
    (home / "stores").chmod(0o755)


def sealed_store(_home: Path) -> None:
    """Make an encrypted store."""
    with mock.patch.dict("os.environ", EDGE_ICL_PASSPHRASE=SECRET):
        assert run("--store", "sealed", "init", "--encrypt").code == 0


def no_store(home: Path) -> None:
    """Have no store."""
    shutil.rmtree(home / "stores" / "work")


def phone(_home: Path) -> None:
    """Have the store of another device, which has forgotten an example."""
    for words in (("init", "--like", "work"), ("add", "Tram", "travel"), ("add", "Printer paper", "office")):
        assert run("--store", "phone", *words).code == 0
    words = ("forget", "--match", "printer", "--yes", "--no-similar", "--receipt", "receipt.json")
    assert run("--store", "phone", *words).code == 0


def forgotten_here(home: Path) -> None:
    """Have it, and have forgotten here what it holds."""
    phone(home)
    taught("Tram", "travel")
    Path("receipt.json").unlink()
    words = ("forget", "--match", "tram", "--yes", "--no-similar", "--receipt", "receipt.json")
    assert run("--store", "work", *words).code == 0


def damaged_phone(home: Path) -> None:
    """Have it with damaged pages."""
    phone(home)
    for file in (home / "stores" / "phone" / "pages").iterdir():
        file.write_bytes(b"x" * file.stat().st_size)


def contrary_phone(home: Path) -> None:
    """Have it with a setting for labels that this store contradicts."""
    phone(home)
    for name, setting in (("phone", "yes"), ("work", "no")):
        assert run("--store", name, "labels", "--set", setting).code == 0


def sealed_phone(_home: Path) -> None:
    """Have an encrypted store that is like this one."""
    assert run("--store", "phone", "init", "--like", "work", "--encrypt").code == 0


def other_seed(_home: Path) -> None:
    """Have a store with another seed."""
    assert run("--store", "phone", "add", "Tram", "travel").code == 0


def phone_with_encoder(_home: Path) -> None:
    """Have the store of another device with another encoder."""
    assert run("--store", "work", "reencode", "--encoder", "first", "--into", "phone").code == 0


def marked(_home: Path) -> None:
    """Have a file in UTF-16."""
    Path("marked.jsonl").write_bytes(ROW.encode("utf-16"))


def cut(_home: Path) -> None:
    """Have a file in UTF-16 whose last character is cut off."""
    Path("cut.jsonl").write_bytes(ROW.encode("utf-16")[:-1])


def damaged_settings(home: Path) -> None:
    """Have settings that say nothing."""
    (home / "settings.json").write_text("{")


def default_gone(home: Path) -> None:
    """Have a default model that was removed."""
    own_model(home)
    assert run("models", "default", "mine").code == 0
    shutil.rmtree(location.folder("mine"))


def odd_encoder(_home: Path) -> None:
    """Have an encoder whose tokenizer is none."""
    (tiny.bert(Path("bad")) / "tokenizer.json").write_text("{}")


def contradictions(_home: Path) -> None:
    """Teach inputs, and have a file that teaches them otherwise."""
    Path("one.jsonl").write_text(rows(*((f"bill {n}", "first") for n in range(5))))
    Path("other.jsonl").write_text(rows(*((f"bill {n}", "second") for n in range(5))))
    assert run("--store", "work", "add", "--file", "one.jsonl").code == 0


def look_alikes(_home: Path) -> None:
    """Have files whose labels look like known ones, and one that contradicts itself."""
    Path("upper.jsonl").write_text(rows(("Tram", "Travel"), ("Ferry", "Travel")))
    Path("both.jsonl").write_text(rows(("Tram", "travel"), ("Tram", "food")))
    labels = ("Travel", "TRAVEL", "Food", "FOOD", "Office", "OFFICE")
    Path("alike.jsonl").write_text(rows(*((f"bill {n}", label) for n, label in enumerate(labels))))


def many_labels(_home: Path) -> None:
    """Teach more labels than `status` shows."""
    Path("many.jsonl").write_text(rows(*((f"bill {n}", f"label {n % 40}") for n in range(120))))
    assert run("--store", "work", "add", "--file", "many.jsonl").code == 0


@dataclass(frozen=True)
class Case:
    """A command line that ends with a hint.

    Attributes:
        line: what is typed, with a store of five examples that is named.
        told: words of the hint, as they stand in the source.
        stdin: what is piped in; the same for the commands of the hint.
        code: with which exit code these end.
        before: prepares the home.
        passphrase: in the environment.
        filled: other arguments than usual for what the hint leaves to its reader.
    """

    line: str
    told: str
    stdin: str = ""
    code: int = 0
    before: Callable[[Path], None] | None = None
    passphrase: str | None = None
    filled: dict[str, str] = field(default_factory=dict)


CASES = [
    # Commands, options and values that there are not.
    Case("lst", "did you mean list"),
    Case(f"delete {FOOD}", "did you mean forget"),
    Case("help forget", "did you mean: "),
    Case("Taxi downtown", "to ask a question"),
    Case("'Taxi downtown'", "to ask a question"),
    Case("'-20% on shoes'", "to ask a question"),
    Case("models lst", "did you mean list"),
    Case(f"models pth {DEFAULT_LLM}", "did you mean path"),
    Case("models nonsense", "lists the commands"),
    Case("ask --lables on Taxi", "did you mean --labels"),
    Case("ask --select neerest Taxi", "did you mean nearest"),
    Case("ask --select=neerest Taxi", "did you mean nearest"),
    Case("labels --set yess", "did you mean yes"),
    Case("completion bsh", "did you mean bash"),
    Case("ask --select none-of-them Taxi", "see {} --help"),
    Case("list --nonsense", "see {} --help"),
    Case("--nonsense", "see {} --help"),
    Case("list --limit x", "see {} --help"),
    Case("add --file rides.csv --preview", "see {} --help"),
    Case("ask --file=rides.csv --preview", "see {} --help"),
    # Texts.
    Case("ask Taxi downtown", "quote it"),
    Case("search a ride --limit 2", "quote it"),
    Case(f"fix {FOOD} eating out", "quote it"),
    Case("ask '-20% on shoes'", "goes after --"),
    Case("ask -20% on shoes --shots 2", "goes after --"),
    Case("search '--20% on shoes' --limit 2", "goes after --"),
    Case("add '-20% on shoes' discount --tag x", "goes after --"),
    Case("add -x discount", "goes after --"),
    Case("forget '-20% on shoes'", "to forget by a text", before=lambda _: taught("-20% on shoes", "discount")),
    Case("add", "give an INPUT and an OUTPUT, or --file F"),
    Case("add Uber to the airport travel", "quote each"),
    Case("add Taxi", "give the one that you want"),
    Case("add rides.csv", "to add {}, a row a line"),
    Case("add -", "to add {}, a row a line", stdin=ROW),
    Case("add - -", "give one: {}", stdin="Taxi"),
    Case("add a b --file rides.csv", "leave the texts out"),
    Case("add rides.csv travel", "to add what is in the file"),
    Case("add --file rides.dat", "say what it is with --format"),
    Case("add --file questions.csv", "name its columns: {}"),
    Case("add --safe --file rides.jsonl", "--safe is for tables"),
    Case("ask", "give a QUESTION, or --file F"),
    Case("ask hi --file questions.txt", "leave the question out"),
    Case("ask questions.txt", "to ask what is in the file"),
    Case("ask -", "ask each line", stdin=ROW),
    Case("ask - --format txt", "--format goes with a file", stdin="Taxi\n"),
    Case("ask hi --out new.csv", "--out goes with"),
    Case("ask hi --resume", "--resume goes with --out"),
    Case("ask hi --safe", "--safe is for spreadsheets"),
    Case("ask --file questions.csv --explain", "does not go with a table"),
    Case("ask hi --grammar grammar.gbnf --json-schema object.json", "not both"),
    Case("ask hi --grammar grammar.gbnf --labels on", "--labels on chooses"),
    Case("stale labels.tsv --relabel --format tsv", "name it: {}"),
    Case("stale labels.tsv --relabel --format tsv", "--relabel writes into a new place"),
    Case("stale labels.tsv --format tsv --out new.tsv", "--out goes with --relabel"),
    Case("show", "shows the ids"),
    Case(f"show {FOOD} {FOOD}", "give one at a time"),
    Case("list travel", "leave it out"),
    Case("forget", "--all"),
    Case(f"forget {FOOD} --min-similarity 0.9", "--min-similarity"),
    Case("check --file rides.csv --encoder x", "does not go with --file"),
    Case("export --safe", "--safe is for spreadsheets"),
    Case("learn", "answers a file, and", filled={"F": "rides.csv"}),
    Case("learn --format txt", "go with --file"),
    Case("passphrase --keyring --new-fd 0", "exclude each other"),
    Case("models import both first second", "to put encoders side by side"),
    Case("merge phone --into work --yes", "--yes goes with --receipt"),
    Case("merge phone --into work --encrypt", "are for a new store", before=phone),
    Case("merge phone --into fresh", "the stores are STORE and --into, and"),
    Case("--store fresh init --keyring", "--keyring goes with --encrypt"),
    Case("--store fresh init --keyring", "give both: {}"),
    Case("reencode --encoder first --into fresh --keyring", "--keyring goes with --encrypt"),
    Case(
        "--store fresh --encrypted init",
        "--encrypted, or {} that is set, goes with --encrypt",
        passphrase=SECRET,
    ),
    Case(
        "--store fresh --encrypted init",
        "to make an encrypted store",
        passphrase=SECRET,
    ),
    Case("--passphrase-fd 0 init", "--passphrase-fd goes with", stdin="x\n"),
    # What is not there.
    Case("--store nope list", "make it with `"),
    Case("--store nope list", "make it with `", passphrase=SECRET),
    Case("show 00000000", "shows the ids"),
    Case("fix 'printer paper' office", "an id is up to 32 hex digits"),
    Case("forget --match nowhere", "shows what is there"),
    Case("forget --match '\u200b'", "shows them"),
    Case("ask Taxi", "teach it some", before=emptied),
    Case("check", "teach it some", before=emptied),
    Case(f"forget {FOOD}", "give --yes"),
    Case("forget --match 'Uber to the airport' --yes", "nearly the same; to forget {} too"),
    Case("import rides.jsonl", "add to it"),
    Case("reencode --encoder all-minilm-l6-v2 --into fresh", "shows the others"),
    Case("passphrase", "only a new one can be"),
    Case("verify --root x", "shows"),
    Case("verify --receipt list.json", "forget --receipt wrote"),
    Case("verify --receipt object.json", "forget --receipt wrote"),
    Case("verify --receipt object.json --key x", "that its owner sees with"),
    Case("verify --key x", "--key goes with --receipt"),
    Case(f"forget {FOOD} --sign", "--sign goes with --receipt"),
    Case("status", "damaged: see", before=damaged, code=3),
    Case("status", " more: ", before=many_labels),
    Case("add 'Printer paper' paper", "to correct that"),
    Case("add --file other.jsonl", "is taught with another output too; see {}", before=contradictions),
    Case("reencode --encoder first --into fresh", "to use it"),
    Case("search x", "import the one that the store was made with", before=other_encoder),
    Case("status", "no: {}; see {}", before=open_folder, code=1),
    Case("--store sealed list", "set {}, or give --passphrase-fd", before=sealed_store),
    Case("demo --json", "leave out --json"),
    Case("--encrypted demo", "leave out --encrypted"),
    Case("reencode --encoder first --into fresh", "until you wipe it"),
    Case("merge phone --into work", "bring its examples by a file: ", before=other_seed),
    Case("merge phone --into work", "make one with the same: ", before=phone_with_encoder),
    Case(
        "merge phone --into work", "merge both into an encrypted one: ", before=sealed_phone, passphrase=SECRET
    ),
    Case("merge phone --into work", "say the same in both, such as with {}", before=contrary_phone),
    Case("merge phone --into work", "shows what is damaged", before=damaged_phone, code=3),
    Case(
        "merge phone --into work --dry-run",
        "to leave it out: {}",
        before=phone,
        filled={"FILE": "receipt.json"},
    ),
    Case("merge phone --into work --receipt receipt.json", "give --yes: {}", before=phone),
    Case("merge phone --into work --receipt receipt.json", "that a receipt names: {}", before=forgotten_here),
    Case("labels --yes", "--yes goes with --rename"),
    Case("list --output nothing", "`{}` lists them"),
    Case("stores list", "to make one", before=no_store),
    Case("ask --file marked.jsonl --encoding cp1252", "leave --encoding out", before=marked),
    Case("ask --file marked.jsonl --encoding cp1252", "and --encoding says", before=marked),
    Case("ask --file cut.jsonl --encoding utf-16", "name that with --encoding", before=cut),
    Case("ask --file texts.jsonl", "name the one with the question: {}"),
    # Labels.
    Case("add Bus travle", "did you mean {}? {}"),
    Case("add Bus travle --strict-labels", "leave out --strict-labels"),
    Case("add --file upper.jsonl", "to make them one", before=look_alikes),
    Case("add --file alike.jsonl", "lists them all", before=look_alikes),
    Case("add --file both.jsonl", "to have {} alone", before=look_alikes),
    Case("add --file upper.jsonl --strict-labels", "without --strict-labels new labels", before=look_alikes),
    # Formats.
    Case("export --format parquet", "is no text: write it to a file"),
    Case(
        "add --format sharegpt --input-field x --file rides.jsonl", "leave out --input-field and --output-field"
    ),
    # Models.
    Case("models default mine --reset", "give a NAME or --reset"),
    Case("models default llm.gguf", "give it one: edge-icl models import NAME {}"),
    Case(f"ask Taxi {ALWAYS}", "say again which it is", before=damaged_settings, filled={"NAME": DEFAULT_LLM}),
    Case(f"ask Taxi {ALWAYS}", "or the built-in one", before=default_gone, filled={"NAME": DEFAULT_LLM}),
    Case("models import bad bad", "see whether this one is damaged", before=odd_encoder),
    Case("ask --model nope Taxi", "see what can be fetched"),
    Case("ask --model all-minilm-l6-v2 Taxi", "shows the kind of each"),
    Case(
        f"ask --model bert.gguf Taxi {ALWAYS}",
        "use a generative transformer",
        before=encoder_as_gguf,
        filled={"NAME": "other"},
    ),
    Case(f"ask --model odd.gguf Taxi {ALWAYS}", "tells whether it is damaged", before=odd_gguf),
    Case("models remove nope", "shows which are here"),
    Case("models default first --reset", "give a NAME or --reset"),
    Case("models default ./llm.gguf", "the default is a model with a name"),
    Case("models default", "say again which it is", before=setting("{"), filled={"NAME": DEFAULT_LLM}),
    Case(
        "ask Taxi --labels off",
        "take another, ",
        before=setting('{"model": "gone"}'),
        filled={"NAME": DEFAULT_LLM},
    ),
    Case("stores list", "there is no store yet", before=without_store),
    Case("stores remove wrk --yes", "shows which there are"),
    Case("add Taxi travel --store wrk", "take this one back"),
    Case(f"models remove {DEFAULT_LLM[:-1]}", "did you mean"),
    Case("models fetch nope", "shows the names"),
    Case(f"models fetch {DEFAULT_LLM[:-1]}", "did you mean"),
    Case(f"models import {DEFAULT_LLM} llm.gguf", "remove that one"),
    Case("models import mine llm.gguf --pooling mean", "leave --pooling"),
    Case(f"ask --model mine Taxi {ALWAYS}", "remove it and import it again", before=damaged_model),
    Case(f"ask --model mine Taxi {ALWAYS}", "remove it and fetch or import it again", before=damaged_record),
    Case(f"ask --model mine Taxi {ALWAYS}", "close it with", before=open_to_all),
]


FETCHES = "what it advises opens a connection"
RAY = "it starts Ray: tests/cli/test_fleet.py"
ELSEWHERE = {
    "--engine ray answers files": RAY,
    "--engine ray writes its answers into a new folder": RAY,
    "does not go with --engine ray": RAY,
    "write it into a file, and name that with --file": RAY,
    "name one: {}": RAY,
    "name it: {}": RAY,
    "start over, with another name for --out": "a file that changes while it is asked: tests/ray",
    "its settings are not ours": "edge-icl writes no such store",
    "computed rightly here: edge-icl doctor": "a model that gives numbers that are not finite: tests/llm",
    "then start this program again": "a model that is written to while it is in use: tests/llm",
    "give the path of a .gguf file; `edge-icl models fetch`": "only a program can ask so: tests/llm",
    "`(?P<quoted>": "a pattern that finds commands in what an assistant is told: tests/mcp",
    "leave the encoder out, or see": "only a program can ask so: tests/memory",
    "close other programs, or check the store": "too little memory: tests/store",
    "find it with `edge-icl verify`": "only damage that keeps all digests right: tests/store",
    "looks again and says what helps": "a machine that computes wrongly: tests/cli/test_doctor.py",
    "copy it from a machine that has it": FETCHES,
    "fetch it again: ": FETCHES,
    "fetch it once: ": FETCHES,
    "not ready: {}": FETCHES,
    "edge-icl models fetch {}, then ": FETCHES,
    "fetch the usual two: ": FETCHES,
    "models fetch {} --faster": "a model as an older version has fetched it: tests/cli/test_doctor.py",
    "which wipes it first: edge-icl edit ID": "an edit that was killed: tests/cli/test_doctor.py",
    "check the store without a receipt": "a disk that is full in the middle of a forget: tests/cli",
    "start over: {}": "a file that changes while it is asked: tests/cli/test_batches.py",
    "is another file, not what `edge-icl ask` left": "the same",
    "choose another name for --out": "the same",
    "the output that you want for it": "the end of the demo, which tests/project/test_docs.py runs",
    "leave out --format, or --input-field": "only a program can ask so: tests/memory",
    "wipe it: {} stores list": "what a removal that was killed has left, which tests/cli/test_stores.py kills",
    "(`|: ){} (?!models": "a pattern that finds commands in hints",
    "(?=\\s+[\\[a-z-])": "a pattern that finds commands in what `llm edge` says",
    "compile it here: pip install": "a processor that no variant of llama.cpp fits: tests/llm/test_backends.py",
    'say turns="last" for that': "only a program can ask so: tests/openai",
    "cannot be pickled or copied: {}": "only a program can ask so: tests/results",
    "makes one of what can be imported": "only a program can ask so: tests/memory/test_shipped_models.py",
    "renamed the store {} to {}: {}": "the path of a store, and no command",
    "Teach a local language model": "the beginning of the help",
    "go with every command; see {} --help.": "the end of every help",
}
"""Words of a hint that no case gives -> why not. Its commands must at least be such as there are."""


@pytest.fixture
def place(
    models_home: Path,
    taught_store: Path,
    small_encoders: Path,  # noqa: F811
    drawer: object,  # noqa: F811
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Path:
    """A home whose store has a name, and a folder with some files to work in."""
    assert drawer is not None
    assert small_encoders == models_home
    (models_home / "stores").mkdir(mode=0o700)
    shutil.copytree(taught_store, models_home / "stores" / "work")
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    for name, text in FILES.items():
        Path(name).write_text(text)
    ggufs.llama(Path("llm.gguf"))
    return models_home


def told_by(case: Case, home: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return all that the command line of a case tells."""
    if case.passphrase is not None:
        monkeypatch.setenv("EDGE_ICL_PASSPHRASE", case.passphrase)
    if case.before is not None:
        case.before(home)
    ran = run("--store", "work", *shlex.split(case.line), stdin=case.stdin)
    assert re.search(re.escape(case.told).replace(r"\{\}", ".+"), ran.err + ran.out), ran
    told = ran.err + ran.out
    return str(json.loads(told)["error"]) if told.startswith("{") else told


def typed(words: list[str], case: Case) -> Ran:
    """Type a command of a hint: at a terminal, where a person confirms it, or as a pipe feeds it."""
    filled = {**FILLED, **case.filled}
    words = [filled.get(word, word) for word in words]
    with mock.patch("getpass.getpass", return_value=SECRET):
        return run(*words, stdin=case.stdin) if case.stdin else at_terminal(*words, typed="y\n")


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.line}: {case.told}")
def test_what_is_advised_is_accepted_when_it_is_typed(
    place: Path, case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = told_by(case, place, monkeypatch)
    commands, options = hints.commands(told), hints.options(told)

    assert commands or options, told
    line = shlex.split(case.line)
    known = set().union(*(hints.known_options(words) for words in [line, *commands]))
    assert options - {word.partition("=")[0] for word in line} <= known, told
    for command in hints.for_the_shell(told):
        subprocess.run(command, check=True)
    for command in commands:
        ran = typed(command, case)
        assert ran.code == case.code, (command, ran)


def test_every_hint_of_the_source_is_typed_or_it_is_said_why_not() -> None:
    cases = [case.told for case in CASES]
    missing = [
        f"{hint.place}: {hint}"
        for hint in hints.in_source()
        if not any(told in str(hint) for told in (*cases, *ELSEWHERE))
    ]

    assert not missing, "\n".join(missing)


@pytest.mark.parametrize("told", ELSEWHERE)
def test_a_hint_that_is_not_typed_names_commands_and_options_that_there_are(told: str) -> None:
    found = [hint for hint in hints.in_source() if told in str(hint)]

    assert found, "no hint says so any more"
    for hint in found:
        for command in hints.commands("x".join(hint.pieces)):
            hints.parse(command)
