import json
from pathlib import Path

import pytest
from command import EXAMPLES, IDS, at_terminal, process, refused, run, unchanged

pytest_plugins = ["cli_fixtures"]


@pytest.fixture(scope="module", params=[None, "correct horse"], ids=["plain", "encrypted"])
def passphrase(request: pytest.FixtureRequest) -> str | None:
    """Forget from both kinds of store."""
    return request.param


def left() -> set[str]:
    """The inputs that the default store holds."""
    return {line.split("\t")[2] for line in run("list").out.splitlines()}


ALL = {example.input for example in EXAMPLES}


@pytest.mark.usefixtures("bare_home")
def test_an_id_is_forgotten_without_any_model() -> None:
    ran = process("forget", IDS["Printer paper"][:8], "--yes")

    assert ran.code == 0
    assert ran.out == f"forgot 1 example\n{IDS['Printer paper'][:8]}\toffice\tPrinter paper\n"
    assert left() == ALL - {"Printer paper"}
    assert run("verify", "--deep").code == 0


@pytest.mark.usefixtures("bare_home")
def test_the_receipt_is_the_json() -> None:
    before = json.loads(run("status", "--json").out)["root"]
    receipt = json.loads(run("forget", IDS["Printer paper"], "--yes", "--json").out)

    assert set(receipt) == {
        "forgotten", "ids", "root_before", "root_after", "refit", "seconds", "similar_left", "store",
    }  # fmt: skip
    assert (receipt["forgotten"], receipt["ids"]) == (1, [IDS["Printer paper"]])
    assert receipt["root_before"] == before
    assert receipt["root_after"] == json.loads(run("status", "--json").out)["root"]


def test_a_twin_that_is_left_is_named_with_the_command_for_it(bare_home: Path) -> None:
    store = str(bare_home / "stores" / "default")
    ran = run("forget", IDS["Uber to the airport"], "--yes", "--store", store)
    twin = IDS["Uber to airport"][:8]
    note, row = ran.err.splitlines()
    told = "edge-icl: 1 example that is left is nearly the same; to forget it too: "

    assert note == f"{told}edge-icl --store {store} forget {twin}"
    assert row.split()[:3] == [twin, "0.98", "travel"]
    assert run(*note.removeprefix(f"{told}edge-icl ").split(), "--yes").code == 0
    assert left() == ALL - {"Uber to the airport", "Uber to airport"}


@pytest.mark.usefixtures("bare_home")
def test_nobody_looks_for_twins_where_that_is_not_wanted() -> None:
    ran = run("forget", IDS["Uber to the airport"], "--yes", "--json", "--no-similar")

    assert (ran.err, json.loads(ran.out)["similar_left"]) == ("", None)


@pytest.mark.parametrize(
    ("filters", "gone"),
    [
        (["--match", "UBER"], {"Uber to the airport", "Uber to airport"}),
        (["--source", "old.csv"], {"Uber to airport", "Train to Berlin"}),
        (["--tag", "2026"], {"Uber to the airport", "Sandwich at noon"}),
        (["--tag", "2026", "--match", "uber"], {"Uber to the airport"}),
        (["--all"], ALL),
    ],
)
@pytest.mark.usefixtures("bare_home")
def test_filters_choose_what_fits_all_of_them(filters: list[str], gone: set[str]) -> None:
    assert run("forget", *filters, "--yes").code == 0
    assert left() == ALL - gone


@pytest.mark.usefixtures("home")
def test_likeness_chooses_what_means_nearly_the_same() -> None:
    ran = run("forget", "--like", "Uber to the airport", "--yes")
    assert ran.code == 0, ran.err
    assert left() == ALL - {"Uber to the airport", "Uber to airport"}

    assert run("forget", "--like", "Train to Berlin", "--min-similarity", "-1", "--dry-run").err.startswith(
        "edge-icl: 3 examples would be forgotten"
    )


def test_a_dry_run_shows_what_would_go_and_changes_nothing(bare_home: Path) -> None:
    with unchanged(bare_home):
        ran = run("forget", "--source", "old.csv", "--dry-run")
        found = json.loads(run("forget", "--source", "old.csv", "--dry-run", "--json").out)

    assert ran.code == 0
    assert {line.split("\t")[2] for line in ran.out.splitlines()} == {"Uber to airport", "Train to Berlin"}
    assert ran.err == "edge-icl: 2 examples would be forgotten; nothing was changed\n"
    assert found["dry_run"] is True
    assert {one["input"] for one in found["examples"]} == {"Uber to airport", "Train to Berlin"}


@pytest.mark.usefixtures("bare_home")
def test_at_a_terminal_a_yes_is_asked_for() -> None:
    ran = at_terminal("forget", "--match", "paper", typed="y\n")

    assert ran.err == f"  {IDS['Printer paper'][:8]}  office  Printer paper\nforget 1 example? [y/N]: "
    assert (ran.code, ran.out) == (0, "forgot 1 example\n")


@pytest.mark.parametrize("typed", ["n\n", "\n", "", "yesterday\n"])
def test_anything_but_a_yes_is_a_no(bare_home: Path, typed: str) -> None:
    with unchanged(bare_home):
        ran = at_terminal("forget", IDS["Printer paper"], typed=typed)

    assert (ran.code, ran.out) == (1, "")
    assert ran.err.endswith("edge-icl: error: it was not confirmed; nothing was forgotten\n")


def test_forgetting_all_is_asked_for_in_other_words(bare_home: Path) -> None:
    with unchanged(bare_home):
        ran = at_terminal("forget", "--all", typed="no\n")

    assert f"empty the store {bare_home}/stores/default: forget all of its 5 examples? [y/N]" in ran.err


def test_one_wrong_id_and_nothing_is_forgotten(bare_home: Path) -> None:
    with unchanged(bare_home):
        refused(run("forget", IDS["Printer paper"], "0000", "--yes"), "no example has the id 0000")


def test_what_matches_nothing_is_an_error(bare_home: Path) -> None:
    with unchanged(bare_home):
        refused(run("forget", "--tag", "nope", "--yes"), "no example fits: nothing was forgotten")
    run("forget", "--all", "--yes")
    refused(run("forget", "--all", "--yes"), "the store is empty: nothing was forgotten")


@pytest.mark.usefixtures("bare_home")
def test_a_receipt_is_private_and_verify_reads_it(tmp_path: Path) -> None:
    file = tmp_path / "receipt.json"
    ran = run("forget", IDS["Printer paper"], "--yes", "--json", "--receipt", str(file))

    assert json.loads(file.read_text()) == json.loads(ran.out)
    assert file.stat().st_mode & 0o777 == 0o600
    assert run("verify", "--receipt", str(file)).out.endswith(
        "what the receipt names is gone; the store is as it was then\n"
    )
    run("forget", "--all", "--yes")
    assert json.loads(run("verify", "--receipt", str(file), "--json").out)["moved_on"] is True


def test_a_receipt_goes_neither_into_the_store_nor_over_a_file(bare_home: Path, tmp_path: Path) -> None:
    taken = tmp_path / "taken"
    taken.write_text("mine")
    inside = bare_home / "stores" / "default" / "receipt.json"

    with unchanged(tmp_path):
        for path, reason in (
            (inside, "inside the store"),
            (taken, "already"),
            (tmp_path / "none" / "r", "cannot be written"),
        ):
            refused(run("forget", "--all", "--yes", "--receipt", str(path)), reason)
    assert taken.read_text() == "mine"


@pytest.mark.usefixtures("bare_home")
def test_a_refused_forget_leaves_no_receipt(tmp_path: Path) -> None:
    run("forget", "--all", "--receipt", str(tmp_path / "receipt.json"))

    assert not (tmp_path / "receipt.json").exists()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
@pytest.mark.usefixtures("bare_home")
def test_a_receipt_that_cannot_be_kept_is_told_truly(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    full = Path("/dev/full").open("w", encoding="utf-8")  # noqa: SIM115 - the command closes it
    monkeypatch.setattr("os.fdopen", lambda *_args, **_kwargs: full)

    refused(
        run("forget", "--all", "--yes", "--receipt", str(tmp_path / "receipt.json")),
        "the examples are forgotten, but",
        "cannot be written: No space left on device",
    )
    assert left() == set()


@pytest.mark.parametrize(
    "line",
    [
        "forget",
        "forget abc --all",
        "forget abc --tag x",
        "forget --all --tag x",
        "forget --tag x --min-similarity 1",
    ],
)
def test_what_to_forget_must_be_clear(line: str) -> None:
    refused(run(*line.split()), "edge-icl forget --help", code=2)
