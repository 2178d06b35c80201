"""Forged stores before the commands that people type: exit codes and sentences, and no traceback."""

from __future__ import annotations

import json
import os
import resource
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from command import EXAMPLES, IDS, PROGRAM, Ran, at_terminal, refused, run
from faults import Count, lay_out
from hostile import Parts, forge, rewritten
from stores import tree

from edge_icl import InputError, Memory, Options, StoreDamagedError, StoreEncoderError
from edge_icl.models.location import find_encoder

pytest_plugins = ["cli_fixtures"]

MALFORMED = b'{"input":"a","output":"b"} and more'
"""A text that is no example, though it begins as one."""

DAMAGED = IDS["Sandwich at noon"]
FIRST = "0" * 8
MEMORY, SECONDS = 8 << 30, 20
"""What a command may have at most: models take most of it."""

COMMANDS = (
    ("list",),
    ("list", "--json", "--tag", "a"),
    ("export",),
    ("export", "--vectors", "--format", "csv"),
    ("show", FIRST),
    ("status",),
    ("status", "--json"),
    ("labels",),
    ("labels", "--set", "yes"),
    ("labels", "--set", "auto"),
    ("verify",),
    ("verify", "--deep", "--json"),
    ("search", "a text"),
    ("ask", "a text", "--explain"),
    ("ask", "a text", "--labels", "off", "--max-tokens", "2", "--json"),
    ("ask", "a text", "--labels", "on", "--prompt", "chat"),
    ("add", "a new input", "output 1"),
    ("forget", "--match", "input", "--dry-run"),
    ("forget", "--like", "a text", "--yes"),
    ("forget", FIRST, "--yes"),
    ("fix", FIRST, "another"),
    ("list", "--output", "another", "--match", "input"),
    ("labels", "--rename", "another", "output 1", "--yes"),
    ("forget", "--all", "--yes"),
    ("doctor",),
)
"""In this order, on one and the same store."""


def store() -> Path:
    return Path(os.environ["EDGE_ICL_HOME"]) / "stores" / "default"


def tamper(change: Callable[[Parts], None]) -> None:
    """Change something in the default store, and make every digest anew."""
    path = store()
    files = {name: data for name, data in tree(path).items() if not name.endswith("/")}
    forged = rewritten(files, change)
    shutil.rmtree(path)
    lay_out(forged, path)


def put_malformed(parts: Parts) -> None:
    """Put a text that is none into the place of one example's."""
    for page in parts.pages:
        page.rows[:] = [
            (key, MALFORMED if key.hex() == DAMAGED else text, vector) for key, text, vector in page.rows
        ]


def told(ran: Ran) -> None:
    """Check that a command answered, or refused in one sentence."""
    assert "Traceback" not in ran.err
    assert ran.code in (0, 1, 3), ran
    if ran.code == 1:
        last = ran.err.splitlines()[-1] if ran.err else ran.out
        assert "error" in last or "problem" in last, ran
        assert len(last) < 1500


@pytest.mark.usefixtures("bare_home")
def test_an_example_that_cannot_be_read_is_named_and_can_be_forgotten() -> None:
    tamper(put_malformed)

    refused(run("list"), "edge-icl verify")
    refused(run("fix", DAMAGED, "food"), "edge-icl verify")
    found = run("verify")
    assert found.code == 3
    assert DAMAGED in found.out
    plan = run("forget", DAMAGED, "--dry-run", "--json")
    assert json.loads(plan.out)["examples"] == [{"id": DAMAGED, "damaged": True}]
    done = run("forget", DAMAGED[:8], "--yes")
    assert done.code == 0
    assert "its text is damaged" in done.out
    assert run("verify", "--deep").code == 0
    assert len(run("list").out.splitlines()) == len(EXAMPLES) - 1


@pytest.mark.usefixtures("bare_home")
def test_all_examples_can_be_forgotten_with_one_among_them_that_cannot_be_read() -> None:
    tamper(put_malformed)

    shown = at_terminal("forget", "--all", typed="y\n")

    assert "its text is damaged" in shown.err
    assert shown.code == 0
    assert run("list").out == ""
    assert run("verify", "--deep").code == 0


@pytest.mark.usefixtures("bare_home")
def test_two_texts_that_are_one_example_only_together_are_not_shown_under_others_ids() -> None:
    def tear(parts: Parts) -> None:
        rows = parts.pages[0].rows
        texts = (
            b'{"input":"x","output":"y"},{"input":"I am","output":"another","more":[0',
            b"1]}",
        )
        rows[1:3] = [(row[0], text, row[2]) for row, text in zip(rows[1:3], texts, strict=True)]

    tamper(tear)

    refused(run("list"), "edge-icl verify")


@pytest.mark.usefixtures("bare_home")
def test_half_a_character_does_not_reach_the_screen() -> None:
    def put(parts: Parts) -> None:
        key, _, vector = parts.pages[0].rows[0]
        parts.pages[0].rows[0] = (key, b'{"input":"\\ud800","output":"a\\u0000"}', vector)

    tamper(put)

    for command in (("list",), ("export",), ("forget", "--match", "a", "--yes")):
        refused(run(*command), "edge-icl verify")


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize(("name", "value"), [("dimension", "3"), ("dimension", "385"), ("scale", "1")])
def test_vectors_unlike_the_encoders_are_refused_before_they_are_compared(name: str, value: str) -> None:
    def empty(parts: Parts) -> None:
        parts.settings = [(key, value if key == name else old) for key, old in parts.settings]
        parts.pages = []
        width = int(value) if name == "dimension" else 384
        shapes = {"counts": (2, 0), "sums": (2, 0, width), "start": (0, width)}
        shapes |= dict.fromkeys(("representatives", "winners"), (0, 16))
        parts.clustering = [(key, kind, shapes.get(key, (0,)), b"") for key, kind, *_ in parts.clustering]

    tamper(empty)

    refused(run("ask", "Taxi"), "holds no examples")
    for command in (("search", "Taxi"), ("add", "Taxi", "travel")):
        refused(run(*command), "encoder")
    with Memory.open(store()) as memory, pytest.raises(StoreEncoderError):
        memory.add("Taxi", "travel")


@pytest.mark.usefixtures("home")
def test_a_store_that_names_strangers_as_representatives_is_damaged() -> None:
    def name(parts: Parts) -> None:
        parts.clustering = [
            (key, kind, shape, bytes([7]) * len(data) if key == "representatives" else data)
            for key, kind, shape, data in parts.clustering
        ]

    tamper(name)

    refused(run("ask", "Taxi"), "clustering")
    assert run("verify").code == 3
    with Memory.open(store()) as memory, pytest.raises(StoreDamagedError):
        memory.ask("Taxi")


@pytest.mark.usefixtures("bare_home")
def test_what_a_forged_clustering_tells_is_not_taken_over_by_a_forget() -> None:
    """Its sums cannot be those of what is left, so it is made anew: the store is an honest one again."""

    def claim(parts: Parts) -> None:
        parts.clustering = [
            (key, kind, shape, bytes(len(data)) if key == "sums" else data)
            for key, kind, shape, data in parts.clustering
        ]

    tamper(claim)

    assert run("forget", DAMAGED, "--yes").code == 0
    assert run("forget", IDS["Printer paper"], "--yes").code == 0
    assert run("status").code == 0


@pytest.mark.usefixtures("home")
def test_a_label_of_a_hundred_thousand_characters_is_refused_at_once() -> None:
    def lengthen(parts: Parts) -> None:
        key, _, vector = parts.pages[0].rows[0]
        text = b'{"input":"a","output":"' + b"long " * 40_000 + b'"}'
        parts.pages[0].rows[0] = (key, text, vector)

    tamper(lengthen)

    with Memory.open(store()) as memory, pytest.raises(InputError, match="label"):
        memory.ask("Taxi", Options(labels="on", select="none", ask_model="always"))


@pytest.mark.usefixtures("models_home")
def test_every_command_on_forged_stores_ends_with_a_sentence_or_an_answer(campaign: bool, count: Count) -> None:
    found = find_encoder()
    numbers = range(60 if campaign else 2)
    how = {
        "encoder": found.name,
        "encoder_digest": found.digest,
        "dimension": found.settings.dimension,
        "scale": found.settings.scale,
    }
    store().parent.mkdir(mode=0o700)

    for number in numbers:
        forged = forge(10_000 + number, **how)
        lay_out(forged.tree, store())
        for command in COMMANDS:
            told(run(*with_first(command, forged.rows)))
        shutil.rmtree(store())

    count("forged stores before commands", len(numbers))
    count("commands on forged stores", len(numbers) * len(COMMANDS))


@pytest.mark.campaign
@pytest.mark.usefixtures("models_home")
def test_no_command_on_a_forged_store_takes_long_or_much(campaign: bool, count: Count) -> None:
    """In processes of their own, which the system ends if they take more than they may have."""
    numbers = range(20_000, 20_000 + (25 if campaign else 1))
    found = find_encoder()
    store().parent.mkdir(mode=0o700)

    for number in numbers:
        forged = forge(number, encoder=found.name, encoder_digest=found.digest)
        lay_out(forged.tree, store())
        for command in COMMANDS:
            told(limited(*with_first(command, forged.rows)))
        shutil.rmtree(store())

    count("commands on forged stores in processes of their own", len(numbers) * len(COMMANDS))


def with_first(command: tuple[str, ...], rows: list[tuple[bytes, bytes]] | None) -> list[str]:
    """Return a command that names an example which the store holds, if anybody knows one."""
    id = rows[0][0].hex() if rows else FIRST
    return [id if word == FIRST else word for word in command]


def limited(*args: str) -> Ran:
    """Run a command in a process that has so much memory and processor time."""

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))

    command = [sys.executable, "-P", "-c", PROGRAM, *args]
    done = subprocess.run(command, capture_output=True, check=False, timeout=300, preexec_fn=limit)
    return Ran(done.returncode, done.stdout.decode(), done.stderr.decode())
