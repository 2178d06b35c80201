"""`edge-icl merge`, `init --like` and `forget --from-receipt`: one store on several devices."""

from __future__ import annotations

import json
import os
import shlex
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import stores
from command import Ran, at_terminal, refused, run, unchanged
from keyrings import Drawer, drawer
from stores import SETTINGS, make, row, rows, tree, variant
from test_passphrases import descriptor, typing

from edge_icl import Memory
from edge_icl.store.settings import Settings

__all__ = ["drawer"]

IDS = [row(number).id.hex() for number in range(40)]


@pytest.fixture
def home(own_home: Path) -> Path:
    """A home with the stores of two devices, that have two examples in common; no model is needed."""
    make(own_home / "stores" / "laptop", rows([1, 2, 3]))
    make(own_home / "stores" / "phone", rows([2, 3, 4, 5]))
    return own_home


def held(name: str) -> dict[str, bytes]:
    """Return the files of a store that has a name."""
    return tree(Path(os.environ["EDGE_ICL_HOME"]) / "stores" / name)


def expected(tmp_path: Path, *numbers: int, settings: Settings = SETTINGS) -> dict[str, bytes]:
    """Return the files of a store that was given these examples at once."""
    path = tmp_path / "expected"
    shutil.rmtree(path, ignore_errors=True)
    return tree(make(path, rows(numbers), settings=settings).path)


def commands(ran: Ran) -> list[list[str]]:
    """Return the words of the commands that a run advises."""
    lines = [line.rpartition(": ")[2] for line in ran.err.splitlines()]
    return [shlex.split(line)[1:] for line in lines if line.startswith("edge-icl ")]


def test_the_examples_of_another_store_come_in_one_commit(home: Path, tmp_path: Path) -> None:
    phone = held("phone")

    ran = run("merge", "phone", "--into", "laptop")

    root = json.loads(run("--store", "laptop", "status", "--json").out)["root"]
    counts = "2 new, 2 already there, 5 in all"
    assert ran == Ran(0, f"merged into {home / 'stores' / 'laptop'}: {counts}\nroot {root}\n", "")
    assert held("laptop") == expected(tmp_path, 1, 2, 3, 4, 5)
    assert held("phone") == phone
    assert run("merge", "laptop", "--into", "phone").code == 0
    assert held("phone") == held("laptop")
    assert run("merge", "laptop", "--into", "phone").out.startswith(
        f"merged into {home / 'stores' / 'phone'}: 0 new, 5 already there, 5 in all\n"
    )


def test_a_new_store_is_made_of_them_whole_or_not_at_all(home: Path, tmp_path: Path) -> None:
    before = held("laptop"), held("phone")

    dry = run("merge", "laptop", "phone", "--into", "all", "--dry-run")
    assert not (home / "stores" / "all").exists()
    ran = run("merge", "laptop", "phone", "--into", "all")

    assert ran.out.startswith(f"made the store {home / 'stores' / 'all'} of 2 stores: 5 examples\nroot ")
    assert "the store all would be made, with 5 examples of 2 stores; nothing was changed\n" in dry.err
    assert held("all") == expected(tmp_path, 1, 2, 3, 4, 5)
    assert (held("laptop"), held("phone")) == before


def test_a_dry_run_shows_what_would_come_and_what_each_has_alone(home: Path) -> None:
    steps = {variant(2, step).vector.tobytes(): step for step in (-1, 0, 1)}
    make(home / "stores" / "tablet", [variant(2, steps[min(steps)]), *rows([5, 6])])
    assert steps[min(steps)]
    with unchanged(home):
        ran = run("merge", "phone", "tablet", "--into", "laptop", "--dry-run")
        told = json.loads(run("--json", "merge", "phone", "tablet", "--into", "laptop", "--dry-run").out)

    came = sorted(IDS[number] for number in (4, 5, 6))
    lines = [line.split("\t") for line in ran.out.splitlines()]
    assert [line[0] for line in lines] == [id[:8] for id in came]
    where = {"input 4": "phone", "input 5": "phone", "input 6": "tablet"}
    assert {line[3]: line[1] for line in lines} == where
    assert ran.err == (
        "edge-icl: phone: 4 examples, 2 of them new, 1 in no other store\n"
        "edge-icl: tablet: 3 examples, 2 of them new, 1 in no other store\n"
        "edge-icl: only in laptop: 1 example\n"
        f"  {IDS[1][:8]}  output 1  input 1\n"
        "edge-icl: 1 example would get the vector of another store, which has smaller bytes\n"
        "edge-icl: 3 examples would come; nothing was changed\n"
        "edge-icl: no store remembers what it has forgotten: one that was forgotten here would be back; to "
        "leave it out: edge-icl merge --into laptop --dry-run --receipt FILE phone tablet\n"
    )
    assert (told["dry_run"], told["new"], told["root_after"]) == (True, came, None)
    assert (told["added"], told["duplicates"], told["only_here"], told["examples"]) == (3, 2, 1, 6)
    assert [(one["new"], one["only"]) for one in told["sources"]] == [(2, 1), (2, 1)]
    assert told["replaced"] == 1


def test_of_many_examples_the_first_are_shown(home: Path) -> None:
    make(home / "stores" / "tablet", rows(range(10, 40)))
    assert run("merge", "tablet", "--into", "laptop", "--dry-run").out.splitlines()[-1] == "…\t\t\tand 20 more"


@pytest.mark.usefixtures("home")
def test_json_is_one_document_and_no_receipt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    before = json.loads(run("--store", "laptop", "status", "--json").out)["root"]

    told = json.loads(run("--json", "merge", "phone", "--into", "laptop").out)

    after = json.loads(run("--store", "laptop", "status", "--json").out)["root"]
    assert (told["dry_run"], told["root_before"], told["root_after"]) == (False, before, after)
    assert told["new"] == sorted(IDS[number] for number in (4, 5))
    Path("merged.json").write_text(json.dumps(told))
    refused(run("--store", "laptop", "forget", "--from-receipt", "merged.json", "--yes"), "is not a receipt")


@pytest.fixture
def receipt(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The receipt of two examples that the laptop has forgotten; the phone has one of them."""
    assert home.exists()
    monkeypatch.chdir(tmp_path)
    words = ("forget", IDS[1], IDS[2], "--yes", "--no-similar", "--receipt", "receipt.json")
    assert run("--store", "laptop", *words).code == 0
    return "receipt.json"


def test_what_was_forgotten_here_would_be_back_and_a_receipt_leaves_it_out(
    receipt: str, tmp_path: Path
) -> None:
    dry = run("merge", "phone", "--into", "laptop", "--dry-run")
    assert IDS[2][:8] in dry.out
    (again,) = commands(dry)

    left = run(*(receipt if word == "FILE" else word for word in again))
    assert IDS[2][:8] not in left.out
    assert "1 example would not come, as a receipt says\n" in left.err

    ran = run("merge", "phone", "--into", "laptop", "--receipt", receipt)
    assert held("laptop") == expected(tmp_path, 3, 4, 5)
    assert "phone still has 1 example that a receipt names: " in ran.err
    (forget,) = commands(ran)
    assert run(*forget, "--yes", "--no-similar").out.startswith("forgot 1 example\n")
    assert held("phone") == held("laptop")


def test_what_a_receipt_names_of_the_store_itself_is_forgotten_once_that_is_confirmed(
    home: Path, receipt: str, tmp_path: Path
) -> None:
    words = ("merge", "laptop", "--into", "phone", "--receipt", receipt)
    with unchanged(home):
        refused(run(*words), "a receipt names 1 example of phone", "give --yes: ")
        assert at_terminal(*words, typed="n\n").code == 1
        dry = run(*words, "--dry-run")
    assert "1 example would be forgotten here, as a receipt says\n" in dry.err

    shown = at_terminal(*words, typed="y\n")

    assert "forget 1 example in phone?" in shown.err
    assert "forgot 1 example, as a receipt says\n" in shown.err
    assert held("phone") == expected(tmp_path, 3, 4, 5)
    assert run(*words, "--yes").code == 0


def test_a_receipt_of_another_device_forgets_what_is_here_and_counts_the_rest(
    receipt: str, tmp_path: Path
) -> None:
    words = ("--store", "phone", "forget", "--from-receipt", receipt, "--no-similar")
    refused(run(*words), "forgetting 1 example must be confirmed")
    dry = run(*words, "--dry-run")
    assert dry.out == f"{IDS[2][:8]}\toutput 2\tinput 2\n"
    assert "1 example that the receipts name is not here\n" in dry.err

    told = json.loads(run("--json", *words, "--yes", "--receipt", "own.json").out)

    assert (told["ids"], told["absent"]) == ([IDS[2]], 1)
    assert held("phone") == expected(tmp_path, 3, 4, 5)
    assert json.loads(Path("own.json").read_text())["ids"] == [IDS[2]]
    again = run(*words, "--yes", "--receipt", "other.json")
    assert again.out == "none of the 2 examples that the receipts name is here, so no receipt was written\n"
    assert not Path("other.json").exists()
    assert json.loads(run("--json", *words, "--yes").out) == {"forgotten": 0, "ids": [], "absent": 2}
    told = json.loads(run("--json", *words, "--dry-run").out)
    assert told == {"dry_run": True, "examples": [], "absent": 2}


def test_receipts_of_several_changes_are_taken_together_or_not_at_all(
    home: Path, receipt: str, tmp_path: Path
) -> None:
    fixed = run("--json", "--store", "laptop", "fix", IDS[3], "other")
    Path("fixed.json").write_text(fixed.out)
    Path("torn.json").write_text(fixed.out[:20])
    both = ("--from-receipt", receipt, "--from-receipt")
    with unchanged(home):
        refused(
            run("--store", "phone", "forget", *both, "torn.json", "--yes"),
            "torn.json: this is not a receipt of edge-icl",
        )

    assert run("--store", "phone", "forget", *both, "fixed.json", "--yes", "--no-similar").code == 0

    assert held("phone") == expected(tmp_path, 4, 5)
    assert run("merge", "laptop", "--into", "phone").code == 0
    assert "other\tinput 3" in run("--store", "phone", "list").out


def test_a_receipt_of_a_store_with_another_seed_is_refused(home: Path, receipt: str) -> None:
    make(home / "stores" / "other", rows([1]), settings=replace(SETTINGS, seed=bytes(32)))
    with unchanged(home):
        for words in (
            ("--store", "other", "forget", "--from-receipt", receipt, "--yes"),
            ("merge", "other", "--into", "new", "--receipt", receipt),
        ):
            refused(run(*words), f"{receipt}: the receipt is of a store with another seed")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("merge laptop --into laptop", "the store laptop is the one that is merged into; leave it out"),
        ("merge phone phone --into laptop", "the store phone is named twice"),
        ("merge nowhere --into laptop", "there is no store at"),
        ("merge phone --into .new", "cannot be the name of a store"),
        ("merge seed --into laptop", "the store seed has another seed than laptop, so that ids differ"),
        ("merge encoder --into laptop", "was made with encoder other, not test as laptop: vectors cannot be"),
        ("merge renewed --into laptop", "was made with another encoder of that name as laptop"),
        ("merge shots --into laptop", "the store shots was made with shots 5, and laptop with 3"),
        ("merge task --into laptop", "the store task was made with task Sort, and laptop with none"),
        ("merge yes no --into laptop", "the store yes has the setting for labels yes, and no has no"),
        ("merge damaged --into laptop", "the store damaged cannot be merged: pages/"),
        ("merge damaged --into laptop", "`edge-icl --store damaged verify` shows what is damaged"),
        ("merge laptop --into here", "here is a directory but not a store"),
        ("merge phone --into laptop --receipt nowhere.json", "nowhere.json"),
        ("--store here init --like laptop", "here is a directory but not a store"),
        ("--store laptop init --like phone", "there is a store at"),
        ("--store fresh init --like nowhere", "there is no store at"),
    ],
)
def test_what_cannot_be_is_told_in_a_sentence_and_changes_nothing(home: Path, words: str, said: str) -> None:
    other = {
        "seed": {"seed": bytes(32)},
        "encoder": {"encoder": "other", "encoder_digest": "else"},
        "renewed": {"encoder_digest": "else"},
        "shots": {"shots": 5},
        "task": {"task": "Sort"},
    }
    for name, more in other.items():
        make(home / "stores" / name, rows([7]), settings=replace(SETTINGS, **more))
    make(home / "stores" / "yes", rows([7]), labels="yes")
    make(home / "stores" / "no", rows([8]), labels="no")
    damaged = next((make(home / "stores" / "damaged", rows([7])).path / "pages").iterdir())
    damaged.write_bytes(b"x" * damaged.stat().st_size)
    (home / "stores" / "here").mkdir()
    (home / "stores" / "here" / "letter").write_text("Dear")
    with unchanged(home):
        refused(run(*words.split()), said)


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("merge phone", "missing option '--into'"),
        ("merge --into laptop", "missing argument 'STORE...'"),
        ("--store phone merge phone --into laptop", "the stores are STORE and --into, and phone is given as"),
        ("merge phone --into new --keyring", "--keyring goes with --encrypt"),
        ("merge phone --into laptop --encrypt", "are for a new store, and laptop is there"),
        ("merge phone --into laptop --yes", "--yes goes with --receipt"),
        ("--store new init --like laptop --shots 4", "--shots does not go with --like"),
        ("--store new init --like laptop --seed " + "00" * 32, "--seed does not go with --like"),
        ("--store new init --like laptop --labels yes --task Sort", "--task and --labels does not go with"),
        ("--store new init --like laptop --keyring", "--keyring goes with --encrypt"),
        (
            f"--store phone forget {IDS[2]} --from-receipt x",
            "give ids, or filters, or --all, or --from-receipt",
        ),
    ],
)
def test_wrong_usage_is_told(words: str, said: str) -> None:
    refused(run(*words.split()), said, code=2)


def test_a_link_to_the_store_is_the_store(home: Path) -> None:
    (home / "stores" / "link").symlink_to(home / "stores" / "laptop")
    refused(run("merge", "link", "--into", "laptop"), "is the one that is merged into")


def test_an_encoder_of_another_name_is_the_same_encoder(home: Path, tmp_path: Path) -> None:
    make(home / "stores" / "named", rows([7]), settings=replace(SETTINGS, encoder="other"))
    assert run("merge", "named", "--into", "laptop").code == 0
    assert held("laptop") == expected(tmp_path, 1, 2, 3, 7)


def test_a_store_like_another_has_its_settings_and_none_of_its_examples(home: Path, tmp_path: Path) -> None:
    settings = replace(SETTINGS, task="Sort")
    make(home / "stores" / "work", rows([1]), settings=settings, labels="yes")

    ran = run("--json", "--store", "second", "init", "--like", "work")

    told = json.loads(ran.out)
    assert (told["shots"], told["task"], told["labels_setting"], told["encoder"]) == (3, "Sort", "yes", "test")
    assert held("second") == tree(make(tmp_path / "empty", settings=settings, labels="yes").path)
    assert run("merge", "work", "--into", "second").code == 0
    assert held("second") == held("work")


@pytest.fixture
def sealed(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Beside the plain stores two encrypted ones: one is like the other, and has another passphrase."""
    monkeypatch.setattr(stores, "encrypted", True)
    make(home / "stores" / "sealed", rows([1, 2]))
    make(home / "stores" / "other", rows([2, 3]))
    with Memory.open("other", passphrase=stores.PASSPHRASE) as memory:
        memory.change_passphrase("other words")
    monkeypatch.setattr(stores, "encrypted", False)
    return home


def ids(name: str, secret: str) -> set[str]:
    """Return the ids that an encrypted store has."""
    with Memory.open(name, create=False, passphrase=secret) as memory:
        assert memory.encrypted
        return {*memory.ids()}


SECRET = stores.PASSPHRASE.decode()


def test_encrypted_stores_are_merged_with_their_own_passphrases(sealed: Path) -> None:
    words = ("merge", "other", "--into", "sealed")
    own = ("--source-passphrase-fd",)
    with unchanged(sealed):
        refused(run(*words), "no terminal to type its passphrase on")
        refused(
            run(*words, "--passphrase-fd", descriptor(SECRET)),
            "no passphrase that was given opens the store",
            "give its own one with --source-passphrase-fd",
        )
    given = ("--passphrase-fd", descriptor(SECRET))

    assert run(*words, *given, *own, descriptor("other words")).code == 0

    assert ids("sealed", SECRET) == {IDS[1], IDS[2], IDS[3]}
    assert ids("other", "other words") == {IDS[2], IDS[3]}


@pytest.mark.usefixtures("sealed")
def test_a_person_types_each_passphrase_once() -> None:
    ran = typing("merge", "other", "--into", "sealed", typed=[SECRET, "other words"])

    assert ran.code == 0, ran.err
    assert ran.err.count("passphrase of ") == 2
    ran = typing("merge", "sealed", "--into", "new", typed=[SECRET])
    assert ran.code == 0, ran.err
    assert ids("new", SECRET) == ids("sealed", SECRET)


def test_examples_of_an_encrypted_store_never_come_to_lie_in_the_clear(
    sealed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EDGE_ICL_PASSPHRASE", SECRET)
    with unchanged(sealed):
        refused(
            run("merge", "sealed", "--into", "laptop"),
            "sealed is encrypted and laptop is not, where its examples would lie in the clear",
            "`edge-icl --store NEW init --like sealed` makes it",
        )
        refused(run("merge", "phone", "--into", "laptop"), "is not encrypted")
        refused(run("--encrypted", "merge", "phone", "--into", "sealed"), "is not encrypted")
        refused(run("--store", "new", "init", "--like", "laptop"), "is not encrypted")

    assert run("merge", "phone", "--into", "sealed").code == 0
    assert run("merge", "laptop", "sealed", "--into", "new").code == 0
    assert run("--store", "second", "init", "--like", "sealed").code == 0
    assert run("--store", "third", "init", "--like", "laptop", "--encrypt").code == 0

    assert ids("new", SECRET) == {IDS[number] for number in (1, 2, 3, 4, 5)}
    assert (ids("second", SECRET), ids("third", SECRET)) == (set(), set())
    keys = {(sealed / "stores" / name / "key").read_bytes() for name in ("sealed", "new", "second", "third")}
    assert len(keys) == 4


def test_the_keyring_keeps_a_passphrase_for_each_of_them(home: Path, drawer: Drawer) -> None:
    assert run("--store", "one", "init", "--like", "laptop", "--encrypt", "--keyring").code == 0
    assert run("--store", "two", "init", "--like", "one").code == 0
    with unchanged(home):
        assert run("merge", "one", "two", "--into", "three", "--dry-run").code == 0
    assert len(drawer.held) == 2
    assert run("merge", "laptop", "--into", "one").code == 0
    assert run("merge", "one", "two", "--into", "three").code == 0

    assert len(drawer.held) == 3
    assert len(run("--store", "three", "list").out.splitlines()) == 3
